# SPDX-License-Identifier: Apache-2.0
"""The person's refusals: registered before any scope, ended only by an explicit word, shown to whom they bind."""

import pytest

from tests.hub.builders import new_uuid
from tests.hub.casework import (
    closed,
    exclusion,
    logged,
    new_handle,
    opened_case,
    registered,
    revocation,
    rows,
)


@pytest.fixture
def case(client, intake):
    return opened_case(client, intake)


def exclude(client, agency, case, token):
    return client.by(agency.id).say(f"/v1/cases/{case}/exclusions", {"record": token})


def test_a_refusal_needs_no_consent_and_stays_when_the_case_is_closed(client, intake, council, case, hub_database):
    closed(client, intake, case)
    answer = exclude(client, intake, case, exclusion(intake, case, council.id))
    assert answer.status_code == 201
    assert answer.get_json()["to"] == [council.id]
    assert logged(hub_database, "exclusion:registered") == 1


def test_the_same_refusal_again_is_the_same_answer_and_another_under_its_id_a_clash(
    client, intake, council, case, hub_database
):
    token = exclusion(intake, case, council.id)
    first = exclude(client, intake, case, token)
    assert exclude(client, intake, case, token).get_json() == first.get_json()
    other = exclusion(intake, case, "*", id=first.get_json()["id"])
    assert exclude(client, intake, case, other).get_json()["code"] == "id-clash"
    assert logged(hub_database, "exclusion:registered") == 1


def test_a_refusal_about_another_case_or_an_unknown_agency_is_refused(client, intake, council, case):
    elsewhere = exclusion(intake, new_handle(), council.id)
    assert exclude(client, intake, case, elsewhere).get_json()["code"] == "record-mismatch"
    unknown = exclusion(intake, case, new_uuid())
    assert exclude(client, intake, case, unknown).get_json()["code"] == "unknown-agency"


def test_a_partner_registers_no_refusal_on_the_case(client, intake, council, case):
    registered(client, intake, case, council.id)
    assert exclude(client, council, case, exclusion(council, case, "*")).status_code == 404


def test_a_partner_sees_only_its_own_name_in_a_refusal(client, intake, council, lawyers, case):
    registered(client, intake, case, council.id)
    registered(client, intake, case, lawyers.id)
    exclude(client, intake, case, exclusion(intake, case, council.id, lawyers.id))
    exclude(client, intake, case, exclusion(intake, case, lawyers.id))
    exclude(client, intake, case, exclusion(intake, case, "*"))
    items = client.by(council.id).get(f"/v1/cases/{case}/exclusions").get_json()["items"]
    assert [(item["to"], item["record"] is None) for item in items] == [([council.id], True), (["*"], False)]
    assert len(client.by(intake.id).get(f"/v1/cases/{case}/exclusions").get_json()["items"]) == 3


def test_an_agency_that_a_refusal_names_does_not_learn_that_there_is_a_case(
    client, intake, stranger, case, hub_database
):
    exclude(client, intake, case, exclusion(intake, case, stranger.id))
    assert client.by(stranger.id).get(f"/v1/cases/{case}/exclusions").status_code == 404
    assert rows(hub_database, "select count(*) from events") == [(0,)]


def test_only_an_explicit_signed_word_ends_a_refusal(client, intake, council, case, hub_database):
    made = exclude(client, intake, case, exclusion(intake, case, council.id)).get_json()
    path = f"/v1/cases/{case}/exclusions/{made['id']}/revoke"
    assert client.by(intake.id).say(path).status_code == 422
    wrong = client.by(intake.id).say(path, {"record": revocation(intake, case, new_uuid())})
    assert wrong.get_json()["code"] == "record-mismatch"
    token = revocation(intake, case, made["id"])
    ended = client.by(intake.id).say(path, {"record": token})
    assert ended.get_json()["revoked_at"] is not None
    assert client.by(intake.id).say(path, {"record": token}).get_json() == ended.get_json()
    assert logged(hub_database, "exclusion:revoked") == 1


def test_a_new_consent_does_not_end_a_refusal(client, intake, council, case):
    exclude(client, intake, case, exclusion(intake, case, council.id))
    registered(client, intake, case, council.id, categories=frozenset({"contact"}))
    items = client.by(intake.id).get(f"/v1/cases/{case}/exclusions").get_json()["items"]
    assert [item["revoked_at"] for item in items] == [None]


def test_a_revocation_of_a_refusal_that_is_not_there_finds_nothing(client, intake, case):
    unknown = new_uuid()
    answer = client.by(intake.id).say(
        f"/v1/cases/{case}/exclusions/{unknown}/revoke", {"record": revocation(intake, case, unknown)}
    )
    assert answer.status_code == 404
