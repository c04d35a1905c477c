# SPDX-License-Identifier: Apache-2.0
"""Forms as pages show them: the lists, one form with what became of its records, who might be the same person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, directory, drafts, files, listing, scans, tables
from connectors.casebook import tables_files as own
from connectors.casebook.files import CaseFile
from connectors.casebook.people import Person, search_key
from connectors.casebook.scans import Scan
from connectors.desk.intakes import rules
from connectors.desk.intakes.tables import intakes
from connectors.desk.web.visits import Visit
from consent import receipts, signing, wire
from consent.calendar import day_of
from consent.receipts import ConsentRecord
from consent.scopes import ORAL

KIND: Final = "intake"
"""The kind of drafts that are intake forms."""
A_PAGE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A form that was taken."""

    id: str
    case: str
    received_on: date
    received_by: str
    signature: str
    signed_at: datetime | None
    follow_up_on: date | None
    document: Mapping[str, Any]
    followed_by: str | None
    taken_at: datetime

    @property
    def number(self) -> str:
        """Give the number on the receipt: the end of the id, which says nothing of the person or the time."""
        return self.id.replace("-", "")[-8:].upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A form in a list: `days_left` while the word of mouth counts, none where the form is signed or asks nothing."""

    taken: Taken
    person: Person | None
    file: CaseFile | None
    days_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """A form somebody has begun."""

    id: str
    name: str
    saved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The page of lists; `further` is where the list of signed forms goes on."""

    drafts: Sequence[DraftLine]
    oral: Sequence[Line]
    unsigned: Sequence[Line]
    signed: Sequence[Line]
    further: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a form, as its partner would see it: `state` is sent, waiting or refused."""

    id: str
    partner: str
    categories: tuple[str, ...]
    valid_until: datetime
    state: str
    code: str | None

    @property
    def last_day(self) -> date:
        """Give the last day on which it counts; the record's end is the midnight after it."""
        return day_of(self.valid_until - timedelta(microseconds=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldScan:
    """A scan of a form and whether it is still what was signed for."""

    scan: Scan
    is_evidence: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who may be the same person: same reading and same day of birth; `cases` are ours and open."""

    person: Person
    born_on: date
    cases: tuple[tuple[str, CaseFile | None], ...]


def lists(connection: Connection, visit: Visit, *, before: str | None) -> Lists:
    """Give the lists, logged as one look."""
    open_ones = intakes.c.followed_by.is_(None)
    oral = _taken(connection, intakes.c.signature == ORAL, open_ones, order=intakes.c.follow_up_on)
    unsigned = _taken(connection, intakes.c.signature == "none", open_ones)
    rest = intakes.c.signature.not_in((ORAL, "none"))
    page = _taken(connection, rest, intakes.c.id < before if before else sa.true(), limit=A_PAGE + 1)
    shown = page[:A_PAGE]
    access.record(connection, staff=visit.me.id, action="intakes:listed", about="", now=visit.at)
    begun = [one for one in drafts.drafts_of(connection, visit.me.id) if one.kind == KIND]
    return Lists(
        drafts=[DraftLine(id=one.id, name=_name_in(one.fields), saved_at=one.saved_at) for one in begun],
        oral=_lines(connection, oral, visit.today),
        unsigned=_lines(connection, unsigned, visit.today),
        signed=_lines(connection, shown, visit.today),
        further=shown[-1].id if len(page) > A_PAGE else None,
    )


def taken(connection: Connection, intake: str) -> Taken:
    """Give a form that was taken.

    *Raises* `ConnectorError("intake-unknown")`.
    """
    found = taken_or_none(connection, intake)
    if found is None:
        raise ConnectorError("intake-unknown")
    return found


def taken_or_none(connection: Connection, intake: str) -> Taken | None:
    """Give a form that was taken, or none."""
    return next(iter(_taken(connection, intakes.c.id == intake)), None)


def count_oral(visit: Visit) -> int:
    """Count the signatures that are still to come."""
    query = sa.select(sa.func.count()).where(intakes.c.signature == ORAL, intakes.c.followed_by.is_(None))
    with visit.book() as connection:
        return connection.execute(query).scalar_one()


def records(connection: Connection, form: str) -> list[Record]:
    """Give the records that a form became, in the order of signing, the refused ones too."""
    rows = connection.execute(
        sa.select(tables.consents).where(tables.consents.c.form == form).order_by(tables.consents.c.id)
    )
    made = []
    for row in rows:
        record = wire.read(ConsentRecord, signing.peek_payload(row.token, typ=receipts.TYPS[ConsentRecord]))
        state = "refused" if row.refused else "sent" if row.registered_at else "waiting"
        made.append(
            Record(
                id=row.id,
                partner=min(record.partners),
                categories=tuple(sorted(record.categories)),
                valid_until=record.valid_until,
                state=state,
                code=row.refused,
            )
        )
    return made


def names_of_partners(connection: Connection) -> dict[str, tuple[str, str]]:
    """Give the names of the agencies of the directory, in Japanese and English, by id."""
    return {one.id: (one.name_ja, one.name_en) for one in directory.agencies(connection)}


def held_scans(connection: Connection, form: str) -> list[HeldScan]:
    """Give the scans of a form, each compared with what was signed for."""
    return [
        HeldScan(scan=one, is_evidence=scans.is_evidence(connection, one))
        for one in scans.scans_of_form(connection, form)
    ]


def same_person(connection: Connection, visit: Visit, *, kana: str, born_on: date | None) -> list[Candidate]:
    """Find who has the same reading, however it is typed, and the same day of birth; looking is logged."""
    if not kana or born_on is None:
        return []
    wanted = search_key(kana)
    rows = connection.execute(
        sa.select(tables.persons.c.id, tables.persons.c.name, tables.persons.c.kana)
        .join(own.person_records, own.person_records.c.person == tables.persons.c.id)
        .where(own.person_records.c.born_on == born_on)
        .order_by(tables.persons.c.created_at)
    )
    found = [Person(id=row.id, name=row.name, kana=row.kana) for row in rows if search_key(row.kana) == wanted]
    access.record(connection, staff=visit.me.id, action="person:searched", about="", now=visit.at)
    return [Candidate(person=one, born_on=born_on, cases=_open_cases(connection, visit, one.id)) for one in found]


def _open_cases(connection: Connection, visit: Visit, person: str) -> tuple[tuple[str, CaseFile | None], ...]:
    handles = listing.cases_of(connection, [person]).get(person, ())
    known = [listing.case_of(connection, one) for one in handles]
    ours = [one.handle for one in known if one.closed_at is None and one.owner == visit.site.connector.agency]
    kept = files.files_of(connection, ours)
    return tuple((one, kept.get(one)) for one in ours)


def _taken(
    connection: Connection, *which: sa.ColumnElement[bool], order: sa.ColumnElement[Any] | None = None, limit: int = 200
) -> list[Taken]:
    query = sa.select(intakes).where(*which).order_by(*([order] if order is not None else []), intakes.c.id.desc())
    return [
        Taken(
            id=row.id,
            case=row.case,
            received_on=row.received_on,
            received_by=row.received_by,
            signature=row.signature,
            signed_at=row.signed_at,
            follow_up_on=row.follow_up_on,
            document=row.document,
            followed_by=row.followed_by,
            taken_at=row.taken_at,
        )
        for row in connection.execute(query.limit(limit))
    ]


def _lines(connection: Connection, found: Iterable[Taken], today: date) -> list[Line]:
    found = list(found)
    people = files.people_of(connection, [one.case for one in found])
    kept = files.files_of(connection, [one.case for one in found])
    return [
        Line(
            taken=one,
            person=people.get(one.case),
            file=kept.get(one.case),
            days_left=rules.days_left(day_of(one.signed_at), today)
            if one.signature == ORAL and one.signed_at
            else None,
        )
        for one in found
    ]


def _name_in(fields: Mapping[str, Any]) -> str:
    form = fields.get("form", {})
    return next((str(form[one][0]) for one in ("name", "kana") if form.get(one) and form[one][0].strip()), "")
