# SPDX-License-Identifier: Apache-2.0
"""Work off the outbox: lease, work, settle, each in a transaction of its own.

The lease commits first, so that an attempt counts even if it takes the worker down. The handler and the mark
"done" share one transaction, so that what a handler writes here happens once; what it does outside it must do
by `work.id`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from hub.base.db import Database, now
from hub.outbox import service
from hub.outbox.rules import Work, WorkState

Handler = Callable[[Session, Work], None]
"""Does one piece of work in the transaction it is given; it never commits, and it may be called again."""

KEEP_DONE: Final = timedelta(days=7)
KEEP_EVENTS: Final = timedelta(days=90)


def work_off(
    database: Database, handlers: Mapping[str, Handler], *, given_up: Handler, by: str, at_most: int | None = None
) -> int:
    """Do what is due, up to *at_most* rows, as the worker *by*; return how many rows were taken in hand.

    *given_up* is called, in the transaction that buries it, with each row that has failed for the fifth time.
    """
    taken = 0
    _bury(database, given_up)
    while at_most is None or taken < at_most:
        with database.transaction(None) as session:
            work = service.claim(session, by=by, now=now(session))
        if work is None:
            break
        taken += 1
        _attempt(database, handlers, work, given_up)
    return taken


def tidy(database: Database) -> int:
    """Delete what is long done and long told; return how many rows went."""
    with database.transaction(None) as session:
        return service.tidy(session, now=now(session), done_for=KEEP_DONE, told_for=KEEP_EVENTS)


def _attempt(database: Database, handlers: Mapping[str, Handler], work: Work, given_up: Handler) -> None:
    try:
        with database.transaction(None) as session:
            if not service.hold(session, work):
                return
            handlers[work.topic](session, work)
            service.complete(session, work, now=now(session))
    except Exception as error:  # noqa: BLE001 - whatever a handler raises, the queue goes on
        with database.transaction(None) as session:
            if not service.hold(session, work):
                return
            state = service.fail(session, work, fault=type(error).__name__, now=now(session))
            if state is WorkState.DEAD:
                given_up(session, work)


def _bury(database: Database, given_up: Handler) -> None:
    with database.transaction(None) as session:
        for work in service.bury(session, now=now(session)):
            given_up(session, work)


def join(*slices: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """Join the slices' topics; what two of them listen to is done by both, in the order given, in one
    transaction.
    """
    topics = dict.fromkeys(topic for slice_ in slices for topic in slice_)
    return {topic: _each(tuple(one[topic] for one in slices if topic in one)) for topic in topics}


def _each(handlers: Sequence[Handler]) -> Handler:
    def handle(session: Session, work: Work) -> None:
        for handler in handlers:
            handler(session, work)

    return handle
