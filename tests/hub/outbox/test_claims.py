# SPDX-License-Identifier: Apache-2.0
"""Who may work on what: order within a key, leases, retries, giving up, replay."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import ProgrammingError

from hub.base.db import Database, now
from hub.outbox import reads, service
from hub.outbox.rules import MAX_ATTEMPTS, Work, WorkState

Put = Callable[..., str]


@pytest.fixture
def put(database: Database) -> Put:
    def _put(topic: str = "thing:changed", key: str = "k", wait: timedelta = timedelta(0)) -> str:
        with database.transaction(None) as session:
            at = now(session)
            return service.put(session, topic=topic, about="a", order_key=key, now=at, due=at + wait)

    return _put


def claim(jobs: Database, *, later: timedelta = timedelta(0)) -> Work | None:
    with jobs.transaction(None) as session:
        return service.claim(session, by="worker", now=now(session) + later)


def fail(jobs: Database, work: Work) -> WorkState:
    with jobs.transaction(None) as session:
        return service.fail(session, work, fault="OSError", now=now(session))


def complete(jobs: Database, work: Work) -> None:
    with jobs.transaction(None) as session:
        assert service.hold(session, work)
        service.complete(session, work, now=now(session))


def test_a_row_whose_transaction_rolled_back_was_never_asked_for(database: Database, jobs_database: Database) -> None:
    def change_of_mind() -> None:
        with database.transaction(None) as session:
            service.put(session, topic="t", about="a", order_key="k", now=now(session))
            raise LookupError

    with pytest.raises(LookupError):
        change_of_mind()
    assert claim(jobs_database) is None


def test_putting_work_asks_for_a_wake_up_and_names_no_thing(database: Database) -> None:
    with database.transaction(None) as session:
        service.put(session, topic="t", about="secret-id", order_key="k", now=now(session))
        assert session.info["wake"] == {"outbox"}


def test_rows_of_one_key_come_one_after_the_other_in_the_order_written(put: Put, jobs_database: Database) -> None:
    first, second = put(), put()
    work = claim(jobs_database)
    assert work is not None
    assert work.id == first
    assert claim(jobs_database) is None
    complete(jobs_database, work)
    following = claim(jobs_database)
    assert following is not None
    assert following.id == second


def test_rows_of_other_keys_do_not_wait(put: Put, jobs_database: Database) -> None:
    put(key="one")
    other = put(key="two")
    claim(jobs_database)
    work = claim(jobs_database)
    assert work is not None
    assert work.id == other


def test_a_row_for_later_holds_up_nobody_until_then(put: Put, jobs_database: Database) -> None:
    timer = put(wait=timedelta(minutes=30))
    soon = put()
    work = claim(jobs_database)
    assert work is not None
    assert work.id == soon
    complete(jobs_database, work)
    assert claim(jobs_database) is None
    rung = claim(jobs_database, later=timedelta(minutes=31))
    assert rung is not None
    assert rung.id == timer


def test_a_row_waiting_for_its_next_try_holds_up_its_key(put: Put, jobs_database: Database) -> None:
    first = put()
    put()
    work = claim(jobs_database)
    assert work is not None
    fail(jobs_database, work)
    assert claim(jobs_database) is None
    again = claim(jobs_database, later=timedelta(seconds=3))
    assert again is not None
    assert (again.id, again.attempt) == (first, 2)


def test_a_lease_that_ran_out_goes_to_another_and_the_first_may_no_longer_work(
    put: Put, jobs_database: Database
) -> None:
    put()
    slow = claim(jobs_database)
    assert slow is not None
    assert claim(jobs_database, later=timedelta(seconds=59)) is None
    quick = claim(jobs_database, later=timedelta(seconds=61))
    assert quick is not None
    with jobs_database.transaction(None) as session:
        assert not service.hold(session, slow)
        assert service.hold(session, quick)


def test_five_failures_kill_a_row_and_free_its_key(put: Put, jobs_database: Database) -> None:
    poison, healthy = put(), put()
    later = timedelta(0)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        work = claim(jobs_database, later=later)
        assert work is not None
        assert (work.id, work.attempt) == (poison, attempt)
        state = fail(jobs_database, work)
        later = timedelta(minutes=10)
    assert state is WorkState.DEAD
    following = claim(jobs_database)
    assert following is not None
    assert following.id == healthy
    with jobs_database.transaction(None) as session:
        (dead,) = reads.dead_letters(session)
    assert (dead.id, dead.attempts, dead.fault) == (poison, 5, "OSError")


def test_a_row_that_took_five_workers_down_is_buried(put: Put, jobs_database: Database) -> None:
    poison = put()
    for attempt in range(MAX_ATTEMPTS):
        assert claim(jobs_database, later=timedelta(minutes=2 * attempt)) is not None
    assert claim(jobs_database, later=timedelta(hours=1)) is None
    with jobs_database.transaction(None) as session:
        (buried,) = service.bury(session, now=now(session) + timedelta(hours=1))
    assert buried.id == poison


def test_a_dead_row_can_be_replayed_and_a_living_one_cannot(put: Put, jobs_database: Database) -> None:
    poison = put()
    later = timedelta(0)
    for _ in range(MAX_ATTEMPTS):
        work = claim(jobs_database, later=later)
        assert work is not None
        fail(jobs_database, work)
        later = timedelta(minutes=10)
    with jobs_database.transaction(None) as session:
        assert service.replay(session, poison, now=now(session))
        assert not service.replay(session, poison, now=now(session))
    revived = claim(jobs_database)
    assert revived is not None
    assert (revived.id, revived.attempt) == (poison, 1)


def test_forty_rows_claimed_by_four_workers_are_each_claimed_once(put: Put, jobs_database: Database) -> None:
    asked = {put(key=str(number)) for number in range(40)}

    def take() -> list[str]:
        taken = []
        while (work := claim(jobs_database)) is not None:
            taken.append(work.id)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [one for future in [pool.submit(take) for _ in range(4)] for one in future.result()]
    assert sorted(taken) == sorted(asked)


def test_four_workers_never_have_two_rows_of_one_key_in_hand(put: Put, jobs_database: Database) -> None:
    asked = [put(key=f"key-{number % 3}") for number in range(30)]
    done: list[str] = []

    def work_along(_: int) -> None:
        while (work := claim(jobs_database)) is not None or len(done) < len(asked):
            if work is not None:
                done.append(work.id)
                complete(jobs_database, work)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work_along, range(4)))
    for key in range(3):
        assert [one for one in done if one in asked[key::3]] == asked[key::3]


def test_done_rows_and_old_events_are_tidied_away_and_open_ones_stay(
    put: Put, database: Database, jobs_database: Database
) -> None:
    put(key="done")
    work = claim(jobs_database)
    assert work is not None
    complete(jobs_database, work)
    put(key="open")
    week = timedelta(days=7)

    def tidy(at: datetime) -> int:
        return service.tidy(session, now=at, done_for=week, told_for=week)

    with jobs_database.transaction(None) as session:
        assert tidy(now(session) + timedelta(days=6)) == 0
        assert tidy(now(session) + timedelta(days=8)) == 1
        assert reads.waiting(session) == 1


def test_a_request_may_ask_for_work_and_see_none_of_it(put: Put, database: Database) -> None:
    put()
    with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(None) as session:
        reads.waiting(session)
