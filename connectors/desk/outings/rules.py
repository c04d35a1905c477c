# SPDX-License-Identifier: Apache-2.0
"""What may be said of an accompaniment and what the hub learns of it; pure (referral-loop.md, "Accompaniment")."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from connectors.base.labels import codes
from consent.calendar import JST, Calendar, day_of

NO_SHOW: Final = "no_show"
CALLED_OFF: Final = "called_off"
TURNED_AWAY: Final = "not_accepted"
NO_SHOW_DAYS: Final = 3
FURTHEST_DAYS: Final = 180
LONGEST_MINUTES: Final = 24 * 60
_MINUTE: Final = 60
OVER: Final = frozenset({"done", NO_SHOW, CALLED_OFF})


def outcomes(state: str) -> tuple[str, ...]:
    """Give what may have come of an accompaniment: the results, that the person did not come, that it was called off.

    Only somebody who had agreed can fail to come; a proposal is called off.
    """
    results = tuple(codes("accompaniment_result"))
    return (*results, NO_SHOW, CALLED_OFF) if state == "agreed" else (*results, CALLED_OFF)


def state_after(outcome: str) -> str:
    """Give the state at the hub that an outcome makes."""
    return outcome if outcome in {NO_SHOW, CALLED_OFF} else "done"


def minutes_between(arrived: datetime | None, ended: datetime | None) -> int | None:
    """Give how long it took, at least a minute, a day at most; none where a time is missing or the day went by."""
    if arrived is None or ended is None or ended < arrived:
        return None
    minutes = round((ended - arrived).total_seconds() / _MINUTE)
    return max(1, minutes) if minutes <= LONGEST_MINUTES else None


def last_day_after_no_show(now: datetime, calendar: Calendar) -> date:
    """Give the last day for the next step after the person did not come: the third business day."""
    day = day_of(now)
    for _ in range(NO_SHOW_DAYS):
        day = calendar.next_business_day(day)
    return day


def going(known: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Give the record as the hub keeps it: codes, dates and minutes alone, whatever else is known here."""
    members = ("state", "on", "role", "destination", "purpose", "minutes", "result", "next_step_on", "message")
    said = {**known, **changes}
    return {name: said[name] for name in members if said.get(name) is not None}


def day_in_japan(at: datetime) -> str:
    """Give the day of an appointment as the API writes it."""
    return at.astimezone(JST).date().isoformat()
