# SPDX-License-Identifier: Apache-2.0
"""Token revocation (RFC 7009): a client ends its own token; an unknown or another's token is answered
alike.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc7009 import RevocationEndpoint

from hub.oauth import tokens
from hub.oauth.clients import AUTH_METHOD, Client


class Revocation(RevocationEndpoint):
    """Authlib's endpoint over our table."""

    CLIENT_AUTH_METHODS = [AUTH_METHOD]  # noqa: RUF012 - Authlib's name and type
    SUPPORTED_TOKEN_TYPES = ("access_token",)

    def authenticate_token(self, request: Any, client: Client) -> str | None:
        """Give the token if it is this client's; who holds another's learns nothing by asking."""
        self.check_params(request, client)
        text: str = request.form["token"]
        found = tokens.live(self.server.session, text, self.server.now)
        return text if found is not None and found.client == client.id else None

    def revoke_token(self, token: str, request: Any) -> None:
        """End it, effective at the next request."""
        del request
        tokens.revoke(self.server.session, token, now=self.server.now)
