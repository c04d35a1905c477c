# SPDX-License-Identifier: Apache-2.0
"""What tells the two kinds of meeting apart at a desk, and what a line of the agenda lacks. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from connectors.casebook.agenda import Outcome
from connectors.casebook.seating import CONFERENCE, COORDINATION
from consent.calendar import add_months, day_of, start_of_day
from consent.vocabulary.codes import CODE_LISTS

KINDS: Final[Mapping[str, str]] = {"meetings": COORDINATION, "conferences": CONFERENCE}
"""Where the pages of each kind are. The kind is the address: no form has a field for it, and nothing changes it."""
WHERE: Final[Mapping[str, str]] = {kind: where for where, kind in KINDS.items()}
SECRECY_NOTE: Final = "2026-11"
"""The version of the note of secrecy (`texts.json`, `secrecy-…`)."""
MUNICIPALITY: Final = "jichitai"
USUAL_CATEGORIES: Final = ("identity", "consultation", "support_record")
LONGEST_MONTHS: Final = 12
_AFTERWARDS: Final = timedelta(days=31)
"""How long the minutes of a 支援調整会議 may be written after it was held."""
TO_DECIDE: Final = frozenset({"adopted", "adopted_with_changes"})
"""Decisions after which the municipality is asked for its own (step 8)."""


def ends_at(kind: str, held_at: datetime, last: date | None) -> datetime:
    """Give when a meeting ends by itself: a conference with its own last day, the other a month after it was held."""
    if kind == CONFERENCE and last is not None:
        return start_of_day(last + timedelta(days=1))
    return held_at + _AFTERWARDS


def last_possible_day(today: date) -> date:
    """Give the last day that a conference may choose for its end: at most a year (consent.md)."""
    return day_of(add_months(start_of_day(today), LONGEST_MONTHS)) - timedelta(days=1)


def lacks_municipality(kinds_there: Collection[str]) -> bool:
    """Say whether the municipality's officer is not among those who come, who does come as a rule (guideline 8)."""
    return MUNICIPALITY not in kinds_there


def settled_checks(outcome: Outcome) -> bool:
    """Say whether the three questions of step 7 have an answer each."""
    return set(outcome.checks) == set(CODE_LISTS["meeting_check"])


def services_of(law: Iterable[str], beside: Iterable[str]) -> dict[str, str]:
    """Tell services under the law, which are decided, from others, which are only confirmed."""
    return {**dict.fromkeys(law, "law"), **dict.fromkeys(beside, "beside")}
