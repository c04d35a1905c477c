# SPDX-License-Identifier: Apache-2.0
"""Agencies for the hub's tests: made by the real services, calling with real tokens and real DPoP proofs."""

from __future__ import annotations

import secrets
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar

from flask import Flask
from werkzeug.test import TestResponse

from consent.ids import uuid7
from consent.jwk import KeyUse, PrivateKey, generate
from consent.keys import SignedEntry, fingerprint_words, new_entry, sign_entry
from consent.registration import Registration, write_registration
from consent.signing import sign_jwt
from hub.agencies import service
from hub.agencies.rules import OFFICER, OPERATOR, Approver
from hub.app import create_app
from hub.base import hubkeys
from hub.base.config import Settings
from hub.base.db import Database, Duty, now

ISSUER = "https://hub.example"
ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
"""The window of a builder's keys: a test that moves the clock need not think of them."""
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def new_uuid(at: datetime | None = None) -> str:
    return uuid7(at or datetime.now(UTC), secrets.token_bytes(10))


def operator() -> Approver:
    return Approver(staff=new_uuid(), role=OPERATOR)


def officer() -> Approver:
    return Approver(staff=new_uuid(), role=OFFICER)


@dataclass(frozen=True, kw_only=True)
class TestAgency:
    """An agency with every private key it has; `first_entries` are its first key entries in the order sig,
    enc, client.
    """

    __test__: ClassVar[bool] = False

    id: str
    kind: str
    root: PrivateKey
    sig: PrivateKey
    enc: PrivateKey
    client: PrivateKey

    def first_entries(self, window: tuple[datetime, datetime] = ALWAYS) -> tuple[SignedEntry, ...]:
        start, end = window
        made = {
            key.use: new_entry(key.public, agency=self.id, not_before=start, not_after=end)
            for key in (self.sig, self.enc, self.client)
        }
        return (
            sign_entry(made[KeyUse.SIG], by_self=self.sig, by_root=self.root),
            sign_entry(made[KeyUse.ENC], by_previous=self.sig),
            sign_entry(made[KeyUse.CLIENT], by_self=self.client, by_root=self.root),
        )

    def registration(self, **changes: Any) -> Registration:
        members: dict[str, Any] = {
            "agency": self.id,
            "kind": self.kind,
            "name_ja": f"架空の機関 {self.id[-12:]}",
            "name_en": f"Fictional agency {self.id[-12:]}",
            "root": self.root.public.jwk(),
            "entries": self.first_entries(),
        }
        return Registration(**(members | changes))

    @property
    def words(self) -> str:
        return " ".join(fingerprint_words(self.root.public, "ja"))


def new_agency(kind: str = "shakyo", *, agency_id: str | None = None) -> TestAgency:
    """Make an agency that the hub does not know yet."""
    return TestAgency(
        id=agency_id or new_uuid(),
        kind=kind,
        root=generate(KeyUse.ROOT),
        sig=generate(KeyUse.SIG),
        enc=generate(KeyUse.ENC),
        client=generate(KeyUse.CLIENT),
    )


def pending_agency(database: Database, kind: str = "shakyo", **changes: Any) -> TestAgency:
    """Register an agency; nobody has confirmed it. `changes`: members of the registration."""
    agency = new_agency(kind)
    with database.transaction(None, Duty.DIRECTORY) as session:
        document = write_registration(agency.registration(**changes))
        # Two made-up names may look alike; that refusal has a test of its own.
        service.register(session, document, now=now(session), name_was_checked=True)
    return agency


def active_agency(database: Database, kind: str = "shakyo", *, may_convene: bool = False, **changes: Any) -> TestAgency:
    """Register an agency and have an operator and an officer confirm it. `changes`: members of the
    registration.
    """
    agency = pending_agency(database, kind, **changes)
    with database.transaction(None, Duty.DIRECTORY) as session:
        for person in (operator(), officer()):
            service.confirm(session, agency.id, person, agency.words, now=now(session))
            if may_convene:
                service.set_convening(session, agency.id, person, allowed=True, now=now(session))
    return agency


def assertion(agency: TestAgency, *, at: datetime, key: PrivateKey | None = None, **claims: Any) -> str:
    """Write a client assertion (RFC 7523); `claims` replace what a right one says, None leaves one out."""
    seconds = int(at.timestamp())
    members = {
        "iss": agency.id,
        "sub": agency.id,
        "aud": ISSUER,
        "jti": secrets.token_urlsafe(12),
        "iat": seconds,
        "exp": seconds + 60,
    } | claims
    return sign_jwt({name: value for name, value in members.items() if value is not None}, key or agency.client)


def proof(key: PrivateKey, method: str, path: str, *, at: datetime, token: str | None = None, **claims: Any) -> str:
    """Write a DPoP proof (RFC 9449); `claims` replace what a right one says, None leaves one out."""
    members = {
        "jti": secrets.token_urlsafe(12),
        "htm": method,
        "htu": ISSUER + path.split("?", 1)[0],
        "iat": int(at.timestamp()),
        "ath": None if token is None else _hash(token),
    } | claims
    right = {name: value for name, value in members.items() if value is not None}
    return sign_jwt(right, key, typ="dpop+jwt", jwk=True)


def _hash(token: str) -> str:
    return urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()


def _wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class ApiClient:
    """Calls the API as an agency's connector does; a token is fetched when there is none and every five
    minutes.
    """

    app: Flask
    agency: TestAgency
    clock: Callable[[], datetime] = _wall_clock
    scopes: str | None = None
    language: str = "en"
    dpop_key: PrivateKey = field(default_factory=lambda: generate(KeyUse.CLIENT))
    _token: str = ""
    _until: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def token(self) -> str:
        at = self.clock()
        if at >= self._until:
            answer = self.ask_for_token()
            assert answer.status_code == 200, answer.get_json()
            self._token, self._until = answer.get_json()["access_token"], at + timedelta(minutes=4)
        return self._token

    def ask_for_token(self, **form: Any) -> TestResponse:
        """Post to the token endpoint; `form` replaces members of the right form, None leaves one out."""
        at = self.clock()
        proven = form.pop("dpop", None) or proof(self.dpop_key, "POST", "/oauth/token", at=at)
        members = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(self.agency, at=at),
            "scope": self.scopes,
        } | form
        right = {name: value for name, value in members.items() if value is not None}
        with self.app.test_client() as client:
            return client.post("/oauth/token", base_url=ISSUER, data=right, headers={"DPoP": proven})

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("POST", path, json=json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("PATCH", path, json=json, **options)

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        key: str | None = None,
        if_match: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Send one request; `key` is the Idempotency-Key (made up when none is given), `if_match` an ETag
        or its bare text.
        """
        token = self.token()
        sent = {
            "Authorization": f"DPoP {token}",
            "DPoP": proof(self.dpop_key, method, path, at=self.clock(), token=token),
            "Accept-Language": self.language,
        }
        if method == "POST":
            sent["Idempotency-Key"] = key or str(uuid.uuid4())
        if if_match is not None:
            sent["If-Match"] = f'"{if_match.strip(chr(34))}"'
        with self.app.test_client() as client:
            return client.open(path, method=method, base_url=ISSUER, json=json, headers=sent | dict(headers or {}))


def api_client(app: Flask, agency: TestAgency, **options: Any) -> ApiClient:
    """Give a client for this agency; `options` are ApiClient's fields (clock, scopes, language)."""
    return ApiClient(app=app, agency=agency, **options)


def open_app(settings: Settings, database: Database) -> Flask:
    """Build the whole hub: the real gate, the real authorization server, every endpoint."""
    return create_app(settings, database, keys=hubkeys.load(settings.data))
