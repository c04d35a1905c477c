# SPDX-License-Identifier: Apache-2.0
"""Moments and deadlines as a page says them: Japanese time, and business days where it is a deadline."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from connectors.base.wareki import say_day
from consent.calendar import JST, Calendar, day_of
from consent.vocabulary.codes import Language

CALL_COUNTS_FOR: Final = timedelta(hours=24)
"""How old the telephone call may be that goes with an immediate message; the hub asks for the same."""


_NEAR: Final = timedelta(days=60)


def form_of_day(day: date, form: str, today: date) -> str:
    """Give the form of `say_day` in which nobody takes a day for another year's: a short one has its year when it is
    in another year and not near.
    """
    far = form == "short" and day.year != today.year and abs(day - today) > _NEAR
    return "far" if far else form


def clock_of(at: datetime) -> str:
    """Give the time of day in Japan, `9:05`."""
    local = at.astimezone(JST)
    return f"{local.hour}:{local.minute:02d}"


def say_moment(at: datetime, language: Language, form: str = "short") -> str:
    """Say a moment: its day in a form of `say_day`, and the time of day."""
    return f"{say_day(day_of(at), language, form)} {clock_of(at)}"


def deadline_day(due: datetime) -> date:
    """Give the last day on which a deadline can be kept: one at 0:00 ended with the day before."""
    return day_of(due - timedelta(microseconds=1))


def say_deadline(due: datetime, language: Language) -> str:
    """Say a deadline: its day, and the time of day unless it is the day's end."""
    day = say_day(deadline_day(due), language, "short")
    return day if day_of(due) != deadline_day(due) else f"{day} {clock_of(due)}"


def business_days_late(due: datetime, now: datetime, calendar: Calendar) -> int:
    """Count the business days by which a deadline has passed, at least 1; 0 while it has not."""
    if due > now:
        return 0
    return max(1, calendar.business_days_between(due - timedelta(microseconds=1), now))


def counts_as_call(at: datetime, now: datetime) -> bool:
    """Say whether a telephone call at this moment goes with an immediate message that is sent now."""
    return now - CALL_COUNTS_FOR < at <= now
