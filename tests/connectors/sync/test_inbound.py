# SPDX-License-Identifier: Apache-2.0
"""What waits for us comes in once, verified and proved, and every outcome is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from connectors.base.errors import HubAwayError
from connectors.casebook import tables
from connectors.sync import inbound
from connectors.sync.connector import Connector
from connectors.testing.exchange import _waiting
from connectors.testing.seat import Seat
from consent.envelope.manifest import ByEmergency
from consent.receipts import PartResult
from tests.connectors.story import NAME, STAFF, Network, consent, letter, open_case, text, waiting

EMERGENCY = ByEmergency(
    threat="life", difficulty="unreachable", requester="s-07", approver="s-09", approver_role="supervisor"
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for a sequencer: the log in memory has none."""
    monkeypatch.setattr(inbound, "_PAUSES", (0.0,))


@pytest.fixture
def case(j1: Connector, s1: Connector) -> str:
    made = open_case(j1)
    consent(j1, made, s1.agency)
    return made


def send(connector: Connector, case: str, to: Connector, **changes: object) -> str:
    message = connector.send(letter(case, to, **changes))
    assert connector.push().refused == ()
    return message


def test_a_message_comes_in_is_acknowledged_and_read(j1: Connector, s1: Connector, case: str, network: Network) -> None:
    message = send(j1, case, s1)
    (referral,) = network.hub.referrals
    synced = s1.sync()
    (one,) = synced.collected
    assert (one.outcome, one.message, one.sender, one.case) == ("opened", message, j1.agency, case)
    assert (one.referral, one.results) == (referral, (PartResult.OK,))
    assert [settled.what for settled in synced.answered.settled] == ["receipt"]
    assert network.hub.messages[one.hub_id].delivery == "delivered"
    (part,) = s1.read(message, j1.agency, staff=STAFF)
    assert part.body.decode() == NAME
    s1.push()
    assert network.hub.referrals[referral].state == "received"
    assert s1.sync().collected == ()


def test_a_receiver_decides_with_the_consent_that_names_it(j1: Connector, s1: Connector, case: str) -> None:
    send(j1, case, s1)
    s1.collect()
    with s1.casebook.transaction() as connection:
        (row,) = connection.execute(sa.select(tables.consents)).all()
        (known,) = connection.execute(sa.select(tables.cases)).all()
    assert (row.signer, row.case) == (j1.agency, case)
    assert (known.owner, known.person) == (j1.agency, None)


def test_an_agency_named_by_its_kind_only_finds_the_consent_too(j1: Connector, s1: Connector) -> None:
    made = open_case(j1)
    consent(j1, made, "shakyo")
    send(j1, made, s1)
    (one,) = s1.collect()
    assert one.outcome == "opened"


def test_a_message_is_taken_in_once_however_often_it_is_listed(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    send(j1, case, s1)
    assert len(s1.collect()) == 1
    assert s1.collect() == ()  # the hub still lists it: the receipt is not there yet
    assert [what for what, _ in waiting(s1)] == ["receipt"]


def test_what_consent_no_longer_reaches_at_hand_over_is_told_and_noted(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    send(j1, case, s1)
    (made,) = network.hub.consents
    Seat(network.hub, j1.agency).withdraw(made)
    (one,) = s1.collect()
    assert (one.outcome, one.code) == ("refused", "consent-refused")
    assert [part.reason for part in one.decisions] == ["WITHDRAWN"]
    with s1.casebook.transaction() as connection:
        lines = connection.execute(sa.select(tables.access_log.c.action, tables.access_log.c.about)).all()
    assert ("message:refused", one.hub_id) in lines


def test_what_is_gone_is_told(
    j1: Connector, s1: Connector, case: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(j1, case, s1)
    ((own, stored),) = network.hub.messages.items()
    monkeypatch.setattr(s1.hub, "inbox", lambda **_: iter(waiting_in(network, own)))
    network.hub.messages[own] = replace(stored, delivery="destroyed", parts=None)
    (one,) = s1.collect()
    assert (one.outcome, one.code) == ("gone", "gone")


def waiting_in(network: Network, message: str):
    return [_waiting(network.hub.messages[message])]


def test_a_part_that_does_not_open_is_told_to_the_hub_and_moves_nothing(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    """JOS-21, JOS-23: the referral stays where it was."""
    send(j1, case, s1)
    ((own, stored),) = network.hub.messages.items()
    network.hub.messages[own] = replace(stored, parts=(stored.parts[0][:-9] + 'AAAAAAA"}',))
    synced = s1.sync()
    (one,) = synced.collected
    assert one.outcome == "not_opened"
    assert synced.answered.refused == ()
    (referral,) = network.hub.referrals.values()
    assert referral.state == "requested"
    assert network.hub.messages[own].delivery == "queued"
    assert s1.sync().collected == ()


# ── proof ──


def test_nothing_is_opened_before_the_log_proves_the_disclosure(
    j1: Connector, s1: Connector, case: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(j1, case, s1)
    with monkeypatch.context() as behind:
        behind.setattr(network.hub.log, "find", lambda *_: None)
        (one,) = s1.collect()
    assert (one.outcome, one.code) == ("unproved", "proof-missing")
    assert waiting(s1) == []
    (again,) = s1.collect()
    assert again.outcome == "opened"


def test_the_proof_is_kept_with_the_message(j1: Connector, s1: Connector, case: str) -> None:
    send(j1, case, s1)
    s1.collect()
    with s1.casebook.transaction() as connection:
        (row,) = connection.execute(sa.select(tables.messages)).all()
    assert "message:accepted" in row.log_entry
    assert row.log_proof.startswith("c2sp.org/tlog-proof@v1")
    assert row.hub_receipt


def test_the_hubs_word_about_another_message_does_not_do(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    send(j1, case, s1)
    send(j1, case, s1)
    (first, second) = network.hub.messages.values()
    network.hub.messages[second.id] = replace(second, receipt=first.receipt)
    outcomes = {one.hub_id: (one.outcome, one.code) for one in s1.collect()}
    assert outcomes == {first.id: ("opened", None), second.id: ("unbelievable", "proof-bad")}


def test_a_disclosure_logged_as_something_else_is_not_believed(
    j1: Connector, s1: Connector, case: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = network.hub.write
    monkeypatch.setattr(network.hub, "write", lambda _, parties, facts: write("case:noted", parties, facts))
    send(j1, case, s1)
    (one,) = s1.collect()
    assert (one.outcome, one.code) == ("unbelievable", "proof-bad")


def test_a_message_that_cannot_be_believed_stays_at_the_hub_and_stops_no_other(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    send(j1, case, s1)
    send(j1, case, s1)
    (first, second) = network.hub.messages.values()
    head, payload, _ = first.manifest.split(".")
    network.hub.messages[first.id] = replace(first, manifest=f"{head}.{payload}.{'A' * 86}")
    collected = {one.hub_id: one.outcome for one in map_hand_over(s1, network)}
    assert collected == {first.id: "unbelievable", second.id: "opened"}


def map_hand_over(connector: Connector, network: Network):
    """Collect from a hub that checks nothing before it hands over."""
    seat = connector.hub
    seat.collect = lambda message: network.hub.messages[message]  # type: ignore[method-assign]
    return connector.collect()


# ── who is not known yet ──


def test_a_sender_that_is_new_is_fetched_before_its_message_is_verified(
    j1: Connector, s1: Connector, network: Network
) -> None:
    late = network.join("houterasu")
    late.fetch_directory()
    case = open_case(late)
    late.push()
    late.submit(letter(case, s1, text("contact"), basis=EMERGENCY))
    (one,) = s1.collect()
    assert one.outcome == "opened"


def test_a_hub_that_goes_away_half_way_leaves_the_rest_for_the_next_round(
    j1: Connector, s1: Connector, case: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(j1, case, s1)

    def away(_: str) -> None:
        raise HubAwayError("hub-away", url="memory")

    with monkeypatch.context() as broken:
        broken.setattr(s1.hub, "log_entry", away)
        with pytest.raises(HubAwayError):
            s1.collect()
    assert [one.outcome for one in s1.collect()] == ["opened"]


def test_our_mirror_follows_the_referrals(j1: Connector, s1: Connector, case: str, network: Network) -> None:
    send(j1, case, s1)
    (referral,) = network.hub.referrals
    assert inbound.refresh_referrals(s1) == 1
    network.clock.on(minutes=1)
    s1.hub.move(referral, "accept", {"worker": "s-1", "worker_role": "counsellor", "next_on": "2026-04-07"}, version=1)
    assert inbound.refresh_referrals(j1) == 1
    with j1.casebook.transaction() as connection:
        (row,) = connection.execute(sa.select(tables.referrals)).all()
    assert (row.state, row.version) == ("accepted", 2)
