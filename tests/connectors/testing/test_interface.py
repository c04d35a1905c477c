# SPDX-License-Identifier: Apache-2.0
"""What an agency sees is the same at the hub in memory and at the real one: one test, two hubs."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from connectors.base.clock import system_clock
from connectors.sdk.problems import ConsentRefusedError, ProblemError
from connectors.sync import outbound, proofs
from connectors.sync.connector import Connector
from consent.receipts import ConsentRecord, sign_statement
from tests.connectors.story import NAME, PURPOSE, STAFF, consent, letter, open_case, scope, text
from tests.connectors.testing.conftest import World

SOON = timedelta(days=3)


@pytest.fixture
def j1(world: World) -> Connector:
    return world.join("jiritsu")


@pytest.fixture
def s1(world: World, j1: Connector) -> Connector:
    made = world.join("shakyo")
    world.meet()
    return made


@pytest.fixture
def case(j1: Connector, s1: Connector) -> str:
    made = open_case(j1)
    consent(j1, made, s1.agency)
    assert j1.push().refused == ()
    return made


def problem(status: int, code: str):
    return pytest.raises(ProblemError, check=lambda error: (error.status, error.code) == (status, code))


def test_the_directory_shows_everybody_with_keys_that_hold(world: World, j1: Connector, s1: Connector) -> None:
    assert {one.id for one in j1.hub.agencies()} == {j1.agency, s1.agency}
    assert [one.id for one in j1.hub.agencies(kind="shakyo")] == [s1.agency]
    assert j1.hub.agency(s1.agency).name["ja"] == s1.settings.name_ja
    assert {key.use for key in j1.hub.agency(s1.agency).keys} == {"sig", "enc", "client"}
    with problem(404, "not-found"):
        j1.hub.agency(str(uuid.uuid4()))


def test_a_case_is_its_owners_and_opened_once(world: World, j1: Connector, s1: Connector) -> None:
    handle = str(uuid.uuid4())
    first = j1.hub.open_case(handle, idempotency_key="k")
    assert (first.case, first.owner, first.version) == (handle, j1.agency, 1)
    assert j1.hub.open_case(handle, idempotency_key="k") == first
    assert j1.hub.open_case(handle).id == first.id
    assert j1.hub.case(handle).id == first.id
    assert [one.case for one in j1.hub.cases()] == [handle]
    with problem(404, "not-found"):
        s1.hub.case(handle)


def test_a_consent_is_seen_by_those_it_names(world: World, j1: Connector, s1: Connector, case: str) -> None:
    (seen,) = s1.hub.consents(case)
    assert (seen.agency, seen.partner, seen.withdrawn) == (j1.agency, s1.agency, False)
    assert seen.status is not None
    assert j1.hub.consent(seen.id).record == s1.hub.consent(seen.id).record
    stranger = world.join("houterasu")
    with problem(404, "not-found"):
        stranger.hub.consent(seen.id)
    with problem(404, "not-found"):
        list(stranger.hub.consents(case))


def test_a_consent_for_a_case_that_nobody_opened_is_refused(world: World, j1: Connector, s1: Connector) -> None:
    pen = j1.pen()
    record = ConsentRecord.of(scope(j1, str(uuid.uuid4()), s1.agency), j1.agency)
    with problem(422, "unknown-case"):
        j1.hub.register_consent(sign_statement(record, pen.key))
    with problem(400, "bad-signature"):
        s1.hub.register_consent(sign_statement(record, pen.key))


def test_a_question_is_answered_part_by_part(world: World, j1: Connector, s1: Connector, case: str) -> None:
    asked = j1.hub.ask(case=case, to=s1.agency, purpose=PURPOSE, categories=["identity", "health"])
    assert asked.decision_id
    assert [(one.category, one.outcome, one.reason, one.remedy) for one in asked.decisions] == [
        ("identity", "permitted", None, None),
        ("health", "refused", "CATEGORY_NOT_COVERED", "add_category"),
    ]


def test_a_referral_goes_the_whole_way(world: World, j1: Connector, s1: Connector, case: str) -> None:
    message = j1.send(letter(case, s1), staff=STAFF)
    assert j1.push().refused == ()
    (referral,) = j1.hub.referrals(role="sender")
    assert (referral.state, referral.recipient, referral.awaiting) == ("requested", s1.agency, s1.agency)
    world.settle()
    (one,) = s1.sync().collected
    assert (one.outcome, one.referral) == ("opened", referral.id)
    (part,) = s1.read(message, j1.agency, staff=STAFF)
    assert part.body.decode() == NAME
    assert s1.push().refused == ()
    received = s1.hub.referral(referral.id)
    assert (received.state, received.version) == ("received", 2)
    said = {"worker": STAFF, "worker_role": "counsellor", "next_on": (system_clock() + SOON).date()}
    with problem(412, "stale"):
        s1.hub.move(referral.id, "accept", said, version=1)
    accepted = s1.hub.move(referral.id, "accept", said, version=2)
    assert (accepted.state, accepted.worker) == ("accepted", STAFF)
    with problem(409, "bad-transition"):
        s1.hub.move(referral.id, "ask", {}, version=3)
    assert list(s1.hub.inbox()) == []
    assert [one.id for one in s1.hub.referrals(state="accepted", case=case)] == [referral.id]
    assert list(s1.hub.referrals(role="sender")) == []


def test_a_thread_goes_both_ways(world: World, j1: Connector, s1: Connector, case: str) -> None:
    opened = j1.submit(letter(case, s1))
    world.settle()
    s1.sync()
    further = s1.submit(letter(case, j1, referral=opened.id, thread=opened.thread))
    assert further.thread == opened.thread
    j1.submit(letter(case, s1, text("contact"), referral=opened.id, thread=opened.thread))
    world.settle()
    assert [one.outcome for one in j1.sync().collected] == ["opened"]
    assert [one.outcome for one in s1.sync().collected] == ["opened"]
    assert outbound.prove_sent(s1) == ()


def test_a_message_out_of_order_is_refused(world: World, j1: Connector, s1: Connector, case: str) -> None:
    opened = j1.submit(letter(case, s1))
    with j1.casebook.transaction() as connection:
        connection.exec_driver_sql("delete from threads")
    with problem(409, "chain-broken"):
        j1.submit(letter(case, s1, text("contact"), referral=opened.id, thread=opened.thread))


def test_what_goes_beyond_consent_is_refused_with_every_part(
    world: World, j1: Connector, s1: Connector, case: str
) -> None:
    with pytest.raises(ConsentRefusedError) as caught:
        j1.submit(letter(case, s1, text("identity"), text("health")))
    assert [(one.category, one.outcome) for one in caught.value.decisions] == [
        ("identity", "permitted"),
        ("health", "refused"),
    ]
    assert caught.value.decision_id
    assert list(s1.hub.inbox()) == []


def test_a_withdrawal_stops_what_was_not_collected(world: World, j1: Connector, s1: Connector, case: str) -> None:
    j1.submit(letter(case, s1))
    world.settle()
    (waits,) = s1.hub.inbox()
    (known,) = j1.hub.consents(case)
    assert j1.hub.withdraw(known.id).withdrawn
    for _ in range(2):
        with pytest.raises(ConsentRefusedError) as caught:
            s1.hub.collect(waits.id)
        assert [one.reason for one in caught.value.decisions] == ["WITHDRAWN"]
    assert list(s1.hub.inbox()) == []


def test_a_message_is_for_its_parties_and_open_to_its_recipient(
    world: World, j1: Connector, s1: Connector, case: str
) -> None:
    j1.submit(letter(case, s1))
    world.settle()
    (waits,) = s1.hub.inbox()
    assert s1.hub.collect(waits.id).parts
    assert j1.hub.collect(waits.id).parts is None
    stranger = world.join("houterasu")
    with problem(404, "not-found"):
        stranger.hub.collect(waits.id)


def test_the_feed_tells_what_is_new_once(world: World, j1: Connector, s1: Connector, case: str) -> None:
    first = s1.hub.events()
    assert "consent:registered" in {event.event for event in first.items}
    assert s1.hub.events(cursor=first.next_cursor).items == ()


def test_a_meeting_is_convened_accepted_and_ended(world: World, j1: Connector, s1: Connector) -> None:
    meeting = j1.hub.convene("shien_chosei_kaigi", members=[s1.agency], until=system_clock() + SOON)
    accepted = s1.hub.accept_meeting(meeting.id)
    assert set(accepted.accepted) == {j1.agency, s1.agency}
    assert [one.id for one in s1.hub.meetings()] == [meeting.id]
    noted = j1.hub.put_on_agenda(meeting.id, {"code": "plan"})
    assert [item.code for item in s1.hub.meeting(meeting.id).agenda] == ["plan"]
    assert j1.hub.end_meeting(meeting.id, version=noted.version).ended_at is not None


def test_what_went_on_beside_a_referral_is_kept(world: World, j1: Connector, s1: Connector, case: str) -> None:
    opened = j1.submit(letter(case, s1))
    day = (system_clock() + SOON).date()
    going = {
        "state": "agreed",
        "on": day,
        "role": "counsellor",
        "destination": s1.agency,
        "purpose": "apply",
    }
    made = j1.hub.record_accompaniment(opened.id, going)
    assert (made.n, made.version, made.on) == (1, 1, day)
    assert j1.hub.set_follow_up(opened.id, due=day).due_on == day
    shown = j1.hub.referral(opened.id)
    assert [one.n for one in shown.accompaniments] == [one.n for one in shown.follow_ups] == [1]


def test_the_log_proves_what_it_holds(world: World, j1: Connector, s1: Connector, case: str) -> None:
    opened = j1.submit(letter(case, s1))
    world.settle()
    record = proofs.read_receipt(j1, opened.receipt)
    assert proofs.prove_disclosure(j1, record) == proofs.prove_disclosure(s1, record)
    entry = s1.hub.log_entry(record.entry)
    assert j1.hub.log_proof(entry.index).proof == entry.proof
    assert entry.id in {one.id for one in s1.hub.log_entries()}
    assert s1.hub.checkpoint().startswith(s1.hub.hub_keys().log.partition("+")[0])
    assert len(s1.hub.log_tile(0, 0, 2)) == 64
    stranger = world.join("houterasu")
    with problem(404, "not-found"):
        stranger.hub.log_entry(record.entry)
