# SPDX-License-Identifier: Apache-2.0
"""Idempotency keys and single-use values: once is once, also side by side and after a restart."""

import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hub.base.db import Database, Role, now
from hub.base.errors import ConflictError
from hub.base.replay import KEPT, Answered, claim, forget_expired, remember, seen_before

A = "01890000-0000-7000-8000-00000000000a"
B = "01890000-0000-7000-8000-00000000000b"
ANSWER = Answered(status=201, headers={"ETag": '"1"'}, body="髙﨑".encode())


def use(database, agency, key, fingerprint=b"f", answer=ANSWER, pause=0.0):
    """Do what a request does with its key: claim, work, remember."""
    with database.transaction(agency) as session:
        known = claim(session, agency=agency, key=key, fingerprint=fingerprint, now=now(session))
        if known is None:
            time.sleep(pause)
            remember(session, agency=agency, key=key, answer=answer)
        return known


def test_a_key_is_claimed_once_and_then_gives_its_answer(database):
    assert use(database, A, "k") is None
    assert use(database, A, "k") == ANSWER


def test_a_key_is_the_agencys_own(database):
    assert use(database, A, "k") is None
    assert use(database, B, "k", b"other") is None


def test_a_key_used_for_something_else_is_refused(database):
    use(database, A, "k")
    with pytest.raises(ConflictError) as refused:
        use(database, A, "k", b"other")
    assert refused.value.code == "idempotency-mismatch"


def test_a_key_whose_work_was_undone_is_free_again(database):
    with pytest.raises(RuntimeError):
        _claim_and_fail(database)
    assert use(database, A, "k") is None


def _claim_and_fail(database):
    with database.transaction(A) as session:
        claim(session, agency=A, key="k", fingerprint=b"f", now=now(session))
        raise RuntimeError("stop")


def test_two_equal_requests_at_once_have_one_effect(database):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(use(database, A, "k", pause=0.2))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=str) == sorted([None, ANSWER, ANSWER, ANSWER], key=str)


@pytest.mark.parametrize("value", ["jti", "x" * 10_000, "\ud800", ""])
def test_a_single_use_is_single_also_for_another_process(database, hub_database, value):
    other = Database(hub_database.url, Role.HUB)
    with database.transaction(None) as session:
        assert not seen_before(session, "jti", value, now(session))
    with other.transaction(None) as session:
        assert seen_before(session, "jti", value, now(session))
        assert not seen_before(session, "dpop", value, now(session))
    other.close()


def test_requests_cannot_read_single_uses_back(database):
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), database.transaction(A) as session:
        session.execute(sa.text("select * from single_uses"))


def test_the_worker_forgets_what_has_expired_and_nothing_else(database, jobs_database):
    use(database, A, "k")
    with database.transaction(A) as session:
        at = now(session)
        seen_before(session, "jti", "old", at - timedelta(seconds=1))
        seen_before(session, "jti", "new", at + timedelta(hours=1))
    with jobs_database.transaction(None) as session:
        assert forget_expired(session, now(session)) == 1
        assert forget_expired(session, now(session) + KEPT + timedelta(minutes=1)) == 2
    assert use(database, A, "k") is None


def test_keys_are_kept_for_a_day_at_least():
    assert timedelta(hours=24) <= KEPT
