# SPDX-License-Identifier: Apache-2.0
"""Kill -9 the sequencer between insert and commit, again and again, while requests go on writing: nothing
is lost.
"""

import multiprocessing
import os
import random
import signal
import time

import pytest

from consent.jwk import KeyUse, PrivateKey
from hub.audit import jobs, reads, sequencer
from hub.audit.sequencer import Signer
from hub.base.db import Database, Role, now

from .conftest import Append

ROUNDS = 8


def sequence_and_hang(url: str, origin: str, key: dict[str, str]) -> None:
    """Do the whole of a pass and die before the commit."""
    signer = Signer(origin=origin, key=PrivateKey.from_jwk(key, KeyUse.WITNESS))
    with Database(url, Role.SEQ).transaction(None) as session:
        sequencer.sequence(session, signer, now=now(session))
        session.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def sequence_for_ever(url: str, origin: str, key: dict[str, str]) -> None:
    signer = Signer(origin=origin, key=PrivateKey.from_jwk(key, KeyUse.WITNESS))
    database = Database(url, Role.SEQ)
    while True:
        jobs.sequence(database, signer)


def start(target, hub_database, signer: Signer) -> multiprocessing.Process:
    arguments = (hub_database.url, signer.origin, signer.key.export())
    child = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    child.start()
    return child


def test_a_sequencer_killed_between_insert_and_commit_has_done_nothing(
    append: Append, sequencer_database: Database, signer: Signer, hub_database
) -> None:
    ids = [append() for _ in range(3)]
    for _ in range(2):
        child = start(sequence_and_hang, hub_database, signer)
        child.join(timeout=60)
        assert child.exitcode == -signal.SIGKILL
        with sequencer_database.transaction(None) as session:
            assert reads.logged(session) == 0
    assert _logged_within(sequencer_database, signer, 3) == ids


@pytest.mark.faults
def test_nothing_is_lost_or_doubled_however_often_the_sequencer_is_killed(
    append: Append, sequencer_database: Database, signer: Signer, hub_database
) -> None:
    ids = []
    for _ in range(ROUNDS):
        child = start(sequence_for_ever, hub_database, signer)
        until = time.monotonic() + random.uniform(0.8, 1.6)
        while time.monotonic() < until:
            ids.append(append())
        os.kill(child.pid, signal.SIGKILL)
        child.join(timeout=10)
    assert _logged_within(sequencer_database, signer, len(ids)) == ids
    assert jobs.verify(sequencer_database, signer) == len(ids)


def _logged_within(database: Database, signer: Signer, size: int) -> list[str]:
    """Sequence what is left (the dead one's lock goes with its connection) and list the ids in the order
    logged.
    """
    for _ in range(100):
        jobs.sequence(database, signer)
        with database.transaction(None) as session:
            if reads.logged(session) >= size:
                break
        time.sleep(0.1)
    import sqlalchemy as sa

    from hub.audit import tables

    with database.transaction(None) as session:
        return list(session.execute(sa.select(tables.log_entries.c.id).order_by(tables.log_entries.c.index)).scalars())
