# SPDX-License-Identifier: Apache-2.0
"""The authorization server's addresses: RFC 6749's errors instead of problem documents, and no Idempotency-Key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson
from flask import Flask, Response, request

from consent.jwk import PublicKey
from hub.base.db import Duty, now
from hub.oauth import metadata
from hub.oauth.client_credentials import TOKEN_PATH, Answer, FormRequest, TokenServer
from hub.web.manners import request_hub
from hub.web.permissions import OPEN, declares

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_UNREADABLE: Final = Answer(status=400, body={"error": "invalid_request"}, headers=())


def register(app: Flask, token_key: PublicKey) -> None:
    """Add the endpoints; `token_key` is what id tokens will be signed with, published so that it can be known early."""

    @declares(OPEN)
    def token() -> Response:
        return _serve(TokenServer.give_token)

    @declares(OPEN)
    def revoke() -> Response:
        return _serve(lambda server, form: server.serve("revocation", form))

    @declares(OPEN)
    def introspect() -> Response:
        return _serve(lambda server, form: server.serve("introspection", form))

    @declares(OPEN)
    def jwks() -> Response:
        return _json(200, metadata.key_set(token_key))

    @declares(OPEN)
    def describe() -> Response:
        return _json(200, metadata.describe(request_hub().settings.issuer))

    app.add_url_rule(TOKEN_PATH, view_func=token, methods=["POST"])
    app.add_url_rule("/oauth/revoke", view_func=revoke, methods=["POST"])
    app.add_url_rule("/oauth/introspect", view_func=introspect, methods=["POST"])
    app.add_url_rule("/oauth/jwks.json", view_func=jwks)
    app.add_url_rule("/.well-known/oauth-authorization-server", view_func=describe)


def _serve(act: Callable[[TokenServer, FormRequest], Answer]) -> Response:
    """Read the form, let the server act in one transaction, and commit what it wrote also when it refused."""
    form = _form()
    if form is None:
        return _respond(_UNREADABLE)
    hub = request_hub()
    with hub.database.transaction(None, Duty.SIGN_IN) as session:
        server = TokenServer(session, issuer=hub.settings.issuer, now=now(session))
        answer = act(server, FormRequest(form, request.headers.get("DPoP")))
    return _respond(answer)


def _form() -> dict[str, str] | None:
    """Read the form's members; none may come twice (RFC 6749 §3.2), and nothing comes by the query string."""
    if request.mimetype != _FORM or request.args:
        return None
    members = dict(request.form.lists())
    if any(len(values) != 1 or "\0" in values[0] for values in members.values()):
        return None
    return {name: values[0] for name, values in members.items()}


def _respond(answer: Answer) -> Response:
    response = _json(answer.status, answer.body)
    for name, value in answer.headers:
        response.headers[name] = value
    return response


def _json(status: int, body: object) -> Response:
    return Response(orjson.dumps(body), status=status, content_type=_JSON)
