# SPDX-License-Identifier: Apache-2.0
"""DPoP proofs (RFC 9449): that the caller holds the key a token is bound to, for this one request.

Which token is bound to which key is `tokens`; what is answered to a refused proof is the caller's.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from consent.errors import SignatureRefusedError
from consent.jwk import KeyUse, PublicKey
from hub.base import replay, rounds
from hub.base.rounds import Asked
from hub.oauth import es256
from hub.oauth.es256 import JwtRefusedError

PAST: Final = timedelta(seconds=60)
"""How old a proof may be: slow lines and a queue in front of the hub (security §4, OAU-22)."""
FUTURE: Final = timedelta(seconds=10)
"""How far the caller's clock may be ahead (security §1: NTP within 10 s)."""
_SPACE: Final = "dpop"
_LATEST: Final = 2**34
"""A second of the 26th century; beyond it no calendar of ours can count."""
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
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that was made for the request it came with; its time is still to be looked at, and whether it is new."""

    thumbprint: str
    jti: str
    issued: int

    @property
    def use(self) -> Asked:
        """Give the statement that uses it up; `replay.was_used` reads what came of it."""
        return replay.using_up(_SPACE, f"{self.thumbprint}.{self.jti}", self._expires)

    @property
    def _expires(self) -> datetime:
        # longer than it can be taken, however the clocks stand
        return datetime.fromtimestamp(self.issued, UTC) + PAST + 3 * FUTURE

    def require_time(self, now: datetime) -> None:
        """Require that it was made about now. Raises ProofRefusedError."""
        earliest, latest = (now - PAST).timestamp(), (now + FUTURE).timestamp()
        # Whole seconds on the proof's side: one issued in this very second must not seem to come from before.
        if not earliest - 1 < self.issued <= latest:
            raise ProofRefusedError


def check_proof(session: Session, proof: str | None, occasion: Occasion, *, now: datetime) -> str:
    """Check a proof in the steps of RFC 9449 §4.3 and give the thumbprint (RFC 7638) of its key.

    Raises ProofRefusedError. The proof is used up from then on, if the caller commits.
    """
    read = read_proof(proof, occasion)
    read.require_time(now)
    (told,) = rounds.ask(session, read.use)
    if replay.was_used(told):
        raise ProofRefusedError
    return read.thumbprint


def read_proof(proof: str | None, occasion: Occasion) -> Proof:
    """Check what a proof says of itself: its key, its signature, the request it is for. Raises ProofRefusedError."""
    try:
        key, claims = _signed(proof or "")
        _check_claims(claims, occasion)
        return Proof(thumbprint=key.kid, jti=es256.short_text(claims.get("jti")), issued=claims["iat"])
    except (JwtRefusedError, SignatureRefusedError) as refused:
        raise ProofRefusedError from refused


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
    if not 0 < es256.whole_number(claims.get("iat")) < _LATEST:
        raise JwtRefusedError
    url = es256.short_text(claims.get("htu"), longest=2048).split("?", 1)[0].split("#", 1)[0]
    if claims.get("htm") != occasion.method or url != occasion.url:
        raise JwtRefusedError
    if claims.get("ath") != (None if occasion.token is None else token_hash(occasion.token)):
        raise JwtRefusedError
