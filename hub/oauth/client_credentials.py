# SPDX-License-Identifier: Apache-2.0
"""The token endpoint's one grant, client credentials (RFC 6749 §4.4), and the server that Authlib drives it
with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidScopeError, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from sqlalchemy.orm import Session

from hub.base.ids import is_id
from hub.oauth import clients, dpop, tokens
from hub.oauth.clients import AUTH_METHOD, Client
from hub.oauth.introspection import Introspection
from hub.oauth.private_key_jwt import ClientAssertion
from hub.oauth.revocation import Revocation

TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - a path
TOKEN_TYPE: Final = "DPoP"  # noqa: S105 - a name
# Authlib wants to see https. TLS ends in front of the hub, and the settings refuse a production issuer
# without it.
_SECURE: Final = "https://hub.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an OAuth endpoint answers."""

    status: int
    body: Mapping[str, Any]
    headers: tuple[tuple[str, str], ...]


class FormRequest(OAuth2Request):
    """One form, its members once each, with the DPoP proof that came along."""

    def __init__(self, form: dict[str, str], proof: str | None = None) -> None:
        """Wrap what the endpoint read; nothing of the query string is looked at."""
        super().__init__("POST", _SECURE)
        self.payload = BasicOAuth2Payload(form)
        self.members = form
        self.proof = proof
        self.jkt = ""

    @property
    def form(self) -> dict[str, str]:
        """Give the form's members."""
        return self.members


class AgencyGrant(ClientCredentialsGrant):
    """Client credentials for agencies: a signed assertion and a DPoP proof, from the first token on (api.md)."""

    TOKEN_ENDPOINT_AUTH_METHODS = [AUTH_METHOD]  # noqa: RUF012 - Authlib's name and type
    server: TokenServer
    request: FormRequest

    def validate_token_request(self) -> None:
        """Check client, scope and proof in this order, so that only a known client uses up a proof."""
        super().validate_token_request()
        server = self.server
        occasion = dpop.Occasion(method="POST", url=server.issuer + TOKEN_PATH)
        try:
            self.request.jkt = dpop.check_proof(server.session, self.request.proof, occasion, now=server.now)
        except dpop.ProofRefusedError as refused:
            raise OAuth2Error(error="invalid_dpop_proof") from refused

    def validate_requested_scope(self) -> None:
        """Refuse a scope beyond the client's, known to the server or not."""
        client: Any = self.client
        if client.granted(self.request.members.get("scope")) is None:
            raise InvalidScopeError


class TokenServer(AuthorizationServer):
    """Authlib's server for one request: one transaction, one time."""

    def __init__(self, session: Session, *, issuer: str, now: datetime) -> None:
        """Bind the server to a transaction and register the few things it can do."""
        super().__init__()
        self.session = session
        self.issuer = issuer
        self.now = now
        self._assertion = ClientAssertion(session, issuer=issuer, now=now)
        self.register_client_auth_method(AUTH_METHOD, self._assertion)
        self.register_grant(AgencyGrant)
        self.register_endpoint(Revocation)
        self.register_endpoint(Introspection)

    def give_token(self, form: FormRequest) -> Answer:
        """Answer the token endpoint."""
        answer: Any = self.create_token_response(form)
        return cast("Answer", answer)

    def serve(self, endpoint: str, form: FormRequest) -> Answer:
        """Answer `revocation` or `introspection`."""
        answer: Any = self.create_endpoint_response(endpoint, form)  # type: ignore[no-untyped-call]
        return cast("Answer", answer)

    def query_client(self, client_id: str) -> Client | None:  # type: ignore[override]  # the library takes None
        """Find a client of an active agency."""
        return clients.find(self.session, client_id, self.now) if is_id(client_id) else None

    def generate_token(
        self,
        grant_type: str,
        client: Any,
        user: Any = None,
        scope: str | None = None,
        expires_in: int | None = None,
        include_refresh_token: bool = True,
    ) -> dict[str, str | int]:
        """Make a token's text and the answer around it."""
        del grant_type, user, expires_in, include_refresh_token
        return {
            "access_token": tokens.new_token(),
            "token_type": TOKEN_TYPE,
            "expires_in": int(tokens.LIFETIME.total_seconds()),
            "scope": " ".join(sorted(client.granted(scope))),
        }

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        """Store the new token's hash, bound to the proof's key and to the client's."""
        grant = tokens.Grant(
            client=request.client.id,
            agency=request.client.agency,
            client_kid=self._assertion.kid,
            scopes=frozenset(token["scope"].split()),
            jkt=request.jkt,
        )
        tokens.keep(self.session, token["access_token"], grant, now=self.now)

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        """Give the request as it is: the endpoint has wrapped it."""
        return cast("OAuth2Request", request)

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """Give the answer to the endpoint, which knows the web framework."""
        return Answer(status=status, body=body, headers=tuple(headers))

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Answer:
        """Answer an error's code alone: Authlib's descriptions would echo what was sent (security §4)."""
        del request
        status = 401 if error.error == "invalid_client" else 400
        return self.handle_response(status, {"error": error.error}, _PRIVATE)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Tell nobody: what must be known is in the audit log."""


_PRIVATE: Final = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache"))
