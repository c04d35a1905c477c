# SPDX-License-Identifier: Apache-2.0
"""The sealing boundary: exact headers, the recipient by its kid, and broken input: undecryptable, no worse."""

import base64
import json
import random
import time
import zlib
from typing import Any

import pytest

from consent import signing, wire
from consent.errors import SealRefusedError, SignatureRefusedError
from consent.jwk import KeyUse, generate
from tests.consent.messages import HOUTERASU, JIRITSU, SHAKYO, numbered

CONTEXT = {"message": "m", "n": 1, "from": "a", "to": "b", "category": "health"}
TEXT = "架空田 一郎".encode()
PART = signing.encrypt(TEXT, context=CONTEXT, recipients=[HOUTERASU.enc.public, JIRITSU.enc.public])

TAG = wire.from_base64url(json.loads(PART)["tag"])


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def changed(**members: Any) -> str:
    return json.dumps({**json.loads(PART), **members})


def with_protected(**members: Any) -> str:
    header = {"enc": "A256GCM", "typ": "tsn-part+jwe", "tsn": CONTEXT, **members}
    return changed(protected=b64(wire.compact({name: value for name, value in header.items() if value is not ...})))


def with_recipient(**members: Any) -> str:
    recipients = json.loads(PART)["recipients"]
    header = {**recipients[0]["header"], **members}
    recipients[0]["header"] = {name: value for name, value in header.items() if value is not ...}
    return changed(recipients=recipients)


def with_epk(**members: Any) -> str:
    return with_recipient(epk={**json.loads(PART)["recipients"][0]["header"]["epk"], **members})


def refusal(part: object) -> str:
    with pytest.raises(SignatureRefusedError) as refused:
        signing.read_sealed(part)  # type: ignore[arg-type]
    with pytest.raises(SignatureRefusedError):
        signing.decrypt(part, HOUTERASU.enc)  # type: ignore[arg-type]
    return refused.value.code


def undecryptable(part: str) -> None:
    with pytest.raises(SealRefusedError, match=r"^undecryptable$"):
        signing.decrypt(part, HOUTERASU.enc)


def test_each_recipient_opens_with_its_own_key() -> None:
    assert signing.decrypt(PART, HOUTERASU.enc) == TEXT
    assert signing.decrypt(PART, JIRITSU.enc) == TEXT


def test_nobody_else_opens() -> None:
    with pytest.raises(SealRefusedError, match="undecryptable"):
        signing.decrypt(PART, SHAKYO.enc)
    with pytest.raises(SealRefusedError, match="undecryptable"):
        signing.decrypt(PART, HOUTERASU.sig)


def test_the_headers_are_exactly_those_of_the_protocol() -> None:
    made = json.loads(PART)
    assert set(made) == {"protected", "recipients", "iv", "ciphertext", "tag"}
    header = wire.from_base64url(made["protected"])
    assert header == wire.compact({"enc": "A256GCM", "typ": "tsn-part+jwe", "tsn": CONTEXT})
    for entry, key in zip(made["recipients"], (HOUTERASU.enc, JIRITSU.enc), strict=True):
        assert set(entry) == {"header", "encrypted_key"}
        assert set(entry["header"]) == {"alg", "kid", "epk"}
        assert entry["header"]["alg"] == "ECDH-ES+A256KW"
        assert entry["header"]["kid"] == key.kid
        assert set(entry["header"]["epk"]) == {"kty", "crv", "x"}


def test_what_stands_readable_is_read_without_a_key() -> None:
    header = signing.read_sealed(PART)
    assert header.context == CONTEXT
    assert header.kids == (HOUTERASU.enc.kid, JIRITSU.enc.kid)
    assert header.size == len(TEXT)


@pytest.mark.parametrize("recipients", [[], [HOUTERASU.enc.public] * 2, [HOUTERASU.sig.public]])
def test_sealing_to_nobody_or_twice_or_to_a_signing_key_is_refused(recipients: list[Any]) -> None:
    with pytest.raises(SignatureRefusedError, match="key-not-valid"):
        signing.encrypt(TEXT, context=CONTEXT, recipients=recipients)


@pytest.mark.parametrize("alg", ["dir", "RSA1_5", "A128KW", "ECDH-ES", "ECDH-ES+A128KW", "RSA-OAEP", "", None, 5])
def test_another_key_algorithm_is_not_allowed(alg: object) -> None:
    assert refusal(with_recipient(alg=alg)) == "alg-not-allowed"
    assert refusal(with_protected(alg=alg)) == "alg-not-allowed"


@pytest.mark.parametrize("enc", ["A128GCM", "A256CBC-HS512", "", None])
def test_another_content_algorithm_is_not_allowed(enc: object) -> None:
    assert refusal(with_protected(enc=enc)) == "alg-not-allowed"


def test_five_million_rounds_of_pbes2_are_refused_before_the_first() -> None:
    start = time.process_time()
    assert refusal(with_recipient(alg="PBES2-HS512+A256KW", p2c=5_000_000, p2s="AAAA")) == "alg-not-allowed"
    assert time.process_time() - start < 0.05


def test_a_compressed_bomb_is_refused_without_being_opened() -> None:
    bomb = zlib.compress(bytes(40_000_000), 9)
    header = b64(wire.compact({"enc": "A256GCM", "typ": "tsn-part+jwe", "tsn": CONTEXT, "zip": "DEF"}))
    assert refusal(changed(protected=header, ciphertext=b64(bomb))) == "header-not-allowed"


@pytest.mark.parametrize(
    "part",
    numbered(
        with_protected(zip="DEF"), with_protected(crit=[]), with_protected(kid="a"), with_protected(typ=...),
        with_protected(enc=...),
        with_protected(tsn=...), with_protected(tsn="x"), with_protected(tsn=[CONTEXT]), with_recipient(kid=...),
        with_recipient(epk=...),
        with_recipient(alg=...), with_recipient(kid="../x"), with_recipient(kid=5), with_recipient(apu="AAAA"),
        with_recipient(epk="x"),
        with_recipient(epk={}), with_epk(y="AAAA"), with_epk(x=5), with_epk(d="AAAA"), changed(unprotected={}),
        changed(aad="AAAA"),
        changed(header={}), changed(encrypted_key="AAAA"), changed(recipients=[]), changed(recipients=[5]),
        changed(recipients=[{}]),
        changed(recipients=[{"header": 5, "encrypted_key": "AAAA"}]),
        changed(recipients=[json.loads(PART)["recipients"][0]] * 2),
        changed(recipients=json.loads(PART)["recipients"] * 3),
        changed(protected=b64(json.dumps({"enc": "A256GCM", "typ": "tsn-part+jwe", "tsn": CONTEXT}).encode())),
    ),
)  # fmt: skip
def test_any_other_header_is_not_allowed(part: str) -> None:
    assert refusal(part) == "header-not-allowed"


def test_another_typ_is_the_wrong_type() -> None:
    assert refusal(with_protected(typ="JWE")) == "wrong-type"


@pytest.mark.parametrize(
    "part",
    numbered(
        None, 5, b"{}", "{}", changed(protected=5), changed(iv="="), changed(iv=5), changed(tag="A"),
        changed(ciphertext="a b"),
        changed(ciphertext=None), changed(recipients={}), json.dumps({"protected": "e30"}),
        changed(recipients=[{"header": json.loads(PART)["recipients"][0]["header"], "encrypted_key": "="}]),
    ),
)  # fmt: skip
def test_what_is_not_a_sealed_part_is_malformed(part: object) -> None:
    assert refusal(part) == "malformed"


def test_a_part_over_the_limit_is_malformed() -> None:
    assert refusal("x" * (signing.MAX_PART + 1)) == "malformed"


@pytest.mark.parametrize(
    "part",
    numbered(
        "", "x", "[]", PART[:-1], PART[:-1] + ',"tag":"AAAA"}', with_protected().replace("eyJ", "e30", 1), "a.b.c.d.e"
    ),
)
def test_a_part_that_is_not_one_json_object_is_malformed_json(part: str) -> None:
    assert refusal(part) in {"malformed-json", "malformed"}


@pytest.mark.parametrize(
    "part",
    numbered(
        with_epk(x=b64(bytes(32))), with_epk(x=b64(b"\x01" + bytes(31))), with_epk(x="AAAA"),
        with_epk(x="あ" * 43), with_epk(crv="P-256"),
        with_epk(crv="X448"), with_epk(kty="EC"), with_epk(x=SHAKYO.enc.public.jwk()["x"]),
        changed(tag=b64(TAG[:4])), changed(tag=b64(TAG[:12])), changed(tag=""), changed(tag=b64(bytes(16))),
        changed(iv="AA"), changed(iv=""), changed(iv=b64(bytes(12))), changed(iv=b64(bytes(16))),
        changed(ciphertext=""),
        changed(ciphertext=b64(bytes(19))), with_protected(tsn={**CONTEXT, "category": "contact"}),
        with_protected(tsn={}),
        changed(recipients=[{**json.loads(PART)["recipients"][0], "encrypted_key": ""}]),
        changed(recipients=[{**json.loads(PART)["recipients"][0], "encrypted_key": b64(bytes(40))}]),
        changed(recipients=json.loads(PART)["recipients"][1:]),
    ),
)  # fmt: skip
def test_a_broken_seal_is_undecryptable_and_nothing_worse(part: str) -> None:
    undecryptable(part)


def test_the_wrapped_key_of_another_recipient_is_undecryptable() -> None:
    first, second = json.loads(PART)["recipients"]
    swapped = [{**first, "encrypted_key": second["encrypted_key"]}, {**second, "encrypted_key": first["encrypted_key"]}]
    undecryptable(changed(recipients=swapped))


def test_a_recipient_with_a_key_of_another_kind_does_not_stand_in_the_way() -> None:
    first, second = json.loads(PART)["recipients"]
    foreign = {
        "header": {**second["header"], "epk": {"kty": "EC", "crv": "P-256", "x": "AAAA"}},
        "encrypted_key": "AAAA",
    }
    assert signing.decrypt(changed(recipients=[foreign, first]), HOUTERASU.enc) == TEXT


def test_an_attachment_of_ten_megabytes_fits() -> None:
    key = generate(KeyUse.ENC)
    body = bytes(10_747_904)
    assert signing.decrypt(signing.encrypt(body, context=CONTEXT, recipients=[key.public]), key) == body


def test_two_thousand_mutated_parts_are_refused_by_our_errors_alone() -> None:
    source = random.Random(20260401)
    for _ in range(2000):
        letters = list(PART)
        for _ in range(source.randint(1, 3)):
            at = source.randrange(len(letters))
            letters[at] = source.choice([*'AQz09-_={}[]",: あ\x00', "", letters[at] * 2])
        part = "".join(letters)
        try:
            opened = signing.decrypt(part, HOUTERASU.enc)
        except (SealRefusedError, SignatureRefusedError):
            continue
        # what the seal does not cover is white space, and the other recipient's own entry
        assert opened == TEXT
