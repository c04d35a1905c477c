# SPDX-License-Identifier: Apache-2.0
"""The meetings that this agency convenes, with who comes; and those to which others have asked it.

Ours are kept whole here and told to the hub in codes (`meeting_deeds`). Others' are known by the hub's word alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import access, conferences, meeting_deeds, seating
from connectors.casebook import tables_meetings as tables
from connectors.casebook.statements import Pen
from connectors.sdk import answers
from connectors.sdk.reading import plain, read
from consent.scopes import Conference

_PAGE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An agency that was invited; `person` comes for it, `attended` is none before it was held."""

    agency: str
    person: str
    attended: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A meeting of ours. `kind` is fixed from the first moment on."""

    id: str
    hub_id: str | None
    kind: str
    held_at: datetime
    until: datetime
    place: str
    purpose: str
    ended_at: datetime | None
    convened_at: datetime
    members: tuple[Member, ...]

    @property
    def is_conference(self) -> bool:
        """Whether it is a 支援会議, which rests on the law and not on consent."""
        return self.kind == seating.CONFERENCE

    def is_open(self, now: datetime) -> bool:
        """Say whether something may still be done in it."""
        return self.ended_at is None and now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrecy:
    """That somebody here read the note of secrecy of a conference and accepted it."""

    staff: str
    note: str
    at: datetime


# ── ours ──


def convene(connection: Connection, pen: Pen, made: Meeting) -> str:
    """Keep a new meeting with its members and queue it for the hub; give the row's key."""
    connection.execute(
        sa.insert(tables.meetings).values(
            id=made.id,
            kind=made.kind,
            held_at=made.held_at,
            until=made.until,
            place=made.place,
            purpose=made.purpose,
            convened_at=pen.now,
            convened_by=pen.staff,
        )
    )
    for one in made.members:
        connection.execute(
            sa.insert(tables.meeting_members).values(
                meeting=made.id, agency=one.agency, person=one.person, attended=None
            )
        )
    members = [one.agency for one in made.members]
    return meeting_deeds.convene(connection, pen, meeting=made.id, kind=made.kind, members=members, until=made.until)


def meeting(connection: Connection, meeting_id: str) -> Meeting:
    """Give a meeting of ours by our id or by the hub's.

    *Raises* `ConnectorError("meeting-unknown")`.
    """
    table = tables.meetings.c
    found = _meetings(connection, sa.or_(table.id == meeting_id, table.hub_id == meeting_id))
    if not found:
        raise ConnectorError("meeting-unknown")
    return found[0]


def meetings(connection: Connection, kind: str) -> Sequence[Meeting]:
    """Give our meetings of one kind, the newest first; the kinds are never in one list."""
    return _meetings(connection, tables.meetings.c.kind == kind)


def note_member(
    connection: Connection, pen: Pen, held: Meeting, *, agency: str, person: str, attended: bool | None
) -> None:
    """Write who comes for a member, and whether they came.

    *Raises* `ConnectorError("meeting-ended")`.
    """
    require_open(held, pen.now)
    table = tables.meeting_members
    connection.execute(
        sa.update(table)
        .where(table.c.meeting == held.id, table.c.agency == agency)
        .values(person=person, attended=attended)
    )


def end(connection: Connection, pen: Pen, held: Meeting) -> str:
    """End a meeting of ours, here at once and at the hub as soon as it hears; give the row's key.

    *Raises* `ConnectorError("meeting-ended")`.
    """
    if held.ended_at is not None:
        raise ConnectorError("meeting-ended")
    table = tables.meetings
    connection.execute(sa.update(table).where(table.c.id == held.id).values(ended_at=pen.now))
    return meeting_deeds.end(connection, pen, meeting=held.id)


def require_open(held: Meeting, now: datetime) -> None:
    """Require that something may still be done in a meeting.

    *Raises* `ConnectorError("meeting-ended")`.
    """
    if not held.is_open(now):
        raise ConnectorError("meeting-ended")


# ── as the hub shows them ──


def keep_at_hub(connection: Connection, shown: answers.Meeting, *, ours: str | None = None) -> None:
    """Keep what the hub says of a meeting; `ours`: our own that it has just taken.

    An answer without the lists of agenda and decisions counts as older than itself, so that the next round asks again.
    """
    document = plain(type(shown), shown)
    version = shown.version if isinstance(shown, answers.MeetingDetail) else shown.version - 1
    values = {"kind": shown.kind, "convenor": shown.convenor, "version": version, "document": document}
    statement = insert(tables.hub_meetings).values(id=shown.id, **values)
    newer = tables.hub_meetings.c.version <= statement.excluded.version
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values, where=newer))
    if shown.kind == seating.CONFERENCE:
        until = min(shown.until, shown.ended_at or shown.until)
        conferences.keep(connection, Conference(id=shown.id, members=frozenset(shown.accepted), until=until))
    if ours is not None:
        table = tables.meetings
        connection.execute(sa.update(table).where(table.c.id == ours, table.c.hub_id.is_(None)).values(hub_id=shown.id))


def versions_at_hub(connection: Connection) -> Mapping[str, int]:
    """Give the version of each meeting of the mirror."""
    table = tables.hub_meetings.c
    return {row.id: row.version for row in connection.execute(sa.select(table.id, table.version))}


def at_hub(connection: Connection, meeting_id: str) -> answers.MeetingDetail | None:
    """Give a meeting as the hub showed it last."""
    table = tables.hub_meetings.c
    document = connection.execute(sa.select(table.document).where(table.id == meeting_id)).scalar_one_or_none()
    return None if document is None else read(answers.MeetingDetail, document)


def invitations(connection: Connection, kind: str, agency: str) -> Sequence[answers.MeetingDetail]:
    """Give the meetings of one kind to which others have asked this agency, the newest first."""
    table = tables.hub_meetings.c
    rows = connection.execute(
        sa.select(table.document)
        .where(table.kind == kind, table.convenor != agency)
        .order_by(table.id.desc())
        .limit(_PAGE)
    )
    return [read(answers.MeetingDetail, row.document) for row in rows]


def invited(connection: Connection, meeting_id: str, agency: str) -> answers.MeetingDetail:
    """Give a meeting to which another agency has asked this one.

    *Raises* `ConnectorError("meeting-unknown")`.
    """
    found = at_hub(connection, meeting_id)
    if found is None or found.convenor == agency:
        raise ConnectorError("meeting-unknown")
    return found


def hub_id_of(connection: Connection, ours: str) -> str | None:
    """Give the hub's id of a meeting of ours, once it has one."""
    table = tables.meetings.c
    return connection.execute(sa.select(table.hub_id).where(table.id == ours)).scalar_one_or_none()


# ── secrecy ──


def accept_secrecy(connection: Connection, pen: Pen, *, meeting_id: str, note: str) -> None:
    """Keep that somebody here read the note of secrecy of a conference and accepted it; the first word stays."""
    statement = insert(tables.secrecy).values(meeting=meeting_id, staff=pen.staff, note=note, at=pen.now)
    connection.execute(statement.on_conflict_do_nothing())
    access.record(connection, staff=pen.staff, action="secrecy:accepted", about=meeting_id, now=pen.now)


def secrecy_of(connection: Connection, meeting_id: str) -> Secrecy | None:
    """Give who accepted the secrecy of a conference here."""
    table = tables.secrecy.c
    row = connection.execute(sa.select(tables.secrecy).where(table.meeting == meeting_id)).one_or_none()
    return None if row is None else Secrecy(staff=row.staff, note=row.note, at=row.at)


# ── how ──


def _meetings(connection: Connection, where: sa.ColumnElement[bool]) -> list[Meeting]:
    table = tables.meetings
    last: sa.ColumnElement[int] = sa.literal_column("meetings.rowid").desc()  # ids of one moment have no order
    query = sa.select(table).where(where).order_by(table.c.held_at.desc(), last).limit(_PAGE)
    found = connection.execute(query).all()
    members = _members(connection, [row.id for row in found])
    same = ("id", "hub_id", "kind", "held_at", "until", "place", "purpose", "ended_at", "convened_at")
    return [
        Meeting(**{name: getattr(row, name) for name in same}, members=tuple(members.get(row.id, ()))) for row in found
    ]


def _members(connection: Connection, wanted: Sequence[str]) -> dict[str, list[Member]]:
    table = tables.meeting_members
    rows = connection.execute(sa.select(table).where(table.c.meeting.in_(wanted)).order_by(sa.literal_column("rowid")))
    found: dict[str, list[Member]] = {}
    for row in rows:
        member = Member(agency=row.agency, person=row.person, attended=row.attended)
        found.setdefault(row.meeting, []).append(member)
    return found
