# SPDX-License-Identifier: Apache-2.0
"""The register of missing resources: what people here need and nobody offers, who cares for it, what comes of it.

It is fed by referrals that came back because nobody had room (`no_capacity`) and by what a meeting found missing. No
entry names a person: sources are ids, counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import access, tables_mirror
from connectors.casebook import tables_meetings as tables
from connectors.casebook.statements import Pen
from connectors.casebook.tables import referrals
from connectors.sdk import threads
from connectors.sdk.reading import read

NO_CAPACITY: Final = "no_capacity"
_DECLINE: Final = "decline"
OPEN: Final = ("found", "in_hand")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an entry says: the kind, where, what is missing, who cares, the next step and its day, the outcome."""

    kind: str
    area: str
    what: str
    owner: str
    next_step: str
    next_on: date | None
    state: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of the register; `declines` and `lines` count what it was fed by."""

    id: str
    said: Said
    version: int
    made_at: datetime
    changed_at: datetime
    declines: int
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An entry as somebody left it at a moment."""

    version: int
    said: Said
    staff: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Something nobody has looked at yet: a referral declined for want of room, or what a meeting found missing."""

    about: str
    what: str
    purpose: str
    agency: str
    text: str
    at: datetime


def add(connection: Connection, pen: Pen, said: Said, *, source: Suggestion | None = None) -> str:
    """Write an entry down, with what it comes from; give its id."""
    made = pen.new_id()
    connection.execute(
        sa.insert(tables.resources).values(id=made, version=1, made_at=pen.now, **_values(said, pen.now))
    )
    _keep_change(connection, pen, made, 1, said)
    if source is not None:
        assign(connection, pen, source, made)
    access.record(connection, staff=pen.staff, action="resource:added", about=made, now=pen.now)
    return made


def change(connection: Connection, pen: Pen, entry: Entry, said: Said, *, seen: int) -> None:
    """Write an entry anew; how it stood before is kept.

    *Raises* `ConnectorError("resource-changed")`: somebody else was quicker.
    """
    if said == entry.said:
        return
    table = tables.resources
    done = connection.execute(
        sa.update(table)
        .where(table.c.id == entry.id, table.c.version == seen)
        .values(version=seen + 1, **_values(said, pen.now))
    )
    if done.rowcount == 0:
        raise ConnectorError("resource-changed")
    _keep_change(connection, pen, entry.id, seen + 1, said)
    access.record(connection, staff=pen.staff, action="resource:changed", about=entry.id, now=pen.now)


def assign(connection: Connection, pen: Pen, source: Suggestion, resource: str | None) -> None:
    """Count a source for an entry, or note that it was looked at and nothing is missing; the last word counts."""
    values = {"what": source.what, "resource": resource, "staff": pen.staff, "at": pen.now}
    statement = insert(tables.resource_sources).values(about=source.about, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["about"], set_=values))
    access.record(connection, staff=pen.staff, action="resource:source", about=source.about, now=pen.now)


def entry(connection: Connection, resource: str) -> Entry:
    """Give one entry.

    *Raises* `ConnectorError("resource-unknown")`.
    """
    found = _entries(connection, tables.resources.c.id == resource)
    if not found:
        raise ConnectorError("resource-unknown")
    return found[0]


def entries(connection: Connection, *, kind: str | None = None, state: str | None = None) -> Sequence[Entry]:
    """Give the register: open entries first, by the day of their next step, then what is settled."""
    table = tables.resources.c
    where = [table.kind == kind] if kind else []
    return _entries(connection, *where, *([table.state == state] if state else []))


def history(connection: Connection, resource: str) -> Sequence[Change]:
    """Give every state of an entry, the newest first."""
    table = tables.resource_changes
    rows = connection.execute(sa.select(table).where(table.c.resource == resource).order_by(table.c.version.desc()))
    return [Change(version=row.version, said=_said(row.document), staff=row.staff, at=row.at) for row in rows]


def suggestions(connection: Connection, agency: str) -> Sequence[Suggestion]:
    """Give what should be looked at: our referrals declined for want of room, and what meetings found missing."""
    looked = sa.select(tables.resource_sources.c.about)
    return sorted(
        (*_declines(connection, agency, looked), *_found_missing(connection, looked)),
        key=lambda one: (one.at, one.about),
        reverse=True,
    )


def suggestion(connection: Connection, agency: str, about: str) -> Suggestion | None:
    """Give one of what should be looked at; none where it was looked at, or is none."""
    return next((one for one in suggestions(connection, agency) if one.about == about), None)


def _declines(connection: Connection, agency: str, looked: sa.Select[Any]) -> list[Suggestion]:
    full = tables_mirror.referral_details.c
    rows = connection.execute(
        sa.select(full.document)
        .join(referrals, referrals.c.id == full.referral)
        .where(
            referrals.c.sender == agency,
            sa.type_coerce(full.document, sa.String).like(f"%{NO_CAPACITY}%"),
            full.referral.not_in(looked),
        )
    )
    found = []
    for row in rows:
        detail = read(threads.ReferralDetail, row.document)
        declined = [
            move for move in detail.history if move.event == _DECLINE and move.facts.get("reason") == NO_CAPACITY
        ]
        if declined:
            found.append(
                Suggestion(
                    about=detail.id, what="decline", purpose=detail.purpose, agency=detail.recipient, text="",
                    at=declined[-1].at,
                )
            )  # fmt: skip
    return found


def _found_missing(connection: Connection, looked: sa.Select[Any]) -> list[Suggestion]:
    table = tables.meeting_lines.c
    rows = connection.execute(
        sa.select(table.id, table.document, table.decided_at).where(
            table.decided_at.is_not(None), table.id.not_in(looked)
        )
    )
    return [
        Suggestion(about=row.id, what="meeting", purpose="", agency="", text=row.document["missing"], at=row.decided_at)
        for row in rows
        if row.document["missing"].strip()
    ]


def _entries(connection: Connection, *where: sa.ColumnElement[bool]) -> list[Entry]:
    table = tables.resources.c
    rows = connection.execute(
        sa.select(tables.resources)
        .where(*where)
        .order_by(table.state.not_in(OPEN), table.next_on.is_(None), table.next_on, table.made_at, table.id)
    ).all()
    counted = _counts(connection)
    return [
        Entry(
            id=row.id,
            said=_said(row.document),
            version=row.version,
            made_at=row.made_at,
            changed_at=row.changed_at,
            declines=counted.get((row.id, "decline"), 0),
            lines=counted.get((row.id, "meeting"), 0),
        )
        for row in rows
    ]


def _counts(connection: Connection) -> Mapping[tuple[str, str], int]:
    table = tables.resource_sources.c
    rows = connection.execute(
        sa.select(table.resource, table.what, sa.func.count().label("n"))
        .where(table.resource.is_not(None))
        .group_by(table.resource, table.what)
    )
    return {(row.resource, row.what): row.n for row in rows}


def _values(said: Said, now: datetime) -> dict[str, Any]:
    return {
        "kind": said.kind,
        "state": said.state,
        "document": _document(said),
        "next_on": said.next_on,
        "changed_at": now,
    }


def _keep_change(connection: Connection, pen: Pen, resource: str, version: int, said: Said) -> None:
    connection.execute(
        sa.insert(tables.resource_changes).values(
            resource=resource, version=version, staff=pen.staff, document=_document(said), at=pen.now
        )
    )


def _document(said: Said) -> dict[str, Any]:
    return {**asdict(said), "next_on": said.next_on.isoformat() if said.next_on else None}


def _said(document: Mapping[str, Any]) -> Said:
    day = document["next_on"]
    return Said(**{**document, "next_on": date.fromisoformat(day) if day else None})
