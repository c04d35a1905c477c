# SPDX-License-Identifier: Apache-2.0
"""DPoP proofs (RFC 9449): that the caller holds the key a token is bound to, for this one request.

Which token is bound to which key is `tokens`; what is answered to a refused proof is the caller's.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy.orm import Session

from consent import wire
from consent.errors import TsunagiError
from hub.base import replay

ALGORITHM: Final = "ES256"
PAST: Final = timedelta(seconds=60)
"""How old a proof may be: slow lines and a queue in front of the hub (security §4, OAU-22)."""
FUTURE: Final = timedelta(seconds=10)
"""How far the caller's clock may be ahead (security §1: NTP within 10 s)."""
LONGEST_PROOF: Final = 4096
LONGEST_JTI: Final = 128
_HEADER: Final = frozenset({"typ", "alg", "jwk"})
_KEY: Final = frozenset({"kty", "crv", "x", "y", "kid", "use", "alg"})


class ProofRefusedError(Exception):
    """The proof does not show what it must (`invalid_dpop_proof`); nothing of it is in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """The request that a proof must be made for."""

    method: str
    url: str
    """Without query; the origin is the configured issuer's, never what the Host header says."""
    now: datetime
    token: str | None = None
    """The access token that comes along; None at the token endpoint, where there is none yet."""


def check_proof(session: Session, proof: str, occasion: Occasion) -> str:
    """Check a proof in the steps of RFC 9449 §4.3 and give the thumbprint (RFC 7638) of its key.

    Raises ProofRefusedError. The proof counts as used from then on, so the caller commits whatever follows.
    """
    key, claims = _verified(proof)
    _check_claims(claims, occasion)
    thumbprint: str = key.thumbprint()
    # Longer than any proof can be valid, whatever the clocks do.
    expires = occasion.now + PAST + 2 * FUTURE
    if replay.seen_before(session, "dpop", f"{thumbprint}.{claims['jti']}", expires):
        raise ProofRefusedError
    return thumbprint


def _verified(proof: str) -> tuple[ECKey, dict[str, Any]]:
    if len(proof) > LONGEST_PROOF or not proof.isascii():
        raise ProofRefusedError
    try:
        header = wire.parse(_decode(proof.split(".", 1)[0]))
        key = _key(header)
        signed = jws.deserialize_compact(proof, key, algorithms=[ALGORITHM])
        return key, wire.parse(signed.payload)
    # joserfc refuses with ValueError, KeyError and others beside its own (protocol §1).
    except (JoseError, TsunagiError, ValueError, KeyError, TypeError) as refused:
        raise ProofRefusedError from refused


def _key(header: dict[str, Any]) -> ECKey:
    jwk = header.get("jwk")
    if set(header) != _HEADER or header["typ"] != "dpop+jwt" or header["alg"] != ALGORITHM:
        raise ProofRefusedError
    # A private key in a proof is a key given away: it must not become anyone's.
    if not isinstance(jwk, dict) or not _KEY.issuperset(jwk) or jwk.get("crv") != "P-256":
        raise ProofRefusedError
    return ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})


def _check_claims(claims: dict[str, Any], occasion: Occasion) -> None:
    jti, issued = claims.get("jti"), claims.get("iat")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        raise ProofRefusedError
    if not isinstance(issued, int) or isinstance(issued, bool):
        raise ProofRefusedError
    earliest, latest = (occasion.now - PAST).timestamp(), (occasion.now + FUTURE).timestamp()
    if not earliest <= issued <= latest:
        raise ProofRefusedError
    if claims.get("htm") != occasion.method or _without_query(claims.get("htu")) != occasion.url:
        raise ProofRefusedError
    if claims.get("ath") != (None if occasion.token is None else token_hash(occasion.token)):
        raise ProofRefusedError


def _without_query(url: Any) -> str | None:
    return url.split("?", 1)[0].split("#", 1)[0] if isinstance(url, str) else None


def token_hash(token: str) -> str:
    """Give `ath`: base64url of the token's SHA-256 (RFC 9449 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def _decode(piece: str) -> bytes:
    return base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4))
