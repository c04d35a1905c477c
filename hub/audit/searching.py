# SPDX-License-Identifier: Apache-2.0
"""Search the log by what its entries say: kind, actor, party, case, time. Newest first, page by page by index.

Who may see which entries is the transaction's: officers' role sees all, an agency its own (row-level security). Times
are those of the entries' ids, which sort by time and have an index.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.ids import RANDOM_BYTES, uuid7
from hub.audit import tables
from hub.audit.reads import LoggedEntry

MOST: Final = 20_000
"""Entries that one export gives at most."""
_ACTOR_AT: Final = len('{"actor":"') + 1
"""Where the actor begins in an entry's bytes, counted from one: canonical JSON has its members sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; what is None or empty is not asked. Of several kinds one suffices; times: from, before."""

    kinds: tuple[str, ...] = ()
    actor: str | None = None
    agency: str | None = None
    case: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def search(session: Session, wanted: Wanted, *, before: int | None = None, limit: int) -> tuple[LoggedEntry, ...]:
    """Give up to `limit` entries that fit, newest first, below the index `before`."""
    table = tables.log_entries.c
    query = (
        sa.select(table.index.label("place"), table.id, table.body, table.logged_at)
        .where(*_conditions(wanted))
        .order_by(table.index.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(table.index < before)
    rows = session.execute(query)
    return tuple(LoggedEntry(index=row.place, id=row.id, body=row.body, logged_at=row.logged_at) for row in rows)


def at_index(session: Session, index: int) -> LoggedEntry | None:
    """Give the entry at an index, if the transaction may see it."""
    table = tables.log_entries.c
    row = session.execute(
        sa.select(table.index.label("place"), table.id, table.body, table.logged_at).where(
            table.index == index, table.body.is_not(None)
        )
    ).one_or_none()
    return None if row is None else LoggedEntry(index=row.place, id=row.id, body=row.body, logged_at=row.logged_at)


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    table = tables.log_entries.c
    found: list[sa.ColumnElement[bool]] = [table.body.is_not(None)]
    if wanted.kinds:
        found.append(table.kind.in_(wanted.kinds))
    if wanted.agency is not None:
        found.append(table.parties.contains([wanted.agency]))
    if wanted.case is not None:
        found.append(table.case_handle == wanted.case)
    if wanted.since is not None:
        found.append(table.id >= uuid7(wanted.since, bytes(RANDOM_BYTES)))
    if wanted.until is not None:
        found.append(table.id < uuid7(wanted.until, bytes(RANDOM_BYTES)))
    if wanted.actor is not None:
        said = f'{wanted.actor}"'.encode("ascii")
        found.append(sa.func.substring(table.body, _ACTOR_AT, len(said)) == said)
    return found
