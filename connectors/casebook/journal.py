# SPDX-License-Identifier: Apache-2.0
"""What staff did around a case and wrote down: a call, a visit, a note, what the person was told. It stays here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.casebook import access
from connectors.casebook.statements import Pen
from connectors.casebook.tables_files import journal as table

KINDS: Final = ("call", "visit", "note", "told")
"""What was done: a call, a visit, a note for colleagues, something told to the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry; `at` is when it happened, `text` as it was written."""

    id: str
    case: str
    referral: str | None
    at: datetime
    staff: str
    kind: str
    channel: str | None
    text: str = field(repr=False)


def write(connection: Connection, pen: Pen, entry: Entry) -> None:
    """Write an entry down; the same entry sent twice is one."""
    values = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    done = connection.execute(insert(table).values(values).on_conflict_do_nothing())
    if done.rowcount:
        access.record(
            connection, staff=pen.staff, action="journal:written", about=entry.kind, case=entry.case, now=pen.now
        )


def of_referral(connection: Connection, referral: str, *, limit: int = 200) -> Sequence[Entry]:
    """Give what was written down about a referral, newest first."""
    return _entries(connection, table.c.referral == referral, limit)


def of_case(connection: Connection, case: str, *, limit: int = 200) -> Sequence[Entry]:
    """Give what was written down about a case, newest first."""
    return _entries(connection, table.c.case == case, limit)


def _entries(connection: Connection, where: sa.ColumnElement[bool], limit: int) -> Sequence[Entry]:
    rows = connection.execute(sa.select(table).where(where).order_by(table.c.at.desc(), table.c.id).limit(limit))
    return [_entry(row) for row in rows]


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(**{name: getattr(row, name) for name in Entry.__dataclass_fields__})
