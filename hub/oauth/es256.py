# SPDX-License-Identifier: Apache-2.0
"""JWTs from outside (RFC 7519), ES256 and nothing else: our own look at the header before the library sees
the token.
"""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from consent import wire
from consent.errors import TsunagiError
from consent.jwk import PublicKey

ALGORITHM: Final = "ES256"
LONGEST: Final = 4096
_PIECES: Final = 3


class JwtRefusedError(Exception):
    """The text is not a JWT that we take, or not signed by the key; nothing of it is in the error."""


def peek(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give header and claims of a compact JWT that names ES256; nothing is verified yet.

    Raises JwtRefusedError.
    """
    pieces = token.split(".", _PIECES) if len(token) <= LONGEST else []
    if len(pieces) != _PIECES:
        raise JwtRefusedError
    try:
        header, claims = (wire.parse(wire.from_base64url(piece)) for piece in pieces[:2])
    except TsunagiError as refused:
        raise JwtRefusedError from refused
    if header.get("alg") != ALGORITHM:
        raise JwtRefusedError
    return header, claims


def verify(token: str, key: PublicKey) -> None:
    """Check that *key* signed a token that `peek` took. Raises JwtRefusedError."""
    if not isinstance(key.native, ec.EllipticCurvePublicKey):
        raise JwtRefusedError
    try:
        jws.deserialize_compact(token, ECKey.import_key(key.native), algorithms=[ALGORITHM])
    # joserfc refuses with ValueError, binascii.Error and KeyError beside its own (protocol §1).
    except (JoseError, ValueError, KeyError, TypeError) as refused:
        raise JwtRefusedError from refused


def whole_number(value: Any) -> int:
    """Take a NumericDate; fractions and booleans are none that we take. Raises JwtRefusedError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise JwtRefusedError
    return value


def short_text(value: Any, longest: int = 128) -> str:
    """Take a claim that is a text of some length. Raises JwtRefusedError."""
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise JwtRefusedError
    return value
