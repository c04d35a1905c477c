# SPDX-License-Identifier: Apache-2.0
"""The console of a whole hub, looked at by the test client; people sign in by a session made in the database."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.test import TestResponse

from hub.app import create_app
from hub.audit import jobs as log_jobs
from hub.audit.rules import origin
from hub.audit.sequencer import Signer
from hub.base import hubkeys
from hub.base.config import Settings
from hub.base.db import Database, Duty, Role, now
from hub.staff import service as staff
from hub.staff import sessions
from hub.staff.rules import Role as StaffRole
from hub.web.work import EXTENSION
from tests.hub.conftest import ISSUER, NOWHERE, HubClient

SESSION = "__Host-tsunagi-console-session"


@dataclass
class Looking:
    """One person's browser at the console."""

    client: HubClient
    staff_id: str = ""
    token: str = ""

    def get(self, path: str, **more) -> TestResponse:
        return self.client.get(path, **more)

    def soup(self, path: str) -> BeautifulSoup:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return BeautifulSoup(answer.text, "html.parser")

    def guard(self, path: str = "/console/me") -> str:
        """Read the hidden field of a form."""
        return re.search(r'name="csrf_token" value="([0-9a-f]{64})"', self.get(path).text)[1]

    def send(self, path: str, fields: dict[str, str] | None = None, *, seen: str = "/console/me", **more):
        """Send a form that was seen on a page."""
        return self.client.post(path, data={"csrf_token": self.guard(seen), **(fields or {})}, **more)

    def say(self, path: str, body: object, *, seen: str = "/console/me"):
        """Send JSON as the script does."""
        return self.client.post(path, json=body, headers={"X-CSRFToken": self.guard(seen)})


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> hubkeys.HubKeys:
    return hubkeys.load(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="session")
def whole(keys) -> Flask:
    """The app, made once in a process for all tests of the console."""
    settings = Settings(
        database_url=NOWHERE,
        migration_url=NOWHERE,
        redis_url=None,
        issuer=ISSUER,
        data=Path(os.devnull),
        environment="test",
    )
    made = create_app(settings, Database(NOWHERE, Role.HUB), keys=keys)
    made.test_client_class = HubClient
    return made


@pytest.fixture
def oversight(hub_database):
    """As the console's readers see the database (tsn_dpo)."""
    opened = Database(hub_database.url, Role.DPO)
    yield opened
    opened.close()


@pytest.fixture
def console(whole, settings, database, oversight, keys):
    receipts = hubkeys.Receipts(hub=ISSUER, key=keys.receipt)
    for one in (database, oversight):
        one.givens.update({hubkeys.RECEIPTS: receipts, hubkeys.LOG_KEY: keys.log.public})
    hub = whole.extensions[EXTENSION]
    whole.extensions[EXTENSION] = replace(hub, settings=settings, database=database, oversight=oversight)
    return whole


@pytest.fixture
def visitor(console) -> Looking:
    """A browser in which nobody has signed in."""
    return Looking(client=console.test_client())


@pytest.fixture
def signed_in(console, database, sequence):
    """Give the browser of somebody of a role who has signed in; that they were enrolled is entry 0 of the log."""

    def enter(role: StaffRole = StaffRole.OFFICER, *, agency: str | None = None) -> Looking:
        with database.transaction(None, Duty.SIGN_IN) as session:
            at = now(session)
            staff_id = staff.enrol(session, role, None, now=at, agency=agency)
            token = sessions.begin(session, staff_id, now=at)
        sequence()
        client = console.test_client()
        client.set_cookie(SESSION, token, domain="hub.example")
        return Looking(client=client, staff_id=staff_id, token=token)

    return enter


@pytest.fixture
def signer(keys) -> Signer:
    return Signer(key=keys.log, origin=origin(ISSUER))


@pytest.fixture
def sequence(sequencer_database, signer):
    """Put what is pending into the log."""
    return lambda: log_jobs.sequence(sequencer_database, signer)
