# SPDX-License-Identifier: Apache-2.0
"""A withdrawal and a send that race are put in order by the gate: before, or refused (consent.md, CON-08, CON-09)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from consent.envelope.sealing import Sealed
from hub.base.db import Database, Duty, now
from hub.base.errors import ClashError, HubError
from hub.intakes import reads as intake_reads
from hub.intakes import service as intakes
from hub.intakes.rules import Taking
from hub.messages import service
from tests.hub.messages.story import Keeping, Story, emergency

AT_ONCE = 6


def together(*acts) -> list[object]:
    """Run the acts in threads that start at one moment and give what each returned or raised."""
    gate = threading.Barrier(len(acts))

    def run(act) -> object:
        gate.wait()
        try:
            return act()
        except HubError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def patient(story: Story, sealed: Sealed) -> object:
    """Send as the web work does: again when two transactions gave way to each other."""
    for _ in range(5):
        try:
            return story.accept(sealed)
        except ClashError:
            continue
    raise AssertionError("clashing")


@pytest.mark.parametrize("round_", range(4))
def test_no_message_is_accepted_after_the_withdrawal(story: Story, round_: int) -> None:
    consent = story.consent()
    sends = [story.seal("identity") for _ in range(AT_ONCE)]
    together(
        *[lambda sealed=sealed: patient(story, sealed) for sealed in sends[: AT_ONCE // 2]],
        lambda: story.withdraw(consent),
        *[lambda sealed=sealed: patient(story, sealed) for sealed in sends[AT_ONCE // 2 :]],
    )
    logged = story.logged()
    withdrawn = logged.index("withdrawal:registered")
    assert "message:accepted" not in logged[withdrawn:]
    assert logged.count("message:accepted") + logged.count("message:refused") == AT_ONCE
    assert story.count("messages") == logged.count("message:accepted")


@pytest.mark.parametrize("round_", range(3))
def test_nothing_is_handed_over_after_the_withdrawal(story: Story, round_: int) -> None:
    consent = story.consent()
    rows = [story.send("identity").message for _ in range(AT_ONCE)]
    together(
        *[lambda row=row: story.collect(row) for row in rows[: AT_ONCE // 2]],
        lambda: story.withdraw(consent),
        *[lambda row=row: story.collect(row) for row in rows[AT_ONCE // 2 :]],
    )
    logged = story.logged()
    assert "message:handed_over" not in logged[logged.index("withdrawal:registered") :]
    assert story.count("message_parts", "sealed is not null") == logged.count("message:handed_over")


def test_a_send_that_began_before_the_withdrawal_and_waited_for_it_is_refused(story: Story) -> None:
    consent = story.consent()
    sealed = story.seal("identity")
    begun, withdrawn = threading.Event(), threading.Event()

    def send() -> object:
        with Keeping(story.database, story.j1.id) as session:
            at = now(session)
            begun.set()
            assert withdrawn.wait(20)
            return service.accept(
                session,
                agency=story.j1.id,
                manifest=sealed.manifest,
                parts=sealed.parts,
                thread=None,
                now=at,
            )

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        assert begun.wait(20)
        story.withdraw(consent)
        withdrawn.set()
        with pytest.raises(HubError, match="consent-refused"):
            sending.result(20)


def test_a_send_waits_for_a_withdrawal_that_holds_the_gate(story: Story) -> None:
    consent = story.consent()
    sealed = story.seal("identity")
    with ThreadPoolExecutor(1) as pool:
        with story.database.transaction(story.j1.id, Duty.DECIDE) as session:
            known = intake_reads.by_consent(session, consent, signer=story.j1.id)
            assert known is not None
            taking = Taking(to=frozenset(), categories=frozenset())
            intakes.withdraw(session, known, agency=story.j1.id, taking=taking, token=None, now=now(session))
            sending = pool.submit(patient, story, sealed)
            wait_until_somebody_waits(story.jobs)
        with pytest.raises(HubError, match="consent-refused"):
            sending.result(20)


def test_the_same_bytes_from_many_requests_at_once_are_one_message(story: Story) -> None:
    story.consent()
    sealed = story.seal("identity")
    found = together(*[lambda: patient(story, sealed)] * AT_ONCE)
    assert {getattr(one, "message", one) for one in found} == {getattr(found[0], "message", None)}
    assert [getattr(one, "again", None) for one in found].count(False) == 1
    assert story.count("messages") == 1
    assert story.logged().count("message:accepted") == 1


def test_the_fifth_emergency_use_is_given_once_however_many_ask_at_once(story: Story) -> None:
    def send() -> object:
        return story.send("identity", purpose="emergency_response", basis=emergency())

    found = together(*[send] * (AT_ONCE + 2))
    assert [getattr(one, "code", "sent") for one in found].count("sent") == 5
    assert story.count("emergency_uses") == 5


def test_one_thread_numbers_its_messages_once_under_concurrent_sends(story: Story) -> None:
    story.consent()
    first = story.send("identity")
    rivals = [story.seal("identity", thread=first.thread, seq=2, prev=first.manifest_hash) for _ in range(AT_ONCE)]
    found = together(*[lambda sealed=sealed: story.accept(sealed, thread=first.thread) for sealed in rivals])
    assert sorted(getattr(one, "code", "sent") for one in found) == ["chain-broken"] * (AT_ONCE - 1) + ["sent"]


def wait_until_somebody_waits(database: Database) -> None:
    waiting = sa.text("select count(*) from pg_locks where not granted")
    for _ in range(400):
        with database.transaction(None) as session:
            if session.execute(waiting).scalar_one():
                return
        threading.Event().wait(0.05)
    raise AssertionError("nobody-waits")
