# SPDX-License-Identifier: Apache-2.0
"""The manifest: read exactly, or refused with the place."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consent import questions, signing, wire
from consent.envelope.manifest import (
    ByConference,
    ByConsent,
    ByEmergency,
    ByStatute,
    ConsentEvidence,
    Manifest,
    MessageKind,
    basis_of,
    manifest_hash,
    peek,
    read_manifest,
    sign_manifest,
)
from consent.errors import DocumentRefusedError, SealRefusedError, SignatureRefusedError, TsunagiError
from consent.keys import Suite
from consent.signing import Typ
from tests.consent.messages import (
    CASE,
    DIGEST,
    HOUTERASU,
    JIRITSU,
    MESSAGE,
    NOW,
    RECIPIENT,
    SENDER,
    manifest_of,
    sealed,
)

MESSAGE_SEALED = sealed()
MANIFEST = manifest_of(MESSAGE_SEALED)
PLAIN: dict[str, Any] = json.loads(wire.compact(MANIFEST))


def refusal(payload: dict[str, Any] | bytes) -> tuple[str, str]:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    token = signing.sign(raw, typ=Typ.MANIFEST, key=JIRITSU.sig)
    with pytest.raises(TsunagiError) as refused:
        read_manifest(token, JIRITSU.sig.public)
    return refused.value.code, refused.value.pointer


def test_the_members_are_exactly_those_of_the_protocol() -> None:
    assert list(PLAIN) == [
        "v", "id", "thread", "seq", "prev", "from", "to", "to_kid", "case", "suite", "created_at", "not_after",
        "purpose", "urgency", "request_kind", "kind", "basis", "parts",
    ]  # fmt: skip
    assert list(PLAIN["parts"][0]) == ["n", "category", "media", "size_bucket", "ct", "com"]
    assert PLAIN["basis"] == {"kind": "consent", "consents": []}
    assert PLAIN["from"] == SENDER
    assert PLAIN["to_kid"] == HOUTERASU.enc.kid


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_no_member_may_be_missing(name: str) -> None:
    assert refusal({key: value for key, value in PLAIN.items() if key != name}) == ("missing-member", f"/{name}")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"more": 1}, ("unknown-member", "")),
        ({"v": 2}, ("wrong-type", "/v")),
        ({"v": "1"}, ("wrong-type", "/v")),
        ({"id": MESSAGE.upper()}, ("wrong-type", "/id")),
        ({"seq": 0}, ("wrong-type", "/seq")),
        ({"seq": 2}, ("wrong-type", "/prev")),
        ({"prev": DIGEST}, ("wrong-type", "/prev")),
        ({"prev": DIGEST.upper()[:-1] + "A"}, ("wrong-type", "/prev")),
        ({"to": SENDER}, ("same-agency", "/to")),
        ({"to_kid": "short"}, ("wrong-type", "/to_kid")),
        ({"suite": "C"}, ("unknown-code", "/suite")),
        ({"suite": 1}, ("wrong-type", "/suite")),
        ({"suite": "B"}, ("suite-not-supported", "/suite")),
        ({"created_at": "2026-04-01"}, ("bad-date", "/created_at")),
        ({"not_after": wire.write_moment(NOW)}, ("bad-date", "/not_after")),
        ({"not_after": wire.write_moment(NOW + timedelta(days=30, microseconds=1))}, ("bad-date", "/not_after")),
        ({"purpose": "nandemo"}, ("unknown-code", "/purpose")),
        ({"urgency": "very"}, ("unknown-code", "/urgency")),
        ({"request_kind": "x"}, ("unknown-code", "/request_kind")),
        ({"kind": "x"}, ("unknown-code", "/kind")),
        ({"basis": {"kind": "because"}}, ("unknown-code", "/basis")),
        ({"basis": {}}, ("missing-member", "/basis")),
        ({"basis": {"kind": "consent", "why": "x"}}, ("unknown-member", "/basis")),
        ({"basis": {"kind": "statute", "ground": "x"}}, ("unknown-code", "/basis/ground")),
        ({"basis": {"kind": "emergency", "threat": "夫から"}}, ("unknown-code", "/basis/threat")),
        ({"basis": {"kind": "emergency", "requester": "架空田"}}, ("wrong-type", "/basis/requester")),
        ({"basis": {"kind": "emergency", "approved_at": "soon"}}, ("bad-date", "/basis/approved_at")),
        ({"basis": {"kind": "shien_kaigi", "conference": "x"}}, ("wrong-type", "/basis/conference")),
        ({"parts": PLAIN["parts"] * 6}, ("too-large", "/parts")),
        ({"parts": PLAIN["parts"][::-1]}, ("wrong-type", "/parts")),
        ({"parts": PLAIN["parts"][1:]}, ("wrong-type", "/parts")),
        ({"parts": [{**PLAIN["parts"][0], "category": "x"}]}, ("unknown-code", "/parts/0/category")),
        ({"parts": [{**PLAIN["parts"][0], "category": "*"}]}, ("unknown-code", "/parts/0/category")),
        ({"parts": [{**PLAIN["parts"][0], "media": "x"}]}, ("wrong-type", "/parts/0/media")),
        ({"parts": [{**PLAIN["parts"][0], "name": "x"}]}, ("unknown-member", "/parts/0")),
    ],
    ids=range(35),
)
def test_a_manifest_that_is_not_exact_is_refused_with_the_place(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert refusal({**PLAIN, **changes}) == expected


def test_thirty_days_are_the_longest_wait() -> None:
    manifest = replace(MANIFEST, not_after=NOW + timedelta(days=30))
    assert read_manifest(sign_manifest(manifest, JIRITSU.sig), JIRITSU.sig.public) == manifest


def test_a_message_without_parts_is_a_message() -> None:
    manifest = replace(MANIFEST, parts=(), kind=MessageKind.NOTICE)
    assert read_manifest(sign_manifest(manifest, JIRITSU.sig), JIRITSU.sig.public) == manifest


def test_what_a_receiver_would_refuse_is_not_signed() -> None:
    with pytest.raises(SealRefusedError, match="suite-not-supported"):
        sign_manifest(replace(MANIFEST, suite=Suite.B), JIRITSU.sig)
    with pytest.raises(DocumentRefusedError, match="unknown-code at /purpose"):
        sign_manifest(replace(MANIFEST, purpose="nandemo"), JIRITSU.sig)


def test_a_peek_names_the_key_and_the_sender_to_look_up() -> None:
    assert peek(MESSAGE_SEALED.manifest) == (JIRITSU.sig.kid, SENDER)


@pytest.mark.parametrize("sender", [5, None, "x", SENDER.upper()])
def test_a_peek_at_a_manifest_without_a_sender_is_refused(sender: object) -> None:
    token = signing.sign(json.dumps({"from": sender}).encode(), typ=Typ.MANIFEST, key=JIRITSU.sig)
    with pytest.raises(DocumentRefusedError, match="wrong-type at /from"):
        peek(token)


def test_another_artefact_is_not_a_manifest() -> None:
    token = signing.sign(wire.compact(MANIFEST), typ=Typ.CONSENT, key=JIRITSU.sig)
    with pytest.raises(SignatureRefusedError, match="wrong-type"):
        read_manifest(token, JIRITSU.sig.public)


def test_a_manifest_is_named_by_the_hash_of_its_token() -> None:
    assert manifest_hash(MESSAGE_SEALED.manifest) == signing.digest(MESSAGE_SEALED.manifest)
    assert len(manifest_hash(MESSAGE_SEALED.manifest)) == 64


EMERGENCY = ByEmergency(
    threat="life", difficulty="unreachable", requester="s-1", approver="s-2", approver_role="supervisor",
    approved_at=NOW, valid_until=NOW + timedelta(hours=72),
)  # fmt: skip
EVIDENCE = ConsentEvidence(id=MESSAGE, hash=DIGEST, status=DIGEST)


@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        (ByConsent(consents=(EVIDENCE,)), questions.ConsentBasis()),
        (ByEmergency(), questions.EmergencyBasis()),
        (ByEmergency(threat="", requester=""), questions.EmergencyBasis(threat="", requester="")),
        (
            EMERGENCY,
            questions.EmergencyBasis(
                threat="life", difficulty="unreachable", requester="s-1", approver="s-2", approver_role="supervisor",
                approved_at=NOW, valid_until=NOW + timedelta(hours=72),
            ),
        ),
        (ByConference(conference=CASE), questions.ConferenceBasis(conference=CASE)),
        (ByStatute(ground="child_abuse"), questions.StatuteBasis(ground="child_abuse")),
        (ByStatute(), questions.StatuteBasis()),
    ],
    ids=range(7),
)  # fmt: skip
def test_every_basis_is_signed_read_and_put_as_a_question(basis: Any, expected: questions.Basis) -> None:
    read: Manifest = read_manifest(sign_manifest(replace(MANIFEST, basis=basis), JIRITSU.sig), JIRITSU.sig.public)
    assert read.basis == basis
    assert basis_of(read) == expected
    assert read.recipient == RECIPIENT
