# SPDX-License-Identifier: Apache-2.0
"""The worker's composition root: what it works with, which function does which topic, and what it can be asked to do.

When each thing comes round stands in `hub.worker`.
"""

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from hub.audit import checking
from hub.audit import jobs as audit_jobs
from hub.audit import reads as audit_reads
from hub.audit import service as audit
from hub.audit.keeping import Keeper, asking_of
from hub.audit.reads import Checkpoint, LogDamagedError
from hub.audit.rules import HUB, AuditKind, Entry, origin
from hub.audit.sequencer import Signer
from hub.base import hubkeys, queues, replay
from hub.base.config import Settings
from hub.base.db import Database, Role, now
from hub.intakes import jobs as intakes_jobs
from hub.messages import jobs as messages_jobs
from hub.oauth import tokens
from hub.outbox import jobs as outbox_jobs
from hub.outbox import reads as outbox_reads
from hub.outbox import service as outbox
from hub.outbox.jobs import Handler
from hub.outbox.reads import DeadLetter
from hub.outbox.rules import QUEUE
from hub.oversight import jobs as oversight_jobs
from hub.referrals import jobs as referrals_jobs
from hub.referrals import network
from hub.staff import jobs as staff_jobs
from hub.tasks import jobs as tasks_jobs
from hub.webhooks import delivering, sending
from hub.webhooks.jobs import Couriers

Timer = Callable[[Session], object]
"""Looks for what has come due and deals with it, in the transaction it is given; it never commits."""
HANDLERS: Final[Mapping[str, Handler]] = outbox_jobs.join(
    intakes_jobs.HANDLERS, messages_jobs.HANDLERS, referrals_jobs.HANDLERS
)
TIMERS: Final[Sequence[Timer]] = (*messages_jobs.TIMERS, *referrals_jobs.TIMERS, *oversight_jobs.TIMERS)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """What a worker works with: its connections, the log's signer and its own name."""

    jobs: Database
    seq: Database
    signer: Signer
    keeper: Keeper
    wakes: queues.Wakes
    name: str
    handlers: Mapping[str, Handler]
    timers: Sequence[Timer]
    couriers: Couriers

    def sweep(self, *, at_most: int | None = None) -> int:
        """Do what the outbox holds that is due; return how many rows were taken in hand."""
        self.wakes.answered(QUEUE)
        if self.recovers():
            return 0
        return outbox_jobs.work_off(
            self.jobs, self.handlers, given_up=tasks_jobs.give_up, by=self.name, at_most=at_most
        )

    def tick(self) -> None:
        """Run every timer, each in its own transaction: one that fails does not keep the others from running."""
        if self.recovers():
            return
        for timer in self.timers:
            guarded("timer:failed", partial(self._run, timer))

    def recovers(self) -> bool:
        """Say whether the log is being recovered, and tell the operator: nothing could be written, so nothing is tried,
        and work that waits is not worn out by tries that cannot succeed.
        """
        found = self.keeper.recovery()
        if found is not None:
            self.report(LogDamagedError(f"recovery-{found.code}", found.size))
        return found is not None

    def tidy(self) -> None:
        """Delete what is long done: outbox rows, events, idempotency keys, single-use values, tokens, sessions."""
        outbox_jobs.tidy(self.jobs)
        with self.jobs.transaction(None) as session:
            replay.forget_expired(session, now(session))
            tokens.forget_expired(session, now=now(session))
            staff_jobs.tidy(session, now=now(session))
            delivering.tidy(session, now=now(session))

    def sequence(self) -> int:
        """Put what is pending into the log; return how many entries went in."""
        return self.keeper.sequence()

    def do_what_is_due(self) -> None:
        """Make one pass of everything."""
        self.tick()
        self.sweep()
        self.sequence()
        self.couriers.deliver()

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """List the work that was given up, newest first."""
        with self.jobs.transaction(None) as session:
            return outbox_reads.dead_letters(session)

    def replay(self, work: str) -> bool:
        """Give dead work five new tries and log it; say whether there was such work."""
        with self.jobs.transaction(None) as session:
            at = now(session)
            revived = outbox.replay(session, work, now=at)
            if revived:
                entry = Entry(kind=AuditKind.DELIVERY_REPLAYED, actor=HUB, parties=(), subject=work)
                audit.append(session, entry, now=at)
        return revived

    def checkpoint(self) -> Checkpoint | None:
        """Give the newest checkpoint."""
        with self.seq.transaction(None) as session:
            return audit_reads.checkpoint(session)

    def verify(self) -> bool:
        """Hash the whole log as stored; tell the operator what does not agree, and whether all does.

        *Raises* HubError: the database is away.
        """
        try:
            audit_jobs.verify_and_note(self.seq, self.jobs, self.signer)
        except LogDamagedError as damage:
            self.report(damage)
            return False
        return True

    def check(self) -> bool:
        """Make the check of the log that somebody asked for; say whether the log was sound when last checked."""
        self.wakes.answered(checking.QUEUE)
        try:
            return audit_jobs.check(self.seq, self.jobs, self.signer)
        except LogDamagedError as damage:
            self.report(damage)
            return False

    def report(self, damage: LogDamagedError) -> None:
        """Tell the operator that the log is not what was signed. The log itself cannot carry this."""
        log.critical("log:damaged", code=damage.code, place=damage.place)
        with self.jobs.transaction(None) as session:
            tasks_jobs.tell_damage(session, damage)

    def _run(self, timer: Timer) -> None:
        with self.jobs.transaction(None) as session:
            if _alone(session, f"timer:{timer.__module__}.{timer.__name__}"):
                timer(session)


@contextmanager
def open_station(settings: Settings) -> Iterator[Station]:
    """Open a worker's connections and keys, and close them at the end."""
    network.use_folder(settings.data)
    wakes = queues.Wakes(settings.redis_url)
    keys = hubkeys.load(settings.data)
    signer = Signer(key=keys.log, origin=origin(settings.issuer))
    jobs = _database(settings, Role.JOB, wakes)
    jobs.givens[hubkeys.RECEIPTS] = hubkeys.Receipts(hub=settings.issuer, key=keys.receipt)
    jobs.givens[hubkeys.WEBHOOKS] = keys.webhooks
    seq = _database(settings, Role.SEQ, wakes)
    try:
        yield Station(
            jobs=jobs,
            seq=seq,
            signer=signer,
            keeper=Keeper(
                seq=seq, jobs=jobs, signer=signer, asking=asking_of(settings, signer), mirror=settings.mirror
            ),
            wakes=wakes,
            name=f"{socket.gethostname()}:{os.getpid()}",
            handlers=HANDLERS,
            timers=TIMERS,
            couriers=Couriers(database=jobs, wakes=wakes, line=sending.line_of(settings)),
        )
    finally:
        jobs.close()
        seq.close()
        wakes.close()


def _database(settings: Settings, role: Role, wakes: queues.Wakes) -> Database:
    return Database(
        settings.database_url,
        role,
        wake=wakes.wake,
        pool_size=2,
        prepare_threshold=settings.prepare_threshold,
        real_time=settings.production,
    )


def _alone(session: Session, name: str) -> bool:
    """Take the advisory lock *name* until this transaction ends; say no if another worker has it."""
    lock = sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(name, 0)))
    return bool(session.execute(lock).scalar_one())


def guarded(event: str, deed: Callable[[], object]) -> bool:
    """Do *deed*; log a failure and go on, because a worker that stops is worse than a round that failed."""
    try:
        deed()
    except Exception:
        log.exception(event)
        return False
    return True
