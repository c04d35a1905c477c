# SPDX-License-Identifier: Apache-2.0
"""Write down what must be done or told, and move such a row through its states. Doing it is the jobs'
part.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.base import queues, rounds
from hub.base.ids import new_id
from hub.outbox import tables
from hub.outbox.rules import LEASE, MAX_ATTEMPTS, QUEUE, Work, WorkState, next_try

_PUT = rounds.Prepared(sa.insert(tables.outbox), "id", "topic", "about", "agency", "order_key", "created_at", "due_at")
_TELL = rounds.Prepared(sa.insert(tables.events), "id", "agency", "event", "about", "at")


def put(
    session: Session,
    *,
    topic: str,
    about: str,
    order_key: str,
    now: datetime,
    due: datetime | None = None,
    agency: str | None = None,
) -> str:
    """Ask for *topic* to be done about the thing *about* once this transaction commits, and return the row's
    id.

    Rows with one *order_key* are done one after the other, in the order in which their writers held that
    thing's lock. A row with *due* in the future holds up nobody until then.
    """
    work_id = new_id(now)
    row = {"id": work_id, "topic": topic, "about": about, "agency": agency, "order_key": order_key}
    rounds.later(session, _PUT.of(**row, created_at=now, due_at=due or now))
    session.info.setdefault("wake", set()).add(QUEUE)
    return work_id


def tell(session: Session, *, agency: str, event: str, about: str, now: datetime) -> None:
    """Put *event* about the thing *about* on the agency's feed, `GET /v1/events` (api: Resources)."""
    rounds.later(session, _TELL.of(id=new_id(now), agency=agency, event=event, about=about, at=now))
    session.info.setdefault("wake", set()).add(queues.feed(agency))


def claim(session: Session, *, by: str, now: datetime) -> Work | None:
    """Lease the next row that may be worked on to *by*, or return None; the caller commits before it works.

    One row at a time: a worker that dies takes an attempt from the row it worked on and from no other. A row
    waits for an earlier one of its key only if that one is in hand, due, or being tried again (security §3).
    """
    row, earlier = tables.outbox.c, tables.outbox.alias("earlier")
    is_open = sa.or_(row.state == WorkState.PENDING, sa.and_(row.state == WorkState.LEASED, row.leased_until <= now))
    held_up = sa.exists().where(
        earlier.c.order_key == row.order_key,
        earlier.c.seq < row.seq,
        earlier.c.state.in_((WorkState.PENDING, WorkState.LEASED)),
        sa.or_(earlier.c.due_at <= now, earlier.c.attempts > 0),
    )
    head = (
        sa.select(row.seq)
        .where(is_open, row.due_at <= now, row.attempts < MAX_ATTEMPTS, ~held_up)
        .order_by(row.due_at, row.seq)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    leased = session.execute(
        sa.update(tables.outbox)
        # "=" and not "in": PostgreSQL may run the inside of an "in" again for each row, and lease several
        .where(row.seq == head.scalar_subquery())
        .values(state=WorkState.LEASED, attempts=row.attempts + 1, leased_until=now + LEASE, leased_by=by)
        .returning(row.id, row.topic, row.about, row.agency, row.attempts, row.created_at)
    ).one_or_none()
    if leased is None:
        return None
    return Work(
        id=leased.id,
        topic=leased.topic,
        about=leased.about,
        agency=leased.agency,
        attempt=leased.attempts,
        at=leased.created_at,
    )


def hold(session: Session, work: Work) -> bool:
    """Lock the leased row for as long as this transaction works on it; say no if the lease went to
    another.
    """
    row = tables.outbox.c
    held = session.execute(
        sa.select(row.seq)
        .where(row.id == work.id, row.state == WorkState.LEASED, row.attempts == work.attempt)
        .with_for_update()
    )
    return held.one_or_none() is not None


def complete(session: Session, work: Work, *, now: datetime) -> None:
    """Mark the row done, in the transaction that holds the effect: both happen or neither."""
    _settle(session, work, {"state": WorkState.DONE, "finished_at": now})


def fail(session: Session, work: Work, *, fault: str, now: datetime) -> WorkState:
    """Put the row back for a later try, or give it up after the fifth; *fault* is a class name, never a
    text.
    """
    again = next_try(attempt=work.attempt, now=now)
    if again is None:
        _settle(session, work, {"state": WorkState.DEAD, "finished_at": now, "fault": fault})
        return WorkState.DEAD
    _settle(session, work, {"state": WorkState.PENDING, "due_at": again, "fault": fault})
    return WorkState.PENDING


def bury(session: Session, *, now: datetime) -> tuple[Work, ...]:
    """Give up the rows whose fifth lease ran out: they took their worker down with them each time."""
    row = tables.outbox.c
    buried = session.execute(
        sa.update(tables.outbox)
        .where(row.state == WorkState.LEASED, row.leased_until <= now, row.attempts >= MAX_ATTEMPTS)
        .values(state=WorkState.DEAD, finished_at=now, leased_until=None, leased_by=None, fault="WorkerDied")
        .returning(row.id, row.topic, row.about, row.agency, row.attempts, row.created_at)
    )
    return tuple(
        Work(id=r.id, topic=r.topic, about=r.about, agency=r.agency, attempt=r.attempts, at=r.created_at)
        for r in buried
    )


def replay(session: Session, work_id: str, *, now: datetime) -> bool:
    """Give a dead row five new tries; say whether there was such a row (security §3, E4)."""
    row = tables.outbox.c
    revived = session.execute(
        sa.update(tables.outbox)
        .where(row.id == work_id, row.state == WorkState.DEAD)
        .values(state=WorkState.PENDING, attempts=0, due_at=now, finished_at=None)
        .returning(row.seq)
    ).one_or_none()
    session.info.setdefault("wake", set()).add(QUEUE)
    return revived is not None


def tidy(session: Session, *, now: datetime, done_for: timedelta, told_for: timedelta) -> int:
    """Delete rows done longer ago than *done_for* and events older than *told_for*; return how many went."""
    done = tables.outbox.c
    old_work = sa.delete(tables.outbox).where(done.state == WorkState.DONE, done.finished_at < now - done_for)
    old_events = sa.delete(tables.events).where(tables.events.c.at < now - told_for)
    gone = 0
    for statement in (old_work.returning(done.seq), old_events.returning(tables.events.c.seq)):
        gone += len(session.execute(statement).all())
    return gone


def _settle(session: Session, work: Work, values: dict[str, object]) -> None:
    row = tables.outbox.c
    session.execute(
        sa.update(tables.outbox)
        .where(row.id == work.id, row.state == WorkState.LEASED, row.attempts == work.attempt)
        .values(leased_until=None, leased_by=None, **values)
    )
