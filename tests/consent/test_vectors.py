# SPDX-License-Identifier: Apache-2.0
"""Public test vectors (Wycheproof, RFC 7520 and its Curve25519 companion, transparency-dev's RFC 6962).

They are other people's data beside the project, not in it: without the folder these tests skip.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OKPKey

from consent import signing, wire
from consent.errors import SealRefusedError, SignatureRefusedError
from consent.jwk import KeyUse, PrivateKey, PublicKey, generate
from consent.signing import Typ
from consent.tlog.proofs import verify_consistency, verify_inclusion
from consent.tlog.tree import EMPTY_ROOT, Frontier, leaf_hash, root

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason="the public test vectors are not beside the project")

OURS = (SignatureRefusedError, SealRefusedError)


def load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8"))


def cases(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(group, test) for group in load(f"wycheproof/{name}")["testGroups"] for test in group["tests"]]


def is_signature(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Verify a bare signature with the same algorithm object that the boundary uses."""
    alg = signing._SIGNATURES[key.alg].get_alg(key.alg)
    return alg.verify(message, signature, signing._jose(key.native))


def bare(jwk: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name in {"kty", "crv", "x", "y", "d"}}


def test_wycheproof_ed25519_no_invalid_signature_is_accepted() -> None:
    tried = cases("ed25519_test.json")
    for group, test in tried:
        key = PublicKey.from_jwk(bare(group["publicKeyJwk"]), KeyUse.SIG)
        found = is_signature(key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
        assert found == (test["result"] == "valid"), test["tcId"]
    assert len(tried) == 151


def test_wycheproof_jws_es256_no_invalid_token_is_accepted_below_the_boundary() -> None:
    """The library itself under our one suite, before our look at the header: ES256 groups."""
    accepted = refused = 0
    for group, test in cases("json_web_signature_test.json"):
        if group["comment"] not in {"es256", "SpecialCaseEs256"}:
            continue
        key = ECKey.import_key(bare(group["public"]))
        try:
            jws.deserialize_compact(test["jws"], key, registry=signing._SIGNATURES["ES256"])
        except Exception:  # noqa: BLE001 - what the library raises is why the boundary exists
            refused += 1
            continue
        assert test["result"] == "valid", test["tcId"]
        accepted += 1
    assert accepted
    assert refused


@pytest.mark.parametrize("name", ["json_web_signature_test.json", "json_web_key_test.json"])
def test_wycheproof_jws_and_jwk_tokens_are_refused_at_the_boundary_by_our_error_alone(name: str) -> None:
    """None has our exact header; what counts is that nothing else than our error comes out."""
    keys = {use: generate(use).public for use in (KeyUse.SIG, KeyUse.CLIENT)}
    for _, test in cases(name):
        for typ in (Typ.MANIFEST, Typ.KEY):
            for key in keys.values():
                with pytest.raises(SignatureRefusedError):
                    signing.verify(test["jws"], typ=typ, key=key)


def test_wycheproof_keys_are_read_or_refused_by_our_error_alone() -> None:
    for group, _ in cases("json_web_key_test.json"):
        found = group["private"]
        for jwk in found.get("keys", [found]):
            for use in KeyUse:
                with pytest.raises(SignatureRefusedError):
                    PublicKey.from_jwk(jwk, use)
                try:
                    PrivateKey.from_jwk(bare(jwk), use)
                except SignatureRefusedError:
                    continue
                assert (jwk["kty"], jwk["crv"], use) == ("EC", "P-256", KeyUse.CLIENT)


def test_wycheproof_jwe_no_invalid_token_is_accepted_under_our_suite() -> None:
    """The library itself under our one suite: 0 of the invalid ones, whatever their algorithm."""
    invalid = 0
    for group, test in cases("json_web_encryption_test.json"):
        if test["result"] == "valid":
            continue
        invalid += 1
        with pytest.raises(Exception):  # noqa: B017, PT011 - what the library raises is why the boundary exists
            jwe.decrypt_compact(test["jwe"], jwk_of(group["private"]), registry=signing._SEALS)
    assert invalid == 74


def jwk_of(jwk: dict[str, Any]) -> Any:
    from joserfc.jwk import import_key  # the vectors' own kinds of key are no business of the project

    return import_key({name: value for name, value in jwk.items() if name not in {"alg", "use"}})


def test_wycheproof_jwe_tokens_are_refused_at_the_boundary_by_our_errors_alone() -> None:
    key = generate(KeyUse.ENC)
    for _, test in cases("json_web_encryption_test.json"):
        pieces = test["jwe"].split(".") if isinstance(test["jwe"], str) else []
        parts = [test["jwe"] if isinstance(test["jwe"], str) else json.dumps(test["jwe"])]
        if len(pieces) == 5:
            parts.append(as_general_json(pieces, key))
        for part in parts:
            with pytest.raises(OURS):
                signing.decrypt(part, key)


def as_general_json(pieces: list[str], key: PrivateKey) -> str:
    """Put a foreign token's pieces where ours stand, under a recipient entry that looks like ours."""
    protected, wrapped, iv, ciphertext, tag = pieces
    header = {"alg": signing.KEY_WRAP, "kid": key.kid, "epk": {"kty": "OKP", "crv": "X25519", "x": "A" * 43}}
    recipients = [{"header": header, "encrypted_key": wrapped}]
    return json.dumps(
        {"protected": protected, "recipients": recipients, "iv": iv, "ciphertext": ciphertext, "tag": tag}
    )


def test_wycheproof_x25519_agrees_or_is_refused_by_our_error_alone() -> None:
    agreed = 0
    for _, test in cases("x25519_jwk_test.json"):
        try:
            private = PrivateKey.from_jwk(bare(test["private"]), KeyUse.ENC)
            public = PublicKey.from_jwk({k: v for k, v in bare(test["public"]).items() if k != "d"}, KeyUse.ENC)
        except SignatureRefusedError:
            # only what agrees on nothing, is no X25519 key, or whose halves do not belong together
            assert test["result"] != "valid", test["tcId"]
            continue
        shared = private.native.exchange(public.native)  # type: ignore[union-attr, arg-type]
        assert shared.hex() == test["shared"], test["tcId"]
        assert test["result"] != "invalid", test["tcId"]
        agreed += 1
    assert agreed > 200


def test_wycheproof_x25519_as_ephemeral_keys_never_raise_anything_else() -> None:
    """Every public value as the `epk` of a part: what agrees on nothing must be undecryptable, not a ValueError."""
    key = generate(KeyUse.ENC)
    made = json.loads(signing.encrypt(b"x", context={}, recipients=[key.public]))
    for _, test in cases("x25519_jwk_test.json"):
        epk = {name: str(test["public"].get(name, "")) for name in ("kty", "crv", "x")}
        made["recipients"][0]["header"]["epk"] = epk
        with pytest.raises(SealRefusedError, match="undecryptable"):
            signing.decrypt(json.dumps(made), key)


def test_rfc_8037_ed25519_signature_is_the_one_that_we_make() -> None:
    vector = load("rfc7520/curve25519/jws.json")
    key = PrivateKey.from_jwk(bare(vector["input"]["key"]), KeyUse.SIG)
    message = vector["signing"]["sig-input"].encode()
    assert wire.to_base64url(key.native.sign(message)) == vector["signing"]["sig"]  # type: ignore[union-attr, call-arg]
    assert is_signature(key.public, message, wire.from_base64url(vector["signing"]["sig"]))
    for token in (vector["output"]["compact"], json.dumps(vector["output"]["json"])):
        with pytest.raises(SignatureRefusedError):
            signing.verify(token, typ=Typ.MANIFEST, key=key.public)


def test_rfc_7520_curve25519_ecdh_opens_with_a_key_that_we_read() -> None:
    vector = load("rfc7520/curve25519/ecdh-es.json")
    key = PrivateKey.from_jwk(bare(vector["input"]["key"]), KeyUse.ENC)
    native = OKPKey.import_key(bare(key.export()))  # type: ignore[arg-type]
    opened = jwe.decrypt_compact(vector["output"]["compact"], native, algorithms=["ECDH-ES", "A128GCM"])
    assert opened.plaintext == vector["input"]["plaintext"].encode()
    for token in (vector["output"]["compact"], json.dumps(vector["output"]["json"])):
        with pytest.raises(OURS):
            signing.decrypt(token, key)


@pytest.mark.parametrize("folder", ["jws", "jwe"])
def test_rfc_7520_tokens_of_other_suites_are_refused_by_our_errors_alone(folder: str) -> None:
    sig, enc = generate(KeyUse.SIG), generate(KeyUse.ENC)
    paths = sorted((VECTORS / "rfc7520" / folder).glob("*.json"))
    assert paths
    for path in paths:
        for output in json.loads(path.read_text("utf-8"))["output"].values():
            token = output if isinstance(output, str) else json.dumps(output)
            with pytest.raises(SignatureRefusedError):
                signing.verify(token, typ=Typ.MANIFEST, key=sig.public)
            with pytest.raises(OURS):
                signing.decrypt(token, enc)


def test_rfc_6962_roots_are_those_of_transparency_dev() -> None:
    vector = load("rfc6962_vectors.json")
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in vector["leaves"]]
    assert bytes.fromhex(vector["empty_root"]) == EMPTY_ROOT
    for size, expected in enumerate(vector["roots"], start=1):
        assert root(leaves[:size]).hex() == expected
        assert Frontier().extend(leaves[:size])[0].root().hex() == expected


def test_rfc_6962_proofs_are_those_of_transparency_dev() -> None:
    vector = load("rfc6962_vectors.json")
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in vector["leaves"]]
    roots = [bytes.fromhex(each) for each in vector["roots"]]
    for case in vector["inclusion"]:
        index, size = case["leaf"] - 1, case["size"]
        proof = [bytes.fromhex(each) for each in case["proof"]]
        verify_inclusion(leaves[index], index=index, size=size, proof=proof, root=roots[size - 1])
    for case in vector["consistency"]:
        old, new = case["size1"], case["size2"]
        proof = [bytes.fromhex(each) for each in case["proof"]]
        verify_consistency(old=old, old_root=roots[old - 1], new=new, new_root=roots[new - 1], proof=proof)


def test_the_vectors_are_those_that_were_counted() -> None:
    assert len(cases("json_web_encryption_test.json")) == 139
    assert len(cases("json_web_signature_test.json")) == 401
    assert base64.b64decode("") == b""
