# SPDX-License-Identifier: Apache-2.0
"""A key and what it is for: one use, one algorithm, one name (its RFC 7638 thumbprint).

What is signed with a key is in `signing`; who vouches for a key, from when to when, is in `keys`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from consent import wire
from consent.errors import DocumentRefusedError, SignatureRefusedError

NativePublic = Ed25519PublicKey | X25519PublicKey | ec.EllipticCurvePublicKey
NativePrivate = Ed25519PrivateKey | X25519PrivateKey | ec.EllipticCurvePrivateKey

_BYTES = 32
_PRIME = 2**255 - 19
# The y coordinates of the eight points of small order: a "signature" under such a key fits every text.
_SMALL_ORDER_Y = frozenset(
    int.from_bytes(bytes.fromhex(y), "little")
    for y in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)


class KeyUse(StrEnum):
    """What a key is for, one thing only (protocol §1); `root` is kept offline and vouches for first keys."""

    SIG = "sig"
    ENC = "enc"
    CLIENT = "client"
    WITNESS = "witness"
    ROOT = "root"


@dataclass(frozen=True, slots=True)
class _Form:
    kty: str
    crv: str
    alg: str
    jwk_use: str


_SIGNS = _Form("OKP", "Ed25519", "Ed25519", "sig")
_FORMS: Mapping[KeyUse, _Form] = {
    KeyUse.SIG: _SIGNS,
    KeyUse.WITNESS: _SIGNS,
    KeyUse.ROOT: _SIGNS,
    KeyUse.ENC: _Form("OKP", "X25519", "ECDH-ES+A256KW", "enc"),
    KeyUse.CLIENT: _Form("EC", "P-256", "ES256", "sig"),
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key of one use. Equal when use and thumbprint are equal."""

    use: KeyUse
    kid: str
    native: NativePublic = field(compare=False, repr=False)

    @property
    def alg(self) -> str:
        """Name the only JOSE algorithm of this key."""
        return _FORMS[self.use].alg

    def jwk(self) -> dict[str, str]:
        """Write the public JWK: the thumbprint's members, then use, alg and kid."""
        form = _FORMS[self.use]
        return {**_core(self.native), "use": form.jwk_use, "alg": form.alg, "kid": self.kid}

    @classmethod
    def of(cls, use: KeyUse, native: NativePublic) -> "PublicKey":
        """Wrap a key of `cryptography`.

        Raises:
            SignatureRefusedError: `key-not-valid`, not the curve of this use, or a weak point.
        """
        core = _core(native)
        if core["crv"] != _FORMS[use].crv or _is_weak(native):
            _refuse()
        return cls(use, thumbprint(core), native)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object], use: KeyUse) -> "PublicKey":
        """Read a public JWK: its curve, use, alg and kid must agree; nothing else, nothing private.

        Raises:
            SignatureRefusedError: `key-not-valid`.
        """
        key = cls.of(use, _native_public(jwk, _FORMS[use]))
        expected = key.jwk()
        if any(expected.get(name) != value for name, value in jwk.items()):
            _refuse()
        return key


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PrivateKey:
    """A private key of one use. Shows its name only; leaves memory by `export` alone."""

    public: PublicKey
    native: NativePrivate

    @property
    def use(self) -> KeyUse:
        """Say what the key is for."""
        return self.public.use

    @property
    def kid(self) -> str:
        """Name the key: RFC 7638 thumbprint of its public half."""
        return self.public.kid

    def export(self) -> dict[str, str]:
        """Write the private JWK, for a keystore and for nothing else."""
        return {**self.public.jwk(), "d": wire.to_base64url(_secret(self.native))}

    @classmethod
    def of(cls, use: KeyUse, native: NativePrivate) -> "PrivateKey":
        """Wrap a key of `cryptography`.

        Raises:
            SignatureRefusedError: `key-not-valid`.
        """
        return cls(PublicKey.of(use, native.public_key()), native)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object], use: KeyUse) -> "PrivateKey":
        """Read what `export` wrote.

        Raises:
            SignatureRefusedError: `key-not-valid`, also when the two halves do not belong together.
        """
        public = PublicKey.from_jwk({name: value for name, value in jwk.items() if name != "d"}, use)
        key = cls.of(use, _native_private(_member(jwk, "d"), _FORMS[use].crv))
        if key.public != public:
            _refuse()
        return key

    def __repr__(self) -> str:
        return f"PrivateKey(use={self.use.value}, kid={self.kid})"

    def __reduce__(self) -> NoReturn:
        message = "a private key is not pickled"
        raise TypeError(message)


def generate(use: KeyUse) -> PrivateKey:
    """Make a new key for this use from the operating system's randomness."""
    if use is KeyUse.ENC:
        return PrivateKey.of(use, X25519PrivateKey.generate())
    if use is KeyUse.CLIENT:
        return PrivateKey.of(use, ec.generate_private_key(ec.SECP256R1()))
    return PrivateKey.of(use, Ed25519PrivateKey.generate())


def thumbprint(jwk: Mapping[str, object]) -> str:
    """Name a key: SHA-256 over its required members in order, base64url (RFC 7638, RFC 8037)."""
    names = ("crv", "kty", "x", "y") if jwk["kty"] == "EC" else ("crv", "kty", "x")
    return wire.to_base64url(hashlib.sha256(wire.compact({name: jwk[name] for name in names})).digest())


def _refuse() -> NoReturn:
    raise SignatureRefusedError("key-not-valid")


def _core(native: NativePublic) -> dict[str, str]:
    if isinstance(native, ec.EllipticCurvePublicKey):
        if not isinstance(native.curve, ec.SECP256R1):
            _refuse()
        point = native.public_numbers()
        x, y = (wire.to_base64url(number.to_bytes(_BYTES)) for number in (point.x, point.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    crv = "Ed25519" if isinstance(native, Ed25519PublicKey) else "X25519"
    return {"crv": crv, "kty": "OKP", "x": wire.to_base64url(native.public_bytes_raw())}


def _secret(native: NativePrivate) -> bytes:
    if isinstance(native, ec.EllipticCurvePrivateKey):
        return native.private_numbers().private_value.to_bytes(_BYTES)
    return native.private_bytes_raw()


def _member(jwk: Mapping[str, object], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        _refuse()
    try:
        raw = wire.from_base64url(value)
    except DocumentRefusedError:
        _refuse()
    if len(raw) != _BYTES:
        _refuse()
    return raw


def _native_public(jwk: Mapping[str, object], form: _Form) -> NativePublic:
    if jwk.get("kty") != form.kty or jwk.get("crv") != form.crv:
        _refuse()
    x = _member(jwk, "x")
    try:
        if form.crv == "Ed25519":
            return Ed25519PublicKey.from_public_bytes(x)
        if form.crv == "X25519":
            return X25519PublicKey.from_public_bytes(x)
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + _member(jwk, "y"))
    except ValueError:
        _refuse()


def _native_private(secret: bytes, crv: str) -> NativePrivate:
    if crv == "Ed25519":
        return Ed25519PrivateKey.from_private_bytes(secret)
    if crv == "X25519":
        return X25519PrivateKey.from_private_bytes(secret)
    try:
        return ec.derive_private_key(int.from_bytes(secret), ec.SECP256R1())
    except ValueError:
        _refuse()


def _is_weak(native: NativePublic) -> bool:
    if isinstance(native, Ed25519PublicKey):
        y = int.from_bytes(native.public_bytes_raw(), "little") & (2**255 - 1)
        return y >= _PRIME or y in _SMALL_ORDER_Y
    if isinstance(native, X25519PublicKey):
        try:  # a point of small order gives nothing but zeros with any secret; the library refuses that
            _PROBE.exchange(native)
        except ValueError:
            return True
    return False


_PROBE = X25519PrivateKey.from_private_bytes(b"\x42" * _BYTES)
