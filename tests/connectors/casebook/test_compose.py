# SPDX-License-Identifier: Apache-2.0
"""A letter is decided, sealed, kept and queued at once, or not at all; numbers in a thread count what was taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.casebook import compose, outgoing, receive
from connectors.casebook.compose import RefusedHereError
from connectors.sync.connector import Connector
from consent import signing, wire
from consent.envelope.manifest import ByConsent, ByEmergency, Manifest, MessageKind, manifest_hash
from consent.envelope.sealing import MyNumberFoundError
from consent.questions import Reason
from tests.connectors.story import NAME, NOW, STAFF, Network, consent, letter, open_case, refused, text, waiting

MY_NUMBER = "123456789018"
"""Twelve digits with a check digit that fits; nobody's number."""


def manifest_of(token: str) -> Manifest:
    return wire.read(Manifest, signing.peek_payload(token, typ=signing.Typ.MANIFEST))


def queued(connector: Connector) -> Manifest:
    with connector.casebook.transaction() as connection:
        (row,) = [row for row in outgoing.waiting(connection) if row.what == "message"]
    return manifest_of(row.body["manifest"])


@pytest.fixture
def case(j1: Connector, s1: Connector) -> str:
    made = open_case(j1)
    consent(j1, made, s1.agency)
    return made


def test_what_was_sent_can_be_read_here_later(j1: Connector, s1: Connector, case: str) -> None:
    message = j1.send(letter(case, s1), staff=STAFF)
    (part,) = j1.read(message, j1.agency, staff=STAFF)
    assert part.body.decode() == NAME
    assert waiting(j1)[-1] == ("message", message)


def test_a_letter_beyond_the_consent_is_refused_here_with_the_reason_for_each_part(
    j1: Connector, s1: Connector, case: str
) -> None:
    before = waiting(j1)
    with pytest.raises(RefusedHereError) as caught:
        j1.send(letter(case, s1, text("identity"), text("health"), text("housing")))
    assert [(category, answer.reason) for category, answer in caught.value.refused] == [
        ("health", Reason.CATEGORY_NOT_COVERED),
        ("housing", Reason.CATEGORY_NOT_COVERED),
    ]
    assert caught.value.exit_code == 3
    assert waiting(j1) == before


def test_the_records_relied_on_are_stapled_with_their_status(j1: Connector, s1: Connector, case: str) -> None:
    j1.send(letter(case, s1))
    basis = queued(j1).basis
    assert isinstance(basis, ByConsent)
    assert len(basis.consents) == 1


def test_a_stale_word_of_the_own_agency_stops_the_sealing(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    """CON-21, at the intake agency: 24 hours."""
    network.clock.on(hours=24, microseconds=-1)
    j1.send(letter(case, s1))
    network.clock.on(microseconds=1)
    with refused("status-stale"):
        j1.send(letter(case, s1))


def test_a_partner_seals_on_a_word_of_up_to_72_hours_and_no_longer(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    """CON-21, at a partner, with the hub away since."""
    j1.push()
    s1.refresh_case(case)
    network.hub.away = True
    network.clock.on(hours=72, microseconds=-1)
    s1.send(letter(case, j1))
    network.clock.on(microseconds=1)
    with refused("status-stale"):
        s1.send(letter(case, j1))


def test_an_emergency_needs_no_consent_and_staples_none(j1: Connector, s1: Connector) -> None:
    basis = ByEmergency(
        threat="life", difficulty="unreachable", requester="s-07", approver="s-09", approver_role="supervisor"
    )
    j1.send(letter(open_case(j1), s1, basis=basis))
    assert queued(j1).basis == basis


def test_a_my_number_stops_the_sealing_until_a_person_says_that_it_is_none(
    j1: Connector, s1: Connector, case: str
) -> None:
    before = waiting(j1)
    with pytest.raises(MyNumberFoundError) as caught:
        j1.send(letter(case, s1, text(body=f"番号 {MY_NUMBER}")))
    assert [(mark.start, mark.end) for mark in caught.value.marks] == [(3, 15)]
    assert waiting(j1) == before
    j1.send(letter(case, s1, text(body=f"番号 {MY_NUMBER}"), acknowledged=True))


def test_nothing_is_sealed_to_an_agency_without_a_key_that_is_good_now(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    network.clock.on(days=89)
    j1.push()
    network.clock.at = NOW + timedelta(days=365)
    basis = ByEmergency(
        threat="life", difficulty="unreachable", requester="s-07", approver="s-09", approver_role="supervisor"
    )
    with refused("key-missing"):
        j1.send(letter(case, s1, basis=basis))


# ── numbers in the thread ──


def taken(connector: Connector, message: str, referral: str = "r") -> None:
    with connector.casebook.transaction() as connection:
        compose.accepted(
            connection, sender=connector.agency, message=message, referral=referral, hub_id="h", receipt="t"
        )


def finalised(connector: Connector, message: str) -> tuple[str, Manifest]:
    with connector.casebook.transaction() as connection:
        token = compose.finalise(connection, message, connector.pen())
    return token, manifest_of(token)


def reply(connector: Connector, case: str, to: Connector, thread: str) -> str:
    return connector.send(letter(case, to, referral="r", thread=thread, kind=MessageKind.REPLY))


def test_numbers_follow_what_was_accepted_also_when_several_wait(j1: Connector, s1: Connector, case: str) -> None:
    first = j1.send(letter(case, s1))
    second, third = reply(j1, case, s1, first), reply(j1, case, s1, first)
    token, manifest = finalised(j1, first)
    assert (manifest.seq, manifest.prev) == (1, None)
    taken(j1, first)
    token_2, manifest = finalised(j1, second)
    assert (manifest.seq, manifest.prev) == (2, manifest_hash(token))
    taken(j1, second)
    _, manifest = finalised(j1, third)
    assert (manifest.seq, manifest.prev) == (3, manifest_hash(token_2))


def test_the_number_of_a_refused_message_is_used_again(j1: Connector, s1: Connector, case: str) -> None:
    first = j1.send(letter(case, s1))
    taken(j1, first)
    second, third = reply(j1, case, s1, first), reply(j1, case, s1, first)
    assert finalised(j1, second)[1].seq == 2
    with j1.casebook.transaction() as connection:
        compose.refused(connection, sender=j1.agency, message=second)
    assert finalised(j1, third)[1].seq == 2


def test_a_manifest_that_need_not_change_goes_out_with_the_same_bytes(j1: Connector, s1: Connector, case: str) -> None:
    message = j1.send(letter(case, s1))
    assert finalised(j1, message)[0] == finalised(j1, message)[0]


def test_noting_an_acceptance_twice_moves_the_thread_once(j1: Connector, s1: Connector, case: str) -> None:
    first = j1.send(letter(case, s1))
    taken(j1, first)
    taken(j1, first)
    with j1.casebook.transaction() as connection:
        assert compose.position(connection, first)[0] == 2


def test_signing_anew_leaves_the_sealed_parts_as_they_are(j1: Connector, s1: Connector, case: str) -> None:
    first = j1.send(letter(case, s1))
    second = reply(j1, case, s1, first)
    with j1.casebook.transaction() as connection:
        before = outgoing.waiting(connection)[-1].body
    taken(j1, first)
    _, manifest = finalised(j1, second)
    assert manifest.parts == manifest_of(before["manifest"]).parts


def test_a_message_nobody_has_cannot_be_read(j1: Connector) -> None:
    with refused("message-unknown"), j1.casebook.transaction() as connection:
        receive.read(connection, j1.new_id(), j1.agency, j1.pen(STAFF))
