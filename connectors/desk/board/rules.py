# SPDX-License-Identifier: Apache-2.0
"""What comes first on the board (ux D2), and how far along a wait is. Pure; the order is a rule that tests hold.

Urgent safety flag > overdue business days, most first > due today by time > withdrawal confirmations > answers
received > the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from connectors.desk.web.when import business_days_late
from consent.calendar import Calendar, day_of

URGENT: Final = frozenset({"immediate", "same_day"})
"""The urgencies that go before everything (referral-loop.md, "States": the urgent column)."""
LONGEST_SNOOZE: Final = timedelta(days=7)
BAR_WIDTH: Final = 104
"""The width of the bar of a wait, in units of its picture."""
_TICK: Final = 62
_LAST: Final = timedelta(microseconds=1)
_WARN_FROM: Final = 0.7
_STILL_ON: Final = timedelta(hours=1)


class Sort(IntEnum):
    """What a row is about, as far as the order asks."""

    WITHDRAWAL = 1
    ANSWER = 2
    REST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What decides where a row stands: `about` names it, `overdue` counts business days."""

    about: str
    sort: Sort
    urgent: bool = False
    overdue: int = 0
    due: datetime | None = None


def rank(place: Place, now: datetime) -> tuple[int, int, float, str]:
    """Give what rows are sorted by; equal ones by their deadline, then by name, so that the order is one."""
    due = place.due.timestamp() if place.due else float("inf")
    if place.urgent:
        return 0, -place.overdue, due, place.about
    if place.overdue:
        return 1, -place.overdue, due, place.about
    if place.due is not None and day_of(place.due - _LAST) == day_of(now):
        return 2, 0, due, place.about
    return 2 + place.sort.value, 0, due, place.about


def order(places: Iterable[Place], now: datetime) -> list[Place]:
    """Put rows in the order of the board."""
    return sorted(places, key=lambda place: rank(place, now))


def overdue_days(due: datetime | None, now: datetime, calendar: Calendar) -> int:
    """Count the business days by which a deadline has passed, at least 1; 0 before that or without one."""
    return 0 if due is None else business_days_late(due, now, calendar)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A wait as a bar: business days gone and allowed, the widths of its parts, and how it stands."""

    gone: int
    allowed: int
    width: int
    tick: int
    tone: str


def bar(sent: datetime, due: datetime, now: datetime, calendar: Calendar) -> Bar:
    """Draw how long an answer has been waited for against the time that it may take.

    The tick is where the time is over; a wait of more than the bar's length ends at its end.
    """
    allowed = max(1, calendar.business_days_between(sent, due - _LAST))
    gone = calendar.business_days_between(sent, now)
    width = min(BAR_WIDTH, round(_TICK * gone / allowed))
    if due <= now:
        return Bar(gone=gone, allowed=allowed, width=BAR_WIDTH, tick=_TICK, tone="late")
    tone = "warn" if gone / allowed >= _WARN_FROM else "ok"
    return Bar(gone=gone, allowed=allowed, width=min(width, _TICK), tick=_TICK, tone=tone)


def present(times: Iterable[datetime], now: datetime) -> datetime | None:
    """Give the appointment that a day has come to: one that began within the last hour, else the next."""
    return min((at for at in times if at > now - _STILL_ON), default=None)
