# SPDX-License-Identifier: Apache-2.0
"""An agency that a case names by its kind only: it finds exactly what names it, and the case stays out of its sight."""

import pytest

from tests.hub.builders import active_agency
from tests.hub.casework import exclusion, new_handle, opened_case, registered


@pytest.fixture
def case(client, intake):
    return opened_case(client, intake)


def listed(client, agency, case):
    answer = client.by(agency.id).get(f"/v1/consents?case={case}")
    return [one["id"] for one in answer.get_json()["items"]] if answer.status_code == 200 else answer.status_code


def refusals(client, agency, case):
    answer = client.by(agency.id).get(f"/v1/cases/{case}/exclusions")
    return answer.get_json()["items"] if answer.status_code == 200 else answer.status_code


def excluded(client, intake, case, *to):
    answer = client.by(intake.id).say(f"/v1/cases/{case}/exclusions", {"record": exclusion(intake, case, *to)})
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()["id"]


def test_it_lists_the_records_that_name_its_kind_or_itself_and_no_other(client, intake, council, lawyers, case):
    by_kind = registered(client, intake, case, "shakyo")
    registered(client, intake, case, lawyers.id)
    registered(client, intake, case, "bengoshi")
    assert listed(client, council, case) == [by_kind["id"]]
    by_id = registered(client, intake, case, council.id)
    assert listed(client, council, case) == [by_kind["id"], by_id["id"]]


def test_every_agency_of_the_kind_lists_them_and_none_of_another_kind(client, database, intake, stranger, case):
    made = registered(client, intake, case, "shakyo")
    for _ in range(2):
        assert listed(client, active_agency(database, "shakyo"), case) == [made["id"]]
    assert listed(client, stranger, case) == 404


def test_it_lists_the_refusals_that_name_its_kind_itself_or_all_and_no_other(client, intake, council, lawyers, case):
    registered(client, intake, case, "shakyo")
    wanted = [
        excluded(client, intake, case, "shakyo"),
        excluded(client, intake, case, council.id, lawyers.id),
        excluded(client, intake, case, "*"),
    ]
    excluded(client, intake, case, lawyers.id)
    excluded(client, intake, case, "bengoshi")
    found = refusals(client, council, case)
    assert [one["id"] for one in found] == wanted
    assert [one["to"] for one in found] == [["shakyo"], [council.id], ["*"]]
    assert found[1]["record"] is None


def test_whom_a_refusal_alone_names_does_not_learn_that_there_is_a_case(client, intake, council, stranger, case):
    excluded(client, intake, case, "shakyo")
    excluded(client, intake, case, "*")
    for agency in (council, stranger):
        assert refusals(client, agency, case) == 404
        assert listed(client, agency, case) == 404


def test_the_case_itself_stays_out_of_its_sight(client, intake, council, case):
    registered(client, intake, case, "shakyo")
    by = client.by(council.id)
    assert by.get(f"/v1/cases/{case}").status_code == 404
    assert by.get("/v1/cases").get_json()["items"] == []
    assert by.say(f"/v1/cases/{case}/notes", {"kind": "evaluation"}).status_code == 404
    token = exclusion(intake, case, council.id)
    assert by.say(f"/v1/cases/{case}/exclusions", {"record": token}).status_code == 404


def test_a_namesake_does_not_come_between(client, intake, council, lawyers, case):
    made = registered(client, intake, case, "shakyo")
    opened_case(client, lawyers, case)
    assert listed(client, council, case) == [made["id"]]
    assert listed(client, lawyers, case) == []


def test_an_unknown_handle_is_not_found(client, council):
    assert listed(client, council, new_handle()) == 404
    assert refusals(client, council, new_handle()) == 404
