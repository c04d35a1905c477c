# SPDX-License-Identifier: Apache-2.0
"""Read the event feeds and the list of what was given up."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.outbox import tables
from hub.outbox.rules import WorkState

# Numbers of transactions below this one are taken by transactions that have ended: none of them can still
# commit.
SETTLED = sa.text("events.xact < (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far an agency has read its feed; `Place()` is the beginning."""

    xact: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change that concerns an agency: what kind, and the id to ask for."""

    id: str
    event: str
    about: str
    at: datetime
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """Work that failed too often. `fault` is the class of the last failure."""

    id: str
    topic: str
    about: str
    agency: str | None
    attempts: int
    created_at: datetime
    finished_at: datetime
    fault: str | None


def events(session: Session, agency: str, *, after: Place, limit: int) -> tuple[Event, ...]:
    """List up to *limit* events of the agency's feed after *after*, oldest first, and never miss one.

    Ids are given before the commit, and commits overtake each other: a reader who asks for "ids after the
    last one I saw" loses the rows of a slower transaction. So the order of the feed is (transaction number,
    seq), and a row is shown only when every transaction with a number up to its own has ended: nothing can
    then appear before it. The price: a writing transaction that stays open delays the feed. After a restore
    from a dump (not from a base backup) into a new cluster, where those numbers start again, run `UPDATE
    events SET xact = 0` and `UPDATE webhooks SET place_xact = 0`.
    """
    table = tables.events.c
    rows = session.execute(
        sa.select(table.id, table.event, table.about, table.at, table.xact, table.seq)
        .where(table.agency == agency, sa.tuple_(table.xact, table.seq) > sa.tuple_(after.xact, after.seq), SETTLED)
        .order_by(table.xact, table.seq)
        .limit(limit)
    )
    return tuple(
        Event(id=row.id, event=row.event, about=row.about, at=row.at, place=Place(xact=row.xact, seq=row.seq))
        for row in rows
    )


def has_news(
    agency: sa.ColumnElement[str], xact: sa.ColumnElement[int], seq: sa.ColumnElement[int]
) -> sa.ColumnElement[bool]:
    """Give the condition, for a query of another slice, that `events` would find something after the place that its
    columns hold.
    """
    table = tables.events.c
    return sa.exists().where(table.agency == agency, sa.tuple_(table.xact, table.seq) > sa.tuple_(xact, seq), SETTLED)


def newest(session: Session, agency: str) -> Place:
    """Give the end of the agency's feed as it may be shown now: what is told later, or later comes to light, is after
    it.
    """
    table = tables.events.c
    last = sa.select(sa.func.max(table.seq)).where(table.agency == agency, SETTLED).scalar_subquery()
    ended = sa.text("(pg_snapshot_xmin(pg_current_snapshot())::text)::bigint - 1")
    xact, seq = session.execute(sa.select(ended, last)).one()
    return Place(xact=xact, seq=seq or 0)


def place_before(session: Session, agency: str, event_id: str) -> Place | None:
    """Give the place just before an event of the agency's feed, or None if it is not there (any more)."""
    table = tables.events.c
    wanted = sa.select(table.xact, table.seq).where(table.id == event_id, table.agency == agency)
    row = session.execute(wanted).one_or_none()
    return None if row is None else Place(xact=row.xact, seq=row.seq - 1)


def dead_letters(session: Session, *, limit: int = 100) -> tuple[DeadLetter, ...]:
    """List what was given up, newest first: ids only (security §2, dead letters)."""
    table = tables.outbox.c
    rows = session.execute(
        sa.select(
            table.id, table.topic, table.about, table.agency, table.attempts, table.created_at, table.finished_at,
            table.fault,
        )
        .where(table.state == WorkState.DEAD)
        .order_by(table.seq.desc())
        .limit(limit)
    )  # fmt: skip
    return tuple(DeadLetter(**row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What the worker has before it: rows that are due or in hand, since when the oldest is due, how many were tried in
    vain before, how many were given up, and rows that are for later.
    """

    due: int
    oldest_due_at: datetime | None
    retried: int
    dead: int
    later: int


def backlog(session: Session, *, now: datetime) -> Backlog:
    """Count what waits, for whoever looks after the hub."""
    row = tables.outbox.c
    is_open = row.state.in_((WorkState.PENDING, WorkState.LEASED))
    is_due = sa.and_(is_open, row.due_at <= now)
    count = sa.func.count()
    found = session.execute(
        sa.select(
            count.filter(is_due).label("due"),
            sa.func.min(row.due_at).filter(is_due).label("oldest_due_at"),
            count.filter(is_open, row.attempts > 0).label("retried"),
            count.filter(row.state == WorkState.DEAD).label("dead"),
            count.filter(is_open, row.due_at > now).label("later"),
        ).where(row.state != WorkState.DONE)
    ).one()
    return Backlog(**found._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def waiting(session: Session) -> int:
    """Count the rows that are neither done nor dead, for health and metrics."""
    count = sa.select(sa.func.count()).where(tables.outbox.c.state.in_((WorkState.PENDING, WorkState.LEASED)))
    return session.execute(count).scalar_one()
