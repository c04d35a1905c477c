# SPDX-License-Identifier: Apache-2.0
"""Token introspection (RFC 7662): a client asks about its own tokens; anything else is simply not active."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from hub.oauth import tokens
from hub.oauth.clients import AUTH_METHOD, Client
from hub.oauth.tokens import Token


class Introspection(IntrospectionEndpoint):
    """Authlib's endpoint over our table."""

    CLIENT_AUTH_METHODS = [AUTH_METHOD]  # noqa: RUF012 - Authlib's name and type
    SUPPORTED_TOKEN_TYPES = ("access_token",)

    def authenticate_token(self, request: Any, client: Client) -> Token | None:
        """Give a live token of the same agency, or None."""
        self.check_params(request, client)
        found = tokens.live(self.server.session, request.form["token"], self.server.now)
        return found if found is not None and found.agency == client.agency else None

    def create_introspection_payload(self, token: Token | None) -> dict[str, Any]:
        """Say what the token stands for; `active: false` alone for anything else (libraries §3, trap e)."""
        if token is None:
            return {"active": False}
        return {
            "active": True,
            "client_id": token.client,
            "sub": token.agency,
            "iss": self.server.issuer,
            "scope": " ".join(sorted(token.scopes)),
            "token_type": "DPoP",
            "iat": int(token.issued_at.timestamp()),
            "exp": int(token.expires_at.timestamp()),
            "cnf": {"jkt": token.jkt},
        }
