# SPDX-License-Identifier: Apache-2.0
"""What somebody has begun to write: the fields so far and the files that go with it. A draft belongs to one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook.statements import Pen
from connectors.casebook.tables_files import draft_files, drafts

_TURN = "#turn"
"""Where a draft's document says which sending of which page it holds; no field is called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Which sending of an open page something is: the page's own id, and a number that grows with each sending."""

    page: str
    number: int

    def is_overtaken_by(self, other: Turn | None) -> bool:
        """Say whether the same page sent another before that is newer than this; other pages tell nothing."""
        return other is not None and other.page == self.page and other.number > self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Something half written."""

    id: str
    kind: str
    case: str | None
    staff: str
    fields: Mapping[str, Any] = field(repr=False)
    created_at: datetime
    saved_at: datetime
    turn: Turn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFile:
    """A file that goes with a draft: which field it belongs to, its name, its media type, its bytes."""

    id: str
    belongs_to: str
    name: str
    media: str
    body: bytes = field(repr=False)


def begin(connection: Connection, pen: Pen, *, kind: str, case: str | None, fields: Mapping[str, Any]) -> str:
    """Begin a draft; give its id."""
    made = pen.new_id()
    connection.execute(
        sa.insert(drafts).values(
            id=made, kind=kind, case=case, staff=pen.staff, document=dict(fields), created_at=pen.now, saved_at=pen.now
        )
    )
    return made


def draft_of(connection: Connection, draft: str, *, staff: str) -> Draft:
    """Give a draft of this person's.

    *Raises* `ConnectorError("draft-unknown")`: there is none, or it is somebody else's.
    """
    row = connection.execute(sa.select(drafts).where(drafts.c.id == draft, drafts.c.staff == staff)).one_or_none()
    if row is None:
        raise ConnectorError("draft-unknown")
    return _draft(row)


def save(
    connection: Connection, pen: Pen, draft: str, *, case: str | None = None, turn: Turn | None = None, **fields: Any
) -> Draft:
    """Keep what was filled in since, beside what was there; give the draft as it stands.

    `turn`: which sending of a page this is. One that the same page's later sending overtook on the way is left out,
    so that a save on a slow line cannot undo what was written after it.

    *Raises* `ConnectorError("draft-unknown")`.
    """
    known = draft_of(connection, draft, staff=pen.staff)
    if turn is not None and turn.is_overtaken_by(known.turn):
        return known
    kept = turn or known.turn
    document = {**known.fields, **fields, **({_TURN: [kept.page, kept.number]} if kept else {})}
    connection.execute(
        sa.update(drafts)
        .where(drafts.c.id == draft)
        .values(document=document, case=case or known.case, saved_at=pen.now)
    )
    return draft_of(connection, draft, staff=pen.staff)


def drop(connection: Connection, draft: str, *, staff: str) -> None:
    """Throw a draft away, or put it down because it has become something.

    *Raises* `ConnectorError("draft-unknown")`.
    """
    draft_of(connection, draft, staff=staff)
    connection.execute(sa.delete(draft_files).where(draft_files.c.draft == draft))
    connection.execute(sa.delete(drafts).where(drafts.c.id == draft))


def drafts_of(connection: Connection, staff: str) -> Sequence[Draft]:
    """Give what somebody has begun, the newest first."""
    rows = connection.execute(sa.select(drafts).where(drafts.c.staff == staff).order_by(drafts.c.saved_at.desc()))
    return [_draft(row) for row in rows]


def add_file(
    connection: Connection, pen: Pen, draft: str, *, belongs_to: str, name: str, media: str, body: bytes
) -> str:
    """Put a file with a draft; give its id.

    *Raises* `ConnectorError("draft-unknown")`.
    """
    draft_of(connection, draft, staff=pen.staff)
    made = pen.new_id()
    connection.execute(
        sa.insert(draft_files).values(
            id=made, draft=draft, field=belongs_to, name=name, media=media, body=body, added_at=pen.now
        )
    )
    return made


def remove_file(connection: Connection, pen: Pen, draft: str, file: str) -> None:
    """Take a file away from a draft.

    *Raises* `ConnectorError("draft-unknown")`.
    """
    draft_of(connection, draft, staff=pen.staff)
    connection.execute(sa.delete(draft_files).where(draft_files.c.draft == draft, draft_files.c.id == file))


def files_with(connection: Connection, draft: str) -> Sequence[DraftFile]:
    """Give the files of a draft in the order in which they came."""
    rows = connection.execute(sa.select(draft_files).where(draft_files.c.draft == draft).order_by(draft_files.c.id))
    return [DraftFile(id=row.id, belongs_to=row.field, name=row.name, media=row.media, body=row.body) for row in rows]


def _draft(row: sa.Row[Any]) -> Draft:
    fields = dict(row.document)
    turn = fields.pop(_TURN, None)
    return Draft(
        id=row.id,
        kind=row.kind,
        case=row.case,
        staff=row.staff,
        fields=fields,
        created_at=row.created_at,
        saved_at=row.saved_at,
        turn=Turn(page=turn[0], number=turn[1]) if turn else None,
    )
