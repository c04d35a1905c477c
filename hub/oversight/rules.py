# SPDX-License-Identifier: Apache-2.0
"""What an officer may answer, and what counts as out of the ordinary: closed lists of codes and pure decisions.

Labels, Japanese and English, are in `texts.json` beside this file. Nobody writes sentences about a person at the hub: a
judgement is a code, and the number of a paper file where more is written.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from statistics import median
from typing import Final

from consent.calendar import JST
from consent.vocabulary.codes import CODE_LISTS

REFERENCE: Final = re.compile(r"[A-Z]{0,3}[0-9]{1,2}-[0-9]{1,6}(-[0-9]{1,3})?", re.ASCII)
"""The number of a file as offices write it, era, number, branch ("R8-0123", "8-123-2"): no room for a name."""
REVIEW_BUSINESS_DAYS: Final = 1
PAPER_BUSINESS_DAYS: Final = 5
REMIND_BUSINESS_DAYS: Final = 3
"""Days between two reminders of a stop-use notice that nobody answers."""
MOST_SAMPLES: Final = 50
SHARE_WARNED: Final = 0.02
"""Share of emergency uses in all disclosures from which the officer is warned: the door is narrow (domain §5)."""
PUBLIC_BODIES: Final = frozenset({"admin", "incorporated_admin", "public"})
"""Regimes of bodies that article 16(2) names: what goes to or comes from them needs no record (article 29)."""
NIGHT: Final = (time(22, 0), time(6, 0))
"""From and until, JST: an office that reads at night is asked why."""
PAST_DAYS: Final = 28
LEAST_VOLUME: Final = 10
TIMES_USUAL: Final = 3
REFUSALS: Final = 3
"""Refusals of one sender about one case on one day from which they are no slip of the pen."""
HOPS: Final = 3
"""How often a need was referred on, from which somebody looks (domain §5: count hops)."""


class Answer(StrEnum):
    """How an officer judges an emergency use (ux H2)."""

    JUSTIFIED = "justified"
    PROCEDURE_LACKING = "procedure_lacking"
    NOT_JUSTIFIED = "not_justified"
    MORE_NEEDED = "more_needed"


class Remark(StrEnum):
    """What an officer says of an emergency use, in place of free text."""

    NONE = "none"
    THREAT_NOT_SHOWN = "threat_not_shown"
    CONSENT_COULD_BE_ASKED = "consent_could_be_asked"
    TOO_MANY_CATEGORIES = "too_many_categories"
    OTHER_RECIPIENT_FITTER = "other_recipient_fitter"
    APPROVAL_LATE = "approval_late"
    APPROVER_NOT_INDEPENDENT = "approver_not_independent"
    PERSON_NOT_TOLD = "person_not_told"
    RECORD_INCOMPLETE = "record_incomplete"
    AGAINST_EXCLUSION = "against_exclusion"
    ASK_BY_TELEPHONE = "ask_by_telephone"


class AnomalyKind(StrEnum):
    """What is looked for every day."""

    NIGHT_READING = "night_reading"
    VOLUME_SENT = "volume_sent"
    VOLUME_READ = "volume_read"
    REFUSED_AGAIN = "refused_again"
    PASSED_ROUND = "passed_round"


class Closing(StrEnum):
    """How an officer closes an anomaly."""

    EXPLAINED = "explained"
    NIGHT_DUTY = "night_duty"
    NEW_SERVICE = "new_service"
    TRAINING_GIVEN = "training_given"
    CONFERENCE_CALLED = "conference_called"
    INVESTIGATED = "investigated"
    FALSE_ALARM = "false_alarm"


class Outcome(StrEnum):
    """What came of looking for a paper form."""

    MATCHES = "matches"
    DIFFERS = "differs"
    NOT_FOUND = "not_found"


def is_reference(text: str) -> bool:
    """Say whether this is the number of a file and nothing else."""
    return REFERENCE.fullmatch(text) is not None


def may_review(reviewer: str, *, requester: str | None, approver: str | None) -> bool:
    """Say whether this person may judge a use: neither who asked for it nor who approved it."""
    return reviewer not in {requester, approver}


def is_final(answer: Answer) -> bool:
    """Say whether a review ends with this answer; `more_needed` leaves it open for another."""
    return answer is not Answer.MORE_NEEDED


def needs_action(answer: Answer) -> bool:
    """Say whether the agency must do something because of this answer."""
    return answer is not Answer.JUSTIFIED


def at_night(at: datetime) -> bool:
    """Say whether offices in Japan are asleep at this moment."""
    local, (begins, ends) = at.astimezone(JST).time(), NIGHT
    return local >= begins or local < ends


def usual(past: Mapping[date, int], days: Collection[date]) -> int | None:
    """Give the usual number of an agency's day: the median of its past days that saw anything; None with fewer than
    five such days, because five days are no past.
    """
    counted = [past[day] for day in days if past.get(day)]
    return round(median(counted)) if len(counted) >= 5 else None  # noqa: PLR2004 - said above


def is_unusual(count: int, ordinary: int | None) -> bool:
    """Say whether a day's number is out of proportion to an agency's own past."""
    return ordinary is not None and count >= LEAST_VOLUME and count > TIMES_USUAL * ordinary


def drawn(seed: str, candidates: Sequence[str], size: int) -> tuple[str, ...]:
    """Draw `size` of the candidates' ids by a seed: those whose SHA-256(seed ‖ id) comes first.

    Whoever has the log has seed and ids, and so can draw again.
    """
    return tuple(sorted(candidates, key=lambda one: hashlib.sha256(f"{seed}{one}".encode("ascii")).digest())[:size])


def record_duty(sender_kind: str, recipient_kind: str, *, basis: str) -> str:
    """Say whether articles 29 and 30 ask both for a record: `required`, `not_required`, or `depends` on what an agency
    is (an entrusted or mixed one may stand on either side). All is recorded anyway (domain §4.4).
    """
    regimes = {CODE_LISTS["recipients"][kind]["regime"] for kind in (sender_kind, recipient_kind)}
    if basis != "consent" or regimes & PUBLIC_BODIES:
        return "not_required"
    return "required" if regimes == {"private"} else "depends"


def share_is_high(uses: int, disclosures: int) -> bool:
    """Say whether emergency uses are more of all disclosures than a narrow door lets through."""
    return uses > 0 and uses > SHARE_WARNED * disclosures
