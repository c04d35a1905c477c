# SPDX-License-Identifier: Apache-2.0
"""Taking a consent back: at once, once, by one call; each partner hears of its own and of no other's."""

import pytest

from tests.hub.builders import new_uuid
from tests.hub.casework import closed, logged, opened_case, registered, rows, withdrawal


@pytest.fixture
def case(client, intake):
    return opened_case(client, intake)


@pytest.fixture
def known(client, intake, council, case):
    return registered(client, intake, case, council.id)


def withdraw(client, agency, known, **body):
    return client.by(agency.id).say(f"/v1/consents/{known['id']}/withdraw", body)


def told(hub_database):
    return rows(hub_database, "select agency::text, about from events where event = 'withdrawal:registered'")


def test_a_withdrawal_takes_effect_with_the_answer_and_tells_the_partner(client, intake, council, known, hub_database):
    answer = withdraw(client, intake, known)
    assert answer.status_code == 200
    assert answer.get_json()["withdrawn"] is True
    assert client.by(council.id).get(f"/v1/consents/{known['id']}").get_json()["withdrawn"] is True
    assert told(hub_database) == [(council.id, known["id"])]
    assert logged(hub_database, "withdrawal:registered") == 1
    changed = rows(hub_database, "select count(*) from outbox where topic = 'consent:changed' and due_at <= now()")
    assert changed == [(2,)]


def test_a_withdrawal_sent_twice_is_one(client, intake, known, hub_database):
    first, again = withdraw(client, intake, known), withdraw(client, intake, known)
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert logged(hub_database, "withdrawal:registered") == 1


def test_withdrawing_part_of_what_is_wholly_withdrawn_changes_nothing(client, intake, council, known, hub_database):
    first = withdraw(client, intake, known)
    again = withdraw(client, intake, known, to=[council.id], categories=["identity"])
    assert again.get_json() == first.get_json()
    assert logged(hub_database, "withdrawal:registered") == 1


def test_a_withdrawal_of_one_category_leaves_the_rest(client, intake, known):
    taken = withdraw(client, intake, known, categories=["income_assets"]).get_json()
    assert taken["withdrawn"] is False
    assert [(one["to"], one["categories"]) for one in taken["withdrawals"]] == [([], ["income_assets"])]
    assert withdraw(client, intake, known).get_json()["withdrawn"] is True


def test_a_signed_withdrawal_takes_back_what_it_names(client, intake, council, lawyers, case, known, hub_database):
    other = registered(client, intake, case, lawyers.id)
    token = withdrawal(intake, case, known["id"], other["id"])
    assert withdraw(client, intake, known, record=token).get_json()["withdrawn"] is True
    assert client.by(intake.id).get(f"/v1/consents/{other['id']}").get_json()["withdrawn"] is True
    assert sorted(told(hub_database)) == sorted([(council.id, known["id"]), (lawyers.id, other["id"])])


def test_a_signed_withdrawal_of_everything_takes_back_every_record_there_is_and_none_to_come(
    client, intake, council, lawyers, case, known
):
    other = registered(client, intake, case, lawyers.id)
    withdraw(client, intake, known, record=withdrawal(intake, case))
    later = registered(client, intake, case, council.id)
    seen = {
        item["id"]: item["withdrawn"]
        for item in client.by(intake.id).get(f"/v1/consents?case={case}").get_json()["items"]
    }
    assert seen == {known["id"]: True, other["id"]: True, later["id"]: False}


def test_each_partner_reads_the_entry_of_its_own_withdrawal_and_of_no_other(
    client, intake, council, lawyers, case, known, hub_database
):
    registered(client, intake, case, lawyers.id)
    withdraw(client, intake, known, record=withdrawal(intake, case))
    entries = rows(hub_database, "select parties::text[] from audit_pending where kind = 'withdrawal:registered'")
    assert sorted(sorted(parties) for (parties,) in entries) == sorted(
        [sorted([intake.id, council.id]), sorted([intake.id, lawyers.id])]
    )


def test_a_partner_does_not_learn_that_another_agency_was_withdrawn_from(
    client, intake, council, lawyers, known, hub_database
):
    withdraw(client, intake, known, to=[lawyers.id])
    assert told(hub_database) == []
    seen = client.by(council.id).get(f"/v1/consents/{known['id']}")
    assert lawyers.id not in seen.get_data(as_text=True)
    assert seen.get_json()["withdrawals"] == []


def test_a_withdrawal_that_was_only_said_is_countersigned_later(client, intake, case, known, hub_database):
    said = withdraw(client, intake, known).get_json()
    token = withdrawal(intake, case, known["id"])
    assert withdraw(client, intake, known, record=token).get_json() == said
    assert rows(hub_database, "select record from withdrawals") == [(token,)]
    assert logged(hub_database, "withdrawal:registered") == 1
    assert logged(hub_database, "withdrawal:countersigned") == 1
    withdraw(client, intake, known, record=token)
    assert logged(hub_database, "withdrawal:countersigned") == 1


def test_a_withdrawal_works_on_a_closed_case(client, intake, case, known):
    closed(client, intake, case)
    assert withdraw(client, intake, known).get_json()["withdrawn"] is True


def test_nobody_but_the_intake_agency_withdraws_here(client, council, stranger, known):
    assert withdraw(client, council, known).status_code == 404
    assert withdraw(client, stranger, known).status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"categories": ["nonsense"]}, "unknown-code"),
        ({"to": ["nonsense"]}, "unknown-agency"),
        ({"to": [new_uuid()]}, "unknown-agency"),
        ({"reason": "none is asked"}, "unknown-member"),
    ],
    ids=["a category", "a name", "an agency", "a reason"],
)
def test_a_withdrawal_that_names_what_does_not_exist_is_refused(client, intake, known, hub_database, body, code):
    answer = withdraw(client, intake, known, **body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)
    assert logged(hub_database, "withdrawal:registered") == 0


def test_a_signed_withdrawal_of_something_else_is_refused(client, intake, council, lawyers, case, known):
    other = registered(client, intake, case, lawyers.id)
    elsewhere = withdrawal(intake, opened_case(client, intake), known["id"])
    for token, code in (
        (withdrawal(intake, case, other["id"]), "record-mismatch"),
        (elsewhere, "record-mismatch"),
        (withdrawal(intake, case, known["id"], new_uuid()), "unknown-consent"),
    ):
        answer = withdraw(client, intake, known, record=token)
        assert (answer.status_code, answer.get_json()["code"]) == (422, code)


def test_a_signed_withdrawal_says_itself_what_it_takes_back(client, intake, case, known):
    token = withdrawal(intake, case, known["id"])
    answer = withdraw(client, intake, known, record=token, categories=["identity"])
    assert (answer.status_code, answer.get_json()["code"]) == (422, "record-mismatch")


def test_a_forged_withdrawal_is_refused(client, intake, stranger, case, known):
    forged = withdrawal(stranger, case, known["id"], agency=intake.id)
    answer = withdraw(client, intake, known, record=forged)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad-signature")
