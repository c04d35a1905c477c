# SPDX-License-Identifier: Apache-2.0
"""A newer record takes the place of an older one: whom the older names hears of its end, and of nothing else."""

import pytest

from tests.hub.casework import HOUR, logged, opened_case, present, registered, rows, scope


@pytest.fixture
def case(client, intake):
    return opened_case(client, intake)


def told(hub_database, agency):
    return rows(hub_database, "select event, about::text from events where agency = %s order by seq", agency.id)


def shown(client, agency, consent):
    return client.by(agency.id).get(f"/v1/consents/{consent}").get_json()


def test_a_partner_that_the_new_form_leaves_out_is_told_that_its_record_ended(
    client, intake, council, lawyers, case, hub_database
):
    old = registered(client, intake, case, council.id)
    assert old["superseded_at"] is None
    new = registered(client, intake, case, lawyers.id, supersedes=frozenset({old["id"]}))
    assert told(hub_database, council) == [("consent:registered", old["id"]), ("consent:superseded", old["id"])]
    assert shown(client, council, old["id"])["superseded_at"] == new["registered_at"]
    assert logged(hub_database, "consent:superseded") == 1


def test_whom_only_the_new_record_names_does_not_learn_of_the_old_one(
    client, intake, council, lawyers, case, hub_database
):
    old = registered(client, intake, case, council.id)
    new = registered(client, intake, case, lawyers.id, supersedes=frozenset({old["id"]}))
    assert told(hub_database, lawyers) == [("consent:registered", new["id"])]
    assert client.by(lawyers.id).get(f"/v1/consents/{old['id']}").status_code == 404


def test_whom_only_the_old_record_named_does_not_learn_of_the_new_one(
    client, intake, council, lawyers, case, hub_database
):
    old = registered(client, intake, case, council.id)
    new = registered(client, intake, case, lawyers.id, supersedes=frozenset({old["id"]}))
    assert client.by(council.id).get(f"/v1/consents/{new['id']}").status_code == 404
    assert new["id"] not in str(shown(client, council, old["id"]))
    entries = rows(
        hub_database,
        "select convert_from(body, 'utf8') from audit_pending where %s = any(parties) and kind like 'consent:%%'",
        council.id,
    )
    assert entries
    assert all(new["id"] not in body for (body,) in entries)


def test_a_form_that_nobody_signed_ends_nothing(client, intake, council, case, hub_database):
    old = registered(client, intake, case, council.id)
    registered(client, intake, case, council.id, supersedes=frozenset({old["id"]}), signature="none")
    assert shown(client, council, old["id"])["superseded_at"] is None
    assert ("consent:superseded", old["id"]) not in told(hub_database, council)


def test_a_record_ends_once_and_keeps_the_moment_of_its_first_end(client, intake, council, case, hub_database):
    old = registered(client, intake, case, council.id)
    first = registered(client, intake, case, council.id, supersedes=frozenset({old["id"]}))
    registered(client, intake, case, council.id, supersedes=frozenset({old["id"]}))
    assert shown(client, council, old["id"])["superseded_at"] == first["registered_at"]
    assert told(hub_database, council).count(("consent:superseded", old["id"])) == 1


def test_a_record_that_comes_after_the_one_that_takes_its_place_is_ended_as_it_comes(client, intake, council, case):
    late = scope(case, intake, council.id, signed_at=present() - HOUR)
    registered(client, intake, case, council.id, supersedes=frozenset({late.id}))
    made = registered(client, intake, case, council.id, id=late.id)
    assert made["superseded_at"] == made["registered_at"]
