# SPDX-License-Identifier: Apache-2.0
"""The one boundary around JWS and JWE (protocol §1, §2): one suite list, our look at every header, one error.

joserfc sees nothing that did not pass the look first: it takes `crit: []`, duplicate members (the last wins),
and answers broken input with half a dozen kinds of exception. What the bytes mean is not known here.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NoReturn, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OKPKey
from joserfc.registry import HeaderParameter

from consent import wire
from consent.errors import DocumentRefusedError, SealRefusedError, SignatureRefusedError
from consent.jwk import KeyUse, NativePrivate, NativePublic, PrivateKey, PublicKey

MAX_TOKEN = 128 * 1024
MAX_PART = 15 * 1024 * 1024
"""A part of 10 MB, padded by Padmé and written in base64url, with its headers (protocol §2)."""
MAX_RECIPIENTS = 4
KEY_WRAP = "ECDH-ES+A256KW"
CONTENT = "A256GCM"
PART_TYP = "tsn-part+jwe"

_KID = re.compile("[A-Za-z0-9_-]{43}")
_HEADER = {"alg", "kid", "typ"}
_PART_MEMBERS = {"protected", "recipients", "iv", "ciphertext", "tag"}
_PIECES = 3
_IV_BYTES = 12
_TAG_BYTES = 16


class Typ(StrEnum):
    """What a signed artefact is; a valid signature under another typ is refused (protocol §1)."""

    MANIFEST = "tsn-manifest+jws"
    CONSENT = "tsn-consent+jws"
    EXCLUSION = "tsn-exclusion+jws"
    STATUS = "tsn-status+jws"
    RECEIPT = "tsn-receipt+jws"
    ACCEPTED = "tsn-accepted+jws"
    WITHDRAWAL = "tsn-withdrawal+jws"
    PURGE = "tsn-purge+jws"
    KEY = "tsn-key+jws"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedHeader:
    """What stands readable on a sealed part: its context, who can open it, its content's size in bytes."""

    context: dict[str, Any]
    kids: tuple[str, ...]
    size: int


# A key entry is signed by the key itself (proof of possession) and by the root; all else by `sig` keys alone.
_KEY_SIGNERS = frozenset({KeyUse.SIG, KeyUse.CLIENT, KeyUse.WITNESS, KeyUse.ROOT})
_SIGNERS = frozenset({KeyUse.SIG})
# lists, not sets: what stands in a header need not be hashable
_ALGS = ["Ed25519"]
_KEY_ALGS = ["Ed25519", "ES256"]


class _Signatures(jws.JWSRegistry):
    max_payload_length = MAX_TOKEN


class _Seals(jwe.JWERegistry):
    max_ciphertext_length = MAX_PART


_SIGNATURES = {alg: _Signatures(algorithms=[alg]) for alg in ("Ed25519", "ES256")}
_SEALS = _Seals(
    header_registry={"tsn": HeaderParameter("context of a part", lambda _: None)},
    algorithms=[KEY_WRAP, CONTENT],
)


def sign(payload: bytes, *, typ: Typ, key: PrivateKey) -> str:
    """Sign these bytes as an artefact of this typ: a compact JWS, to be kept byte for byte (protocol §1).

    Raises:
        SignatureRefusedError: `key-not-valid`, the key is not for signing artefacts.
    """
    _require_use(key.use, typ)
    header = {"alg": key.public.alg, "kid": key.kid, "typ": typ.value}
    return jws.serialize_compact(header, payload, _jose(key.native), registry=_SIGNATURES[key.public.alg])


def verify(token: str, *, typ: Typ, key: PublicKey) -> bytes:
    """Give back the bytes that this key signed as this typ.

    Raises:
        SignatureRefusedError: `malformed`, `malformed-json`, `header-not-allowed`, `bad-signature`,
            `wrong-type`, `key-not-valid`.
    """
    header = _look(token, typ)
    _require_use(key.use, typ)
    if header["kid"] != key.kid:
        raise SignatureRefusedError("key-not-valid")
    if header["alg"] != key.alg:
        raise SignatureRefusedError("bad-signature")
    if isinstance(key.native, Ed25519PublicKey):
        return _verified(token, key.native)
    try:
        made = jws.deserialize_compact(token, _jose(key.native), registry=_SIGNATURES[key.alg])
    except Exception:  # noqa: BLE001 - JoseError, ValueError, binascii.Error and more: all mean one thing
        raise SignatureRefusedError("bad-signature") from None
    return made.payload or b""


def _verified(token: str, key: Ed25519PublicKey) -> bytes:
    """Verify what was looked at already, without a detour: a log of years has a million of these (RFC 8037 §3.1)."""
    signed, _, signature = token.rpartition(".")
    try:
        key.verify(_piece(signature), signed.encode("ascii"))
    except InvalidSignature:
        raise SignatureRefusedError("bad-signature") from None
    return _piece(signed.partition(".")[2])


def peek_kid(token: str, *, typ: Typ) -> str:
    """Name the key that is said to have signed: the header is checked, nothing is verified.

    Raises:
        SignatureRefusedError: as `verify`, but for the signature and the key.
    """
    return str(_look(token, typ)["kid"])


def peek_payload(token: str, *, typ: Typ) -> bytes:
    """Give the unverified payload, to learn whose key to look up and for nothing else.

    Raises:
        SignatureRefusedError: as `peek_kid`.
    """
    return peek(token, typ=typ)[1]


def peek(token: str, *, typ: Typ) -> tuple[str, bytes]:
    """Give the kid and the payload, both unverified, at one look.

    Raises:
        SignatureRefusedError: as `peek_kid`.
    """
    header = _look(token, typ)
    return str(header["kid"]), _piece(token.split(".")[1])


def digest(token: str) -> str:
    """Name a signed or sealed string for ever: SHA-256 of its bytes in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def sign_jwt(claims: Mapping[str, Any], key: PrivateKey, *, typ: str | None = None, jwk: bool = False) -> str:
    """Sign OAuth claims with a `client` key, ES256 (RFC 7523; RFC 9449).

    A client assertion as it is; a DPoP proof with typ `dpop+jwt` and `jwk`: the public key in the header
    instead of its name.

    Raises:
        SignatureRefusedError: `key-not-valid`, the key is not a client key.
    """
    if key.use is not KeyUse.CLIENT:
        raise SignatureRefusedError("key-not-valid")
    public = {name: value for name, value in key.public.jwk().items() if name in {"kty", "crv", "x", "y"}}
    header: dict[str, Any] = {"alg": key.public.alg, **({"jwk": public} if jwk else {"kid": key.kid})}
    if typ is not None:
        header["typ"] = typ
    return jws.serialize_compact(header, wire.compact(dict(claims)), _jose(key.native), registry=_SIGNATURES["ES256"])


def encrypt(plaintext: bytes, *, context: Mapping[str, Any], recipients: Sequence[PublicKey]) -> str:
    """Seal bytes to `enc` keys as JWE General JSON; the context is readable and authentic (protocol §2).

    Raises:
        SignatureRefusedError: `key-not-valid`, a key is not for sealing, stands twice, or there is none.
    """
    kids = {key.kid for key in recipients if key.use is KeyUse.ENC}
    if not kids or len(kids) != len(recipients):
        raise SignatureRefusedError("key-not-valid")
    sealed = jwe.GeneralJSONEncryption({"enc": CONTENT, "typ": PART_TYP, "tsn": dict(context)}, plaintext)
    for key in recipients:
        sealed.add_recipient({"alg": KEY_WRAP, "kid": key.kid}, _recipient(key))
    return wire.compact(jwe.encrypt_json(sealed, None, registry=_SEALS)).decode("ascii")


def read_sealed(part: str) -> SealedHeader:
    """Look at what stands readable on a sealed part, without any key (protocol §2).

    Raises:
        SignatureRefusedError: `malformed`, `malformed-json`, `header-not-allowed`, `alg-not-allowed`,
            `wrong-type`.
    """
    return _read_part(part)[1]


def decrypt(part: str, key: PrivateKey) -> bytes:
    """Open a sealed part with the one recipient entry that names this key.

    Raises:
        SignatureRefusedError: as `read_sealed`.
        SealRefusedError: `undecryptable`: not sealed to this key, or iv, tag, epk, key or content are wrong.
    """
    made, _ = _read_part(part)
    mine = [entry for entry in made["recipients"] if entry["header"]["kid"] == key.kid]
    if key.use is not KeyUse.ENC or not mine or not _is_openable(made, mine[0]):
        raise SealRefusedError("undecryptable")
    try:
        one = cast("jwe.GeneralJSONSerialization", {**made, "recipients": mine})
        opened = jwe.decrypt_json(one, _jose_okp(key.native), registry=_SEALS)
    except Exception:  # noqa: BLE001 - a bad point is a bare ValueError, other breakage anything
        raise SealRefusedError("undecryptable") from None
    return opened.plaintext or b""


def _require_use(use: KeyUse, typ: Typ) -> None:
    if use not in (_KEY_SIGNERS if typ is Typ.KEY else _SIGNERS):
        raise SignatureRefusedError("key-not-valid")


def _jose(native: NativePrivate | NativePublic) -> ECKey | OKPKey:
    if isinstance(native, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return ECKey.import_key(native)
    return _jose_okp(native)


@lru_cache(maxsize=1024)
def _recipient(key: PublicKey) -> OKPKey:
    """Keep public keys in the library's form: an agency seals to the same few all day."""
    return _jose_okp(key.native)


def _jose_okp(native: NativePrivate | NativePublic) -> OKPKey:
    return OKPKey.import_key(cast("Any", native))


def _refuse_header() -> NoReturn:
    raise SignatureRefusedError("header-not-allowed")


def _look(token: object, typ: Typ) -> Mapping[str, Any]:
    """Look at a compact JWS before the library does; the order of the refusals is protocol §1's."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN:
        raise SignatureRefusedError("malformed")
    pieces = token.split(".", _PIECES)
    decoded = [_piece(piece) for piece in pieces]
    if len(decoded) != _PIECES or not decoded[0]:
        raise SignatureRefusedError("malformed")
    return _header(pieces[0], typ)


@lru_cache(maxsize=4096)
def _header(piece: str, typ: Typ) -> Mapping[str, Any]:
    """Read a protected header; one key under one typ always writes the same."""
    header = _canonical(_piece(piece))
    if not header.keys() <= _HEADER:
        _refuse_header()
    if header.get("alg") not in (_KEY_ALGS if typ is Typ.KEY else _ALGS):
        raise SignatureRefusedError("bad-signature")
    kid = header.get("kid")
    if header.keys() != _HEADER or not isinstance(kid, str) or not _KID.fullmatch(kid):
        _refuse_header()
    if header["typ"] != typ.value:
        raise SignatureRefusedError("wrong-type")
    return MappingProxyType(header)


def _piece(text: object) -> bytes:
    if not isinstance(text, str):
        raise SignatureRefusedError("malformed")
    try:
        return wire.from_base64url(text)
    except DocumentRefusedError:
        raise SignatureRefusedError("malformed") from None


def _parse(text: str | bytes, limit: int) -> dict[str, Any]:
    try:
        return wire.parse(text, limit=limit)
    except DocumentRefusedError as error:
        code = {"malformed-json": "malformed-json", "bad-text": "header-not-allowed"}.get(error.code, "malformed")
        raise SignatureRefusedError(code) from None


def _canonical(raw: bytes) -> dict[str, Any]:
    """Read a protected header: compact ASCII, because joserfc authenticates what it writes anew."""
    header = _parse(raw, MAX_TOKEN)
    if wire.compact(header) != raw:
        _refuse_header()
    return header


def _read_part(part: object) -> tuple[dict[str, Any], SealedHeader]:
    if not isinstance(part, str):
        raise SignatureRefusedError("malformed")
    made = _parse(part, MAX_PART)
    if not made.keys() <= _PART_MEMBERS:
        _refuse_header()
    if made.keys() != _PART_MEMBERS or not isinstance(made["recipients"], list):
        raise SignatureRefusedError("malformed")
    context = _look_at_protected(_piece(made["protected"]))
    kids = tuple(_look_at_recipient(entry) for entry in made["recipients"])
    if not 1 <= len(kids) <= MAX_RECIPIENTS or len(set(kids)) != len(kids):
        _refuse_header()
    _piece(made["iv"]), _piece(made["tag"])
    return made, SealedHeader(context=context, kids=kids, size=len(_piece(made["ciphertext"])))


def _look_at_protected(raw: bytes) -> dict[str, Any]:
    header = _canonical(raw)
    if "alg" in header or header.get("enc", CONTENT) != CONTENT:
        raise SignatureRefusedError("alg-not-allowed")
    if header.keys() != {"enc", "typ", "tsn"} or not isinstance(header["tsn"], dict):
        _refuse_header()
    if header["typ"] != PART_TYP:
        raise SignatureRefusedError("wrong-type")
    return dict(header["tsn"])


def _look_at_recipient(entry: object) -> str:
    if not isinstance(entry, dict) or entry.keys() != {"header", "encrypted_key"}:
        _refuse_header()
    header = entry["header"]
    if not isinstance(header, dict):
        _refuse_header()
    _piece(entry["encrypted_key"])
    if header.get("alg", KEY_WRAP) != KEY_WRAP:
        raise SignatureRefusedError("alg-not-allowed")
    kid, epk = header.get("kid"), header.get("epk")
    if header.keys() != {"alg", "kid", "epk"} or not isinstance(kid, str) or not _KID.fullmatch(kid):
        _refuse_header()
    if not isinstance(epk, dict) or epk.keys() != {"kty", "crv", "x"}:
        _refuse_header()
    if not all(isinstance(value, str) for value in epk.values()):
        _refuse_header()
    return kid


def _is_openable(made: dict[str, Any], entry: dict[str, Any]) -> bool:
    epk = entry["header"]["epk"]
    sizes = len(_piece(made["iv"])) == _IV_BYTES and len(_piece(made["tag"])) == _TAG_BYTES
    return sizes and epk["kty"] == "OKP" and epk["crv"] == "X25519" and _KID.fullmatch(epk["x"]) is not None
