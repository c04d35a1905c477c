# SPDX-License-Identifier: Apache-2.0
"""What one pass of a worker does, and what it tells people when something does not go."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy.orm import Session

from hub import worker
from hub.audit import checking
from hub.audit import reads as audit_reads
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base.config import Settings
from hub.base.db import Database, now
from hub.outbox import jobs as outbox_jobs
from hub.outbox import service as outbox
from hub.outbox.rules import Work
from hub.station import Station, open_station
from hub.tasks import reads as tasks
from hub.tasks.rules import TaskKind

OURS = "00000000-0000-4000-8000-00000000000a"
States = Callable[[], dict[str, int]]


@pytest.fixture
def station(settings: Settings) -> Iterator[Station]:
    with open_station(settings) as at:
        yield at


@pytest.fixture
def past(hub_database) -> Callable[[], None]:
    """Let the outbox believe that all waiting is over."""

    def _past() -> None:
        with psycopg.connect(hub_database.admin_url.replace("+psycopg", "")) as connection:
            connection.execute("update outbox set due_at = now() where state = 'pending'")

    return _past


def append(database: Database) -> None:
    with database.transaction(OURS) as session:
        entry = Entry(kind=AuditKind.CASE_NOTED, actor=OURS, parties=(OURS,))
        audit.append(session, entry, now=now(session))


def logged(sequencer: Database) -> int:
    with sequencer.transaction(None) as session:
        return audit_reads.logged(session)


def test_one_pass_does_the_outbox_and_the_log(
    settings: Settings, database: Database, put, states: States, sequencer_database
) -> None:
    put()
    put()
    append(database)
    worker.run_due(settings)
    assert states() == {"done": 2}
    assert logged(sequencer_database) == 1


def test_what_a_handler_asks_for_is_done_in_the_same_pass(station: Station, put, states: States) -> None:
    def ask_for_more(session: Session, work: Work) -> None:
        outbox.put(session, topic="second", about=work.about, order_key="k", now=now(session))

    def do_nothing(_session: Session, _work: Work) -> None:
        """It is enough that it was called."""

    put("first")
    replace(station, handlers={"first": ask_for_more, "second": do_nothing}).sweep()
    assert states() == {"done": 2}


def test_a_topic_of_two_slices_is_done_by_both_in_turn_and_by_both_or_neither(
    station: Station, put, states: States
) -> None:
    done: list[str] = []

    def refuse(_session: Session, _work: Work) -> None:
        raise OSError

    handlers = outbox_jobs.join({"t": lambda *_: done.append("lower")}, {"t": lambda *_: done.append("upper")})
    put("t")
    replace(station, handlers=handlers).sweep()
    assert done == ["lower", "upper"]
    put("t")
    replace(station, handlers=outbox_jobs.join(handlers, {"t": refuse})).sweep()
    assert states() == {"done": 1, "pending": 1}


def test_work_given_up_is_told_to_the_operator_the_agency_and_the_log(
    station: Station, database: Database, jobs_database: Database, past, states: States
) -> None:
    def refuse(_session: Session, _work: Work) -> None:
        raise OSError

    with database.transaction(OURS) as session:
        work = outbox.put(session, topic="poison", about=OURS, order_key="k", now=now(session), agency=OURS)
    poisoned = replace(station, handlers={"poison": refuse})
    for _ in range(5):
        past()
        poisoned.sweep()
    assert states() == {"dead": 1}
    with jobs_database.transaction(None) as session:
        for agency in (None, OURS):
            (task,) = tasks.tasks(session, agency)
            assert (task.kind, task.about) == (TaskKind.WORK_GIVEN_UP, work)
    station.sequence()
    with database.transaction(OURS) as session:
        (entry,) = audit_reads.entries(session, OURS)
    assert b'"kind":"delivery:given_up"' in entry.body


def test_a_timer_that_fails_is_rolled_back_and_keeps_no_other_from_running(
    station: Station, put, states: States
) -> None:
    def leave(session: Session) -> None:
        outbox.put(session, topic="t", about=OURS, order_key="k", now=now(session))

    def leave_and_fail(session: Session) -> None:
        leave(session)
        raise OSError

    replace(station, timers=(leave_and_fail, leave)).tick()
    assert states() == {"pending": 1}


def test_a_timer_that_another_worker_runs_is_left_to_it(station: Station) -> None:
    ran: list[str] = []

    def outer(_session: Session) -> None:
        ran.append("outer")
        replace(station, timers=(outer,)).tick()

    replace(station, timers=(outer,)).tick()
    assert ran == ["outer"]


def test_a_wake_up_works_off_so_much_and_asks_for_another(
    station: Station, put, states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bell:
        """Counts who is woken; there is no Redis here."""

        rung: list[str]

        def __init__(self) -> None:
            self.rung = []

        def wake(self, queue: str) -> None:
            self.rung.append(queue)

        def answered(self, _queue: str) -> None:
            """Nothing to take away."""

    bell = Bell()
    monkeypatch.setattr(worker, "AT_ONCE", 3)
    monkeypatch.setattr(worker, "_open", [replace(station, wakes=bell)])
    for _ in range(4):
        put()
    worker.woken("outbox")
    assert (states(), bell.rung) == ({"done": 3, "pending": 1}, ["outbox"])
    worker.woken("outbox")
    assert (states(), bell.rung) == ({"done": 4}, ["outbox"])


def test_a_wake_up_for_a_queue_of_old_is_nothing(put, states: States) -> None:
    put()
    worker.woken("something-else")
    assert states() == {"pending": 1}


def test_a_damaged_log_is_the_operators_task_once(
    station: Station, database: Database, jobs_database: Database, hub_database
) -> None:
    append(database)
    station.sequence()
    assert station.verify()
    with psycopg.connect(hub_database.admin_url.replace("+psycopg", "")) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update log_entries set body = body || ' '")
    assert not station.verify()
    assert not station.verify()
    with jobs_database.transaction(None) as session:
        (task,) = tasks.tasks(session, None)
    assert (task.kind, task.about) == (TaskKind.LOG_DAMAGED, "entry-changed:0")


def test_a_check_that_somebody_asked_for_is_made_and_what_it_finds_stands(
    station: Station, database: Database, jobs_database: Database, hub_database
) -> None:
    def ask() -> None:
        with jobs_database.transaction(None) as session:
            checking.ask(session, by="01890000-0000-7000-8000-000000000001", now=now(session))
            assert checking.QUEUE in session.info["wake"]

    append(database)
    station.sequence()
    assert station.check()
    ask()
    assert station.check()
    with jobs_database.transaction(None) as session:
        found = checking.newest(session)
    assert found is not None
    assert (found.outcome, found.size) == ("sound", 1)
    with psycopg.connect(hub_database.admin_url.replace("+psycopg", "")) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update log_entries set body = body || ' '")
    ask()
    assert not station.check()
    assert not station.check()  # nobody asked again: signing stays stopped by what was found
    with jobs_database.transaction(None) as session:
        (task,) = tasks.tasks(session, None)
    assert task.about == "entry-changed:0"


def test_tidying_leaves_what_is_not_old(station: Station, put, states: States) -> None:
    put()
    station.sweep()
    station.tidy()
    assert states() == {"done": 1}
