# SPDX-License-Identifier: Apache-2.0
"""The worker as a process: woken for a webhook, and killed in the middle of a call."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from hub import worker
from hub.base import queues
from hub.base.config import Settings
from hub.base.db import Database, Role
from tests.hub.webhooks.conftest import Office
from tests.hub.webhooks.receiver import Receiver, hang, say
from tests.hub.worker.conftest import valkey, wired

__all__ = ["valkey", "wired"]

pytestmark = [pytest.mark.faults, pytest.mark.slow]
STARTED_SECONDS = 30.0


@pytest.fixture
def start(wired: Settings) -> Iterator[Callable[[], multiprocessing.Process]]:
    started: list[multiprocessing.Process] = []

    def _start() -> multiprocessing.Process:
        child = multiprocessing.get_context("spawn").Process(target=worker.run, args=(wired,))
        child.start()
        started.append(child)
        return child

    yield _start
    for child in started:
        child.terminate()
        child.join(timeout=60)
        assert not child.is_alive(), "the worker did not stop when told to"


def wait_for(fulfilled: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if fulfilled():
            return
        time.sleep(0.02)
    raise AssertionError("not-in-time")


def test_a_worker_killed_in_the_middle_of_a_call_leaves_the_event_to_another(
    start, office: Office, receiver: Receiver, sql
) -> None:
    office.register(receiver.url)
    told = office.hear("a:b", "c:d")
    receiver.answers = [hang, say(200)]
    doomed = start()
    wait_for(lambda: len(receiver.got) == 1, STARTED_SECONDS)
    os.kill(doomed.pid, signal.SIGKILL)
    doomed.join(timeout=10)
    sql("update webhooks set leased_until = now()")
    start()
    wait_for(lambda: len(receiver.got) == 3, STARTED_SECONDS)
    assert [about for _, about in receiver.told] == [told[0], told[0], told[1]]
    assert receiver.got[0].id == receiver.got[1].id


def test_an_event_is_on_its_way_at_once(start, office: Office, receiver: Receiver, wired: Settings) -> None:
    office.register(receiver.url)
    start()
    office.hear("a:b")
    wait_for(lambda: len(receiver.got) == 1, STARTED_SECONDS)
    waking = Database(wired.database_url, Role.HUB, wake=queues.Wakes(wired.redis_url).wake)
    took = []
    for number in range(2, 7):
        time.sleep(0.3)
        began = time.monotonic()
        replace(office, database=waking).hear("c:d")
        wait_for(lambda number=number: len(receiver.got) == number, STARTED_SECONDS)
        took.append(time.monotonic() - began)
    waking.close()
    assert sorted(took)[2] < 0.5, took
