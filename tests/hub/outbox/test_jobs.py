# SPDX-License-Identifier: Apache-2.0
"""Working the outbox off: effects once, poison put aside, and nothing lost when a worker is killed."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy.orm import Session

from hub.base import rounds
from hub.base.db import Database, Role, now
from hub.outbox import jobs, reads, service, tables
from hub.outbox.rules import Work

FOREVER = 600


def put(database: Database, topic: str, key: str = "k") -> str:
    with database.transaction(None) as session:
        return service.put(session, topic=topic, about="a", order_key=key, now=now(session))


def effect(session: Session, work: Work) -> None:
    """What a handler leaves behind: an event, in the transaction it is given."""
    agency = "00000000-0000-4000-8000-000000000001"
    service.tell(session, agency=agency, event="worked", about=work.id, now=now(session))


def effects(database: Database) -> list[str]:
    with database.transaction(None) as session:
        return [row.about for row in session.execute(tables.events.select().order_by(tables.events.c.seq))]


def expire_leases(admin_url: str) -> None:
    """Let time pass for the rows that wait: leases run out and next tries come due."""
    with psycopg.connect(admin_url.replace("+psycopg", "")) as connection:
        connection.execute("update outbox set leased_until = now() - interval '1 second' where state = 'leased'")
        connection.execute("update outbox set due_at = now() where state = 'pending'")


def refuse(_session: Session, _work: Work) -> None:
    raise OSError


def effect_then_refuse(session: Session, work: Work) -> None:
    effect(session, work)
    raise OSError


def ignore(_session: Session, _work: Work) -> None:
    """Nobody needs to be told."""


def effect_then_hang(session: Session, work: Work) -> None:
    effect(session, work)
    rounds.send_waiting(session.connection())
    time.sleep(FOREVER)


def hang_as_a_worker(url: str) -> None:
    jobs.work_off(Database(url, Role.JOB), {"t": effect_then_hang}, given_up=ignore, by="doomed")


@pytest.fixture
def given_up() -> list[str]:
    return []


def test_each_row_has_its_effect_once_and_in_order(database: Database, jobs_database: Database) -> None:
    asked = [put(database, "t", key=str(number % 2)) for number in range(6)]
    assert jobs.work_off(jobs_database, {"t": effect}, given_up=ignore, by="w") == 6
    assert jobs.work_off(jobs_database, {"t": effect}, given_up=ignore, by="w") == 0
    assert effects(jobs_database) == asked


def test_what_a_failing_handler_wrote_is_gone_with_it(database: Database, jobs_database: Database) -> None:
    put(database, "t")
    jobs.work_off(jobs_database, {"t": effect_then_refuse}, given_up=ignore, by="w")
    assert effects(jobs_database) == []


def test_poison_is_dead_after_five_tries_while_the_queue_goes_on(
    database: Database, jobs_database: Database, hub_database, given_up: list[str]
) -> None:
    poison = put(database, "poison")
    behind = put(database, "t")
    elsewhere = put(database, "t", key="other")
    handlers = {"t": effect, "poison": refuse}

    def note(_session: Session, work: Work) -> None:
        given_up.append(work.id)

    jobs.work_off(jobs_database, handlers, given_up=note, by="w")
    assert effects(jobs_database) == [elsewhere]
    for _ in range(4):
        assert given_up == []
        expire_leases(hub_database.admin_url)
        jobs.work_off(jobs_database, handlers, given_up=note, by="w")
    assert given_up == [poison]
    assert effects(jobs_database) == [elsewhere, behind]


def test_a_topic_nobody_knows_is_given_up_like_any_failure(database: Database, jobs_database: Database) -> None:
    put(database, "unheard:of")
    jobs.work_off(jobs_database, {}, given_up=ignore, by="w")
    with jobs_database.transaction(None) as session:
        assert reads.waiting(session) == 1


@pytest.fixture
def doomed(hub_database) -> Iterator[multiprocessing.Process]:
    worker = multiprocessing.get_context("spawn").Process(target=hang_as_a_worker, args=(hub_database.url,))
    yield worker
    worker.join(timeout=10)


@pytest.mark.faults
def test_a_worker_killed_in_the_middle_leaves_the_row_to_be_done_once_by_another(
    database: Database, jobs_database: Database, hub_database, doomed
) -> None:
    asked = put(database, "t")
    doomed.start()
    _wait_until_in_hand(hub_database.admin_url)
    os.kill(doomed.pid, signal.SIGKILL)
    doomed.join(timeout=10)
    handlers = {"t": effect}
    assert jobs.work_off(jobs_database, handlers, given_up=ignore, by="w") == 0, "the lease still stands"
    expire_leases(hub_database.admin_url)
    assert jobs.work_off(jobs_database, handlers, given_up=ignore, by="w") == 1
    assert effects(jobs_database) == [asked]


@pytest.mark.faults
def test_a_slow_worker_that_outlived_its_lease_does_not_work_twice(database: Database, jobs_database: Database) -> None:
    asked = put(database, "t")

    def overtaken(session: Session, work: Work) -> None:
        effect(session, work)
        with jobs_database.transaction(None) as other:
            late = service.claim(other, by="quick", now=now(other) + timedelta(minutes=2))
        assert late is None, "the row is locked by the one who works on it"

    jobs.work_off(jobs_database, {"t": overtaken}, given_up=ignore, by="slow")
    assert effects(jobs_database) == [asked]


def _wait_until_in_hand(admin_url: str) -> None:
    """Wait for the child to sit in its handler with the row locked."""
    with psycopg.connect(admin_url.replace("+psycopg", ""), autocommit=True) as connection:
        for _ in range(200):
            busy = connection.execute(
                "select 1 from pg_stat_activity where state = 'idle in transaction' and query ilike '%into events%'"
            ).fetchone()
            if busy:
                return
            time.sleep(0.1)
    raise AssertionError("worker-never-began")
