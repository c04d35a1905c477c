# SPDX-License-Identifier: Apache-2.0
"""Agencies, cases, signed records and the calls that bring them in, for the tests of cases, intakes and meetings."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from flask.testing import FlaskClient

from consent.receipts import (
    ConsentRecord,
    ExclusionRecord,
    ExclusionRevocationRecord,
    StatusRecord,
    WithdrawalRecord,
    sign_statement,
    statement_hash,
)
from consent.scopes import Direction, Scope
from hub.base.db import Database
from tests.hub.builders import TestAgency, active_agency, new_uuid

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def intake(database: Database) -> TestAgency:
    return active_agency(database, "jiritsu")


@pytest.fixture
def council(database: Database) -> TestAgency:
    return active_agency(database, "shakyo")


@pytest.fixture
def lawyers(database: Database) -> TestAgency:
    return active_agency(database, "bengoshi")


@pytest.fixture
def stranger(database: Database) -> TestAgency:
    """An agency that has nothing to do with anything."""
    return active_agency(database, "hellowork")


def present() -> datetime:
    return datetime.now(UTC)


def new_handle() -> str:
    return str(uuid.uuid4())


def opened_case(client: FlaskClient, agency: TestAgency, handle: str | None = None) -> str:
    handle = handle or new_handle()
    assert client.by(agency.id).say("/v1/cases", {"case": handle}).status_code in {200, 201}
    return handle


def scope(case: str, hub: TestAgency, partner: str, /, **changes) -> Scope:
    """Give a consent signed just now by the person, for one partner and a year."""
    made = Scope(
        id=new_uuid(),
        case=case,
        form=new_uuid(),
        kind="intake_form",
        hub_parties=frozenset({hub.id}),
        partners=frozenset({partner}),
        direction=Direction.BOTH,
        purposes=frozenset({"koguchi_shikin"}),
        categories=frozenset({"identity", "income_assets"}),
        valid_from=present() - HOUR,
        valid_until=present() + 300 * DAY,
        signature="self",
        signed_at=present() - HOUR,
        written_by="person",
        form_version="2026.1",
        template="municipal.1",
        evidence="ab" * 32,
    )
    return replace(made, **changes)


def signed(agency: TestAgency, record) -> str:
    return sign_statement(record, agency.sig)


def consent(agency: TestAgency, wanted: Scope) -> str:
    return signed(agency, ConsentRecord.of(wanted, agency.id))


def registered(client: FlaskClient, agency: TestAgency, case: str, partner: str, /, **changes) -> dict:
    """Register a consent and give the answer."""
    token = consent(agency, scope(case, agency, partner, **changes))
    answer = client.by(agency.id).say("/v1/consents", {"record": token})
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def exclusion(agency: TestAgency, case: str, /, *to: str, categories=("contact",), **changes) -> str:
    members = {
        "id": new_uuid(),
        "agency": agency.id,
        "case": case,
        "to": frozenset(to),
        "categories": frozenset(categories),
        "from_time": present(),
        "words_digest": "cd" * 32,
    }
    return signed(agency, ExclusionRecord(**(members | changes)))


def revocation(agency: TestAgency, case: str, revokes: str, /, **changes) -> str:
    members = {"id": new_uuid(), "agency": agency.id, "case": case, "revokes": revokes, "at": present()}
    return signed(agency, ExclusionRevocationRecord(**(members | changes)))


def withdrawal(agency: TestAgency, case: str, /, *scopes: str, to=(), categories=(), **changes) -> str:
    members = {
        "id": new_uuid(),
        "agency": agency.id,
        "case": case,
        "scopes": frozenset(scopes),
        "to": frozenset(to),
        "categories": frozenset(categories),
        "at": present(),
    }
    return signed(agency, WithdrawalRecord(**(members | changes)))


def status(agency: TestAgency, case: str, known: dict, as_of: datetime, /, **changes) -> str:
    members = {
        "id": new_uuid(),
        "agency": agency.id,
        "case": case,
        "consent": known["id"],
        "hash": statement_hash(known["record"]),
        "as_of": as_of,
        "next_by": as_of + 24 * HOUR,
    }
    return signed(agency, StatusRecord(**(members | changes)))


def closed(client: FlaskClient, agency: TestAgency, case: str) -> None:
    """Close a case without follow-up."""
    by = client.by(agency.id)
    version = by.get(f"/v1/cases/{case}").get_json()["version"]
    closure = {"ground": "improved", "follow_up": {"none": True, "no_follow_up_reason": "not_needed"}}
    answer = by.say(f"/v1/cases/{case}/steps", {"step": "13", "closure": closure}, if_match=version)
    assert answer.status_code == 200, answer.get_json()


def rows(place, statement: str, *values: object) -> list[tuple]:
    """Ask the database as its administrator: what nobody else may see."""
    with psycopg.connect(place.admin_url.replace("+psycopg", "")) as connection:
        done = connection.execute(statement, values)
        return done.fetchall() if done.description else []


def logged(place, kind: str) -> int:
    """Count the audit entries of a kind that wait for the log."""
    return rows(place, "select count(*) from audit_pending where kind = %s", kind)[0][0]
