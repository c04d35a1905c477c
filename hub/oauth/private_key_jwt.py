# SPDX-License-Identifier: Apache-2.0
"""Client authentication by a signed assertion (RFC 7523 §2.2) on Authlib's frame; no other method exists at
the hub.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from sqlalchemy.orm import Session

from consent.jwk import PublicKey
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base import replay
from hub.oauth import es256
from hub.oauth.clients import AUTH_METHOD, Client
from hub.oauth.es256 import JwtRefusedError

SKEW: Final = timedelta(seconds=10)
"""How far the clocks may be apart (security §1, OAU-15)."""
LONGEST_LIFE: Final = timedelta(hours=1)
"""What common OAuth libraries write at most; it bounds how long a `jti` must be remembered."""
_HEADER: Final = frozenset({"alg", "kid", "typ"})


class ClientAssertion(JWTBearerClientAssertion):
    """One request's check: Authlib asks the questions, the answers are ours (libraries §3, traps a and g)."""

    CLIENT_AUTH_METHOD = AUTH_METHOD  # type: ignore[misc]  # Authlib means it to be replaced

    def __init__(self, session: Session, *, issuer: str, now: datetime) -> None:
        """Bind the check to one transaction and to the hub's time."""
        super().__init__()
        self._session = session
        self._issuer = issuer
        self._now = now
        self.kid = ""
        """The key that signed, once it is known: a token ends with it."""

    def extract_assertion(self, assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read header and claims through the strict parser, unverified."""
        try:
            header, claims = es256.peek(assertion)
        except JwtRefusedError as refused:
            raise InvalidClientError from refused
        if not _HEADER.issuperset(header):
            raise InvalidClientError
        return header, claims

    def resolve_client_public_key(self, client: Client) -> tuple[PublicKey, ...]:
        """Give the keys that this client may have signed with."""
        return client.keys

    def process_assertion_claims(self, assertion: str, resolve_key: tuple[PublicKey, ...]) -> dict[str, Any]:
        """Find the key that signed, then check every claim by the hub's time."""
        header, claims = self.extract_assertion(assertion)
        self.kid = _signer(assertion, header.get("kid"), resolve_key).kid
        self.verify_claims(claims)
        return claims

    def verify_claims(self, claims: dict[str, Any]) -> None:
        """Check issuer, audience, times and single use (RFC 7523 §3; OAU-13, 15, 16)."""
        now = self._now.timestamp()
        try:
            client = es256.short_text(claims.get("sub"))
            jti = es256.short_text(claims.get("jti"))
            expires = es256.whole_number(claims.get("exp"))
            starts = [es256.whole_number(claims[name]) for name in ("iat", "nbf") if name in claims]
        except JwtRefusedError as refused:
            raise InvalidClientError from refused
        # A list with our name among others could be shown to those others: the issuer alone, as a string
        # (FAPI 2.0).
        if claims.get("iss") != client or claims.get("aud") != self._issuer:
            raise InvalidClientError
        skew = SKEW.total_seconds()
        if not now - skew < expires <= now + LONGEST_LIFE.total_seconds() + skew:
            raise InvalidClientError
        if any(start > now + skew for start in starts):
            raise InvalidClientError
        if not self.validate_jti(claims, jti):
            raise InvalidClientError

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        """Use up the assertion; a second use is refused and logged, in whatever process it happens."""
        client = claims["sub"]
        expires = self._now + LONGEST_LIFE + 2 * SKEW
        if not replay.seen_before(self._session, "client_assertion", f"{client}.{jti}", expires):
            return True
        entry = Entry(kind=AuditKind.OAUTH_ASSERTION_REPLAYED, actor="hub", parties=(), subject=client)
        audit.append(self._session, entry, now=self._now)
        return False


def _signer(assertion: str, kid: Any, keys: tuple[PublicKey, ...]) -> PublicKey:
    for key in keys:
        if kid in {None, key.kid}:
            try:
                es256.verify(assertion, key)
            except JwtRefusedError:
                continue
            return key
    raise InvalidClientError
