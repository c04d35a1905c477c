# SPDX-License-Identifier: Apache-2.0
"""The other addresses: ending a token, asking about one, and what any OAuth library may read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from consent.jwk import KeyUse, PublicKey
from hub.base.db import Database
from hub.web.permissions import SCOPES
from tests.hub.builders import ASSERTION_TYPE, ISSUER, ApiClient, TestAgency, active_agency, api_client, assertion


def post(app: Flask, path: str, agency: TestAgency, **form: Any) -> TestResponse:
    members = {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(agency, at=datetime.now(UTC)),
    } | form
    with app.test_client() as client:
        return client.post(path, base_url=ISSUER, data=members)


def get(app: Flask, path: str) -> TestResponse:
    with app.test_client() as client:
        return client.get(path, base_url=ISSUER)


def test_a_revoked_token_is_refused_at_the_next_request(caller: ApiClient, app: Flask) -> None:
    token = caller.token()
    assert caller.get("/v1/agencies").status_code == 200
    answer = post(app, "/oauth/revoke", caller.agency, token=token)
    assert (answer.status_code, answer.get_json()) == (200, {})
    assert caller.get("/v1/agencies").status_code == 401


def test_an_unknown_token_is_revoked_as_quietly_as_a_known_one(caller: ApiClient, app: Flask) -> None:
    answer = post(app, "/oauth/revoke", caller.agency, token="never was")
    assert (answer.status_code, answer.get_json()) == (200, {})


def test_nobody_revokes_anothers_token_nor_learns_of_it(caller: ApiClient, app: Flask, database: Database) -> None:
    token = caller.token()
    other = active_agency(database, "houterasu")
    answer = post(app, "/oauth/revoke", other, token=token)
    assert (answer.status_code, answer.get_json()) == (200, {})
    assert caller.get("/v1/agencies").status_code == 200


def test_a_client_may_ask_about_its_token(caller: ApiClient, app: Flask) -> None:
    answer = post(app, "/oauth/introspect", caller.agency, token=caller.token()).get_json()
    assert answer["active"] is True
    assert (answer["sub"], answer["client_id"], answer["iss"]) == (caller.agency.id, caller.agency.id, ISSUER)
    assert answer["cnf"] == {"jkt": caller.dpop_key.kid}
    assert answer["exp"] - answer["iat"] == 300
    assert set(answer["scope"].split()) == SCOPES - {"oversight:write"}


def test_of_any_other_token_it_learns_that_it_is_not_active(caller: ApiClient, app: Flask, database: Database) -> None:
    other = api_client(app, active_agency(database, "houterasu"))
    for token in (other.token(), "never was", "é"):
        assert post(app, "/oauth/introspect", caller.agency, token=token).get_json() == {"active": False}


@pytest.mark.parametrize("path", ["/oauth/revoke", "/oauth/introspect"])
def test_both_want_an_authenticated_client_and_a_token(caller: ApiClient, app: Flask, path: str) -> None:
    answer = post(app, path, caller.agency, token="x", client_assertion="a.b.c")
    assert (answer.status_code, answer.get_json()) == (401, {"error": "invalid_client"})
    answer = post(app, path, caller.agency)
    assert (answer.status_code, answer.get_json()) == (400, {"error": "invalid_request"})
    answer = post(app, path, caller.agency, token="x", token_type_hint="refresh_token")
    assert (answer.status_code, answer.get_json()) == (400, {"error": "unsupported_token_type"})


def test_the_metadata_says_what_is_there_and_nothing_else(app: Flask) -> None:
    said = get(app, "/.well-known/oauth-authorization-server").get_json()
    assert said["issuer"] == ISSUER
    assert said["grant_types_supported"] == ["client_credentials"]
    assert said["response_types_supported"] == []
    assert said["dpop_signing_alg_values_supported"] == ["ES256"]
    assert "authorization_endpoint" not in said
    addresses = {rule.rule for rule in app.url_map.iter_rules()}
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert said[name].removeprefix(ISSUER) in addresses
        assert said[f"{name}_auth_methods_supported"] == ["private_key_jwt"]
        assert said[f"{name}_auth_signing_alg_values_supported"] == ["ES256"]


def test_every_scope_that_the_metadata_names_opens_some_door(app: Flask) -> None:
    said = get(app, "/.well-known/oauth-authorization-server").get_json()
    assert set(said["scopes_supported"]) == SCOPES - {"oversight:write"}


def test_the_key_set_holds_a_public_key_and_no_private_part(app: Flask) -> None:
    (key,) = get(app, "/oauth/jwks.json").get_json()["keys"]
    assert "d" not in key
    assert PublicKey.from_jwk(key, KeyUse.CLIENT).kid == key["kid"]


def test_the_endpoints_take_no_other_method(app: Flask) -> None:
    for path in ("/oauth/token", "/oauth/revoke", "/oauth/introspect"):
        assert get(app, path).status_code == 405
