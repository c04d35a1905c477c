# SPDX-License-Identifier: Apache-2.0
"""What every query of the board shares: whose work (mine, my team's, the agency's), who is behind a case, what sleeps.

A case without anybody in charge is everybody's: it stands on every board, so that nobody falls between two. Queries
are built once for each width and then only filled in: building them anew took longer than the casebook's answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from connectors.casebook import tables
from connectors.casebook import tables_files as own
from consent.calendar import day_of, end_of_day, start_of_day

SCOPES: Final = ("mine", "team", "office")
AGENCY: Final[sa.BindParameter[str]] = sa.bindparam("agency", type_=sa.String)
ME: Final[sa.BindParameter[str]] = sa.bindparam("me", type_=sa.String)
NOW: Final[sa.BindParameter[datetime]] = sa.bindparam("now", type_=tables.UtcText)
TODAY: Final[sa.BindParameter[date]] = sa.bindparam("today", type_=sa.Date)
DAY_BEGINS: Final[sa.BindParameter[datetime]] = sa.bindparam("day_begins", type_=tables.UtcText)
DAY_ENDS: Final[sa.BindParameter[datetime]] = sa.bindparam("day_ends", type_=tables.UtcText)
_TEAM: Final[sa.BindParameter[str]] = sa.bindparam("team", type_=sa.String)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose board it is: the agency, who looks, their team, how wide they look, and when."""

    agency: str
    me: str
    team: str
    width: str
    now: datetime

    @property
    def today(self) -> date:
        """Give the day in Japan."""
        return day_of(self.now)

    @property
    def reach(self) -> str:
        """Give how wide the board looks: whoever has no team sees their own."""
        return "mine" if self.width == "team" and not self.team else self.width

    @property
    def places(self) -> dict[str, Any]:
        """Give what the board's queries are filled in with."""
        begins, ends = start_of_day(self.today), end_of_day(self.today)
        return {
            "agency": self.agency, "me": self.me, "team": self.team, "now": self.now, "today": self.today,
            "day_begins": begins, "day_ends": ends,
        }  # fmt: skip


def covers(reach: str, *workers: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Say of a row whether a board shows it: `workers` are whoever may be in charge, the nearer first."""
    in_charge = own.case_files.c.worker
    worker = sa.func.coalesce(*workers, in_charge) if workers else in_charge
    if reach == "office":
        return sa.true()
    if reach == "team":
        return sa.or_(worker.is_(None), worker == ME, own.case_files.c.team == _TEAM)
    return sa.or_(worker.is_(None), worker == ME)


def awake(about: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Say that a row was not put off, or has come back since."""
    return about.not_in(sa.select(own.snoozes.c.about).where(own.snoozes.c.until > NOW))


def with_person(source: sa.FromClause, case: sa.ColumnElement[str]) -> sa.FromClause:
    """Join the case's file and whoever is behind it, as far as they are known here."""
    return (
        source.outerjoin(own.case_files, own.case_files.c.case == case)
        .outerjoin(tables.cases, tables.cases.c.handle == case)
        .outerjoin(tables.persons, tables.persons.c.id == tables.cases.c.person)
    )


def in_charge(source: sa.FromClause, case: sa.ColumnElement[str], reach: str) -> sa.FromClause:
    """Join the case's file where the width asks who is in charge; a whole agency's board does not."""
    if reach == "office":
        return source
    return source.outerjoin(own.case_files, own.case_files.c.case == case)


WHO: Final = (tables.persons.c.name.label("name"), own.case_files.c.number.label("number"))
"""The columns that say who a row is about."""
TOTAL: Final = sa.func.count().over().label("total")
"""How many rows there are in all, beside those that are fetched."""


def pressing(is_pressing: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Count those of all rows that are late or urgent."""
    return sa.func.sum(sa.case((is_pressing, 1), else_=0)).over().label("pressing")
