# SPDX-License-Identifier: Apache-2.0
"""Wake-ups: one per queue until it is answered; Redis away costs one short attempt and nothing else."""

import time

import pytest
from rq import Queue

from hub.base.queues import HANDLER, QUEUE, Wakes, connect
from hub.embedded.accounts import choose_account, socket_folder
from hub.embedded.valkey import Valkey
from tests.hub.conftest import short_folder


@pytest.fixture(scope="module")
def valkey():
    folder = short_folder()
    account = choose_account()
    server = Valkey(folder, socket_folder(folder, account), account)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(valkey):
    connection = connect(valkey.url)
    connection.flushall()
    yield connection
    connection.close()


def waiting(redis):
    return [(job.func_name, job.args) for job in Queue(QUEUE, connection=redis).jobs]


def test_a_wake_up_names_a_queue_and_nothing_else(valkey, redis):
    Wakes(valkey.url).wake("outbox")
    assert waiting(redis) == [(HANDLER, ("outbox",))]


def test_further_ones_are_left_out_until_the_worker_answers(valkey, redis):
    wakes = Wakes(valkey.url)
    for _ in range(3):
        wakes.wake("outbox")
    wakes.wake("timers")
    assert len(waiting(redis)) == 2
    wakes.answered("outbox")
    wakes.wake("outbox")
    assert len(waiting(redis)) == 3


def test_the_handler_that_is_named_is_there():
    from importlib import import_module

    module, _, name = HANDLER.rpartition(".")
    assert callable(getattr(import_module(module), name))


def test_without_redis_nothing_happens():
    wakes = Wakes(None)
    wakes.wake("outbox")
    wakes.answered("outbox")
    assert wakes.alive()


def test_redis_away_costs_one_short_attempt():
    wakes = Wakes("unix:///nonexistent/valkey.sock")
    started = time.monotonic()
    for _ in range(100):
        wakes.wake("outbox")
    wakes.answered("outbox")
    assert time.monotonic() - started < 2
    assert not wakes.alive()


def test_redis_that_is_there_is_alive(valkey):
    assert Wakes(valkey.url).alive()
