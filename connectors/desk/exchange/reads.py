# SPDX-License-Identifier: Apache-2.0
"""Imports as pages show them: how far one is, its rows by what they are, somebody who is here already beside a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import tables as casebook
from connectors.casebook import tables_files as own
from connectors.desk.exchange.rules import Keys
from connectors.desk.exchange.sheets import Line
from connectors.desk.exchange.tables import import_rows, imports
from connectors.desk.web.filling import Fault
from connectors.desk.web.visits import Role, Visit

PAGE: Final = 50
STATES: Final = ("new", "alike", "faulty", "known", "repeated")
"""What a row may be found to be."""
WORKING: Final = frozenset({"checking", "adding", "undoing"})
"""States in which an import goes on by itself, batch by batch."""
ROW_ABOVE: Final = "#"
_MOST_LISTED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One import; `counts` of its rows by state, `outcomes` by what became of them, `left` still to be worked on."""

    id: str
    staff: str
    state: str
    kind: str
    file_name: str = field(repr=False)
    header: tuple[str, ...] = field(repr=False)
    columns: tuple[str, ...]
    worker: str
    total: int
    begun_at: datetime
    changed_at: datetime
    counts: Mapping[str, int]
    outcomes: Mapping[str, int]
    undecided: int
    left: int

    @property
    def is_working(self) -> bool:
        """Say whether it goes on by itself."""
        return self.state in WORKING

    @property
    def done(self) -> int:
        """Give how many rows the present work has behind it."""
        return max(0, self.total - self.left)

    @property
    def percent(self) -> int:
        """Give how far the present work is."""
        return 100 * self.done // self.total if self.total else 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLine:
    """One row of an import."""

    n: int
    line: Line = field(repr=False)
    state: str
    keys: Keys | None = field(repr=False)
    faults: Mapping[str, Fault]
    looks_like: str | None
    choice: str | None
    outcome: str | None
    person: str | None
    case: str | None
    entry: str | None
    before: Mapping[str, Any] | None = field(repr=False)
    digest: str | None
    log_to: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Somebody who is here already, as they stand beside a row that looks like them."""

    person: str
    name: str
    kana: str
    born_on: date | None
    fields: Mapping[str, Any] = field(repr=False)
    numbers: tuple[str, ...]


def job_of(connection: Connection, visit: Visit, job: str) -> Job:
    """Give an import that this person began, or any where they are a supervisor.

    *Raises* `ConnectorError("import-unknown")`.
    """
    found = find_job(connection, job)
    if found.staff != visit.me.id and Role.SUPERVISOR not in visit.me.roles:
        raise ConnectorError("import-unknown")
    return found


def find_job(connection: Connection, job: str) -> Job:
    """Give an import, whoever began it.

    *Raises* `ConnectorError("import-unknown")`.
    """
    row = connection.execute(sa.select(imports).where(imports.c.id == job)).one_or_none()
    if row is None:
        raise ConnectorError("import-unknown")
    return _job(connection, row)


def state_of(connection: Connection, job: str) -> str | None:
    """Give how far an import is; none where it was thrown away."""
    return connection.execute(sa.select(imports.c.state).where(imports.c.id == job)).scalar_one_or_none()


def jobs_of(connection: Connection, visit: Visit) -> list[Job]:
    """Give the imports that this person may see, the newest first."""
    query = sa.select(imports).order_by(imports.c.begun_at.desc(), imports.c.id.desc()).limit(_MOST_LISTED)
    if Role.SUPERVISOR not in visit.me.roles:
        query = query.where(imports.c.staff == visit.me.id)
    return [_job(connection, row) for row in connection.execute(query).all()]


def rows_of(
    connection: Connection, job: str, *states: str, after: int = 0, limit: int = PAGE + 1, pending: bool = False
) -> list[RowLine]:
    """Give rows of some states in the order of the file; only those without an outcome where `pending`."""
    query = sa.select(import_rows).where(import_rows.c.job == job, import_rows.c.n > after)
    if states:
        query = query.where(import_rows.c.state.in_(states))
    if pending:
        query = query.where(import_rows.c.outcome.is_(None))
    return [_row(row) for row in connection.execute(query.order_by(import_rows.c.n).limit(limit))]


def all_rows(connection: Connection, job: str) -> Iterator[RowLine]:
    """Give every row, for a report."""
    query = sa.select(import_rows).where(import_rows.c.job == job).order_by(import_rows.c.n)
    for row in connection.execute(query):
        yield _row(row)


def count_chosen(connection: Connection, job: str, choices: Sequence[str]) -> int:
    """Count the rows that look like somebody about which this was said."""
    query = sa.select(sa.func.count()).where(
        import_rows.c.job == job, import_rows.c.state == "alike", import_rows.c.choice.in_(choices)
    )
    return connection.execute(query).scalar_one()


def beside(connection: Connection, persons: Iterable[str]) -> dict[str, Beside]:
    """Give people who are here already, by their ids."""
    wanted = list(persons)
    people, records, files = casebook.persons.c, own.person_records.c, own.case_files.c
    rows = connection.execute(
        sa.select(people.id, people.name, people.kana, records.born_on, records.document)
        .select_from(casebook.persons.outerjoin(own.person_records, records.person == people.id))
        .where(people.id.in_(wanted))
    ).all()
    numbered = connection.execute(
        sa.select(casebook.cases.c.person, files.number)
        .select_from(own.case_files.join(casebook.cases, casebook.cases.c.handle == files.case))
        .where(casebook.cases.c.person.in_(wanted))
        .order_by(files.number)
    ).all()
    return {
        row.id: Beside(
            person=row.id,
            name=row.name,
            kana=row.kana,
            born_on=row.born_on,
            fields=row.document or {},
            numbers=tuple(one.number for one in numbered if one.person == row.id),
        )
        for row in rows
    }


def numbers_of(connection: Connection, job: str) -> dict[str, str]:
    """Give the numbers of the cases that an import opened, by case."""
    files = own.case_files.c
    opened = sa.select(import_rows.c.case).where(import_rows.c.job == job, import_rows.c.case.is_not(None))
    rows = connection.execute(sa.select(files.case, files.number).where(files.case.in_(opened)))
    return {row.case: row.number for row in rows}


def _job(connection: Connection, row: sa.Row[Any]) -> Job:
    states = _counted(connection, row.id, import_rows.c.state)
    outcomes = _counted(connection, row.id, import_rows.c.outcome)
    undecided = connection.execute(
        sa.select(sa.func.count()).where(
            import_rows.c.job == row.id, import_rows.c.state == "alike", import_rows.c.choice.is_(None)
        )
    ).scalar_one()
    left = {
        "checking": states.get("read", 0),
        "adding": outcomes.get("", 0),
        "undoing": outcomes.get("added", 0) + outcomes.get("filled", 0),
    }.get(row.state, 0)
    return Job(
        id=row.id,
        staff=row.staff,
        state=row.state,
        kind=row.kind,
        file_name=row.file_name,
        header=tuple(row.header),
        columns=tuple(row.columns),
        worker=row.worker,
        total=row.total,
        begun_at=row.begun_at,
        changed_at=row.changed_at,
        counts=states,
        outcomes=outcomes,
        undecided=undecided,
        left=left,
    )


def _counted(connection: Connection, job: str, what: sa.Column[Any]) -> dict[str, int]:
    rows = connection.execute(
        sa.select(what.label("what"), sa.func.count().label("n")).where(import_rows.c.job == job).group_by(what)
    )
    return {row.what or "": row.n for row in rows}


def _row(row: sa.Row[Any]) -> RowLine:
    return RowLine(
        n=row.n,
        line=Line(n=row.n, cells=tuple(row.cells), odd={int(place): kind for place, kind in row.odd.items()}),
        state=row.state,
        keys=keys_from(row.found_by) if row.found_by else None,
        faults={code: Fault(key=key, places=places) for code, key, places in row.faults or ()},
        looks_like=row.looks_like,
        choice=row.choice,
        outcome=row.outcome,
        person=row.person,
        case=row.case,
        entry=row.entry,
        before=row.before,
        digest=row.digest,
        log_to=row.log_to,
    )


def keys_from(said: Sequence[Any]) -> Keys:
    """Read keys as they are kept."""
    name, kana, born_on, phones = said
    return Keys(name=name, kana=kana, born_on=born_on, phones=frozenset(phones))


def keys_to(keys: Keys) -> list[Any]:
    """Write keys to be kept."""
    return [keys.name, keys.kana, keys.born_on, sorted(keys.phones)]
