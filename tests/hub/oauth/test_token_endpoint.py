# SPDX-License-Identifier: Apache-2.0
"""What gets a token and what does not: client assertions (RFC 7523), scopes, the form, the proof (OAU-12 to OAU-27)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from werkzeug.test import TestResponse

from consent.jwk import KeyUse, PrivateKey, generate
from consent.keys import new_entry, peek_entry, revoke, sign_entry
from hub.agencies import reads, service
from hub.base.config import Settings
from hub.base.db import Database, Duty, now
from hub.oauth import clients
from hub.oauth.clients import AGENCY_SCOPES
from tests.hub.builders import (
    ASSERTION_TYPE,
    ISSUER,
    ApiClient,
    TestAgency,
    api_client,
    assertion,
    new_uuid,
    officer,
    open_app,
    operator,
    pending_agency,
    proof,
)


def refused(answer: TestResponse) -> tuple[int, str]:
    """Give status and error, after seeing that nothing else is said (RFC 6749 §5.2; nothing is echoed)."""
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(answer.get_json()) == ["error"]
    return answer.status_code, answer.get_json()["error"]


def test_an_agency_gets_a_short_token_with_every_scope(caller: ApiClient) -> None:
    answer = caller.ask_for_token()
    assert answer.status_code == 200
    body = answer.get_json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"]) == ("DPoP", 300)
    assert set(body["scope"].split()) == set(AGENCY_SCOPES)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_token_is_kept_as_a_hash_only(caller: ApiClient, database: Database) -> None:
    token = caller.token()
    with database.transaction(None, Duty.SIGN_IN) as session:
        rows = session.execute(sa.text("select oauth_tokens::text from oauth_tokens")).scalars().all()
    assert len(rows) == 1
    assert token not in rows[0]
    assert token.encode().hex() not in rows[0]


def test_fewer_scopes_may_be_asked_for(caller: ApiClient) -> None:
    answer = caller.ask_for_token(scope="directory:read keys:write")
    assert answer.get_json()["scope"] == "directory:read keys:write"


@pytest.mark.parametrize("aud", ["https://other.example", f"{ISSUER}/oauth/token", f"{ISSUER}/", [ISSUER], None])
def test_oau_13_an_assertion_for_another_audience_is_refused(caller: ApiClient, aud: Any) -> None:
    wrong = assertion(caller.agency, at=datetime.now(UTC), aud=aud)
    assert refused(caller.ask_for_token(client_assertion=wrong)) == (401, "invalid_client")


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": -360, "exp": -300},
        {"iat": 61, "exp": 120},
        {"nbf": 61},
        {"exp": 2 * 3600},
    ],
)
def test_oau_15_an_assertion_of_another_time_is_refused(caller: ApiClient, claims: dict[str, int]) -> None:
    at = int(datetime.now(UTC).timestamp())
    wrong = assertion(caller.agency, at=datetime.now(UTC), **{name: at + shift for name, shift in claims.items()})
    assert refused(caller.ask_for_token(client_assertion=wrong)) == (401, "invalid_client")


def test_oau_15_a_clock_eight_seconds_ahead_is_accepted(caller: ApiClient) -> None:
    early = assertion(caller.agency, at=datetime.now(UTC) + timedelta(seconds=8))
    assert caller.ask_for_token(client_assertion=early).status_code == 200


def test_oau_16_an_assertion_is_good_once_also_for_a_second_process(
    caller: ApiClient, settings: Settings, database: Database
) -> None:
    once = assertion(caller.agency, at=datetime.now(UTC))
    assert caller.ask_for_token(client_assertion=once).status_code == 200
    assert refused(caller.ask_for_token(client_assertion=once)) == (401, "invalid_client")
    other = api_client(open_app(settings, database), caller.agency)
    assert refused(other.ask_for_token(client_assertion=once)) == (401, "invalid_client")


def _signed_otherwise(agency: TestAgency, how: str) -> str:
    at = int(datetime.now(UTC).timestamp())
    claims = {"iss": agency.id, "sub": agency.id, "aud": ISSUER, "jti": "x", "iat": at, "exp": at + 60}
    jwk = agency.client.export()
    keys = {
        "RS256": lambda: RSAKey.generate_key(2048),
        "HS256": lambda: OctKey.import_key(jwk["x"]),
        "Ed25519": lambda: OKPKey.import_key(agency.sig.native),
        "none": lambda: OctKey.import_key("x" * 32),
        "ES256": lambda: ECKey.generate_key("P-256"),
    }
    return jwt.encode({"alg": how, "kid": agency.client.kid}, claims, keys[how](), algorithms=[how])


@pytest.mark.parametrize("how", ["RS256", "HS256", "Ed25519", "none", "ES256"])
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_oau_18_only_es256_by_the_clients_own_key_is_taken(caller: ApiClient, how: str) -> None:
    wrong = _signed_otherwise(caller.agency, how)
    assert refused(caller.ask_for_token(client_assertion=wrong)) == (401, "invalid_client")


@pytest.mark.parametrize("name", ["iss", "sub", "jti", "exp"])
def test_an_assertion_without_a_claim_it_needs_is_refused(caller: ApiClient, name: str) -> None:
    wrong = assertion(caller.agency, at=datetime.now(UTC), **{name: None})
    assert refused(caller.ask_for_token(client_assertion=wrong)) == (401, "invalid_client")


@pytest.mark.parametrize(
    "claims",
    [{"sub": 7}, {"sub": "x"}, {"sub": "' or 1=1"}, {"iss": "other"}, {"jti": 7}, {"jti": "x" * 200}, {"exp": 1.5},
     {"exp": True}, {"iat": "now"}],
)  # fmt: skip
def test_an_assertion_with_a_claim_of_another_form_is_refused(caller: ApiClient, claims: dict[str, Any]) -> None:
    wrong = assertion(caller.agency, at=datetime.now(UTC), **claims)
    assert refused(caller.ask_for_token(client_assertion=wrong)) == (401, "invalid_client")


@pytest.mark.parametrize(
    "text", ["", "x", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "e30.e30.e30", "x" * 5000, "eyJhbGciOiJFUzI1NiJ9.W10.x"]
)
def test_what_is_no_assertion_is_refused(caller: ApiClient, text: str) -> None:
    assert refused(caller.ask_for_token(client_assertion=text)) == (401, "invalid_client")


def test_there_is_no_other_way_to_authenticate(caller: ApiClient) -> None:
    for form in (
        {"client_assertion": None, "client_id": caller.agency.id, "client_secret": "secret"},
        {"client_assertion": None, "client_id": caller.agency.id},
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
    ):
        assert refused(caller.ask_for_token(**form)) == (401, "invalid_client")


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "<b>", None])
def test_oau_12_no_other_grant_exists(caller: ApiClient, grant: str | None) -> None:
    assert refused(caller.ask_for_token(grant_type=grant)) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("scope", ["oversight:write", "directory:read everything", "directory:read,keys:write"])
def test_a_scope_that_agencies_do_not_have_is_refused(caller: ApiClient, scope: str) -> None:
    assert refused(caller.ask_for_token(scope=scope)) == (400, "invalid_scope")


def _further(database: Database, agency: TestAgency, *scopes: str) -> TestAgency:
    """Give the agency one more client and dress it up as one that signs in as that."""
    key = generate(KeyUse.CLIENT)
    with database.transaction(None, Duty.DIRECTORY) as session:
        client = clients.open_further(session, agency=agency.id, key=key.public, scopes=scopes, now=now(session))
    return replace(agency, id=client, client=key)


def test_oau_27_a_client_with_fewer_scopes_cannot_widen_them(
    app: Flask, database: Database, agency: TestAgency
) -> None:
    board = api_client(app, _further(database, agency, "referrals:read"))
    assert board.ask_for_token().get_json()["scope"] == "referrals:read"
    assert refused(board.ask_for_token(scope="referrals:send")) == (400, "invalid_scope")
    assert refused(board.ask_for_token(scope="referrals:read referrals:send")) == (400, "invalid_scope")


def test_a_further_client_calls_for_its_agency_and_only_what_it_may(
    app: Flask, database: Database, agency: TestAgency
) -> None:
    board = api_client(app, _further(database, agency, "directory:read"))
    assert board.get(f"/v1/agencies/{agency.id}").status_code == 200
    assert board.post("/v1/keys", {}).status_code == 403


def test_a_closed_client_is_out_at_once(app: Flask, database: Database, agency: TestAgency) -> None:
    dressed = _further(database, agency, "directory:read")
    board = api_client(app, dressed)
    assert board.get("/v1/agencies").status_code == 200
    with database.transaction(None, Duty.DIRECTORY) as session:
        clients.close(session, dressed.id, now=now(session))
    assert board.get("/v1/agencies").status_code == 401
    assert refused(board.ask_for_token()) == (401, "invalid_client")


def test_a_client_nobody_knows_is_refused(caller: ApiClient) -> None:
    stranger = replace(caller.agency, id=new_uuid())
    wrong = assertion(stranger, at=datetime.now(UTC))
    assert refused(caller.ask_for_token(client_assertion=wrong)) == (401, "invalid_client")


def test_an_agency_that_nobody_confirmed_gets_no_token(app: Flask, database: Database) -> None:
    waiting = api_client(app, pending_agency(database))
    assert refused(waiting.ask_for_token()) == (401, "invalid_client")


def test_a_suspended_agency_gets_no_token_until_two_people_resume_it(caller: ApiClient, database: Database) -> None:
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.suspend(session, caller.agency.id, operator(), now=now(session))
    assert refused(caller.ask_for_token()) == (401, "invalid_client")
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.resume(session, caller.agency.id, operator(), now=now(session))
    assert refused(caller.ask_for_token()) == (401, "invalid_client")
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.resume(session, caller.agency.id, officer(), now=now(session))
    assert caller.ask_for_token().status_code == 200


def test_a_rotated_client_key_signs_in_beside_the_old_one(caller: ApiClient, database: Database) -> None:
    agency, newer = caller.agency, generate(KeyUse.CLIENT)
    _publish(database, agency, newer)
    for key in (newer, agency.client):
        signed = assertion(agency, at=datetime.now(UTC), key=key)
        assert caller.ask_for_token(client_assertion=signed).status_code == 200


def test_a_revoked_client_key_is_out_at_once_with_the_tokens_it_got(caller: ApiClient, database: Database) -> None:
    agency = caller.agency
    assert caller.get("/v1/agencies").status_code == 200
    with database.transaction(agency.id) as session:
        at = now(session)
        first = peek_entry(agency.first_entries()[2])
        end = sign_entry(revoke(first, after=first, at=at), by_previous=agency.sig)
        service.publish_key(session, agency.id, end, now=at)
    assert caller.get("/v1/agencies").status_code == 401
    assert refused(caller.ask_for_token()) == (401, "invalid_client")


def _publish(database: Database, agency: TestAgency, newer: PrivateKey) -> None:
    with database.transaction(agency.id) as session:
        at = now(session)
        last = [key for key in reads.keys(session, agency.id) if key.use == newer.use.value][-1]
        entry = new_entry(
            newer.public,
            agency=agency.id,
            not_before=at,
            not_after=at + timedelta(days=180),
            after=peek_entry(last.signed),
        )
        signed = sign_entry(entry, by_self=newer, by_previous=agency.client)
        service.publish_key(session, agency.id, signed, now=at)


def test_a_form_member_that_comes_twice_is_refused(caller: ApiClient, app: Flask) -> None:
    at = datetime.now(UTC)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(caller.agency, at=at),
        "scope": ["directory:read", "keys:write"],
    }
    headers = {"DPoP": proof(caller.dpop_key, "POST", "/oauth/token", at=at)}
    with app.test_client() as client:
        answer = client.post("/oauth/token", base_url=ISSUER, data=form, headers=headers)
        assert refused(answer) == (400, "invalid_request")
        del form["scope"]
        answer = client.post("/oauth/token?scope=keys:write", base_url=ISSUER, data=form, headers=headers)
        assert refused(answer) == (400, "invalid_request")
        answer = client.post("/oauth/token", base_url=ISSUER, json=form, headers=headers)
        assert refused(answer) == (400, "invalid_request")


@pytest.mark.parametrize("dpop", ["", "x", "a.b.c"])
def test_no_token_without_a_proof(caller: ApiClient, app: Flask, dpop: str) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(caller.agency, at=datetime.now(UTC)),
    }
    with app.test_client() as client:
        answer = client.post("/oauth/token", base_url=ISSUER, data=form, headers={"DPoP": dpop} if dpop else {})
    assert refused(answer) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "claims",
    [{"htm": "GET"}, {"htu": f"{ISSUER}/oauth/revoke"}, {"htu": "https://other.example/oauth/token"}, {"iat": 0},
     {"ath": "x"}, {"jti": None}],
)  # fmt: skip
def test_no_token_with_a_proof_for_something_else(caller: ApiClient, claims: dict[str, Any]) -> None:
    wrong = proof(caller.dpop_key, "POST", "/oauth/token", at=datetime.now(UTC), **claims)
    assert refused(caller.ask_for_token(dpop=wrong)) == (400, "invalid_dpop_proof")


def test_a_proof_gets_one_token_only(caller: ApiClient) -> None:
    once = proof(caller.dpop_key, "POST", "/oauth/token", at=datetime.now(UTC))
    assert caller.ask_for_token(dpop=once).status_code == 200
    assert refused(caller.ask_for_token(dpop=once)) == (400, "invalid_dpop_proof")
