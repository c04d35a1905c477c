# SPDX-License-Identifier: Apache-2.0
"""Calls with a token: the proof that goes with it, and everything that ends a token (RFC 9449 §7; OAU-19 to OAU-25)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import event
from werkzeug.test import TestResponse

from consent.jwk import KeyUse, generate
from hub.agencies import service
from hub.base.db import Database, Duty, now
from hub.oauth import tokens
from hub.oauth.dpop import token_hash
from tests.hub.builders import (
    ISSUER,
    ApiClient,
    TestAgency,
    active_agency,
    api_client,
    officer,
    proof,
)

PATH = "/v1/agencies"


def call(app: Flask, method: str = "GET", path: str = PATH, **headers: str) -> TestResponse:
    with app.test_client() as client:
        return client.open(path, method=method, base_url=ISSUER, headers=headers)


def with_proof(caller: ApiClient, app: Flask, method: str = "GET", path: str = PATH, **claims: Any) -> TestResponse:
    token = caller.token()
    made = proof(caller.dpop_key, "GET", PATH, at=datetime.now(UTC), token=token, **claims)
    return call(app, method, path, Authorization=f"DPoP {token}", DPoP=made)


def challenge(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.headers["WWW-Authenticate"]


INVALID_PROOF = (401, 'DPoP algs="ES256", error="invalid_dpop_proof"')
INVALID_TOKEN = (401, 'DPoP algs="ES256", error="invalid_token"')


def test_a_token_with_its_proof_gets_through(caller: ApiClient, app: Flask) -> None:
    assert with_proof(caller, app).status_code == 200


def test_a_query_is_no_part_of_what_is_proved(caller: ApiClient, app: Flask) -> None:
    assert with_proof(caller, app, path=f"{PATH}?limit=1").status_code == 200
    assert with_proof(caller, app, path=f"{PATH}?limit=1", htu=f"{ISSUER}{PATH}?limit=2").status_code == 200


@pytest.mark.parametrize("authorization", ["", "DPoP", "Basic eDp5", "DPoP "])
def test_without_a_token_the_answer_names_the_scheme(app: Flask, authorization: str) -> None:
    answer = call(app, Authorization=authorization) if authorization else call(app)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('DPoP algs="ES256"')


def test_oau_19_a_bound_token_without_proof_is_refused(caller: ApiClient, app: Flask) -> None:
    assert challenge(call(app, Authorization=f"DPoP {caller.token()}")) == INVALID_PROOF


def test_oau_19_a_bound_token_sent_as_bearer_is_refused(caller: ApiClient, app: Flask) -> None:
    token = caller.token()
    made = proof(caller.dpop_key, "GET", PATH, at=datetime.now(UTC), token=token)
    assert challenge(call(app, Authorization=f"Bearer {token}", DPoP=made)) == INVALID_TOKEN
    assert challenge(call(app, Authorization=f"Bearer {token}")) == INVALID_TOKEN


def test_oau_21_a_proof_for_another_method_is_refused(caller: ApiClient, app: Flask) -> None:
    assert challenge(with_proof(caller, app, "POST", "/v1/keys", htu=f"{ISSUER}/v1/keys")) == INVALID_PROOF


@pytest.mark.parametrize(
    "htu", [f"{ISSUER}/v1/inbox", "https://other.example/v1/agencies", "/v1/agencies", "", f"{ISSUER}{PATH}/"]
)
def test_oau_21_a_proof_for_another_address_is_refused(caller: ApiClient, app: Flask, htu: str) -> None:
    assert challenge(with_proof(caller, app, htu=htu)) == INVALID_PROOF


@pytest.mark.parametrize("shift", [-3600, -62, 12, 3600])
def test_oau_22_a_proof_of_another_time_is_refused(caller: ApiClient, app: Flask, shift: int) -> None:
    at = int(datetime.now(UTC).timestamp())
    assert challenge(with_proof(caller, app, iat=at + shift)) == INVALID_PROOF


@pytest.mark.parametrize("shift", [-50, -10, 8])
def test_oau_22_clocks_may_differ_a_little(caller: ApiClient, app: Flask, shift: int) -> None:
    at = int(datetime.now(UTC).timestamp())
    assert with_proof(caller, app, iat=at + shift).status_code == 200


def test_oau_22_a_proof_is_good_once(caller: ApiClient, app: Flask) -> None:
    assert with_proof(caller, app, jti="the-same").status_code == 200
    assert challenge(with_proof(caller, app, jti="the-same")) == INVALID_PROOF


@pytest.mark.parametrize(
    "claims",
    [{"jti": None}, {"jti": 7}, {"jti": "x" * 200}, {"iat": None}, {"iat": "now"}, {"ath": None}, {"htm": "get"}],
)
def test_a_proof_that_lacks_something_is_refused(caller: ApiClient, app: Flask, claims: dict[str, Any]) -> None:
    assert challenge(with_proof(caller, app, **claims)) == INVALID_PROOF


def test_a_proof_for_another_token_is_refused(caller: ApiClient, app: Flask) -> None:
    made = proof(caller.dpop_key, "GET", PATH, at=datetime.now(UTC), token="another")
    assert challenge(call(app, Authorization=f"DPoP {caller.token()}", DPoP=made)) == INVALID_PROOF


def test_a_stolen_token_is_no_use_without_its_key(caller: ApiClient, app: Flask) -> None:
    token = caller.token()
    made = proof(generate(KeyUse.CLIENT), "GET", PATH, at=datetime.now(UTC), token=token)
    assert challenge(call(app, Authorization=f"DPoP {token}", DPoP=made)) == INVALID_TOKEN


@pytest.mark.parametrize("change", ["typ", "alg", "private", "kid", "other-key"])
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_proof_with_another_header_is_refused(caller: ApiClient, app: Flask, change: str) -> None:
    token = caller.token()
    public = {name: value for name, value in caller.dpop_key.export().items() if name in {"kty", "crv", "x", "y"}}
    header: dict[str, Any] = {"typ": "dpop+jwt", "alg": "ES256", "jwk": public}
    if change == "typ":
        header["typ"] = "JWT"
    if change == "alg":
        header["alg"] = "ES384"
    if change == "private":
        header["jwk"] = {**public, "d": caller.dpop_key.export()["d"]}
    if change == "kid":
        header["kid"] = "x"
    signing = ECKey.import_key(caller.dpop_key.native)
    if change == "alg":
        signing = ECKey.generate_key("P-384")
    if change == "other-key":
        signing = ECKey.generate_key("P-256")
    at = int(datetime.now(UTC).timestamp())
    claims = {"jti": change, "htm": "GET", "htu": ISSUER + PATH, "iat": at, "ath": _ath(token)}
    made = jwt.encode(header, claims, signing, algorithms=[header["alg"]])
    assert challenge(call(app, Authorization=f"DPoP {token}", DPoP=made)) == INVALID_PROOF


def _ath(token: str) -> str:
    return token_hash(token)


@pytest.mark.parametrize("token", ["x", "é", "x" * 65, "x y", "' or 1=1 --"])
def test_a_token_that_never_was_is_refused(caller: ApiClient, app: Flask, token: str) -> None:
    made = proof(caller.dpop_key, "GET", PATH, at=datetime.now(UTC), token=token)
    assert challenge(call(app, Authorization=f"DPoP {token}", DPoP=made)) == INVALID_TOKEN


def test_oau_25_a_suspended_agency_is_out_at_the_next_request(
    caller: ApiClient, app: Flask, database: Database
) -> None:
    assert with_proof(caller, app).status_code == 200
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.suspend(session, caller.agency.id, officer(), now=now(session))
    assert challenge(with_proof(caller, app)) == INVALID_TOKEN


def test_a_token_ends_after_five_minutes_of_the_hubs_time(caller: ApiClient, database: Database) -> None:
    token = caller.token()
    with database.transaction(None, Duty.SIGN_IN) as session:
        at = now(session)
        assert tokens.live(session, token, at + timedelta(minutes=4, seconds=50)) is not None
        assert tokens.live(session, token, at + timedelta(minutes=5, seconds=1)) is None


def test_old_tokens_are_forgotten_by_the_worker_and_live_ones_kept(
    caller: ApiClient, database: Database, jobs_database: Database
) -> None:
    token = caller.token()
    with jobs_database.transaction(None) as session:
        at = now(session)
        assert tokens.forget_expired(session, now=at) == 0
    with database.transaction(None, Duty.SIGN_IN) as session:
        assert tokens.live(session, token, now(session)) is not None
    with jobs_database.transaction(None) as session:
        assert tokens.forget_expired(session, now=at + timedelta(days=2)) == 1


def test_checking_a_token_is_one_query(caller: ApiClient, database: Database) -> None:
    token, seen = caller.token(), []
    with database.transaction(None, Duty.SIGN_IN) as session:
        at = now(session)
        event.listen(database.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        assert tokens.live(session, token, at) is not None
    assert len(seen) == 1


def test_requests_of_agencies_see_no_tokens(caller: ApiClient, database: Database) -> None:
    token = caller.token()
    with database.transaction(caller.agency.id) as session:
        assert tokens.live(session, token, now(session)) is None


def test_another_agencys_token_is_another_caller(app: Flask, database: Database, agency: TestAgency) -> None:
    other = api_client(app, active_agency(database, "houterasu"))
    assert other.get(f"/v1/agencies/{agency.id}").get_json()["id"] == agency.id
