# SPDX-License-Identifier: Apache-2.0
"""Days of follow-ups: presets, groups of the agenda, weeks of a month, when putting off needs a reason; pure."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from consent.calendar import add_months, day_of

PRESETS: Final[Mapping[str, tuple[int, int]]] = {
    "3d": (3, 0),
    "2w": (14, 0),
    "1m": (0, 1),
    "3m": (0, 3),
    "6m": (0, 6),
}
"""Days and months (referral-loop.md, "Follow-up")."""
AFTER_CLOSURE: Final = "after_closure"
"""A look after the referral has ended, three months on."""
_AFTER_CLOSURE_MONTHS: Final = 3
FREE_DELAYS: Final = 2
"""How often in a row a follow-up may be put off without saying why."""
PUT_OFF: Final = frozenset({"not_yet", "no_contact"})
"""Results that set the same question anew."""
DAYS_APART: Final = 7
"""The next days stand one by one, what is later by the week."""
WEEK: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A part of the agenda: `overdue`, `day` or `week`, from which day."""

    kind: str
    first: date


def group_of(due: date, today: date) -> Group:
    """Say where a day stands: late ones together, this week by the day, later ones by the week from Monday."""
    if due < today:
        return Group(kind="overdue", first=date.min)
    if due < today + timedelta(days=DAYS_APART):
        return Group(kind="day", first=due)
    return Group(kind="week", first=due - timedelta(days=due.weekday()))


def day_of_preset(preset: str, now: datetime) -> date:
    """Give the day that a preset names, counted from today in Japan.

    *Raises* KeyError: there is no such preset, which is a mistake of the program.
    """
    days, months = (0, _AFTER_CLOSURE_MONTHS) if preset == AFTER_CLOSURE else PRESETS[preset]
    return day_of(add_months(now, months) + timedelta(days=days))


def needs_reason(results: Sequence[str | None], result: str, *, is_set_anew: bool) -> bool:
    """Say whether another delay needs a reason: after the second in a row. `results` are those before, in order."""
    if not is_set_anew or result not in PUT_OFF:
        return False
    in_a_row = 0
    for one in reversed(results):
        if one not in PUT_OFF:
            break
        in_a_row += 1
    return in_a_row >= FREE_DELAYS


def weeks_of(month: date) -> list[list[date]]:
    """Give the weeks of a month from Sunday on, as calendars in Japan show it; days of the neighbours fill them up."""
    return calendar.Calendar(firstweekday=calendar.SUNDAY).monthdatescalendar(month.year, month.month)


def next_month(month: date) -> date:
    """Give the first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_before(month: date) -> date:
    """Give the first day of the month before."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def read_month(said: str) -> date | None:
    """Read `2026-04`; none where it is no month between 2000 and 2100."""
    year, _, month = said.partition("-")
    if not (said.isascii() and year.isdigit() and month.isdigit()) or len(said) != len("2026-04"):
        return None
    try:
        read = date(int(year), int(month), 1)
    except ValueError:
        return None
    return read if _FIRST_YEAR <= read.year <= _LAST_YEAR else None


_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2100


def by_day(days: Iterable[date]) -> dict[date, int]:
    """Count how often each day is named."""
    counted: dict[date, int] = {}
    for day in days:
        counted[day] = counted.get(day, 0) + 1
    return counted
