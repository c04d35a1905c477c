# SPDX-License-Identifier: Apache-2.0
"""The play clock stands where it is put, never goes back, and never reaches production."""

import dataclasses
import threading
from datetime import UTC, datetime, timedelta

import pytest

from hub.base import clock
from hub.base.db import Database, Role, now
from hub.base.errors import ConfigurationError

APRIL = datetime(2026, 4, 1, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture
def playing(hub_database):
    clock.create_play_clock(hub_database.admin_url)
    clock.set_play_clock(hub_database.admin_url, APRIL)
    opened = Database(hub_database.url, Role.HUB)
    yield opened
    opened.close()


def stands(database):
    with database.transaction(None) as session:
        assert now(session) == now(session)
        return now(session)


def test_each_transaction_moves_it_one_microsecond(playing):
    assert [stands(playing) for _ in range(3)] == [APRIL + TICK, APRIL + 2 * TICK, APRIL + 3 * TICK]


def test_it_is_put_forward_and_never_back(playing, hub_database):
    assert clock.set_play_clock(hub_database.admin_url, APRIL + timedelta(days=1)) == APRIL + timedelta(days=1)
    assert clock.set_play_clock(hub_database.admin_url, APRIL) == APRIL + timedelta(days=1)
    assert stands(playing) == APRIL + timedelta(days=1) + TICK


def test_a_second_creation_keeps_the_time(playing, hub_database):
    clock.create_play_clock(hub_database.admin_url)
    assert stands(playing) == APRIL + TICK


def test_the_worker_and_the_sequencer_live_in_the_same_time(playing, hub_database):
    for number, role in enumerate((Role.JOB, Role.SEQ), start=1):
        other = Database(hub_database.url, role)
        assert stands(other) == APRIL + number * TICK
        other.close()


def test_two_transactions_at_once_do_not_wait_for_each_other(playing):
    with playing.transaction(None) as outer:
        first = now(outer)
        times = []
        thread = threading.Thread(target=lambda: times.append(stands(playing)))
        thread.start()
        thread.join(timeout=10)
        assert times == [first + TICK]


def test_times_never_repeat_even_after_an_error(playing):
    with pytest.raises(RuntimeError):
        _fail_at(playing)
    assert stands(playing) == APRIL + 2 * TICK


def _fail_at(database):
    with database.transaction(None) as session:
        assert now(session) == APRIL + TICK
        raise RuntimeError("stop")


def test_requests_cannot_move_it(playing, hub_database):
    with pytest.raises(Exception, match="tsn_owner"):
        clock.set_play_clock(hub_database.url, APRIL + timedelta(days=1))


def test_production_does_not_start_on_one(playing, hub_database, settings):
    clock.refuse_play_in_production(playing, settings)
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        clock.refuse_play_in_production(playing, dataclasses.replace(settings, environment="production"))
    strict = Database(hub_database.url, Role.HUB, real_time=True)
    with pytest.raises(ConfigurationError):
        stands(strict)


def test_a_real_database_has_none(database, settings):
    clock.refuse_play_in_production(database, dataclasses.replace(settings, environment="production"))
    assert abs(stands(database) - datetime.now(UTC)) < timedelta(minutes=1)
