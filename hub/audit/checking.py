# SPDX-License-Identifier: Apache-2.0
"""Checks of the log as stored: asked for by people or made by the hub itself, with how far they are and what came of
them. The checking itself is `sequencer.verify`. What a check finds is written down and never put right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hub.audit import tables
from hub.audit.reads import Checkpoint, LogDamagedError
from hub.base.ids import new_id

QUEUE: Final = "checks"
"""The queue that is woken when somebody asks for a check."""
SOUND: Final = "sound"
DAMAGED: Final = "damaged"
LOST_AFTER: Final = timedelta(minutes=2)
"""A check in which nothing moved for so long was given up by a worker that is gone; another takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check; `size`: of how many entries, `looked`: how many of them so far; `outcome` None: not done."""

    id: str
    asked_by: str | None
    asked_at: datetime
    begun_at: datetime | None
    done_at: datetime | None
    size: int
    looked: int
    outcome: str | None
    code: str | None
    place: int | None

    @property
    def is_damaged(self) -> bool:
        """Say whether something was found that is not as it was signed."""
        return self.outcome == DAMAGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What can no longer be said to be right: the last checkpoint before the damage, entries from there on, and of how
    many cases.
    """

    good: Checkpoint | None
    entries: int
    cases: int


def ask(session: Session, *, by: str, now: datetime) -> None:
    """Ask for a check; where one is open already, that one will do."""
    row = {"id": new_id(now), "asked_by": by, "asked_at": now, "size": 0, "looked": 0}
    session.execute(insert(tables.log_checks).values(row).on_conflict_do_nothing())
    session.info.setdefault("wake", set()).add(QUEUE)


def take(session: Session, *, now: datetime) -> Check | None:
    """Take the open check in hand, if nobody else has it."""
    table = tables.log_checks.c
    free = sa.or_(table.looked_at.is_(None), table.looked_at < now - LOST_AFTER)
    mine = (
        sa.select(table.id).where(table.done_at.is_(None), free).limit(1).with_for_update(skip_locked=True)
    ).scalar_subquery()
    row = session.execute(
        sa.update(tables.log_checks).where(table.id == mine).values(begun_at=now, looked_at=now).returning(*_COLUMNS)
    ).one_or_none()
    return None if row is None else Check(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def advance(session: Session, check: str, *, looked: int, size: int, now: datetime) -> None:
    """Write down how far a check is."""
    session.execute(
        sa.update(tables.log_checks)
        .where(tables.log_checks.c.id == check)
        .values(looked=looked, size=size, looked_at=now)
    )


def finish(session: Session, check: str, found: int | LogDamagedError, *, now: datetime) -> None:
    """Write down what came of a check: how many entries are sound, or what is damaged where."""
    session.execute(sa.update(tables.log_checks).where(tables.log_checks.c.id == check).values(**_outcome(found, now)))


def note(session: Session, found: int | LogDamagedError, *, begun: datetime, now: datetime) -> None:
    """Write down what came of a check that the hub made by itself; the same finding again moves the last one's time."""
    last, outcome = newest(session), _outcome(found, now)
    same = ("outcome", "code", "place")
    if last is not None and last.asked_by is None and all(getattr(last, name) == outcome[name] for name in same):
        session.execute(sa.update(tables.log_checks).where(tables.log_checks.c.id == last.id).values(**outcome))
        return
    row = {"id": new_id(now), "asked_at": begun, "begun_at": begun, "looked_at": now, **outcome}
    session.execute(sa.insert(tables.log_checks).values(row))


def newest(session: Session) -> Check | None:
    """Give the check that ended last."""
    return _one(session, tables.log_checks.c.done_at.is_not(None))


def open_one(session: Session) -> Check | None:
    """Give the check that is asked for or going on."""
    return _one(session, tables.log_checks.c.done_at.is_(None))


def reach(session: Session, place: int) -> Reach:
    """Say what cannot be said to be right any more when the log is damaged from *place* on."""
    points, entries = tables.log_checkpoints.c, tables.log_entries.c
    row = session.execute(
        sa.select(points.size, points.root, points.note, points.made_at)
        .where(points.size <= place)
        .order_by(points.size.desc())
        .limit(1)
    ).one_or_none()
    good = None if row is None else Checkpoint(size=row.size, root=row.root, note=row.note, made_at=row.made_at)
    count, cases = session.execute(
        sa.select(sa.func.count(), sa.func.count(entries.case_handle.distinct())).where(entries.index >= place)
    ).one()
    return Reach(good=good, entries=count, cases=cases)


_TABLE: Final = tables.log_checks.c
_COLUMNS: Final = (
    _TABLE.id, _TABLE.asked_by, _TABLE.asked_at, _TABLE.begun_at, _TABLE.done_at, _TABLE.size, _TABLE.looked,
    _TABLE.outcome, _TABLE.code, _TABLE.place,
)  # fmt: skip


def _one(session: Session, condition: sa.ColumnElement[bool]) -> Check | None:
    query = sa.select(*_COLUMNS).where(condition).order_by(_TABLE.done_at.desc(), _TABLE.id.desc()).limit(1)
    row = session.execute(query).one_or_none()
    return None if row is None else Check(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def _outcome(found: int | LogDamagedError, now: datetime) -> dict[str, object]:
    if isinstance(found, LogDamagedError):
        looked = found.place
        return {
            "outcome": DAMAGED,
            "code": found.code,
            "place": found.place,
            "looked": looked,
            "size": looked,
            "done_at": now,
        }
    return {"outcome": SOUND, "code": None, "place": None, "looked": found, "size": found, "done_at": now}
