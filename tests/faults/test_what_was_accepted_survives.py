# SPDX-License-Identifier: Apache-2.0
"""A 201 holds whatever dies after it (security §3, D1 to D4): there once, opened, in the log. So does a withdrawal.

`TSUNAGI_FAULTS_KILLS`: how often to kill (8); `TSUNAGI_FAULTS_SEED`: which kills to repeat.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pytest
import sqlalchemy as sa

from connectors.base.errors import ConnectorError
from connectors.casebook import compose
from connectors.sync import outbound
from deploy.play.stage import Stage, open_stage
from hub.worker import run_due
from tests.faults.clients import Receiver, Sender, agencies
from tests.faults.killing import killed, wait_until_ready

KILLS: Final = int(os.environ.get("TSUNAGI_FAULTS_KILLS", "8"))
SEED: Final = int(os.environ.get("TSUNAGI_FAULTS_SEED", random.SystemRandom().randrange(10**6)))
QUIET_SECONDS: Final = 60.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.timeout(300 + 20 * KILLS),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc"),
]


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """The hub after the kills, quiet again, and those who worked meanwhile."""

    stage: Stage
    senders: list[Sender]
    receiver: Receiver
    kills: list[str] = field(default_factory=list)

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Read the hub's database as its owner."""
        engine = sa.create_engine(self.stage.settings.migration_url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    @property
    def failures(self) -> list[BaseException]:
        """Give what ended a thread before its time."""
        return [*self.receiver.failures, *(failure for sender in self.senders for failure in sender.failures)]

    @property
    def accepted(self) -> list[str]:
        """Name every message for which a sender holds the hub's 201."""
        return [message for sender in self.senders for message in sender.answered("message")]


@pytest.fixture(scope="module")
def aftermath() -> Iterator[Aftermath]:
    """Work, kill, stop working, let the hub become quiet."""
    chance, stopping = random.Random(SEED), threading.Event()
    with open_stage(play=False) as stage, agencies(stage) as (centres, council):
        senders = [Sender(connector=centre, recipient=council.agency, stopping=stopping) for centre in centres]
        receiver = Receiver(connector=council, stopping=stopping)
        at_work: list[Sender | Receiver] = [*senders, receiver]
        for thread in at_work:
            thread.start()
        try:
            kills = list(killed(stage, KILLS, chance))
        finally:
            stopping.set()
            for thread in at_work:
                thread.join(QUIET_SECONDS)
        _become_quiet(stage, senders, receiver)
        yield Aftermath(stage=stage, senders=senders, receiver=receiver, kills=kills)


def _become_quiet(stage: Stage, senders: list[Sender], receiver: Receiver) -> None:
    """Let everything that waits arrive: to the hub, into the log, to the receiver."""
    until = time.monotonic() + QUIET_SECONDS
    wait_until_ready(stage)
    while any(sender.push() for sender in senders):
        assert time.monotonic() < until, "what was written cannot be sent"
        time.sleep(0.2)
    run_due(stage.settings)
    while True:
        with contextlib.suppress(ConnectorError):
            receiver.connector.collect()
            if not receiver.connector.push().waiting and not list(receiver.connector.hub.inbox()):
                return
        assert time.monotonic() < until, "what was accepted cannot be collected"
        time.sleep(0.2)


def test_everybody_worked_and_something_of_every_kind_was_killed(aftermath: Aftermath) -> None:
    assert aftermath.failures == []
    assert len(aftermath.kills) == KILLS
    for kind in ("granian", "worker", "valkey", "postgres")[:KILLS]:
        assert any(kind in kill for kill in aftermath.kills), (SEED, aftermath.kills)
    assert len(aftermath.accepted) >= KILLS
    assert any(sender.taken_back for sender in aftermath.senders)
    print(f"seed {SEED}: {aftermath.kills}; {len(aftermath.accepted)} accepted")


def test_every_message_that_was_accepted_exists_exactly_once_and_no_other_does(aftermath: Aftermath) -> None:
    there = Counter(str(message) for (message,) in aftermath.rows("select message from messages"))
    assert there == Counter(aftermath.accepted), SEED
    opened = [str(case) for (case,) in aftermath.rows("select case_handle from referrals")]
    assert len(opened) == len(set(opened)) == len(aftermath.accepted)


def test_every_message_was_opened_unless_its_consent_was_taken_back(aftermath: Aftermath) -> None:
    held = aftermath.receiver.held()
    told = {message: name for sender in aftermath.senders for message, name in sender.told.items()}
    stopped = {
        str(message)
        for (message,) in aftermath.rows(
            "select m.message from messages m join withdrawals w on w.case_id = m.case_row"
        )
    }
    for message in aftermath.accepted:
        assert held.get(message, []) == [told[message]] or message in stopped, (SEED, message)
    states = {str(message): state for message, state in aftermath.rows("select message, delivery from messages")}
    assert {states[message] for message in aftermath.accepted if message in held} <= {"delivered", "opened"}


def test_the_log_is_dense_and_holds_what_was_promised(aftermath: Aftermath) -> None:
    run_due(aftermath.stage.settings)
    ((entries, last, waiting),) = aftermath.rows(
        "select count(*), max(index), (select count(*) from audit_pending) from log_entries"
    )
    assert (entries, waiting) == (int(str(last)) + 1, 0)
    for sender in aftermath.senders:
        # each proof is verified against the signed checkpoint, and that against the ones seen before
        while unproved(sender):
            before = unproved(sender)
            assert outbound.prove_sent(sender.connector) == ()
            assert unproved(sender) < before


def unproved(sender: Sender) -> int:
    """Say for how many messages the proof is still to be fetched."""
    with sender.connector.casebook.transaction() as book:
        return len(compose.unproved(book, sender.connector.agency, limit=10**6))


def test_a_withdrawal_that_was_answered_is_there_once_and_nothing_went_out_after_it(aftermath: Aftermath) -> None:
    there = Counter(str(one) for (one,) in aftermath.rows("select withdrawal from withdrawals"))
    assert there == Counter(one for sender in aftermath.senders for one in sender.answered("withdrawal")), SEED
    late = aftermath.rows(
        "select later.index from log_entries later join log_entries taken using (case_handle)"
        " where taken.kind = 'withdrawal:registered' and later.index > taken.index"
        " and later.kind in ('message:accepted', 'message:handed_over')"
    )
    assert late == [], SEED
    for sender in aftermath.senders:
        for case in sender.taken_back[-3:]:
            assert sender.try_after_withdrawal(case)
