# SPDX-License-Identifier: Apache-2.0
"""The worker's composition root: which function does which topic, and when everything else comes round.

Five things run side by side: a listener for wake-ups (an RQ worker, in a process of its own), the timetable (the
sweep of the outbox, timers, tidying), the log's sequencer, its witnesses' asking, and the couriers of webhooks. The
timetable is a plain loop and not RQ's cron, because that lives in Redis: with Redis away nothing would come
round, and the sweep is what makes Redis disposable. Any number of workers may run; leases and advisory locks
see to it that each thing is done by one of them.
"""

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Final

import redis
import sqlalchemy as sa
import structlog
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from sqlalchemy.orm import Session

from hub.audit import checking
from hub.audit import jobs as audit_jobs
from hub.audit import reads as audit_reads
from hub.audit import service as audit
from hub.audit.keeping import Keeper, asking_of
from hub.audit.reads import Checkpoint, LogDamagedError
from hub.audit.rules import HUB, AuditKind, Entry, origin
from hub.audit.sequencer import Signer
from hub.base import hubkeys, logs, queues, replay
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

SWEEP: Final = 10.0
TIMERS_EVERY: Final = 60.0
TIDY_EVERY: Final = 3600.0
SEQUENCE_EVERY: Final = 0.1
VERIFY_EVERY: Final = 3600.0
AT_ONCE: Final = 200
"""How many rows one wake-up works off before it makes room for another."""
PAUSE: Final = 1.0
"""Seconds between two rounds of each, and after a round that failed."""

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
            _guarded("timer:failed", partial(self._run, timer))

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
def station(settings: Settings) -> Iterator[Station]:
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


def _database(settings: Settings, role: Role, wakes: queues.Wakes) -> Database:
    return Database(
        settings.database_url,
        role,
        wake=wakes.wake,
        pool_size=2,
        prepare_threshold=settings.prepare_threshold,
        real_time=settings.production,
    )


def run_due(settings: Settings) -> None:
    """Make one pass of everything, as an RQ job does (`hub.worker.run_due`), and tests instead of waiting."""
    with station(settings) as at:
        at.tick()
        at.sweep()
        at.sequence()
        at.couriers.deliver()


def woken(queue: str) -> None:
    """Answer a wake-up for *queue*: the RQ job that `hub.base.queues` sends. Other names are old wake-ups."""
    if queue not in {QUEUE, checking.QUEUE}:
        return
    with _listening_station() as at:
        if queue == checking.QUEUE:
            at.check()
            return
        if at.sweep(at_most=AT_ONCE) == AT_ONCE:
            # an RQ job may not take for ever; the rest is the next one's
            at.wakes.wake(QUEUE)


def run(settings: Settings, stop: threading.Event | None = None) -> None:
    """Run a worker until SIGTERM or SIGINT (or *stop* is set): listener, timetable, sequencer, couriers.

    Work in hand is finished; what was leased and not finished comes back when its lease runs out.
    """
    stop = stop or threading.Event()
    sound = threading.Event()
    _stop_on_signals(stop)
    with station(settings) as at:
        threads = [
            threading.Thread(target=_rounds, args=(at, sound, stop), name="timetable"),
            threading.Thread(target=_sequence, args=(at, sound, stop), name="sequencer"),
            threading.Thread(target=at.keeper.keep_asking, args=(stop, _guarded), name="witnesses"),
            threading.Thread(target=at.couriers.keep_delivering, args=(stop,), name="webhooks"),
        ]
        for thread in threads:
            thread.start()
        _keep_listening(settings, stop)
        for thread in threads:
            thread.join()


def _rounds(at: Station, sound: threading.Event, stop: threading.Event) -> None:
    """Follow the timetable: whatever is due, in this order, then wait a little."""

    def verify() -> None:
        if not at.verify():
            sound.clear()

    def check() -> None:
        if not at.check():
            sound.clear()

    timetable: list[tuple[float, Callable[[], object]]] = [
        (SWEEP, at.sweep),
        (SWEEP, check),
        (TIMERS_EVERY, at.tick),
        (TIDY_EVERY, at.tidy),
        (VERIFY_EVERY, verify),
        (TIDY_EVERY, at.keeper.erase),
    ]
    began = time.monotonic()
    # the sequencer verifies before it begins; all else is done at once
    due = [began + every if deed is verify else began for every, deed in timetable]
    while not stop.wait(PAUSE):
        for place, (every, deed) in enumerate(timetable):
            if time.monotonic() >= due[place]:
                due[place] = time.monotonic() + every
                _guarded("round:failed", deed)


def _sequence(at: Station, sound: threading.Event, stop: threading.Event) -> None:
    """Put what is pending into the log every 100 ms, once the log as it lies has been found *sound*.

    A log that is not sound is left alone and looked at again: somebody may put it right.
    """

    def pass_once() -> None:
        if not sound.is_set() and not at.verify():
            stop.wait(SWEEP)
            return
        sound.set()
        try:
            at.sequence()
        except LogDamagedError as damage:
            sound.clear()
            at.report(damage)

    while not stop.wait(SEQUENCE_EVERY):
        if not _guarded("sequencer:failed", pass_once):
            stop.wait(PAUSE)


def _keep_listening(settings: Settings, stop: threading.Event) -> None:
    """Keep one listener alive; with Redis away it ends, and is started again until Redis is back."""
    if settings.redis_url is None:
        stop.wait()
        return
    spawn = multiprocessing.get_context("spawn")
    while not stop.is_set():
        listener = spawn.Process(target=_listen, args=(settings,), name="listener")
        listener.start()
        while listener.is_alive() and not stop.wait(PAUSE):
            listener.join(timeout=0)
        if listener.is_alive():
            listener.terminate()
        listener.join()
        stop.wait(PAUSE)


def _listen(settings: Settings) -> None:
    """Be the RQ worker that answers wake-ups, in this process: a wake-up has nothing worth a fork to protect."""
    if settings.redis_url is None:
        return
    logs.configure()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection = redis.Redis.from_url(settings.redis_url, socket_connect_timeout=5)
    with station(settings) as at:
        _open.append(at)
        try:
            SimpleWorker([Queue(queues.QUEUE, connection=connection)], connection=connection).work()
        except RedisError:
            log.warning("queue:unreachable")


def _end_with_parent() -> None:
    """End this process when the worker that started it is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


_open: Final[list[Station]] = []


@contextmanager
def _listening_station() -> Iterator[Station]:
    """Give this listener's station; an RQ worker that somebody else started opens one from its
    environment.
    """
    if _open:
        yield _open[0]
        return
    with station(Settings.from_environment(os.environ)) as at:
        yield at


def _guarded(event: str, deed: Callable[[], object]) -> bool:
    """Do *deed*; log a failure and go on, because a worker that stops is worse than a round that failed."""
    try:
        deed()
    except Exception:
        log.exception(event)
        return False
    return True


def _alone(session: Session, name: str) -> bool:
    """Take the advisory lock *name* until this transaction ends; say no if another worker has it."""
    lock = sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(name, 0)))
    return bool(session.execute(lock).scalar_one())


def _stop_on_signals(stop: threading.Event) -> None:
    def _end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
