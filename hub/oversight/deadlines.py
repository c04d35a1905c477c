# SPDX-License-Identifier: Apache-2.0
"""By when a leak must be reported: pure, from the day somebody knew of it (Act on the Protection of Personal
Information, articles 26 and 68; enforcement rules 8 and 44).

The day of knowing is the first day, every day counts, and a full report that would fall due on a day on which the
authorities are closed is due on the next one that they work (guideline 3-5-3-4; known, not read at its source).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from consent.calendar import Calendar

FIRST_FROM: Final = 3
FIRST_UNTIL: Final = 5
FULL: Final = 30
FULL_ILL_INTENT: Final = 60
MANY_PUBLIC: Final = 100
"""More persons than this must be reported by public bodies (rule 43), whatever leaked."""
MANY_PRIVATE: Final = 1000
PRIVATE_REGIMES: Final = frozenset({"private", "entrusted"})
"""Regimes of the vocabulary that follow chapter 4 of the Act; for a body that may be either, the stricter counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """The days by which to report: first word between `first_from` and `first_until`, then in full."""

    first_from: date
    first_until: date
    full: date
    full_ill_intent: date


def deadlines(known_on: date, calendar: Calendar) -> Deadlines:
    """Count from the day somebody knew. The first word is due 「おおむね3～5日以内」: closed days put off the full
    report, not the first word.
    """
    return Deadlines(
        first_from=_nth(known_on, FIRST_FROM),
        first_until=_nth(known_on, FIRST_UNTIL),
        full=_working(_nth(known_on, FULL), calendar),
        full_ill_intent=_working(_nth(known_on, FULL_ILL_INTENT), calendar),
    )


def many(regime: str) -> int:
    """Give the number of persons above which a leak must be reported whatever leaked."""
    return MANY_PRIVATE if regime in PRIVATE_REGIMES else MANY_PUBLIC


def _nth(first: date, number: int) -> date:
    return first + timedelta(days=number - 1)


def _working(day: date, calendar: Calendar) -> date:
    return day if calendar.is_business_day(day) else calendar.next_business_day(day)
