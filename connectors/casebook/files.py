# SPDX-License-Identifier: Apache-2.0
"""The agency's own file of a person and of a case: what the paper form says, the case number, who is in charge.

Everything here stays at the agency. Text is kept as it was written; what is folded is only what is searched by.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.dashes import fold_dashes
from connectors.base.wareki import era_of, fiscal_year
from connectors.casebook import access, tables
from connectors.casebook import tables_files as own
from connectors.casebook.people import Person, search_key
from connectors.casebook.statements import Pen

_DIGITS_OF_A_NUMBER: Final = 4
_FEWEST_PHONE_DIGITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """What the form says of a person besides the name: fields as they were written, by their names in the form."""

    person: str
    born_on: date | None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case as people here speak of it: its number, who is in charge, how the person may be reached."""

    case: str
    number: str
    worker: str | None
    team: str
    caution: str
    opened_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One person of a search with one of their cases; `file` is none where the case has none yet."""

    person: Person
    born_on: date | None
    case: str | None
    file: CaseFile | None
    closed_at: datetime | None


def phone_key(written: str) -> str:
    """Fold a telephone number for finding: its digits alone, whatever the width, with 0 for +81."""
    plain = unicodedata.normalize("NFKC", written)
    digits = "".join(sign for sign in plain if sign.isascii() and sign.isdigit())
    return "0" + digits[2:] if plain.strip().startswith("+81") else digits


def phone_keys(phones: Iterable[str]) -> str:
    """Fold several numbers for finding, a space between two."""
    return " ".join(key for key in map(phone_key, phones) if key)


def keep_record(
    connection: Connection,
    pen: Pen,
    *,
    person: str,
    born_on: date | None,
    fields: Mapping[str, Any],
    phones: Iterable[str],
) -> None:
    """Keep what the form says of a person, in place of what was there. `phones` are numbers to be found by."""
    values = {
        "born_on": born_on,
        "phone_key": phone_keys(phones),
        "document": dict(fields),
        "updated_at": pen.now,
        "updated_by": pen.staff,
    }
    statement = insert(own.person_records).values(person=person, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["person"], set_=values))
    access.record(connection, staff=pen.staff, action="person:written", about=person, now=pen.now)


def rename(connection: Connection, pen: Pen, *, person: str, name: str, kana: str) -> None:
    """Write a person's name anew, byte for byte; the search key follows."""
    key = f"{search_key(name)} {search_key(kana)}"
    connection.execute(
        sa.update(tables.persons).where(tables.persons.c.id == person).values(name=name, kana=kana, search_key=key)
    )
    access.record(connection, staff=pen.staff, action="person:renamed", about=person, now=pen.now)


def record_of(connection: Connection, person: str) -> PersonRecord | None:
    """Give what the form says of a person. Whoever shows it logs that it was seen (`people.person_of` does)."""
    row = connection.execute(sa.select(own.person_records).where(own.person_records.c.person == person)).one_or_none()
    return None if row is None else PersonRecord(person=person, born_on=row.born_on, fields=row.document)


def open_file(
    connection: Connection,
    pen: Pen,
    *,
    case: str,
    on: date,
    worker: str | None = None,
    team: str = "",
    number: str | None = None,
) -> CaseFile:
    """Give a case its number, and who is in charge; once per case.

    The number is the next of its fiscal year (令8-0398), or one that the agency gave it before (`is_numbered` says
    whether that is free).
    """
    known = file_of(connection, case)
    if known is not None:
        return known
    made = CaseFile(
        case=case, number=number or _next_number(connection, on), worker=worker, team=team, caution="", opened_on=on
    )
    connection.execute(
        sa.insert(own.case_files).values(
            case=case,
            number=made.number,
            worker=worker,
            team=team,
            caution="",
            opened_on=on,
            updated_at=pen.now,
            updated_by=pen.staff,
        )
    )
    access.record(connection, staff=pen.staff, action="case:numbered", about=case, case=case, now=pen.now)
    return made


def is_numbered(connection: Connection, number: str) -> bool:
    """Say whether a case has this number already."""
    return (
        connection.execute(sa.select(own.case_files.c.case).where(own.case_files.c.number == number)).first()
        is not None
    )


def assign(connection: Connection, pen: Pen, *, case: str, worker: str | None, team: str = "") -> None:
    """Put somebody in charge of a case."""
    _change(connection, pen, case, worker=worker, team=team)
    access.record(connection, staff=pen.staff, action="case:assigned", about=worker or "", case=case, now=pen.now)


def caution(connection: Connection, pen: Pen, *, case: str, text: str) -> None:
    """Write down how the person may be reached safely; it stands on every page of the case."""
    _change(connection, pen, case, caution=text)
    access.record(connection, staff=pen.staff, action="caution:written", about=case, case=case, now=pen.now)


def file_of(connection: Connection, case: str) -> CaseFile | None:
    """Give the file of a case."""
    row = connection.execute(sa.select(own.case_files).where(own.case_files.c.case == case)).one_or_none()
    return None if row is None else _file(row)


def files_of(connection: Connection, cases: Iterable[str]) -> dict[str, CaseFile]:
    """Give the files of several cases, those that have one."""
    rows = connection.execute(sa.select(own.case_files).where(own.case_files.c.case.in_(list(cases))))
    return {row.case: _file(row) for row in rows}


def people_of(connection: Connection, cases: Iterable[str]) -> dict[str, Person]:
    """Give who stands behind several cases, for a list; whoever shows it logs the list as one look."""
    rows = connection.execute(
        sa.select(tables.cases.c.handle, tables.persons.c.id, tables.persons.c.name, tables.persons.c.kana)
        .join(tables.persons, tables.persons.c.id == tables.cases.c.person)
        .where(tables.cases.c.handle.in_(list(cases)))
    )
    return {row.handle: Person(id=row.id, name=row.name, kana=row.kana) for row in rows}


def search(connection: Connection, text: str, *, staff: str, now: datetime, limit: int = 50) -> list[Found]:
    """Find people by name, reading, telephone or case number, however it is typed. The search is logged, not its words.

    高 finds 髙, a telephone is found by any four of its digits in a row, a case by the end of its number.
    """
    folded = search_key(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    digits = phone_key(text)
    hits: list[sa.ColumnElement[bool]] = []
    if folded:
        hits.append(tables.persons.c.search_key.like(f"%{folded}%", escape="\\"))
        hits.append(own.case_files.c.number.like(f"%{fold_dashes(folded)}", escape="\\"))
    if len(digits) >= _FEWEST_PHONE_DIGITS:
        hits.append(own.person_records.c.phone_key.like(f"%{digits}%"))
    access.record(connection, staff=staff, action="person:searched", about="", now=now)
    if not hits:
        return []
    rows = connection.execute(
        sa.select(
            tables.persons.c.id,
            tables.persons.c.name,
            tables.persons.c.kana,
            own.person_records.c.born_on,
            tables.cases.c.handle,
            tables.cases.c.closed_at,
            own.case_files,
        )
        .select_from(
            tables.persons.outerjoin(own.person_records, own.person_records.c.person == tables.persons.c.id)
            .outerjoin(tables.cases, tables.cases.c.person == tables.persons.c.id)
            .outerjoin(own.case_files, own.case_files.c.case == tables.cases.c.handle)
        )
        .where(sa.or_(*hits))
        .order_by(tables.persons.c.search_key, tables.cases.c.created_at)
        .limit(limit)
    )
    return [
        Found(
            person=Person(id=row.id, name=row.name, kana=row.kana),
            born_on=row.born_on,
            case=row.handle,
            file=_file(row) if row.number else None,
            closed_at=row.closed_at,
        )
        for row in rows
    ]


def _next_number(connection: Connection, on: date) -> str:
    """Give the next number of a fiscal year; one that a case has brought along from elsewhere is passed over."""
    year = fiscal_year(on)
    statement = insert(own.case_numbers).values(year=year, last=1)
    raised = statement.on_conflict_do_update(index_elements=["year"], set_={"last": own.case_numbers.c.last + 1})
    era = era_of(date(year, 12, 31))
    prefix = f"{era.short}{year - era.first_year() + 1}" if era else str(year)
    while True:
        last = connection.execute(raised.returning(own.case_numbers.c.last)).scalar_one()
        number = f"{prefix}-{last:0{_DIGITS_OF_A_NUMBER}d}"
        if not is_numbered(connection, number):
            return number


def _change(connection: Connection, pen: Pen, case: str, **values: Any) -> None:
    connection.execute(
        sa.update(own.case_files)
        .where(own.case_files.c.case == case)
        .values(updated_at=pen.now, updated_by=pen.staff, **values)
    )


def _file(row: sa.Row[Any]) -> CaseFile:
    return CaseFile(
        case=row.case,
        number=row.number,
        worker=row.worker,
        team=row.team,
        caution=row.caution,
        opened_on=row.opened_on,
    )
