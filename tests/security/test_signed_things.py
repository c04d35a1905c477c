# SPDX-License-Identifier: Apache-2.0
"""Broken, borrowed and mislabelled signed text against a whole hub: refused by name, and nothing changed (JOS rows)."""

import json
import time
import tracemalloc
import zlib

import pytest
from cryptography.hazmat.primitives import hmac
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from consent import signing
from consent.envelope.manifest import MessageKind
from consent.wire import compact, from_base64url, to_base64url
from hub.agencies import reads
from tests.hub.builders import new_uuid
from tests.hub.messages.story import next_in
from tests.security.stage import Stage, manifest_of, resigned, with_header


def hs256(wall: Stage, token: str, secret: bytes) -> str:
    header = {"alg": "HS256", "kid": wall.story.j1.sig.kid, "typ": "tsn-manifest+jws"}
    start = f"{to_base64url(compact(header))}.{token.split('.')[1]}"
    mac = hmac.HMAC(secret, SHA256())
    mac.update(start.encode())
    return f"{start}.{to_base64url(mac.finalize())}"


def twice(wall: Stage, token: str) -> bytes:
    kid, alg = wall.story.j1.sig.kid, '"alg":"none","alg":"Ed25519"'
    return f'{{{alg},"kid":"{kid}","typ":"tsn-manifest+jws"}}'.encode()


HEADERS = {
    "JOS-01 none": ({"alg": "none"}, "bad-signature"),
    "JOS-01 NoNe": ({"alg": "NoNe"}, "bad-signature"),
    "JOS-01 NONE": ({"alg": "NONE"}, "bad-signature"),
    "JOS-04 path": ({"kid": "../../dev/null"}, "header-not-allowed"),
    "JOS-04 SQL": ({"kid": "' OR 1=1--"}, "header-not-allowed"),
    "JOS-04 long": ({"kid": "k" * 10_240}, "header-not-allowed"),
    "JOS-05 crit": ({"crit": ["unknown"]}, "header-not-allowed"),
    "JOS-06 empty crit": ({"crit": []}, "header-not-allowed"),
    "JOS-07 crit twice": ({"crit": ["exp", "exp"], "exp": 1}, "header-not-allowed"),
    "JOS-10 b64": ({"b64": False, "crit": ["b64"]}, "header-not-allowed"),
    "JOS-14 a receipt's typ": ({"typ": "tsn-receipt+jws"}, "wrong-type"),
}


@pytest.mark.parametrize(("header", "code"), HEADERS.values(), ids=list(HEADERS))
def test_a_manifest_under_a_wrong_header_changes_nothing(wall: Stage, header, code) -> None:
    sealed, before = wall.story.seal("identity"), wall.facts()
    answer = wall.submit(with_header(sealed.manifest, wall.story.j1.sig, header), sealed.parts)
    assert wall.refused(answer, 400, code)
    assert wall.facts() == before
    assert str(next(iter(header.values()))) not in answer.get_data(as_text=True)


def pem(wall: Stage) -> bytes:
    native = wall.story.j1.sig.public.native
    return native.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def both_signatures(token: str) -> str:
    header, payload, signature = token.split(".")
    signatures = [{"protected": header, "signature": one} for one in (signature, "A" * len(signature))]
    return json.dumps({"payload": payload, "signatures": signatures})


def psychic(wall: Stage, token: str) -> str:
    header = {"alg": "ES256", "kid": wall.story.j1.sig.kid, "typ": "tsn-manifest+jws"}
    return f"{to_base64url(compact(header))}.{token.split('.')[1]}.{to_base64url(bytes(64))}"


SPOILT = {
    "JOS-01 no signature": (lambda _, token: token.rsplit(".", 1)[0] + ".", "bad-signature"),
    "JOS-02 JWK": (lambda wall, t: hs256(wall, t, compact(wall.story.j1.sig.public.jwk())), "bad-signature"),
    "JOS-02 PEM": (lambda wall, t: hs256(wall, t, pem(wall)), "bad-signature"),
    "JOS-08": (lambda wall, t: with_header(t, wall.story.j1.sig, twice(wall, t)), "malformed-json"),
    "JOS-11 space": (lambda _, token: token.replace(".", ". ", 1), "malformed"),
    "JOS-11 padding": (lambda _, token: token + "==", "malformed"),
    "JOS-11 alphabet": (lambda _, token: token[:-8] + "+/+/" + token[-4:], "malformed"),
    "JOS-13": (lambda _, token: both_signatures(token), "malformed"),
    "JOS-16": (psychic, "bad-signature"),
}


@pytest.mark.parametrize(("spoil", "code"), SPOILT.values(), ids=list(SPOILT))
def test_a_spoilt_manifest_changes_nothing(wall: Stage, spoil, code) -> None:
    sealed, before = wall.story.seal("identity"), wall.facts()
    assert wall.refused(wall.submit(spoil(wall, sealed.manifest), sealed.parts), 400, code)
    assert wall.facts() == before


def test_jos_04_a_kid_of_another_form_is_not_even_looked_up(wall: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed, looked = wall.story.seal("identity"), []
    wall.by(wall.story.j1).token()
    monkeypatch.setattr(reads, "sig_key", lambda *given: looked.append(given))
    token = with_header(sealed.manifest, wall.story.j1.sig, {"kid": "' OR 1=1--"})
    assert wall.refused(wall.submit(token, sealed.parts), 400, "header-not-allowed")
    assert looked == []


def test_jos_14_one_artefact_is_never_taken_for_another(wall: Stage) -> None:
    by, before = wall.by(wall.story.j1), wall.facts()
    manifest = wall.story.seal("identity").manifest
    message = by.get("/v1/referrals").get_json()["items"][0]["id"]
    case = wall.story.case
    for path, body in (
        ("/v1/consents", {"record": manifest}),
        (f"/v1/cases/{case}/exclusions", {"record": manifest}),
        (f"/v1/referrals/{message}/receive", {"receipt": manifest}),
    ):
        answer = wall.by(wall.story.s1 if "receive" in path else wall.story.j1).post(path, body, if_match="1")
        assert wall.refused(answer, 400, "wrong-type"), path
    cosignature = "— witness.example+00000000+" + "A" * 72
    assert wall.refused(wall.submit(cosignature, ()), 400, "malformed")
    assert wall.facts() == before


# ── sealed parts ──


def altered(wall: Stage, *, recipient: dict[str, object] | None = None, protected: dict[str, object] | None = None):
    """Change a part's headers and sign the manifest over it anew: the hash is right, the part is not."""
    sealed = wall.story.seal("identity")
    part = json.loads(sealed.parts[0])
    header = json.loads(from_base64url(part["protected"])) | (protected or {})
    part["protected"] = to_base64url(compact(header))
    part["recipients"][0]["header"] |= recipient or {}
    text = compact(part).decode()
    (label,) = manifest_of(sealed)["parts"]
    return resigned(wall.story.j1, sealed, parts=[label | {"ct": signing.digest(text)}]), text


@pytest.mark.parametrize(
    "recipient",
    [
        {"alg": "dir"},
        {"alg": "RSA1_5"},
        {"alg": "A128KW"},
        {"alg": "PBES2-HS512+A256KW", "p2c": 5_000_000, "p2s": "AAAA"},
    ],
    ids=lambda header: header["alg"],
)
def test_jos_18_no_other_way_to_wrap_a_key_costs_the_hub_anything(wall: Stage, recipient) -> None:
    manifest, part = altered(wall, recipient=recipient)
    before, spent = wall.facts(), []
    for _ in range(3):
        started = time.process_time()
        answer = wall.submit(manifest, [part])
        spent.append(time.process_time() - started)
        assert wall.refused(answer, 400, "alg-not-allowed")
    assert min(spent) < 0.05
    assert wall.facts() == before


def test_jos_19_a_compressed_bomb_is_not_opened_by_the_hub(wall: Stage) -> None:
    sealed, bomb = wall.story.seal("identity"), zlib.compress(bytes(40_000_000), 9)
    part = json.loads(sealed.parts[0])
    header = json.loads(from_base64url(part["protected"])) | {"zip": "DEF"}
    part |= {"protected": to_base64url(compact(header)), "ciphertext": to_base64url(bomb)}
    text = compact(part).decode()
    (label,) = manifest_of(sealed)["parts"]
    manifest = resigned(wall.story.j1, sealed, parts=[label | {"ct": signing.digest(text)}])
    before = wall.facts()
    tracemalloc.start()
    answer = wall.submit(manifest, [text])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert wall.refused(answer, 400, "header-not-allowed")
    assert peak < 16 * 1024 * 1024
    assert wall.facts() == before


def test_jos_24_swapped_parts_change_nothing(wall: Stage) -> None:
    sealed, before = wall.story.seal("identity", "income_assets"), wall.facts()
    assert wall.refused(wall.submit(sealed.manifest, sealed.parts[::-1]), 400, "part-hash-mismatch")
    assert wall.facts() == before


# ── where it goes, and twice ──


def test_jos_27_a_manifest_for_another_agency_is_refused_where_it_was_posted(stage: Stage) -> None:
    stage.story.consent()
    first = stage.story.seal("identity")
    referral = stage.submit(first.manifest, first.parts).get_json()["id"]
    before = stage.facts()
    opened = manifest_of(first)
    astray = stage.story.seal(
        "identity",
        recipient=stage.story.f1,
        thread=opened["thread"],
        seq=2,
        prev=signing.digest(first.manifest),
        kind=MessageKind.DOCUMENT,
    )
    answer = stage.submit(astray.manifest, astray.parts, referral=referral)
    assert stage.refused(answer, 400, "recipient-mismatch")
    assert stage.facts() == before


def test_jos_28_one_id_has_one_content_and_the_attempt_is_in_the_log(stage: Stage) -> None:
    stage.story.consent()
    first = stage.story.seal("identity")
    assert stage.submit(first.manifest, first.parts).status_code == 201
    before = stage.facts()
    other = stage.story.seal("identity", id=manifest_of(first)["id"])
    assert stage.refused(stage.submit(other.manifest, other.parts), 409, "message-id-reused")
    assert stage.facts() == before
    assert len(stage.story.entries("message:equivocated")) == 1


def test_the_message_that_the_others_are_made_of_would_be_taken(stage: Stage) -> None:
    stage.story.consent()
    sealed, before = stage.story.seal("identity", id=new_uuid(stage.story.time())), stage.facts()
    assert stage.submit(sealed.manifest, sealed.parts).status_code == 201
    changed = {name for name, seen in stage.facts().items() if seen != before[name]}
    assert {"messages", "message_parts", "message_threads", "referrals", "referral_moves", "events"} <= changed
    accepted = stage.story.send("identity", "income_assets")
    assert stage.story.accept(stage.story.seal("identity", **next_in(accepted)), thread=accepted.thread).message
