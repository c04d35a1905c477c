# SPDX-License-Identifier: Apache-2.0
"""The signature boundary: one test per refusal of protocol §1, and that nothing but our refusals comes out."""

import base64
import json
import random

import pytest
from cryptography.hazmat.primitives import hmac
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

from consent import signing, wire
from consent.errors import SignatureRefusedError
from consent.jwk import KeyUse, PrivateKey, generate
from consent.signing import Typ
from tests.consent.messages import numbered

KEY = generate(KeyUse.SIG)
OTHER = generate(KeyUse.SIG)
CLIENT = generate(KeyUse.CLIENT)
PAYLOAD = b'{"v":1}'
HEADER = {"alg": "Ed25519", "kid": KEY.kid, "typ": "tsn-manifest+jws"}
TOKEN = signing.sign(PAYLOAD, typ=Typ.MANIFEST, key=KEY)
CODES = {
    "malformed", "malformed-json", "header-not-allowed", "alg-not-allowed", "bad-signature", "wrong-type",
    "key-not-valid",
}  # fmt: skip


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: bytes | str | dict[str, object], key: PrivateKey = KEY, payload: bytes = PAYLOAD) -> str:
    """Sign whatever header, correctly: the header alone is what is wrong with the token."""
    raw = json.dumps(header, separators=(",", ":")) if isinstance(header, dict) else header
    start = f"{b64(raw.encode() if isinstance(raw, str) else raw)}.{b64(payload)}"
    return f"{start}.{b64(key.native.sign(start.encode()))}"  # type: ignore[call-arg, union-attr]


def refusal(token: object, typ: Typ = Typ.MANIFEST, key: PrivateKey = KEY) -> str:
    with pytest.raises(SignatureRefusedError) as refused:
        signing.verify(token, typ=typ, key=key.public)  # type: ignore[arg-type]
    return refused.value.code


def test_what_was_signed_comes_back_byte_for_byte() -> None:
    assert signing.verify(TOKEN, typ=Typ.MANIFEST, key=KEY.public) == PAYLOAD
    assert signing.peek_kid(TOKEN, typ=Typ.MANIFEST) == KEY.kid
    assert signing.peek_payload(TOKEN, typ=Typ.MANIFEST) == PAYLOAD


def test_the_tests_own_signer_is_right() -> None:
    assert signing.verify(signed(HEADER), typ=Typ.MANIFEST, key=KEY.public) == PAYLOAD


def test_the_header_is_exactly_alg_kid_and_typ_in_compact_ascii() -> None:
    assert wire.from_base64url(TOKEN.split(".")[0]) == wire.compact(HEADER)


@pytest.mark.parametrize("alg", ["none", "NoNe", "NONE", "EdDSA", "HS256", "ES256", "RS256", "", 5, None, ["Ed25519"]])
def test_another_algorithm_is_a_bad_signature(alg: object) -> None:
    assert refusal(signed({**HEADER, "alg": alg})) == "bad-signature"


def test_no_algorithm_and_no_signature_is_a_bad_signature() -> None:
    assert refusal(f"{b64(b'{}')}.{b64(PAYLOAD)}.") == "bad-signature"
    assert (
        refusal(f"{b64(json.dumps({'alg': 'none'}, separators=(',', ':')).encode())}.{b64(PAYLOAD)}.")
        == "bad-signature"
    )
    assert refusal(TOKEN.rsplit(".", 1)[0] + ".") == "bad-signature"


def test_the_public_key_is_no_secret_of_hs256() -> None:
    start = f"{b64(wire.compact({**HEADER, 'alg': 'HS256'}))}.{b64(PAYLOAD)}"
    mac = hmac.HMAC(wire.compact(KEY.public.jwk()), SHA256())
    mac.update(start.encode())
    assert refusal(f"{start}.{b64(mac.finalize())}") == "bad-signature"


@pytest.mark.parametrize(
    "extra",
    numbered(
        {"crit": ["unknown"]}, {"crit": []}, {"crit": ["exp", "exp"], "exp": 1}, {"b64": False}, {"b64": False,
        "crit": ["b64"]},
        {"jwk": KEY.public.jwk()}, {"jku": "x"}, {"x5c": []}, {"x5u": "x"}, {"x5t": "x"}, {"zip": "DEF"},
        {"cty": "x"}, {"more": 1},
    ),
)  # fmt: skip
def test_any_other_header_member_is_not_allowed(extra: dict[str, object]) -> None:
    assert refusal(signed({**HEADER, **extra})) == "header-not-allowed"


@pytest.mark.parametrize(
    "kid",
    numbered(
        "../../dev/null",
        "' OR 1=1--",
        "k" * 10_240,
        "",
        "A" * 42,
        "A" * 44,
        "A" * 42 + "=",
        "A" * 42 + "\n",
        5,
        None,
        ["A" * 43],
    ),
)
def test_a_kid_that_is_no_thumbprint_is_not_allowed(kid: object) -> None:
    assert refusal(signed({**HEADER, "kid": kid})) == "header-not-allowed"


@pytest.mark.parametrize("name", ["kid", "typ"])
def test_a_header_member_that_is_missing_is_not_allowed(name: str) -> None:
    assert refusal(signed({key: value for key, value in HEADER.items() if key != name})) == "header-not-allowed"


@pytest.mark.parametrize(
    "raw",
    numbered(
        '{"alg":"none","alg":"Ed25519"}',
        f'{{"alg":"Ed25519","kid":"{KEY.kid}","typ":"tsn-receipt+jws","typ":"tsn-manifest+jws"}}',
        "not json", "[]", "null", '"x"', "{", '{"alg":' * 5000,
    ),
)  # fmt: skip
def test_a_header_that_is_not_one_json_object_is_malformed_json(raw: str) -> None:
    assert refusal(signed(raw)) == "malformed-json"


@pytest.mark.parametrize(
    "raw",
    numbered(
        json.dumps(HEADER),
        json.dumps(HEADER, separators=(",", ":")) + " ",
        json.dumps(HEADER, separators=(",", ":")).replace("alg", "\\u0061lg"),
        json.dumps(HEADER, separators=(",", ":")).replace("+", "\\u002b"),
        json.dumps({**HEADER, "kid": "\u0000"}),
        json.dumps({**HEADER, "kid": "\ud800"}),
    ),
)
def test_a_header_in_another_spelling_is_not_allowed(raw: str) -> None:
    assert refusal(signed(raw)) == "header-not-allowed"


@pytest.mark.parametrize(
    "token",
    numbered(
        "", ".", "..", "...", TOKEN + ".", "." + TOKEN, TOKEN + "=", TOKEN + " ", " " + TOKEN, TOKEN + "\n",
        TOKEN.replace(".", ". ", 1),
        TOKEN.replace(".", "..", 1), TOKEN.rsplit(".", 1)[0], TOKEN + "+", "あ" + TOKEN, TOKEN + "\ud800",
        "A" * 200_000,
        TOKEN.encode(), None, 5, {"payload": "", "signatures": []}, json.dumps({"payload": b64(PAYLOAD),
        "signatures": []}),
    ),
)  # fmt: skip
def test_what_is_not_three_pieces_of_base64url_is_malformed(token: object) -> None:
    assert refusal(token) == "malformed"


def test_a_json_serialised_signature_is_malformed_even_when_one_of_two_is_valid() -> None:
    members: list[jws.HeaderDict] = [{"protected": {"alg": "Ed25519"}}, {"protected": {"alg": "Ed25519"}}]
    made = jws.serialize_json(members, PAYLOAD, OKPKey.import_key(KEY.native), algorithms=["Ed25519"])  # type: ignore[arg-type]
    assert refusal(json.dumps(made)) == "malformed"


def test_the_unused_bits_at_the_end_of_a_signature_are_not_free() -> None:
    last = TOKEN[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = alphabet[alphabet.index(last) + 1]
    assert refusal(TOKEN[:-1] + twin) == "malformed"


@pytest.mark.parametrize("typ", [typ for typ in Typ if typ is not Typ.MANIFEST])
def test_a_valid_signature_under_another_typ_is_refused(typ: Typ) -> None:
    token = signing.sign(PAYLOAD, typ=typ, key=KEY)
    assert refusal(token) == "wrong-type"
    with pytest.raises(SignatureRefusedError, match="wrong-type"):
        signing.peek_kid(token, typ=Typ.MANIFEST)


def test_a_typ_of_no_artefact_is_the_wrong_type() -> None:
    assert refusal(signed({**HEADER, "typ": "JWT"})) == "wrong-type"
    assert refusal(signed({**HEADER, "typ": 5})) == "wrong-type"


def test_another_key_than_the_named_one_is_not_valid() -> None:
    assert refusal(TOKEN, key=OTHER) == "key-not-valid"


def test_a_signature_by_another_key_under_this_name_is_bad() -> None:
    assert refusal(signed(HEADER, OTHER)) == "bad-signature"


def test_a_changed_payload_is_a_bad_signature() -> None:
    header, _, signature = TOKEN.split(".")
    assert refusal(f"{header}.{b64(b'{}')}.{signature}") == "bad-signature"


@pytest.mark.parametrize("use", [KeyUse.ENC, KeyUse.CLIENT, KeyUse.WITNESS, KeyUse.ROOT])
def test_only_a_sig_key_signs_artefacts(use: KeyUse) -> None:
    key = generate(use)
    with pytest.raises(SignatureRefusedError, match="key-not-valid"):
        signing.sign(PAYLOAD, typ=Typ.MANIFEST, key=key)
    if use in {KeyUse.WITNESS, KeyUse.ROOT}:
        token = signed({**HEADER, "kid": key.kid}, key)
        assert refusal(token, key=key) == "key-not-valid"


@pytest.mark.parametrize("use", [KeyUse.SIG, KeyUse.CLIENT, KeyUse.WITNESS, KeyUse.ROOT])
def test_every_key_that_can_sign_signs_key_entries(use: KeyUse) -> None:
    key = generate(use)
    token = signing.sign(PAYLOAD, typ=Typ.KEY, key=key)
    assert signing.verify(token, typ=Typ.KEY, key=key.public) == PAYLOAD


def test_the_algorithm_is_the_keys_own_also_for_key_entries() -> None:
    header = {"alg": "ES256", "kid": KEY.kid, "typ": "tsn-key+jws"}
    assert refusal(signed(header), Typ.KEY) == "bad-signature"


@pytest.mark.parametrize("size", [0, 10, 63, 64, 65, 72, 200])
def test_a_psychic_signature_of_zeros_is_bad(size: int) -> None:
    start = f"{b64(wire.compact({'alg': 'ES256', 'kid': CLIENT.kid, 'typ': 'tsn-key+jws'}))}.{b64(PAYLOAD)}"
    assert refusal(f"{start}.{b64(bytes(size))}", Typ.KEY, CLIENT) == "bad-signature"


def test_a_long_payload_within_the_limit_is_signed_and_verified() -> None:
    payload = b"x" * 90_000
    token = signing.sign(payload, typ=Typ.CONSENT, key=KEY)
    assert signing.verify(token, typ=Typ.CONSENT, key=KEY.public) == payload


def test_a_client_assertion_is_a_jwt_that_any_library_reads() -> None:
    token = signing.sign_jwt({"iss": "a", "exp": 5}, CLIENT)
    read = jws.deserialize_compact(token, ECKey.import_key(CLIENT.public.jwk()), algorithms=["ES256"])  # type: ignore[arg-type]
    assert read.headers() == {"alg": "ES256", "kid": CLIENT.kid}
    assert json.loads(read.payload or b"") == {"iss": "a", "exp": 5}


def test_a_dpop_proof_carries_its_public_key_and_nothing_private() -> None:
    token = signing.sign_jwt({"jti": "a"}, CLIENT, typ="dpop+jwt", jwk=True)
    header = json.loads(wire.from_base64url(token.split(".")[0]))
    assert header["typ"] == "dpop+jwt"
    assert set(header["jwk"]) == {"kty", "crv", "x", "y"}
    assert "kid" not in header


def test_only_a_client_key_signs_for_oauth() -> None:
    with pytest.raises(SignatureRefusedError, match="key-not-valid"):
        signing.sign_jwt({}, KEY)


def test_a_digest_names_the_bytes_of_a_token() -> None:
    assert signing.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def mutated(token: str, source: random.Random) -> str:
    letters = list(token)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(letters))
        letters[at] = source.choice([*'ABCz019-_.={}" +/あ\x00', "", letters[at] * 2])
    return "".join(letters)


def test_four_thousand_mutated_tokens_are_refused_by_our_error_alone() -> None:
    source = random.Random(20260401)
    for _ in range(4000):
        token = mutated(TOKEN, source)
        if token == TOKEN:
            continue
        assert refusal(token) in CODES


@settings(max_examples=200, deadline=None)
@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), st.none() | st.text() | st.lists(st.text())
    )
)
def test_no_header_but_the_exact_one_is_taken(header: dict[str, object]) -> None:
    assert refusal(signed({**HEADER, **header}) if header else signed("{}")) in CODES
