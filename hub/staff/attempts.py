# SPDX-License-Identifier: Apache-2.0
"""Count wrong tries, of a person and of an address: ten in ten minutes lock it for the rest of them (bad-input
WEB-15). Nobody is locked for ever.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hub.staff.rules import WINDOW, Tries, after_failure, is_locked
from hub.staff.tables import sources, staff


def of_source(session: Session, source: str) -> Tries:
    """Tell how often an address has tried in vain; the row stays locked until the transaction ends."""
    row = session.execute(
        sa.select(sources.c.tries, sources.c.tries_since).where(sources.c.source == _digest(source)).with_for_update()
    ).one_or_none()
    return Tries(count=0, since=None) if row is None else Tries(count=row.tries, since=row.tries_since)


def wait_of(tries: Tries, now: datetime) -> timedelta | None:
    """Tell how long until the next try is looked at; None when it is at once."""
    return tries.since + WINDOW - now if tries.since is not None and is_locked(tries, now) else None


def source_failed(session: Session, source: str, tries: Tries, *, now: datetime) -> None:
    """Count one more try in vain from an address."""
    after = after_failure(tries, now)
    values = {"tries": after.count, "tries_since": after.since}
    session.execute(
        insert(sources)
        .values(source=_digest(source), **values)
        .on_conflict_do_update(index_elements=[sources.c.source], set_=values)
    )


def person_failed(session: Session, staff_id: str, tries: Tries, *, now: datetime) -> None:
    """Count one more try in vain of a person."""
    set_person(session, staff_id, after_failure(tries, now))


def set_person(session: Session, staff_id: str, tries: Tries) -> None:
    """Write down how often a person has tried in vain."""
    session.execute(sa.update(staff).where(staff.c.id == staff_id).values(tries=tries.count, tries_since=tries.since))


def forget_old(session: Session, *, now: datetime) -> None:
    """Remove addresses whose tries count no more; for the worker's timetable."""
    session.execute(sa.delete(sources).where(sources.c.tries_since < now - WINDOW))


def _digest(source: str) -> bytes:
    """Keep no address readable: the table is about how often, not about where people are."""
    return hashlib.sha256(source.encode()).digest()
