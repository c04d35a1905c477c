# SPDX-License-Identifier: Apache-2.0
"""Erase entries at the end of their retention: the bytes go, the leaf hash stays, a tombstone says why (audit-log 6).

One person orders, another confirms; then the tombstone is logged, and only once it is in the tree do the bytes go.
What others need to check what is left is never erased: keys, agencies, restores, tombstones.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit import service, tables
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base.errors import ConflictError, InvalidError, NotFoundError
from hub.base.ids import new_id

MOST: Final = 10_000
KEPT: Final = ("key:", "agency:", "restore:", "log:", "config:", "role:", "staff:")


class Ground(StrEnum):
    """Why entries may be erased."""

    RETENTION_ENDED = "retention_ended"
    COURT_ORDER = "court_order"
    PERSON_ASKED = "person_asked"


def order(session: Session, indexes: Sequence[int], *, ground: Ground, by: str, now: datetime) -> str:
    """Order the erasure of entries and return its id; nothing goes before another person has confirmed it.

    *by* is the id of the staff member. *session* is the worker's.

    Raises:
        InvalidError: `erasure-empty`; `erasure-too-large`; `erasure-not-there`, an entry is not in the log or was
            erased before; `erasure-kept`, it is needed to check the others.
    """
    wanted = sorted(set(indexes))
    if not wanted:
        raise InvalidError("erasure-empty")
    if len(wanted) > MOST:
        raise InvalidError("erasure-too-large")
    table = tables.log_entries.c
    there = session.execute(sa.select(table.kind).where(table.index.in_(wanted), table.body.is_not(None))).scalars()
    kinds = list(there)
    if len(kinds) != len(wanted):
        raise InvalidError("erasure-not-there")
    if any(kind.startswith(KEPT) for kind in kinds):
        raise InvalidError("erasure-kept")
    made = new_id(now)
    session.execute(
        sa.insert(tables.log_erasures).values(
            id=made, ground=ground.value, indexes=wanted, ordered_by=by, ordered_at=now
        )
    )
    return made


def confirm(session: Session, erasure: str, *, by: str, now: datetime) -> str:
    """Confirm an erasure as a second person, log its tombstone, and return the tombstone's id.

    Raises:
        NotFoundError: there is no such erasure. ConflictError: `erasure-confirmed` already; `same-person`, whoever
            ordered it may not confirm it.
    """
    table = tables.log_erasures
    row = session.execute(sa.select(table).where(table.c.id == erasure).with_for_update(of=table)).one_or_none()
    if row is None:
        raise NotFoundError
    if row.confirmed_by is not None:
        raise ConflictError("erasure-confirmed")
    if row.ordered_by == by:
        raise ConflictError("same-person")
    facts = {"indexes": list(row.indexes), "ground": row.ground, "by": [row.ordered_by, by]}
    tombstone = Entry(kind=AuditKind.LOG_ERASED, actor=HUB, parties=(), subject=erasure, facts=facts)
    entry = service.append(session, tombstone, now=now)
    changed = {"confirmed_by": by, "confirmed_at": now, "entry": entry}
    session.execute(sa.update(table).where(table.c.id == erasure).values(changed))
    return entry


def carry_out(session: Session, *, now: datetime) -> int:
    """Take away the bytes of what was ordered, confirmed and said in the log; return how many entries lost them.

    *session* is the sequencer's.
    """
    table, entries = tables.log_erasures, tables.log_entries
    said = sa.exists().where(entries.c.id == table.c.entry, entries.c.kind == AuditKind.LOG_ERASED.value)
    due = session.execute(sa.select(table.c.id, table.c.indexes).where(table.c.erased_at.is_(None), said)).all()
    if not due:
        return 0
    # the word that the trigger asks for, for the length of this transaction (migration 0013)
    session.execute(sa.select(sa.func.set_config("tsn.erasing", "yes", True)))
    count = 0
    for row in due:
        gone = session.execute(
            sa.update(entries)
            .where(entries.c.index.in_(row.indexes), entries.c.body.is_not(None))
            .values(body=None, case_handle=None)
            .returning(entries.c.index)
        )
        count += len(gone.all())
        session.execute(sa.update(table).where(table.c.id == row.id).values(erased_at=now))
    session.execute(sa.select(sa.func.set_config("tsn.erasing", "", True)))
    return count
