# SPDX-License-Identifier: Apache-2.0
"""Gather the board, put its rows in their order, put a row off, note what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import access, deeds, received, tables_mirror
from connectors.casebook.deeds import Deed
from connectors.casebook.tables_files import snoozes
from connectors.desk.board import agenda, courses, endings, reads, rules
from connectors.desk.board.reads import Start
from connectors.desk.board.rows import Row, Some
from connectors.desk.board.rules import Bar, Place, Sort
from connectors.desk.board.scope import Scope
from connectors.desk.web.visits import Access, Visit
from consent.calendar import end_of_day, start_of_day

IN_SIGHT: Final = 20
BESIDE: Final = 5
_ANSWERS: Final = ("outcome_reported", "declined")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A row in its place; `overdue` counts business days; `waits`: a deed about it is on its way to the hub."""

    row: Row
    overdue: int
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A line of today's schedule; `at` is none where only the day is known."""

    row: Row
    at: datetime | None
    is_now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything on the board, in its order."""

    late: Sequence[Item]
    late_total: int
    todo: Sequence[Item]
    todo_total: int
    today: Sequence[Appointment]
    walks: int
    awaited: Sequence[tuple[Row, Bar]]
    awaited_total: int
    came_in: Some
    ending: Some
    drafts: Some
    refused: Sequence[Deed]
    next_due: datetime | None
    start: Start
    caseload: int
    agencies: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeCounts:
    """What an administrator without casework sees: how much waits, never whose it is."""

    waiting: int
    refused: int
    emergencies: int


def scope_of(visit: Visit, width: str) -> Scope:
    """Give whose board is asked for."""
    return Scope(agency=visit.site.connector.agency, me=visit.me.id, team=visit.me.team, width=width, now=visit.at)


def gather(connection: Connection, visit: Visit, width: str, *, everything: bool = False) -> Board:
    """Read the board and put its rows in their order; that somebody looked at the list is logged as one look."""
    scope = scope_of(visit, width)
    access.record(connection, staff=scope.me, action=f"board:viewed-{width}", about="", now=visit.at)
    walks = (agenda.outings(connection, scope), agenda.told_outings(connection, scope))
    asked = agenda.follow_ups(connection, scope)
    work = [
        reads.our_moves(connection, scope),
        asked,
        *walks,
        agenda.notices(connection, scope),
        agenda.samples(connection, scope),
    ]
    work += [reads.replies(connection, scope), agenda.hub_tasks(connection, scope)]
    work += [courses.urgencies(connection, scope), courses.looks(connection, scope)]
    if visit.may(Access.SUPERVISOR):
        work += [agenda.emergencies(connection, scope), agenda.escalations(connection)]
    day = [reads.appointments(connection, scope), agenda.conferences(connection, scope)]
    awaited = reads.awaited(connection, scope, limit=BESIDE * 2)
    came_in = reads.came_in(connection, scope, limit=BESIDE)
    ending = endings.ending_soon(connection, scope, limit=BESIDE)
    drafts = agenda.drafts(connection, scope, limit=BESIDE)
    told = _told(connection, [*work, *day, awaited, came_in, ending, drafts])
    work, day = [_named(some, told) for some in work], [_named(some, told) for some in day]
    today = _schedule([*work, *day], scope)
    on_schedule = {one.row.about for one in today}
    queued = reads.waiting_abouts(connection)
    items = [
        item
        for item in _ordered((row for some in work for row in some.rows), visit, queued)
        if item.row.about not in on_schedule or (item.row.kind == "referral" and (item.overdue or item.row.urgent))
    ]
    late = [item for item in items if item.overdue or item.row.urgent]
    todo = [item for item in items if not (item.overdue or item.row.urgent)]
    pressing = sum(some.pressing for some in work) + sum(1 for item in late if item.row.kind == "emergency")
    sight = None if everything else IN_SIGHT
    return Board(
        late=late[:sight],
        late_total=max(pressing, len(late)),
        todo=todo[:sight],
        todo_total=max(len(todo), sum(some.total for some in work) - pressing - len(on_schedule)),
        today=today,
        walks=sum(1 for one in today if one.row.kind in {"outing", "walk"}),
        awaited=[(row, _bar(row, visit)) for row in _named(awaited, told).rows],
        awaited_total=awaited.total,
        came_in=_named(came_in, told),
        ending=_named(ending, told),
        drafts=_named(drafts, told),
        refused=deeds.refused(connection),
        next_due=None if late else reads.next_due(connection, scope),
        start=reads.start(connection, scope),
        caseload=reads.caseload(connection, scope),
        agencies=reads.agency_names(connection),
    )


def _told(connection: Connection, found: Iterable[Some]) -> Mapping[str, str]:
    """Give the names behind partners' cases, as far as somebody here has opened them, in one query for the board."""
    return received.names_in(
        connection, [row.case for some in found for row in some.rows if row.case is not None and row.name is None]
    )


def _named(found: Some, told: Mapping[str, str]) -> Some:
    rows = [row if row.name is not None else replace(row, name=told.get(row.case or "")) for row in found.rows]
    return replace(found, rows=rows)


def office_counts(connection: Connection, visit: Visit, waiting: int) -> OfficeCounts:
    """Count what concerns the office; nothing of a person is read."""
    scope = scope_of(visit, "office")
    asked = agenda.emergencies(connection, scope).total
    return OfficeCounts(waiting=waiting, refused=len(deeds.refused(connection)), emergencies=asked)


def require_open(connection: Connection, about: str) -> None:
    """Require that there is such a row which may be put off.

    *Raises* `ConnectorError`: `board-row-unknown`; `urgent-not-put-off` for one with the urgent flag.
    """
    if not agenda.is_open(connection, about):
        raise ConnectorError("board-row-unknown")
    if agenda.urgency_of(connection, about) in rules.URGENT:
        raise ConnectorError("urgent-not-put-off")


def put_off(connection: Connection, visit: Visit, about: str, *, until: date, reason: str) -> None:
    """Put a row off until the morning of a day, a week at most; it comes back by itself. Audited.

    *Raises* as `require_open`.
    """
    require_open(connection, about)
    values = {"until": start_of_day(until), "reason": reason, "staff": visit.me.id, "at": visit.at}
    statement = insert(snoozes).values(about=about, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["about"], set_=values))
    access.record(connection, staff=visit.me.id, action="board:put-off", about=about, now=visit.at)


def wake(connection: Connection, visit: Visit, about: str) -> None:
    """Take a row back before its day."""
    connection.execute(sa.delete(snoozes).where(snoozes.c.about == about))
    access.record(connection, staff=visit.me.id, action="board:taken-back", about=about, now=visit.at)


def last_snooze_day(visit: Visit) -> date:
    """Give the last day until which a row may be put off."""
    return visit.today + rules.LONGEST_SNOOZE


def _ordered(rows: Iterable[Row], visit: Visit, queued: frozenset[str]) -> list[Item]:
    by_about = {row.about: row for row in rows if not (row.kind == "outing" and row.is_over)}
    places = [_place(row, visit) for row in by_about.values()]
    return [
        Item(
            row=by_about[place.about],
            overdue=place.overdue,
            waits=bool(queued & {by_about[place.about].referral, place.about.partition(":")[2]}),
        )
        for place in rules.order(places, visit.at)
    ]


def _place(row: Row, visit: Visit) -> Place:
    is_answer = row.kind == "reply" or (row.kind == "referral" and row.state in _ANSWERS)
    sort = Sort.WITHDRAWAL if row.kind == "notice" else Sort.ANSWER if is_answer else Sort.REST
    overdue = rules.overdue_days(row.due, visit.at, visit.site.calendar)
    return Place(about=row.about, sort=sort, urgent=row.urgent, overdue=overdue, due=row.due)


def _schedule(found: Iterable[Some], scope: Scope) -> list[Appointment]:
    """Put what is today in the order of the clock, what has no time of day last; the present one is marked."""
    begins, ends = start_of_day(scope.today), end_of_day(scope.today)
    rows = [row for some in found for row in some.rows]
    timed = sorted(
        (row for row in rows if row.kind in {"outing", "meeting"} and row.at and begins <= row.at <= ends),
        key=lambda row: (row.at, row.about),
    )
    untimed = [
        row for row in rows if row.kind == "appointment" or (row.kind in {"follow-up", "walk"} and row.due == ends)
    ]
    present = rules.present([row.at for row in timed if row.at and not row.is_over], scope.now)
    appointments = [
        Appointment(row=row, at=row.at, is_now=present is not None and row.at == present and not row.is_over)
        for row in timed
    ]
    return [*appointments, *(Appointment(row=row, at=None, is_now=False) for row in untimed)]


def _bar(row: Row, visit: Visit) -> Bar:
    sent = row.at or visit.at
    due = row.due or visit.at + timedelta(days=1)
    return rules.bar(sent, due, visit.at, visit.site.calendar)


def note_task_done(connection: Connection, visit: Visit, task: str) -> None:
    """Note at once that a task is done, which the hub has just said; the next round would tell the same."""
    known = tables_mirror.tasks.c
    connection.execute(sa.update(tables_mirror.tasks).where(known.id == task).values(done_at=visit.at))
