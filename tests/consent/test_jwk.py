# SPDX-License-Identifier: Apache-2.0
"""Keys: one use, one name, nothing shown."""

import copy
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from consent.errors import SignatureRefusedError
from consent.jwk import _SMALL_ORDER_Y, KeyUse, PrivateKey, PublicKey, generate, thumbprint
from consent.wire import to_base64url

KEYS = {use: generate(use) for use in KeyUse}
PRIME = 2**255 - 19

uses = pytest.mark.parametrize("use", list(KeyUse))


def refused(jwk: dict[str, object], use: KeyUse, kind: type[PublicKey] | type[PrivateKey] = PublicKey) -> None:
    with pytest.raises(SignatureRefusedError, match=r"^key-not-valid$"):
        kind.from_jwk(jwk, use)


def test_a_key_is_named_by_its_rfc_7638_thumbprint() -> None:
    # RFC 8037, appendix A.3
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert PublicKey.from_jwk(jwk, KeyUse.SIG).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@uses
def test_a_key_comes_back_from_its_jwk(use: KeyUse) -> None:
    key = KEYS[use]
    assert PublicKey.from_jwk(key.public.jwk(), use) == key.public
    assert PrivateKey.from_jwk(key.export(), use).public == key.public
    assert key.public.jwk()["alg"] == key.public.alg
    assert "d" not in key.public.jwk()


@uses
def test_a_private_key_never_shows_itself(use: KeyUse) -> None:
    key = KEYS[use]
    secret = key.export()["d"]
    assert secret not in repr(key) + str(key) + repr(key.public) + repr([key])
    assert repr(key) == f"PrivateKey(use={use.value}, kid={key.kid})"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(key)
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy(key)


@uses
def test_a_private_member_in_a_public_place_is_refused(use: KeyUse) -> None:
    refused(dict(KEYS[use].export()), use)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kty", "EC"), ("kty", None), ("crv", "X448"), ("crv", "P-256"), ("x", ""), ("x", 5), ("x", None), ("x",
        "A" * 44),
        ("x", "A" * 42 + "B"), ("x", "AAAA"), ("alg", "EdDSA"), ("alg", "none"), ("use", "enc"), ("kid", "A" * 43),
        ("kid", None), ("key_ops", ["sign"]), ("x5c", []), ("y", "A" * 43),
    ],
)  # fmt: skip
def test_a_jwk_that_says_anything_else_is_refused(name: str, value: object) -> None:
    refused({**KEYS[KeyUse.SIG].public.jwk(), name: value}, KeyUse.SIG)


@pytest.mark.parametrize("name", ["kty", "crv", "x"])
def test_a_jwk_without_a_needed_member_is_refused(name: str) -> None:
    jwk = KEYS[KeyUse.SIG].public.jwk()
    refused({key: value for key, value in jwk.items() if key != name}, KeyUse.SIG)


@uses
def test_a_key_of_another_curve_is_refused_for_a_use(use: KeyUse) -> None:
    for other in KeyUse:
        if KEYS[other].public.alg != KEYS[use].public.alg:
            refused(dict(KEYS[other].public.jwk()), use)
            with pytest.raises(SignatureRefusedError):
                PrivateKey.of(use, KEYS[other].native)


def test_another_curve_of_the_library_is_refused() -> None:
    with pytest.raises(SignatureRefusedError):
        PrivateKey.of(KeyUse.CLIENT, ec.generate_private_key(ec.SECP384R1()))


def test_a_point_that_is_not_on_the_curve_is_refused() -> None:
    jwk = KEYS[KeyUse.CLIENT].public.jwk()
    refused({**jwk, "y": jwk["x"]}, KeyUse.CLIENT)


@uses
def test_two_halves_that_do_not_belong_together_are_refused(use: KeyUse) -> None:
    other = generate(use).export()
    refused({**KEYS[use].export(), "d": other["d"]}, use, PrivateKey)


@pytest.mark.parametrize("d", [to_base64url(b"\0" * 32), to_base64url(b"\xff" * 32), "AAAA", 7])
def test_a_secret_outside_the_group_is_refused(d: object) -> None:
    refused({**KEYS[KeyUse.CLIENT].export(), "d": d}, KeyUse.CLIENT, PrivateKey)


def on_curve_and_small(y: int) -> bool:
    """Say whether 8·(x, y) is the neutral element, by doubling three times on the curve (RFC 8032 §5.1.4)."""
    d = -121665 * pow(121666, PRIME - 2, PRIME) % PRIME
    square = (y * y - 1) * pow(d * y * y + 1, PRIME - 2, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if x * x % PRIME != square:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    if x * x % PRIME != square:
        return False
    for _ in range(3):
        product = d * x * x * y * y % PRIME
        x, y = (
            2 * x * y * pow(1 + product, PRIME - 2, PRIME) % PRIME,
            (y * y + x * x) * pow(1 - product, PRIME - 2, PRIME) % PRIME,
        )
    return (x, y) == (0, 1)


@pytest.mark.parametrize("y", sorted(_SMALL_ORDER_Y))
def test_an_ed25519_key_of_small_order_is_refused(y: int) -> None:
    assert on_curve_and_small(y)
    for sign in (0, 1 << 255):
        native = Ed25519PublicKey.from_public_bytes((y | sign).to_bytes(32, "little"))
        with pytest.raises(SignatureRefusedError):
            PublicKey.of(KeyUse.SIG, native)


def test_an_ed25519_key_written_beyond_the_prime_is_refused() -> None:
    native = Ed25519PublicKey.from_public_bytes((PRIME + 3).to_bytes(32, "little"))
    with pytest.raises(SignatureRefusedError):
        PublicKey.of(KeyUse.SIG, native)


@pytest.mark.parametrize("x", [b"\0" * 32, b"\x01" + b"\0" * 31, (PRIME - 1).to_bytes(32, "little")])
def test_an_x25519_key_that_agrees_on_nothing_is_refused(x: bytes) -> None:
    with pytest.raises(SignatureRefusedError):
        PublicKey.of(KeyUse.ENC, X25519PublicKey.from_public_bytes(x))


@given(st.binary(min_size=32, max_size=32))
def test_any_ed25519_secret_is_a_key_that_comes_back(secret: bytes) -> None:
    key = PrivateKey.of(KeyUse.SIG, Ed25519PrivateKey.from_private_bytes(secret))
    assert PrivateKey.from_jwk(key.export(), KeyUse.SIG).export() == key.export()
