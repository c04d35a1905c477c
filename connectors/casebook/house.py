# SPDX-License-Identifier: Apache-2.0
"""What an agency has set for itself: days on which its municipality is closed, words at sign-in, notes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection

from connectors.casebook import access, marks
from connectors.casebook.statements import Pen
from consent.calendar import Calendar

_NAME: Final = "house"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The settings of an agency. `closed`: days besides national holidays; `retention`: how long papers are kept."""

    closed: tuple[date, ...] = ()
    notice: str = ""
    retention: str = ""
    contact: str = ""

    @property
    def calendar(self) -> Calendar:
        """Give the business days of this agency."""
        return Calendar(closed=frozenset(self.closed))


def house(connection: Connection) -> House:
    """Give what was set, or the defaults."""
    kept = marks.recall(connection, _NAME)
    if kept is None:
        return House()
    said = json.loads(kept)
    closed = tuple(date.fromisoformat(day) for day in said.pop("closed"))
    return House(closed=closed, **said)


def keep_house(connection: Connection, pen: Pen, made: House) -> None:
    """Keep the settings in place of those before."""
    said = {
        "closed": _days(made.closed),
        "notice": made.notice,
        "retention": made.retention,
        "contact": made.contact,
    }
    marks.remember(connection, _NAME, json.dumps(said, ensure_ascii=False))
    access.record(connection, staff=pen.staff, action="settings:changed", about="house", now=pen.now)


def _days(closed: Iterable[date]) -> list[str]:
    return [day.isoformat() for day in sorted(set(closed))]
