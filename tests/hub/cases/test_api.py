# SPDX-License-Identifier: Apache-2.0
"""Cases over the API: who sees which, what a move needs, what a note may hold."""

from datetime import timedelta

import pytest

from consent.calendar import day_of
from tests.hub.builders import active_agency
from tests.hub.casework import logged, new_handle, opened_case, present, registered, rows


@pytest.fixture
def case(client, intake):
    return opened_case(client, intake)


def move(client, agency, case, step, version=None, **members):
    by = client.by(agency.id)
    if version is None:
        version = by.get(f"/v1/cases/{case}").get_json()["version"]
    return by.say(f"/v1/cases/{case}/steps", {"step": step, **members}, if_match=version)


def note(client, agency, case, kind, **members):
    return client.by(agency.id).say(f"/v1/cases/{case}/notes", {"kind": kind, **members})


def closing(ground="improved", **follow_up):
    day = (day_of(present()) + timedelta(days=30)).isoformat()
    return {"ground": ground, "follow_up": follow_up or {"date": day}}


def backdate(hub_database, days):
    rows(hub_database, "update case_notes set at = at - make_interval(days => %s)", days)


# ── opening and seeing ──


def test_a_case_is_opened_under_the_agencys_own_handle(client, intake, hub_database):
    handle = new_handle()
    answer = client.by(intake.id).say("/v1/cases", {"case": handle})
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    made = answer.get_json()
    assert (made["case"], made["owner"]) == (handle, intake.id)
    assert (made["step"], made["state"], made["closed_at"]) == ("1", "found", None)
    assert made["next_steps"] == ["2", "3"]
    assert logged(hub_database, "case:opened") == 1


def test_the_same_handle_again_is_the_same_case_and_is_logged_once(client, intake, hub_database, case):
    again = client.by(intake.id).say("/v1/cases", {"case": case})
    assert again.status_code == 200
    assert again.get_json()["case"] == case
    assert len(client.by(intake.id).get("/v1/cases").get_json()["items"]) == 1
    assert logged(hub_database, "case:opened") == 1


def test_two_agencies_may_choose_the_same_handle_and_neither_notices(client, intake, stranger, case):
    answer = client.by(stranger.id).say("/v1/cases", {"case": case})
    assert answer.status_code == 201
    assert client.by(intake.id).get(f"/v1/cases/{case}").get_json()["owner"] == intake.id
    assert client.by(stranger.id).get(f"/v1/cases/{case}").get_json()["owner"] == stranger.id


@pytest.mark.parametrize(
    "handle",
    ["3f0c6f2e-7b1a-7c4d-9e5f-0a1b2c3d4e5f", "3f0c6f2e-7b1a-1c4d-9e5f-0a1b2c3d4e5f"],
    ids=["UUIDv7", "UUIDv1"],
)
def test_a_handle_with_a_time_in_it_is_refused(client, intake, handle):
    answer = client.by(intake.id).say("/v1/cases", {"case": handle})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bad-handle")


def test_a_case_that_is_not_mine_looks_like_one_that_does_not_exist(client, stranger, case):
    hidden = client.by(stranger.id).get(f"/v1/cases/{case}")
    nothing = client.by(stranger.id).get(f"/v1/cases/{new_handle()}")
    assert hidden.status_code == nothing.status_code == 404
    assert hidden.data == nothing.data


def test_moving_or_noting_on_a_strangers_case_finds_nothing(client, stranger, case):
    assert move(client, stranger, case, "2", version=1).status_code == 404
    assert note(client, stranger, case, "evaluation").status_code == 404


def test_a_partner_sees_where_the_case_stands_but_not_how_it_came_there(client, intake, council, case):
    registered(client, intake, case, council.id)
    move(client, intake, case, "2")
    note(client, intake, case, "evaluation")
    seen = client.by(council.id).get(f"/v1/cases/{case}").get_json()
    assert (seen["step"], seen["state"]) == ("2", "consulting")
    assert (seen["history"], seen["notes"], seen["next_steps"]) == ([], [], [])
    assert seen["actions"] == ["note"]


def test_a_partner_does_not_move_the_case(client, intake, council, case):
    registered(client, intake, case, council.id)
    answer = move(client, council, case, "2")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not-yours")


def test_a_list_holds_my_own_cases_and_those_that_name_me_page_by_page(client, intake, council, stranger):
    handles = [opened_case(client, intake) for _ in range(3)]
    registered(client, intake, handles[1], council.id)
    first = client.by(intake.id).get("/v1/cases?limit=2").get_json()
    rest = client.by(intake.id).get(f"/v1/cases?limit=2&cursor={first['next_cursor']}").get_json()
    assert [item["case"] for item in (*first["items"], *rest["items"])] == handles
    assert rest["next_cursor"] is None
    assert [item["case"] for item in client.by(council.id).get("/v1/cases").get_json()["items"]] == [handles[1]]
    copied = client.by(stranger.id).get(f"/v1/cases?cursor={first['next_cursor']}")
    assert copied.get_json()["items"] == []


def test_a_broken_cursor_is_refused(client, intake):
    answer = client.by(intake.id).get("/v1/cases?cursor=WyJ4Il0")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad-cursor")


def test_a_case_can_also_be_called_by_the_hubs_own_id(client, intake, case):
    by_handle = client.by(intake.id).get(f"/v1/cases/{case}").get_json()
    assert client.by(intake.id).get(f"/v1/cases/{by_handle['id']}").get_json() == by_handle


# ── moving ──


def test_each_move_is_kept_with_its_reason_and_logged(client, intake, case, hub_database):
    assert move(client, intake, case, "2").status_code == 200
    assert move(client, intake, case, "9", reason="already_done").status_code == 200
    seen = client.by(intake.id).get(f"/v1/cases/{case}").get_json()
    assert [(step["step"], step["state"], step["reason"]) for step in seen["history"]] == [
        ("1", "found", None),
        ("2", "consulting", None),
        ("9", "supporting", "already_done"),
    ]
    assert logged(hub_database, "case:moved") == 2


def test_an_unusual_move_needs_a_reason(client, intake, case):
    answer = move(client, intake, case, "9")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "reason-needed")


def test_a_move_must_say_which_version_it_saw(client, intake, case):
    answer = client.by(intake.id).say(f"/v1/cases/{case}/steps", {"step": "2"})
    assert answer.status_code == 428


@pytest.mark.parametrize("version", [7, "1a", "²"])
def test_a_move_on_an_older_or_unknown_version_is_stale(client, intake, case, version):
    assert move(client, intake, case, "2", version=version).status_code == 412


def test_the_same_move_again_answers_the_same_even_if_it_saw_the_older_version(client, intake, case, hub_database):
    first = move(client, intake, case, "2", version=1)
    again = move(client, intake, case, "2", version=1)
    assert (first.get_json(), again.status_code) == (again.get_json(), 200)
    assert logged(hub_database, "case:moved") == 1


def test_a_state_of_another_step_is_refused(client, intake, case):
    answer = move(client, intake, case, "2", state="decided")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "state-not-of-step")


@pytest.mark.parametrize("member", ["step", "state", "reason"])
def test_a_code_that_is_not_in_the_vocabulary_is_refused(client, intake, case, member):
    answer = move(client, intake, case, **{"step": "2", member: "nonsense"})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "unknown-code")


def test_a_suspended_case_is_not_closed(client, intake, case):
    move(client, intake, case, "2")
    paused = move(client, intake, case, "2", state="suspended").get_json()
    assert (paused["state"], paused["closed_at"]) == ("suspended", None)
    assert "resume" in paused["actions"]
    assert move(client, intake, case, "2", state="consulting").status_code == 200


# ── step 8 ──


def at_conference(client, intake, case):
    assert move(client, intake, case, "7", reason="already_done").status_code == 200


def test_a_decision_needs_the_municipality(client, intake, case):
    at_conference(client, intake, case)
    answer = move(client, intake, case, "8")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "decision-needs-municipality")


def test_a_decision_stands_on_a_recorded_confirmation(client, intake, case):
    at_conference(client, intake, case)
    assert note(client, intake, case, "decision_confirmed").status_code == 201
    assert move(client, intake, case, "8").status_code == 200


def test_a_decision_stands_on_the_municipalitys_own_confirmation(client, database, intake, case):
    municipality = active_agency(database, "jichitai")
    registered(client, intake, case, municipality.id)
    at_conference(client, intake, case)
    assert note(client, municipality, case, "decision_confirmed").status_code == 201
    assert move(client, intake, case, "8").status_code == 200


def test_another_partners_confirmation_is_none(client, intake, council, case):
    registered(client, intake, case, council.id)
    at_conference(client, intake, case)
    assert note(client, council, case, "decision_confirmed").status_code == 201
    assert move(client, intake, case, "8").status_code == 409


def test_each_new_plan_needs_its_own_confirmation(client, intake, case):
    at_conference(client, intake, case)
    note(client, intake, case, "decision_confirmed")
    move(client, intake, case, "8")
    at_conference(client, intake, case)
    assert move(client, intake, case, "8").status_code == 409


def test_the_municipalitys_own_case_is_decided_by_itself(client, database):
    municipality = active_agency(database, "jichitai")
    case = opened_case(client, municipality)
    at_conference(client, municipality, case)
    assert move(client, municipality, case, "8").status_code == 200


# ── closing ──


def test_a_closure_carries_a_ground_and_a_follow_up_that_becomes_a_task(client, intake, case, hub_database):
    answer = move(client, intake, case, "13", closure=closing())
    assert answer.status_code == 200
    closed = answer.get_json()
    assert closed["state"] == "closed"
    assert closed["closed_at"] is not None
    tasks = rows(hub_database, "select agency::text, kind, case_handle::text from tasks")
    topics = rows(hub_database, "select topic, about from outbox")
    assert tasks == [(intake.id, "follow_up_due", case)]
    assert topics == [("consent:changed", closed["id"])]
    assert logged(hub_database, "case:closed") == 1


def test_a_closure_without_follow_up_says_why(client, intake, case, hub_database):
    none = closing(none=True, no_follow_up_reason="persons_wish")
    assert move(client, intake, case, "13", closure=none).status_code == 200
    seen = client.by(intake.id).get(f"/v1/cases/{case}").get_json()["history"][-1]
    assert (seen["closure_ground"], seen["follow_up_on"], seen["no_follow_up_reason"]) == (
        "improved",
        None,
        "persons_wish",
    )
    assert rows(hub_database, "select count(*) from tasks") == [(0,)]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"state": "closed"}, "closure-incomplete"),
        ({"closure": {"ground": "improved", "follow_up": {"none": True}}}, "closure-incomplete"),
        ({"closure": closing(date="2020-01-01")}, "bad-date"),
        ({"closure": closing(ground="because")}, "unknown-code"),
        ({"state": "closing", "closure": closing()}, "closure-not-here"),
    ],
    ids=["nothing", "no decision on follow-up", "follow-up in the past", "no ground", "not closing yet"],
)
def test_a_closure_that_lacks_something_is_refused(client, intake, case, members, code):
    move(client, intake, case, "11", reason="correction")
    answer = move(client, intake, case, "13", **members)
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)


def test_a_closed_case_stays_closed(client, intake, case):
    move(client, intake, case, "13", closure=closing())
    answer = move(client, intake, case, "2", reason="persons_wish")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "case-closed")
    assert move(client, intake, case, "13", state="follow_up").status_code == 200
    assert move(client, intake, case, "13", state="ended").get_json()["actions"] == ["note", "exclude"]


def test_the_same_closure_again_answers_the_same_and_another_ground_is_refused(client, intake, case):
    first = move(client, intake, case, "13", version=1, closure=closing())
    assert move(client, intake, case, "13", version=1, closure=closing()).get_json() == first.get_json()
    other = move(client, intake, case, "13", version=1, closure=closing(ground="moved"))
    assert (other.status_code, other.get_json()["code"]) == (409, "case-closed")


def test_a_partner_is_not_told_why_a_case_ended(client, intake, council, case):
    registered(client, intake, case, council.id)
    move(client, intake, case, "13", closure=closing(ground="deceased"))
    answer = client.by(council.id).get(f"/v1/cases/{case}")
    assert answer.get_json()["state"] == "closed"
    assert b"deceased" not in answer.data


def test_lost_contact_needs_attempts_on_record(client, intake, case, hub_database):
    lost = closing(ground="lost_contact")
    assert move(client, intake, case, "13", closure=lost).get_json()["code"] == "contact-attempts-missing"
    note(client, intake, case, "contact_attempt", channel="telephone")
    backdate(hub_database, 7)
    note(client, intake, case, "contact_attempt", channel="letter")
    backdate(hub_database, 7)
    note(client, intake, case, "contact_attempt", channel="telephone")
    assert move(client, intake, case, "13", closure=lost).status_code == 200


def test_attempts_before_the_last_contact_do_not_count(client, intake, case, hub_database):
    for channel in ("telephone", "letter", "visit"):
        note(client, intake, case, "contact_attempt", channel=channel)
        backdate(hub_database, 7)
    note(client, intake, case, "contact_made")
    answer = move(client, intake, case, "13", closure=closing(ground="lost_contact"))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "contact-attempts-missing")


# ── notes ──


def test_a_note_is_a_kind_a_digest_and_an_entry_in_the_log(client, intake, case, hub_database):
    answer = note(client, intake, case, "case_conference", digest="ab" * 32)
    assert answer.status_code == 201
    entries = rows(hub_database, "select id::text from audit_pending where kind = 'case:noted'")
    assert entries == [(answer.get_json()["entry"],)]
    assert answer.get_json()["task"] is None


@pytest.mark.parametrize("kind", ["", "架空田さんに電話", "called Mr K", "Evaluation", "a" * 41])
def test_a_note_holds_no_words(client, intake, case, kind):
    assert note(client, intake, case, kind).status_code == 422


@pytest.mark.parametrize("member", [{"text": "words"}, {"digest": "words"}, {"channel": "pigeon"}])
def test_a_note_has_no_other_member_that_could_hold_words(client, intake, case, member):
    assert note(client, intake, case, "contact_attempt", **member).status_code == 422


def test_a_contact_attempt_says_by_which_channel_and_other_notes_have_none(client, intake, case):
    assert note(client, intake, case, "contact_attempt").get_json()["code"] == "channel-needed"
    assert note(client, intake, case, "evaluation", channel="visit").get_json()["code"] == "channel-not-here"


def test_a_note_may_raise_a_task_for_an_agency(client, intake, council, case, hub_database):
    answer = note(client, intake, case, "report_expected", task={"agency": council.id})
    tasks = rows(hub_database, "select id::text, agency::text, kind, about from tasks")
    made = answer.get_json()
    assert tasks == [(made["task"], council.id, "case_note", made["id"])]


def test_a_task_for_an_agency_that_does_not_exist_is_refused(client, intake, case):
    answer = note(client, intake, case, "report_expected", task={"agency": new_handle()})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "unknown-agency")


def test_a_partner_raises_tasks_for_the_owner_or_itself_only(client, intake, council, stranger, case):
    registered(client, intake, case, council.id)
    assert note(client, council, case, "please_call", task={"agency": intake.id}).status_code == 201
    assert note(client, council, case, "please_call", task={"agency": stranger.id}).status_code == 422


def test_a_partners_note_is_seen_by_the_owner_and_by_nobody_else(client, intake, council, lawyers, case):
    registered(client, intake, case, council.id)
    registered(client, intake, case, lawyers.id)
    note(client, council, case, "please_call")
    seen = {
        agency.id: len(client.by(agency.id).get(f"/v1/cases/{case}").get_json()["notes"])
        for agency in (intake, council, lawyers)
    }
    assert seen == {intake.id: 1, council.id: 1, lawyers.id: 0}


def test_notes_go_on_after_closing(client, intake, case):
    move(client, intake, case, "13", closure=closing())
    assert note(client, intake, case, "follow_up_done").status_code == 201
