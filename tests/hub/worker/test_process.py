# SPDX-License-Identifier: Apache-2.0
"""The worker as a process, with a real Redis that forgets, goes away and comes back, and a kill -9."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from hub import worker
from hub.audit import reads as audit_reads
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base import queues
from hub.base.config import Settings
from hub.base.db import Database, Role, now
from hub.embedded.valkey import Valkey
from hub.outbox import service
from tests.hub.worker.conftest import NOBODYS_CASE, TOPIC

pytestmark = [pytest.mark.faults, pytest.mark.slow]

WOKEN_SECONDS = 6.0
"""Below the sweep's ten seconds: done by then, it was the wake-up that did it."""
SWEPT_SECONDS = 40.0
States = Callable[[], dict[str, int]]
Process = multiprocessing.Process


@pytest.fixture
def start(wired: Settings) -> Iterator[Callable[[], Process]]:
    started: list[Process] = []

    def _start() -> Process:
        child = multiprocessing.get_context("spawn").Process(target=worker.run, args=(wired,))
        child.start()
        started.append(child)
        return child

    yield _start
    for child in started:
        child.terminate()
        child.join(timeout=60)
        assert not child.is_alive(), "the worker did not stop when told to"


@pytest.fixture
def waking(wired: Settings) -> Iterator[Database]:
    """Requests' database with its wake-ups connected, as the app has it."""
    opened = Database(wired.database_url, Role.HUB, wake=queues.Wakes(wired.redis_url).wake)
    yield opened
    opened.close()


def put(database: Database, count: int = 1) -> None:
    for number in range(count):
        with database.transaction(None) as session:
            key = f"key-{number % 3}"
            service.put(session, topic=TOPIC, about=NOBODYS_CASE, order_key=key, now=now(session))


def wait_for(fulfilled: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if fulfilled():
            return
        time.sleep(0.1)
    raise AssertionError("not-in-time")


def listener_is_up(valkey: Valkey) -> bool:
    """Say whether somebody sits and waits for wake-ups; the register of workers is gone when Redis
    forgets.
    """
    with redis.Redis.from_url(valkey.url) as connection:
        return connection.info("clients")["blocked_clients"] > 0


def test_a_wake_up_gets_work_done_before_any_sweep(start, waking: Database, states: States, valkey: Valkey) -> None:
    start()
    wait_for(lambda: listener_is_up(valkey), SWEPT_SECONDS)
    for done in (1, 2, 3):
        time.sleep(1.5)
        put(waking)
        wait_for(lambda done=done: states() == {"done": done}, WOKEN_SECONDS)


def test_with_redis_forgetting_everything_nothing_is_lost(
    start, waking: Database, states: States, valkey: Valkey
) -> None:
    start()
    wait_for(lambda: listener_is_up(valkey), SWEPT_SECONDS)
    with redis.Redis.from_url(valkey.url) as connection:
        for _ in range(5):
            put(waking, 4)
            connection.flushall()
    wait_for(lambda: states() == {"done": 20}, SWEPT_SECONDS)


def test_with_redis_away_the_sweep_does_the_work_and_wake_ups_come_back_with_it(
    start, waking: Database, states: States, valkey: Valkey
) -> None:
    start()
    wait_for(lambda: listener_is_up(valkey), SWEPT_SECONDS)
    valkey.stop()
    put(waking, 3)
    wait_for(lambda: states() == {"done": 3}, SWEPT_SECONDS)
    valkey.start()
    wait_for(lambda: listener_is_up(valkey), SWEPT_SECONDS)
    time.sleep(queues.PAUSE_SECONDS)
    put(waking)
    wait_for(lambda: states() == {"done": 4}, WOKEN_SECONDS)


def test_a_worker_killed_under_load_loses_nothing_and_leaves_no_listener_behind(
    start, waking: Database, states: States, valkey: Valkey, hub_database
) -> None:
    import psycopg

    for _ in range(3):
        doomed = start()
        wait_for(lambda: listener_is_up(valkey), SWEPT_SECONDS)
        children = _children_of(doomed.pid)
        put(waking, 10)
        os.kill(doomed.pid, signal.SIGKILL)
        doomed.join(timeout=10)
        wait_for(lambda children=children: not any(map(_is_alive, children)), SWEPT_SECONDS)
    with psycopg.connect(hub_database.admin_url.replace("+psycopg", "")) as connection:
        connection.execute("update outbox set leased_until = now() where state = 'leased'")
    start()
    wait_for(lambda: states() == {"done": 30}, SWEPT_SECONDS)


def test_the_worker_puts_entries_into_the_log_at_once(start, database: Database, valkey: Valkey) -> None:
    start()
    wait_for(lambda: listener_is_up(valkey), SWEPT_SECONDS)
    with database.transaction(None) as session:
        audit.append(session, Entry(kind=AuditKind.CASE_NOTED, actor="hub", parties=()), now=now(session))

    def is_logged() -> bool:
        with database.transaction(None) as session:
            found = audit_reads.checkpoint(session)
            return found is not None and found.size == 1

    wait_for(is_logged, 3.0)


def _children_of(pid: int) -> list[int]:
    return [int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()]


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
