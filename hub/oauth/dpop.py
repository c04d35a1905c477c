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

from sqlalchemy.orm import Session

from consent.errors import SignatureRefusedError
from consent.jwk import KeyUse, PublicKey
from hub.base import replay
from hub.oauth import es256
from hub.oauth.es256 import JwtRefusedError

PAST: Final = timedelta(seconds=60)
"""How old a proof may be: slow lines and a queue in front of the hub (security §4, OAU-22)."""
FUTURE: Final = timedelta(seconds=10)
"""How far the caller's clock may be ahead (security §1: NTP within 10 s)."""
_HEADER: Final = frozenset({"typ", "alg", "jwk"})
# The RFC's point: a private key in a proof is a key given away. Only what a public key consists of is taken.
_KEY: Final = frozenset({"kty", "crv", "x", "y"})


class ProofRefusedError(Exception):
    """The proof does not show what it must (`invalid_dpop_proof`); nothing of it is in the error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """The request that a proof must be made for.

    - `url`: without query; its origin is the configured issuer's, never what a Host header says
    - `token`: the access token that comes along; None at the token endpoint, where there is none yet
    """

    method: str
    url: str
    now: datetime
    token: str | None = None


def check_proof(session: Session, proof: str | None, occasion: Occasion) -> str:
    """Check a proof in the steps of RFC 9449 §4.3 and give the thumbprint (RFC 7638) of its key.

    Raises ProofRefusedError. The proof is used up from then on, if the caller commits.
    """
    try:
        key, claims = _signed(proof or "")
        _check_claims(claims, occasion)
        jti = es256.short_text(claims.get("jti"))
    except (JwtRefusedError, SignatureRefusedError) as refused:
        raise ProofRefusedError from refused
    # Longer than any proof can be taken, however the clocks stand.
    expires = occasion.now + PAST + 2 * FUTURE
    if replay.seen_before(session, "dpop", f"{key.kid}.{jti}", expires):
        raise ProofRefusedError
    return key.kid


def token_hash(token: str) -> str:
    """Give `ath`: base64url of the token's SHA-256 (RFC 9449 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def _signed(proof: str) -> tuple[PublicKey, dict[str, Any]]:
    header, claims = es256.peek(proof)
    jwk = header.get("jwk")
    if set(header) != _HEADER or header["typ"] != "dpop+jwt" or not isinstance(jwk, dict):
        raise JwtRefusedError
    if "d" in jwk:
        raise JwtRefusedError
    key = PublicKey.from_jwk({name: value for name, value in jwk.items() if name in _KEY}, KeyUse.CLIENT)
    es256.verify(proof, key)
    return key, claims


def _check_claims(claims: dict[str, Any], occasion: Occasion) -> None:
    issued = es256.whole_number(claims.get("iat"))
    earliest, latest = (occasion.now - PAST).timestamp(), (occasion.now + FUTURE).timestamp()
    # Whole seconds on the proof's side: one issued in this very second must not seem to come from before.
    if not earliest - 1 < issued <= latest:
        raise JwtRefusedError
    url = es256.short_text(claims.get("htu"), longest=2048).split("?", 1)[0].split("#", 1)[0]
    if claims.get("htm") != occasion.method or url != occasion.url:
        raise JwtRefusedError
    if claims.get("ath") != (None if occasion.token is None else token_hash(occasion.token)):
        raise JwtRefusedError
