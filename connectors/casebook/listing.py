# SPDX-License-Identifier: Apache-2.0
"""What the casebook holds, for lists: persons with their cases, cases, and the messages that came in. Opens nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, tables
from connectors.casebook.people import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A case as this agency knows it; `person` is an id, none for a partner's case."""

    handle: str
    owner: str
    person: str | None
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message from another agency, unopened as far as this list goes."""

    id: str
    sender: str
    referral: str | None
    case: str
    kind: str
    purpose: str
    at: datetime
    state: str
    read_at: datetime | None
    read_by: str | None
    categories: tuple[str, ...]


def case_of(connection: Connection, handle: str) -> KnownCase:
    """Give a case.

    *Raises* `ConnectorError("case-unknown")`.
    """
    row = connection.execute(sa.select(tables.cases).where(tables.cases.c.handle == handle)).one_or_none()
    if row is None:
        raise ConnectorError("case-unknown")
    return KnownCase(
        handle=row.handle, owner=row.owner, person=row.person, created_at=row.created_at, closed_at=row.closed_at
    )


def cases_of(connection: Connection, persons: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Give the handles of the cases of some persons, oldest first."""
    wanted = list(persons)
    rows = connection.execute(
        sa.select(tables.cases.c.person, tables.cases.c.handle)
        .where(tables.cases.c.person.in_(wanted))
        .order_by(tables.cases.c.created_at)
    ).all()
    return {person: tuple(row.handle for row in rows if row.person == person) for person in wanted}


def everybody(connection: Connection, *, staff: str, now: datetime) -> list[Person]:
    """Give every person, for an export; that somebody took them all is logged."""
    rows = connection.execute(
        sa.select(tables.persons.c.id, tables.persons.c.name, tables.persons.c.kana).order_by(
            tables.persons.c.created_at, tables.persons.c.id
        )
    ).all()
    access.record(connection, staff=staff, action="people:exported", about=str(len(rows)), now=now)
    return [Person(id=row.id, name=row.name, kana=row.kana) for row in rows]


def is_registered(connection: Connection, *, name: str, kana: str) -> bool:
    """Say whether a person of this name and reading, byte for byte, is here already."""
    persons = tables.persons.c
    query = sa.select(persons.id).where(persons.name == name, persons.kana == kana).limit(1)
    return connection.execute(query).first() is not None


def received(connection: Connection, agency: str, *, unread: bool = False) -> list[Received]:
    """Give what other agencies sent to `agency`, newest first; or only what nobody has read yet."""
    query = sa.select(tables.messages).where(tables.messages.c.recipient == agency, tables.messages.c.sender != agency)
    if unread:
        query = query.where(tables.messages.c.read_at.is_(None))
    return [_received(connection, row) for row in connection.execute(query.order_by(tables.messages.c.at.desc()))]


def referrals_of(connection: Connection, hub_ids: Iterable[str]) -> tuple[str, ...]:
    """Name the referrals to which messages belong that the hub calls by these ids."""
    query = sa.select(tables.messages.c.referral).where(
        tables.messages.c.hub_id.in_(list(hub_ids)), tables.messages.c.referral.is_not(None)
    )
    return tuple(row.referral for row in connection.execute(query.distinct()))


def senders_of(connection: Connection, message: str) -> tuple[str, ...]:
    """Give who sent messages of this id; it is unique per sender only."""
    query = sa.select(tables.messages.c.sender).where(tables.messages.c.id == message)
    return tuple(row.sender for row in connection.execute(query))


def _received(connection: Connection, row: sa.Row[tuple[object, ...]]) -> Received:
    categories = connection.execute(
        sa.select(tables.parts.c.category)
        .where(tables.parts.c.message == row.id, tables.parts.c.sender == row.sender)
        .order_by(tables.parts.c.n)
    )
    return Received(
        id=row.id,
        sender=row.sender,
        referral=row.referral,
        case=row.case,
        kind=row.kind,
        purpose=row.purpose,
        at=row.at,
        state=row.state,
        read_at=row.read_at,
        read_by=row.read_by,
        categories=tuple(part.category for part in categories),
    )
