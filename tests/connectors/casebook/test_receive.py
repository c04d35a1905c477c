# SPDX-License-Identifier: Apache-2.0
"""What arrived is opened only as what it says it is; whatever came of its parts, a signed receipt says so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from connectors.casebook import access, compose, outgoing, receive, tables
from connectors.casebook.compose import Letter
from connectors.casebook.receive import Arrived
from connectors.sync.connector import Connector
from consent import signing, wire
from consent.envelope.manifest import ByEmergency, Manifest, manifest_hash, sign_manifest
from consent.errors import SignatureRefusedError
from consent.keys import KeyUse
from consent.receipts import Delivery, PartResult, ReceiptRecord, read_statement
from tests.connectors.story import (
    NAME,
    NOW,
    PASSPHRASE,
    PURPOSE,
    STAFF,
    Network,
    letter,
    open_case,
    refused,
    text,
    waiting,
)

EMERGENCY = ByEmergency(
    threat="life", difficulty="unreachable", requester="s-07", approver="s-09", approver_role="supervisor"
)
OK, UNDECRYPTABLE, MISMATCH, REFUSED = PartResult


def arrived(sender: Connector, made: Letter) -> Arrived:
    """Seal a letter and hand it over as a hub that looks at nothing would."""
    with sender.casebook.transaction() as connection:
        _, sealed = compose.seal(connection, made, sender.pen(), own=sender.own_key())
    return Arrived(
        hub_id=sender.new_id(),
        referral=None,
        accepted_at=NOW,
        manifest=sealed.manifest,
        parts=sealed.parts,
        receipt="the hub's word",
        log_entry="the entry",
        log_proof="its proof",
    )


def emergency(sender: Connector, to: Connector, *categories: str) -> Arrived:
    parts = tuple(text(category) for category in categories or ("identity",))
    return arrived(sender, letter(open_case(sender), to, *parts, basis=EMERGENCY))


def take_in(connector: Connector, message: Arrived) -> list[PartResult]:
    with connector.casebook.transaction() as connection:
        taken = receive.take_in(connection, message, connector.pen(), opening_keys=connector.keystore.opening_keys())
    return [part.result for part in taken]


def receipts(connector: Connector) -> list[ReceiptRecord]:
    key = connector.keystore.current(KeyUse.SIG, connector.now()).public
    with connector.casebook.transaction() as connection:
        rows = [row for row in outgoing.waiting(connection) if row.what == "receipt"]
    return [read_statement(row.body["receipt"], ReceiptRecord, key) for row in rows]


def manifest_of(message: Arrived) -> Manifest:
    return wire.read(Manifest, signing.peek_payload(message.manifest, typ=signing.Typ.MANIFEST))


def signed_anew(sender: Connector, message: Arrived, **changes: object) -> Arrived:
    """Sign a changed manifest over the same parts, as a dishonest sender can."""
    made = replace(manifest_of(message), **changes)
    return replace(message, manifest=sign_manifest(made, sender.keystore.current(KeyUse.SIG, NOW)))


def with_part(message: Arrived, sealed: str, sender: Connector) -> Arrived:
    """Put another sealed part in the first place, and its hash into the manifest."""
    made = manifest_of(message)
    label = replace(made.parts[0], ct=signing.digest(sealed))
    changed = signed_anew(sender, message, parts=(label, *made.parts[1:]))
    return replace(changed, parts=(sealed, *message.parts[1:]))


def spoiled(sealed: str, member: str, value: str) -> str:
    """Change one member of a sealed part."""
    document = json.loads(sealed)
    document[member] = value
    return json.dumps(document, separators=(",", ":"))


def kept(connector: Connector) -> list[tuple[str, bytes]]:
    with connector.casebook.transaction() as connection:
        return [(row.category, row.body) for row in connection.execute(sa.select(tables.parts))]


# ── what is not proved ──


@pytest.mark.parametrize("member", ["receipt", "log_entry", "log_proof"])
def test_without_the_hubs_word_or_the_logs_proof_nothing_is_opened(j1: Connector, s1: Connector, member: str) -> None:
    with refused("proof-missing"):
        take_in(s1, replace(emergency(j1, s1), **{member: ""}))
    assert kept(s1) == []
    assert receipts(s1) == []


# ── what is as it should be ──


def test_a_message_is_kept_as_it_was_written_and_acknowledged(j1: Connector, s1: Connector) -> None:
    message = emergency(j1, s1, "identity", "contact")
    assert take_in(s1, message) == [OK, OK]
    assert kept(s1) == [("identity", NAME.encode()), ("contact", NAME.encode())]
    (receipt,) = receipts(s1)
    assert (receipt.kind, receipt.sender, receipt.by) == (Delivery.DELIVERY, j1.agency, None)
    assert receipt.manifest == manifest_hash(message.manifest)
    assert receipt.is_ok()


def test_the_first_reading_by_a_named_worker_sends_the_read_receipt_and_no_later_one(
    j1: Connector, s1: Connector
) -> None:
    message = emergency(j1, s1)
    take_in(s1, message)
    sent = manifest_of(message).id
    for staff in (STAFF, "s-08"):
        (part,) = s1.read(sent, j1.agency, staff=staff)
        assert part.body.decode() == NAME
    (_, read) = receipts(s1)
    assert (read.kind, read.by, read.results) == (Delivery.READ, STAFF, ())


def test_it_is_read_also_when_the_senders_key_has_ended_since(j1: Connector, s1: Connector, network: Network) -> None:
    message = emergency(j1, s1)
    take_in(s1, message)
    with s1.casebook.transaction() as connection:
        connection.execute(sa.update(tables.agencies).values(keys=[]))
    assert s1.read(manifest_of(message).id, j1.agency, staff=STAFF)


def test_every_reading_stands_in_the_access_log(j1: Connector, s1: Connector) -> None:
    message = emergency(j1, s1)
    take_in(s1, message)
    s1.read(manifest_of(message).id, j1.agency, staff=STAFF)
    s1.read(manifest_of(message).id, j1.agency, staff="s-08")
    with s1.casebook.transaction() as connection:
        lines = list(access.history(connection, manifest_of(message).case))
    assert [(line.action, line.staff) for line in lines] == [("message:read", STAFF), ("message:read", "s-08")]


def test_an_old_key_still_opens_what_was_sealed_to_it(j1: Connector, s1: Connector, network: Network) -> None:
    message = emergency(j1, s1)
    s1.keystore.rotate(KeyUse.ENC, now=NOW, passphrase=PASSPHRASE)
    assert take_in(s1, message) == [OK]


# ── what is not ──


def test_a_manifest_changed_on_its_way_is_not_opened_and_nothing_is_kept(j1: Connector, s1: Connector) -> None:
    message = emergency(j1, s1)
    head, payload, signature = message.manifest.split(".")
    changed = wire.from_base64url(payload).replace(b'"normal"', b'"urgent"')
    forged = replace(message, manifest=".".join((head, wire.to_base64url(changed), signature)))
    with pytest.raises(SignatureRefusedError):
        take_in(s1, forged)
    assert (kept(s1), receipts(s1)) == ([], [])


def test_a_manifest_signed_by_nobody_we_know_is_not_opened(j1: Connector, s1: Connector, network: Network) -> None:
    stranger = network.join("houterasu")
    stranger.fetch_directory()
    with refused("agency-unknown"):
        take_in(s1, emergency(stranger, s1))
    assert receipts(s1) == []


def test_a_message_for_another_agency_is_not_opened(j1: Connector, s1: Connector, network: Network) -> None:
    third = network.join("houterasu")
    network.meet()
    with refused("not-for-us"):
        take_in(third, emergency(j1, s1))


def test_a_part_changed_on_its_way_is_refused_and_the_others_are_opened(j1: Connector, s1: Connector) -> None:
    message = emergency(j1, s1, "identity", "contact")
    tampered = replace(message, parts=(message.parts[0].replace("}", " }", 1), message.parts[1]))
    assert take_in(s1, tampered) == [REFUSED, OK]
    assert [category for category, _ in kept(s1)] == ["contact"]


def test_swapped_parts_are_refused(j1: Connector, s1: Connector) -> None:
    """JOS-24."""
    message = emergency(j1, s1, "identity", "contact")
    assert take_in(s1, replace(message, parts=message.parts[::-1])) == [REFUSED, REFUSED]


def test_a_part_of_another_agencys_message_is_refused_and_leaves_an_entry(
    j1: Connector, s1: Connector, network: Network
) -> None:
    """JOS-25: captured and sent again under the captor's own manifest."""
    captor = network.join("houterasu")
    network.meet()
    captured = emergency(j1, s1)
    own = emergency(captor, s1)
    forged = with_part(own, captured.parts[0], captor)
    assert take_in(s1, forged) == [MISMATCH]
    assert kept(s1) == []
    with s1.casebook.transaction() as connection:
        assert [line.action for line in access.history(connection, manifest_of(forged).case)] == ["part:refused"]


def test_a_part_that_is_labelled_as_another_category_is_refused(j1: Connector, s1: Connector) -> None:
    """JOS-30: health inside, contact outside."""
    message = emergency(j1, s1, "health")
    label = replace(manifest_of(message).parts[0], category="contact")
    assert take_in(s1, signed_anew(j1, message, parts=(label,))) == [MISMATCH]
    (receipt,) = receipts(s1)
    assert [part.result for part in receipt.results] == [MISMATCH]


ZEROS = wire.to_base64url(bytes(32))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        pytest.param("tag", wire.to_base64url(bytes(4)), id="a tag of 4 bytes"),
        pytest.param("tag", wire.to_base64url(bytes(12)), id="a tag of 12 bytes"),
        pytest.param("iv", wire.to_base64url(bytes(1)), id="an iv of 1 byte"),
        pytest.param("tag", wire.to_base64url(bytes(16)), id="a tag of another text"),
    ],
)
def test_a_part_that_does_not_decrypt_is_told_to_its_sender(
    j1: Connector, s1: Connector, member: str, value: str
) -> None:
    """JOS-23."""
    message = emergency(j1, s1)
    assert take_in(s1, with_part(message, spoiled(message.parts[0], member, value), j1)) == [UNDECRYPTABLE]
    (receipt,) = receipts(s1)
    assert [part.result for part in receipt.results] == [UNDECRYPTABLE]
    assert not receipt.is_ok()


@pytest.mark.parametrize(
    "point",
    [
        pytest.param({"kty": "OKP", "crv": "X25519", "x": ZEROS}, id="all zeros"),
        pytest.param({"kty": "EC", "crv": "P-256", "x": ZEROS, "y": ZEROS}, id="another curve, not on it"),
        pytest.param({"kty": "OKP", "crv": "X25519", "x": "AA"}, id="too short"),
    ],
)
def test_a_part_sealed_with_a_bad_point_is_told_to_its_sender(
    j1: Connector, s1: Connector, point: dict[str, str]
) -> None:
    """JOS-21."""
    message = emergency(j1, s1)
    document = json.loads(message.parts[0])
    for recipient in document["recipients"]:
        recipient["header"]["epk"] = point
    changed = json.dumps(document, separators=(",", ":"))
    (result,) = take_in(s1, with_part(message, changed, j1))
    assert result is not OK
    (receipt,) = receipts(s1)
    assert [part.result for part in receipt.results] == [result]


def test_what_was_sealed_to_a_key_that_we_do_not_have_is_told_to_its_sender(
    j1: Connector, s1: Connector, network: Network
) -> None:
    message = emergency(j1, s1, "identity", "contact")
    with s1.casebook.transaction() as connection:
        taken = receive.take_in(connection, message, s1.pen(), opening_keys=())
    assert [part.result for part in taken] == [UNDECRYPTABLE, UNDECRYPTABLE]
    (receipt,) = receipts(s1)
    assert not receipt.is_ok()


def test_what_our_own_decision_refuses_is_not_kept_and_the_receipt_says_so(j1: Connector, s1: Connector) -> None:
    made = letter(open_case(j1), s1, text("identity"))  # by consent, and there is none
    assert take_in(s1, arrived(j1, made)) == [REFUSED]
    assert kept(s1) == []
    assert waiting(s1)[-1][0] == "receipt"


def test_an_emergency_that_was_sent_in_time_but_collected_too_late_is_not_opened(
    j1: Connector, s1: Connector, network: Network
) -> None:
    message = emergency(j1, s1)
    network.clock.on(hours=71)
    in_time = replace(message, hub_id=j1.new_id())
    assert take_in(s1, in_time) == [OK]
    network.clock.on(hours=1)
    assert take_in(s1, replace(emergency_again(j1, s1), accepted_at=NOW)) == [REFUSED]


def emergency_again(sender: Connector, to: Connector) -> Arrived:
    made = Letter(case=open_case(sender), recipient=to.agency, purpose=PURPOSE, parts=(text(),), basis=EMERGENCY)
    return arrived(sender, made)


def test_the_same_message_twice_is_one_message(j1: Connector, s1: Connector) -> None:
    message = emergency(j1, s1)
    assert take_in(s1, message) == take_in(s1, message) == [OK]
    assert len(kept(s1)) == 1
    with s1.casebook.transaction() as connection:
        assert receive.is_known(connection, manifest_of(message).id, j1.agency)
        assert not receive.is_known(connection, manifest_of(message).id, s1.agency)
