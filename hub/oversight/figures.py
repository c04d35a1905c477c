# SPDX-License-Identifier: Apache-2.0
"""What a month comes to: counts for the report and for warnings. Where they leave the house small ones are hidden."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from consent.calendar import start_of_day
from consent.vocabulary.codes import CODE_LISTS
from hub.agencies import reads as agencies
from hub.audit import overseen as log
from hub.audit.overseen import Fact
from hub.audit.rules import AuditKind
from hub.messages import overseen as messages
from hub.oversight import reads
from hub.oversight.rules import Answer
from hub.oversight.suppression import Shown, shown_alone, shown_list, shown_table
from hub.referrals import overseen as referrals
from hub.referrals.lifecycle import State

OPEN_REVIEW: Final = "not_yet"
COUNTED: Final = (
    AuditKind.CONSENT_REGISTERED,
    AuditKind.CONSENT_SUPERSEDED,
    AuditKind.WITHDRAWAL_REGISTERED,
    AuditKind.EXCLUSION_REGISTERED,
    AuditKind.PURGE_ASKED,
    AuditKind.PURGE_ANSWERED,
    AuditKind.PURGE_OVERDUE,
    AuditKind.ACCOMPANIMENT_RECORDED,
    AuditKind.FOLLOW_UP_DONE,
)
"""Events of which a month is told how many there were; they are in no sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list of counts that belong to one total; None is a hidden number."""

    names: tuple[str, ...]
    counts: tuple[int | None, ...]
    total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The figures of one month, ready to leave the house.

    - `disclosures`: parts by category (rows) and kind of recipient (columns)
    - `refusals`: refused parts by reason
    - `reviews`: emergency uses by how they were judged
    - `referrals`: sent in the month, by where they stand now
    - `events`: by kind of entry
    """

    first_day: date
    made_at: datetime
    disclosures: Shown
    refusals: Listed
    reviews: Listed
    referrals: Listed
    events: Mapping[str, int | None]


def bounds(year: int, month: int) -> tuple[datetime, datetime]:
    """Give the first moment of a month in Japan and the first of the next.

    Raises ValueError: there is no such month.
    """
    first = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1)
    return start_of_day(first), start_of_day(after)


def month(session: Session, year: int, number: int, *, now: datetime) -> Month:
    """Count one month; needs a role that sees every row and entry. Raises ValueError: there is no such month."""
    since, until = bounds(year, number)
    counted = log.between(session, [*COUNTED, AuditKind.MESSAGE_REFUSED], since=since, until=until)
    refused = [one for one in counted if one.kind == AuditKind.MESSAGE_REFUSED]
    by_kind = Counter(one.kind for one in counted)
    return Month(
        first_day=date(year, number, 1),
        made_at=now,
        disclosures=_disclosures(session, since, until),
        refusals=_listed(sorted(CODE_LISTS["decision_reasons"]), _reasons(refused)),
        reviews=_listed([OPEN_REVIEW, *Answer], _judged(session, since, until, now)),
        referrals=_listed(list(State), referrals.by_state(session, since=since, until=until)),
        events={kind.value: shown_alone(by_kind[kind.value]) for kind in COUNTED},
    )


def share(session: Session, *, since: datetime, until: datetime) -> tuple[int, int]:
    """Count the emergency uses of a period, and all disclosures."""
    uses = messages.emergency_uses(session, since=since, until=until)
    return len(uses), sum(
        sum(days.values()) for days in messages.sent_by_day(session, since=since, until=until).values()
    )


def _disclosures(session: Session, since: datetime, until: datetime) -> Shown:
    kinds = {one.id: one.kind for one in agencies.everybody(session)}
    counts: Counter[tuple[str, str]] = Counter()
    for one in messages.accepted(session, since=since, until=until):
        for label in one.labels:
            counts[label.category, kinds[one.message.recipient]] += 1
    rows = [code for code in CODE_LISTS["categories"] if any(row == code for row, _ in counts)]
    columns = [code for code in CODE_LISTS["recipients"] if any(column == code for _, column in counts)]
    return shown_table(rows, columns, counts)


def _reasons(refused: Sequence[Fact]) -> Mapping[str, int]:
    parts = (part for one in refused for part in one.facts["parts"])
    return Counter(part["reason"] for part in parts if part["outcome"] == "refused")


def _judged(session: Session, since: datetime, until: datetime, now: datetime) -> Mapping[str, int]:
    found = reads.uses_between(session, since=since, until=until, now=now)
    return Counter(one.reviews[-1].answer.value if one.reviews else OPEN_REVIEW for one in found)


def _listed(names: Sequence[str], counts: Mapping[str, int]) -> Listed:
    used = [str(name) for name in names if counts.get(str(name))]
    shown, total = shown_list(used, counts)
    return Listed(names=tuple(used), counts=shown, total=total)
