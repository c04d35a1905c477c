# SPDX-License-Identifier: Apache-2.0
"""The routes of step ④ as data (`routes.json`): what they are for, to whom, what comes first, and by when to act.

Source: domain README §5, "Emergency routes". The times are practice, not law, and are changed in the data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from consent.calendar import Calendar, day_of, end_of_day, start_of_day
from consent.vocabulary.codes import CODE_LISTS, Language

AT_ONCE: Final = timedelta(minutes=30)
"""How long "at once" may take before the page calls it late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One emergency route: kinds of agencies it leads to, what comes first, which pages go on with it, its clock."""

    code: str
    trigger: Mapping[Language, str]
    to: tuple[str, ...]
    purpose: str
    first: str
    then: str
    clock: str
    days: int = 0
    hours: int = 0
    days_before: int = 0
    asks_date: bool = False

    def due(self, now: datetime, on: date | None, calendar: Calendar) -> datetime:
        """Give by when to act: a fixed time from now, and before the day on which something happens, if that is sooner.

        A day already gone, or too near to be early for, leaves today.
        """
        match self.clock:
            case "at_once":
                return now + AT_ONCE
            case "same_day":
                return end_of_day(day_of(now))
            case "business_days":
                return calendar.add_business_days(now, self.days)
            case _:
                return self._before(now, on)

    def _before(self, now: datetime, on: date | None) -> datetime:
        today_ends = end_of_day(day_of(now))
        longest = now + timedelta(hours=self.hours) if self.hours else None
        if on is None:
            return longest or today_ends
        early = start_of_day(on) - timedelta(days=self.days_before)
        wanted = min(early, longest) if longest else early
        return max(wanted, min(today_ends, start_of_day(on))) if on > day_of(now) else today_ends


@cache
def routes() -> Mapping[str, Route]:
    """Give every route of the vocabulary's list `emergency_route`, in its order.

    *Raises* KeyError: a route of the list has no data, which is a mistake of the program.
    """
    data: dict[str, dict[str, Any]] = json.loads(
        files("connectors.desk.path").joinpath("routes.json").read_text(encoding="utf-8")
    )
    return {code: _route(code, data[code]) for code in CODE_LISTS["emergency_route"]}


def _route(code: str, said: Mapping[str, Any]) -> Route:
    return Route(
        code=code,
        trigger=said["trigger"],
        to=tuple(said["to"]),
        purpose=said["purpose"],
        first=said["first"],
        then=said["then"],
        clock=said["clock"],
        days=said.get("days", 0),
        hours=said.get("hours", 0),
        days_before=said.get("days_before", 0),
        asks_date=said.get("date", False),
    )
