# SPDX-License-Identifier: Apache-2.0
"""The hub and three witnesses at work: a quorum, a split view that is found."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from urllib3 import PoolManager, Timeout

from consent.tlog import notes, policy
from hub.audit import jobs, reads
from hub.audit.keeping import Keeper, Pace
from hub.audit.sending import Line, NoAnswerError, Told
from hub.audit.witnessing import Asking
from hub.base.db import Database
from hub.base.errors import UnavailableError

from .conftest import Append
from .town import NAMES, Town, grow, newest, rewrite
from .witnessed import keeper, town

__all__ = ["keeper", "town"]


# ── a quorum ──


def test_three_witnesses_cosign_and_the_quorum_is_served_with_the_checkpoint(
    append: Append, keeper: Keeper, town: Town, jobs_database: Database
) -> None:
    grow(append, keeper, 5)
    found = keeper.ask_witnesses()
    assert found is not None
    assert (found.size, found.is_enough, found.against) == (5, True, ())
    with jobs_database.transaction(None) as session:
        shown = reads.witnessed(session)
        standings = reads.standings(session)
    assert shown is not None
    seen = policy.quorum(notes.read_note(shown.note), town.policy, now=datetime.now(UTC))
    assert seen.is_reached
    assert seen.checkpoint.size == 5
    assert {one.witness.name for one in seen.cosigned} == set(NAMES)
    assert {(one.code, one.size) for one in standings} == {("cosigned", 5)}
    grow(append, keeper, 300)
    assert keeper.ask_witnesses().size == 305


def test_nothing_is_signed_before_the_witnesses_have_answered(
    append: Append, keeper: Keeper, town: Town, sequencer_database: Database
) -> None:
    for name in ("officer:dpo", "agency:midori"):
        town.close(name)
    append()
    assert keeper.sequence() == 0
    assert newest(sequencer_database).size == 0
    assert not keeper.agreed.is_set()


def test_one_witness_that_is_away_costs_its_cosignature_and_nothing_else(
    append: Append, keeper: Keeper, town: Town, jobs_database: Database
) -> None:
    town.close("outside:daigaku")
    grow(append, keeper, 3)
    found = keeper.ask_witnesses()
    assert found is not None
    assert found.is_enough
    assert [one.code for one in found.answers] == ["cosigned", "cosigned", "unreachable"]
    with jobs_database.transaction(None) as session:
        assert reads.recovery(session) is None


def test_without_the_agencys_witness_there_is_no_quorum(
    append: Append, keeper: Keeper, town: Town, jobs_database: Database
) -> None:
    grow(append, keeper, 3)
    town.close("agency:midori")
    append()
    jobs.sequence(keeper.seq, keeper.signer)
    found = keeper.ask_witnesses()
    assert found is not None
    assert not found.is_enough
    with jobs_database.transaction(None) as session:
        shown = reads.witnessed(session)
    assert shown is not None
    assert shown.size == 0, "the newest that enough have seen, not the newest that somebody has"


def test_witnesses_are_asked_at_most_once_a_minute_and_hourly_when_nothing_grows(
    append: Append, keeper: Keeper, jobs_database: Database, owner: psycopg.Connection
) -> None:
    grow(append, keeper, 1)
    assert not jobs.is_due(jobs_database), "asked a moment ago"
    owner.execute("update log_witnesses set asked_at = asked_at - interval '61 seconds'")
    assert jobs.is_due(jobs_database)
    keeper.ask_witnesses()
    owner.execute("update log_witnesses set asked_at = asked_at - interval '59 minutes'")
    assert not jobs.is_due(jobs_database), "nothing has grown"
    owner.execute("update log_witnesses set asked_at = asked_at - interval '2 minutes'")
    assert jobs.is_due(jobs_database)


def test_a_witness_that_lost_its_memory_is_told_from_the_beginning(append: Append, keeper: Keeper, town: Town) -> None:
    grow(append, keeper, 4)
    keeper.ask_witnesses()
    with town.witnesses["officer:dpo"].folder.transaction() as seen:
        seen._connection.execute("update logs set note = null")
    grow(append, keeper, 3)
    found = keeper.ask_witnesses()
    assert found is not None
    assert [one.code for one in found.answers] == ["cosigned"] * 3


def test_a_witness_that_answers_nonsense_is_not_believed(
    append: Append, keeper: Keeper, jobs_database: Database
) -> None:
    answers = iter(
        [(200, b"hello\n"), (409, b"many\n"), (409, b"\xff"), (500, b""), (302, b""), (404, b""), (403, b"")]
    )

    class Odd(Line):
        def post(self, url: str, body: bytes):
            status, said = next(answers)
            return Told(status=status, body=said)

    assert keeper.asking is not None
    jobs.begin(keeper.seq, keeper.signer)
    only = replace(keeper.asking.policy, witnesses=keeper.asking.policy.witnesses[:1])
    odd = Asking(policy=only, line=Odd())
    codes = []
    for _ in range(7):
        found = jobs.ask_witnesses(jobs_database, odd)
        assert found is not None
        codes += [one.code for one in found.answers]
    assert codes == ["malformed"] * 3 + ["status-500", "status-302", "log-unknown", "key-unknown"]
    with jobs_database.transaction(None) as session:
        assert reads.recovery(session) is None


def test_nobody_waits_for_ever_for_an_answer() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NoAnswerError):
            Line(seconds=0.2, pool=_impatient()).post(f"http://127.0.0.1:{silent.getsockname()[1]}/", b"x")


def _impatient():
    return PoolManager(timeout=Timeout(0.2), retries=False)


# ── a split view ──


@pytest.mark.parametrize("grows", [False, True])
def test_a_log_that_was_rewritten_and_signed_anew_is_found_at_the_next_asking(
    append: Append, keeper: Keeper, town: Town, owner: psycopg.Connection, jobs_database: Database, grows: bool
) -> None:
    grow(append, keeper, 9)
    keeper.ask_witnesses()
    rewrite(owner, keeper.signer, 4)
    assert jobs.verify(keeper.seq, keeper.signer) == 9, (
        "the hub itself finds nothing: whoever has the keys made it whole"
    )
    if grows:
        grow(append, keeper, 2)
    found = keeper.ask_witnesses()
    assert found is not None
    assert [one.code for one in found.against] == ["differs"] * 3
    assert town.evidence("agency:midori") == ["bad-proof" if grows else "root-differs"]
    with jobs_database.transaction(None) as session:
        stopped = reads.recovery(session)
    assert stopped is not None
    assert (stopped.code, stopped.size) == ("differs", 9)
    with pytest.raises(UnavailableError, match="log-recovering"):
        append()


def test_a_pace_is_one_at_once_and_then_one_a_while() -> None:
    pace = Pace(3600)
    assert [pace.is_time() for _ in range(3)] == [True, False, False]
