# SPDX-License-Identifier: Apache-2.0
"""Who looked at what: the access log by worker, person, kind and period, newest first, with the reason given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables
from consent.calendar import day_of, end_of_day, start_of_day

_REASON: Final = "reason:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines; what is none is not asked for.

    `patterns`: of their actions, of which one must fit; `but`: patterns of which none may. `people`: ids of persons and
    handles of their cases. `first`, `last`: days in Japan, both included.
    """

    staff: str | None = None
    people: frozenset[str] | None = None
    patterns: Sequence[str] = ()
    but: Sequence[str] = ()
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One line with its position, by which lists go on."""

    position: int
    at: datetime
    staff: str
    action: str
    case: str | None
    about: str


def looks(connection: Connection, wanted: Wanted, *, before: int | None = None, limit: int) -> list[Look]:
    """Give the newest lines, those below a position where one is named."""
    log = tables.access_log
    query = sa.select(log).where(*_where(wanted)).order_by(log.c.position.desc()).limit(limit)
    if before is not None:
        query = query.where(log.c.position < before)
    return [
        Look(position=row.position, at=row.at, staff=row.staff, action=row.action, case=row.case, about=row.about)
        for row in connection.execute(query)
    ]


def count(connection: Connection, wanted: Wanted) -> int:
    """Count the lines."""
    return connection.execute(
        sa.select(sa.func.count()).select_from(tables.access_log).where(*_where(wanted))
    ).scalar_one()


def reasons(connection: Connection, found: Iterable[Look]) -> dict[tuple[str, str, date], str]:
    """Give the codes of the reasons for which workers opened cases that are not theirs, by worker, case and day."""
    lines = [one for one in found if one.case is not None]
    if not lines:
        return {}
    log = tables.access_log
    query = sa.select(log.c.staff, log.c.case, log.c.at, log.c.action).where(
        log.c.action.startswith(_REASON),
        log.c.at >= start_of_day(min(day_of(one.at) for one in lines)),
        log.c.at < end_of_day(max(day_of(one.at) for one in lines)),
    )
    return {
        (row.staff, row.case, day_of(row.at)): row.action.removeprefix(_REASON) for row in connection.execute(query)
    }


def names_of(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Give the names of persons by their ids; whoever shows them logs that as one look."""
    rows = connection.execute(
        sa.select(tables.persons.c.id, tables.persons.c.name).where(tables.persons.c.id.in_(set(ids)))
    )
    return {row.id: row.name for row in rows}


def _where(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    log = tables.access_log
    found: list[sa.ColumnElement[bool]] = []
    if wanted.staff is not None:
        found.append(log.c.staff == wanted.staff)
    if wanted.people is not None:
        found.append(sa.or_(log.c.case.in_(wanted.people), log.c.about.in_(wanted.people)))
    if wanted.patterns:
        found.append(sa.or_(*(log.c.action.like(one) for one in wanted.patterns)))
    if wanted.but:
        found.append(sa.not_(sa.or_(*(log.c.action.like(one) for one in wanted.but))))
    if wanted.first is not None:
        found.append(log.c.at >= start_of_day(wanted.first))
    if wanted.last is not None:
        found.append(log.c.at < end_of_day(wanted.last))
    return found
