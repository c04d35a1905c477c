# SPDX-License-Identifier: Apache-2.0
"""Another implementation reads what we seal and sign, and we read what it seals and signs in our form."""

import hashlib
import json
from dataclasses import replace

import pytest
from jwcrypto import jwe, jwk, jws

from consent import signing, wire
from consent.envelope.labels import context_of
from consent.envelope.opening import OpenedPart, open_parts
from consent.errors import SignatureRefusedError
from consent.jwk import PrivateKey, PublicKey
from consent.signing import Typ
from tests.consent.messages import HOUTERASU, JIRITSU, PARTS, manifest_of, sealed

MESSAGE = sealed()
MANIFEST = manifest_of(MESSAGE)


def theirs(key: PrivateKey | PublicKey) -> jwk.JWK:
    members = key.export() if isinstance(key, PrivateKey) else key.jwk()
    return jwk.JWK(**{name: value for name, value in members.items() if name not in {"alg", "use"}})


@pytest.mark.parametrize("reader", [HOUTERASU, JIRITSU], ids=["receiver", "sender"])
def test_jwcrypto_opens_what_we_seal(reader) -> None:
    for part, plain in zip(MESSAGE.parts, PARTS, strict=True):
        token = jwe.JWE(algs=["ECDH-ES+A256KW", "A256GCM"])
        token.deserialize(part)
        token.decrypt(theirs(reader.enc))
        content = token.payload
        assert content[40 : 40 + len(plain.body)] == plain.body


def sealed_by_jwcrypto(protected: str, plaintext: bytes) -> str:
    token = jwe.JWE(plaintext, protected=protected, algs=["ECDH-ES+A256KW", "A256GCM"])
    for reader in (HOUTERASU, JIRITSU):
        header = json.dumps({"alg": "ECDH-ES+A256KW", "kid": reader.enc.kid})
        token.add_recipient(theirs(reader.enc.public), header=header)
    return str(token.serialize())


def test_we_open_what_jwcrypto_seals_in_our_form() -> None:
    body = "家計の相談".encode()
    plaintext = (bytes(32) + len(body).to_bytes(8) + body).ljust(4096, b"\0")
    label = MANIFEST.parts[0]
    header = {"enc": "A256GCM", "typ": "tsn-part+jwe", "tsn": context_of(MANIFEST, label)}
    text = sealed_by_jwcrypto(wire.compact(header).decode(), plaintext)
    made = replace(label, ct=signing.digest(text), com=hashlib.sha256(plaintext).hexdigest())
    (opened,) = open_parts(replace(MANIFEST, parts=(made,)), [text], HOUTERASU.enc)
    assert isinstance(opened, OpenedPart)
    assert opened.body == body


def test_a_header_written_with_spaces_is_refused_and_not_merely_undecryptable() -> None:
    label = MANIFEST.parts[0]
    header = json.dumps({"enc": "A256GCM", "typ": "tsn-part+jwe", "tsn": context_of(MANIFEST, label)})
    with pytest.raises(SignatureRefusedError, match="header-not-allowed"):
        signing.read_sealed(sealed_by_jwcrypto(header, bytes(4096)))


def test_jwcrypto_verifies_a_client_assertion_and_a_dpop_proof() -> None:
    from consent.jwk import KeyUse, generate  # a client key of its own: agencies here have none

    client = generate(KeyUse.CLIENT)
    for token in (signing.sign_jwt({"a": 1}, client), signing.sign_jwt({"a": 1}, client, typ="dpop+jwt", jwk=True)):
        read = jws.JWS()
        read.deserialize(token, theirs(client.public))
        assert json.loads(read.payload) == {"a": 1}


def test_a_key_has_the_same_name_for_jwcrypto() -> None:
    for key in (JIRITSU.sig, JIRITSU.enc):
        assert theirs(key.public).thumbprint() == key.kid


def test_an_ed25519_signature_by_other_code_is_a_signature_to_us() -> None:
    """The other library still calls the algorithm EdDSA, so only the bare signature is compared."""
    header, payload, _ = MESSAGE.manifest.split(".")
    other = theirs(JIRITSU.sig).get_op_key("sign").sign(f"{header}.{payload}".encode())
    assert signing.verify(f"{header}.{payload}.{wire.to_base64url(other)}", typ=Typ.MANIFEST, key=JIRITSU.sig.public)
