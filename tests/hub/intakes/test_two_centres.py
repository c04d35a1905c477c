# SPDX-License-Identifier: Apache-2.0
"""A second agency of the intake side sends on the first one's records: it sees the case and whether they are live."""

import pytest

from tests.hub.builders import active_agency
from tests.hub.casework import DAY, HOUR, opened_case, present, registered, status


@pytest.fixture
def second(database):
    return active_agency(database, "jiritsu")


@pytest.fixture
def made(client, intake, second, council):
    case = opened_case(client, intake)
    return registered(client, intake, case, council.id, hub_parties=frozenset({intake.id, second.id}))


def test_the_second_centre_sees_the_case_and_its_records(client, second, stranger, made):
    assert client.by(second.id).get(f"/v1/cases/{made['case']}").status_code == 200
    listed = client.by(second.id).get(f"/v1/consents?case={made['case']}").get_json()["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert client.by(stranger.id).get(f"/v1/cases/{made['case']}").status_code == 404


def test_the_second_centre_sees_the_word_that_a_record_is_live(client, intake, second, stranger, made):
    token = status(intake, made["case"], made, present())
    assert client.by(intake.id).say(f"/v1/consents/{made['id']}/status", {"record": token}).status_code == 200
    assert client.by(second.id).get(f"/v1/consents/{made['id']}").get_json()["status"]["record"] == token
    assert client.by(stranger.id).get(f"/v1/consents/{made['id']}").status_code == 404


def test_the_second_centre_sees_what_was_taken_back(client, intake, second, made):
    assert client.by(intake.id).say(f"/v1/consents/{made['id']}/withdraw", {}).status_code == 200
    seen = client.by(second.id).get(f"/v1/consents/{made['id']}").get_json()
    assert (seen["withdrawn"], len(seen["withdrawals"])) == (True, 1)


def test_a_centre_that_only_another_record_names_sees_nothing_of_the_first(client, intake, second, council, made):
    alone = registered(client, intake, made["case"], council.id, valid_until=present() + 30 * DAY)
    token = status(intake, made["case"], alone, present() - HOUR)
    assert client.by(intake.id).say(f"/v1/consents/{alone['id']}/status", {"record": token}).status_code == 200
    assert client.by(second.id).get(f"/v1/consents/{alone['id']}").status_code == 404
