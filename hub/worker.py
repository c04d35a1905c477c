# SPDX-License-Identifier: Apache-2.0
"""The worker's process: when everything comes round. What it works with stands in `hub.station`.

Five things run side by side: a listener for wake-ups (an RQ worker, in a process of its own), the timetable (the
sweep of the outbox, timers, tidying), the log's sequencer, its witnesses' asking, and the couriers of webhooks. The
timetable is a plain loop and not RQ's cron, because that lives in Redis: with Redis away nothing would come
round, and the sweep is what makes Redis disposable. Any number of workers may run; leases and advisory locks
see to it that each thing is done by one of them.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import redis
import structlog
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker

from hub.audit import checking
from hub.audit.reads import LogDamagedError
from hub.base import logs, queues
from hub.base.config import Settings
from hub.outbox.rules import QUEUE
from hub.station import Station, guarded, open_station

SWEEP: Final = 10.0
TIMERS_EVERY: Final = 60.0
TIDY_EVERY: Final = 3600.0
SEQUENCE_EVERY: Final = 0.1
VERIFY_EVERY: Final = 3600.0
AT_ONCE: Final = 200
"""How many rows one wake-up works off before it makes room for another."""
PAUSE: Final = 1.0
"""Seconds between two rounds of each, and after a round that failed."""

log = structlog.get_logger(__name__)


def run_due(settings: Settings) -> None:
    """Make one pass of everything, as an RQ job does (`hub.worker.run_due`), and tests instead of waiting."""
    with open_station(settings) as at:
        at.do_what_is_due()


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
    with open_station(settings) as at:
        threads = [
            threading.Thread(target=_rounds, args=(at, sound, stop), name="timetable"),
            threading.Thread(target=_sequence, args=(at, sound, stop), name="sequencer"),
            threading.Thread(target=at.keeper.keep_asking, args=(stop, guarded), name="witnesses"),
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
                guarded("round:failed", deed)


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
        if not guarded("sequencer:failed", pass_once):
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
    with open_station(settings) as at:
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
    with open_station(Settings.from_environment(os.environ)) as at:
        yield at


def _stop_on_signals(stop: threading.Event) -> None:
    def _end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
