# SPDX-License-Identifier: Apache-2.0
"""Meetings: who may call one, who belongs to it, and that its two kinds are never confused."""

from datetime import timedelta

import pytest

from consent.calendar import add_months
from consent.decisions import decide
from consent.questions import ConferenceBasis, Permitted, Question, Reason, Refused
from hub.agencies import reads as agencies
from hub.base.db import Duty, now
from hub.cases import reads as cases
from hub.intakes import reads as intakes
from hub.meetings import reads
from hub.meetings.rules import actions, is_membership, is_period
from tests.hub.builders import active_agency, new_uuid
from tests.hub.casework import logged, new_handle, opened_case, present, registered, rows


@pytest.fixture
def city(database):
    """An agency that operator and officer let convene a 支援会議."""
    return active_agency(database, "jiritsu", may_convene=True)


def written(moment):
    return moment.isoformat().replace("+00:00", "Z")


def convene(client, agency, *members, kind="shien_chosei_kaigi", until=None, **more):
    body = {
        "kind": kind,
        "members": [member if isinstance(member, str) else member.id for member in members],
        "until": written(until or present() + timedelta(days=30)),
        **more,
    }
    return client.by(agency.id).say("/v1/meetings", body)


def accept(client, agency, meeting):
    return client.by(agency.id).say(f"/v1/meetings/{meeting['id']}/accept")


def refusal(answer):
    return answer.status_code, answer.get_json()["code"]


# ── convening ──


def test_a_coordination_meeting_is_convened_by_anyone_and_its_members_are_asked(
    client, intake, council, lawyers, hub_database
):
    answer = convene(client, intake, council, lawyers)
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["convenor"], made["accepted"]) == (intake.id, [intake.id])
    assert made["members"] == [council.id, lawyers.id]
    tasks = rows(hub_database, "select agency::text, kind, about from tasks order by agency")
    assert tasks == sorted((member.id, "meeting_invited", made["id"]) for member in (council, lawyers))
    told = rows(hub_database, "select agency::text from events where event = 'meeting:convened' order by agency")
    assert told == sorted((member.id,) for member in (council, lawyers))
    assert logged(hub_database, "meeting:convened") == 1


def test_a_conference_is_convened_only_by_an_agency_with_the_flag(client, intake, city, council):
    assert refusal(convene(client, intake, council, kind="shien_kaigi")) == (403, "may-not-convene")
    assert convene(client, city, council, kind="shien_kaigi").status_code == 201


@pytest.mark.parametrize(
    "until",
    [lambda at: at - timedelta(seconds=1), lambda at: add_months(at, 12) + timedelta(minutes=5)],
    ids=["in the past", "beyond twelve months"],
)
def test_a_meeting_sits_for_twelve_months_at_most(client, city, council, until):
    assert refusal(convene(client, city, council, kind="shien_kaigi", until=until(present()))) == (422, "bad-period")


def test_a_period_is_open_at_its_end_and_a_year_is_not_too_long():
    at = present()
    assert is_period(add_months(at, 12), at)
    assert not is_period(add_months(at, 12) + timedelta(microseconds=1), at)
    assert not is_period(at, at)


@pytest.mark.parametrize("kind", ["case_conference", "", "支援会議"])
def test_a_kind_that_is_neither_is_refused(client, city, council, kind):
    assert refusal(convene(client, city, council, kind=kind)) == (422, "unknown-code")


def test_nobody_meets_alone_twice_or_with_nobody(client, intake, council):
    for members in ([], [intake], [council, council]):
        assert refusal(convene(client, intake, *members)) == (422, "bad-members")
    assert is_membership(["a", "b"], "c")


def test_a_member_must_exist_and_a_case_must_be_known_to_the_convenor(client, intake, stranger, council):
    assert refusal(convene(client, intake, new_uuid())) == (422, "unknown-agency")
    theirs = opened_case(client, stranger)
    assert refusal(convene(client, intake, council, case=theirs)) == (422, "unknown-case")
    assert refusal(convene(client, intake, council, case=new_handle())) == (422, "unknown-case")


# ── membership ──


def test_a_member_accepts_once_and_its_task_is_done(client, intake, council, hub_database):
    made = convene(client, intake, council).get_json()
    assert client.by(council.id).get(f"/v1/meetings/{made['id']}").get_json()["actions"] == ["accept"]
    first, again = accept(client, council, made), accept(client, council, made)
    assert first.get_json()["accepted"] == sorted([intake.id, council.id])
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert logged(hub_database, "meeting:accepted") == 1
    assert rows(hub_database, "select count(*) from tasks where done_at is null") == [(0,)]


def test_whoever_was_not_invited_finds_no_meeting(client, intake, council, stranger):
    made = convene(client, intake, council).get_json()
    hidden = client.by(stranger.id).get(f"/v1/meetings/{made['id']}")
    nothing = client.by(stranger.id).get(f"/v1/meetings/{new_uuid()}")
    assert (hidden.status_code, hidden.data) == (404, nothing.data)
    assert accept(client, stranger, made).status_code == 404
    assert client.by(stranger.id).get("/v1/meetings").get_json()["items"] == []


def test_meetings_are_listed_page_by_page(client, intake, council):
    made = [convene(client, intake, council).get_json()["id"] for _ in range(3)]
    first = client.by(council.id).get("/v1/meetings?limit=2").get_json()
    rest = client.by(council.id).get(f"/v1/meetings?limit=2&cursor={first['next_cursor']}").get_json()
    assert [item["id"] for item in (*first["items"], *rest["items"])] == made
    assert rest["next_cursor"] is None


# ── agenda, decisions, end ──


def test_members_put_points_on_the_agenda_and_record_decisions(client, intake, council, hub_database):
    case = opened_case(client, intake)
    made = convene(client, intake, council, case=case).get_json()
    accept(client, council, made)
    path = f"/v1/meetings/{made['id']}"
    assert client.by(intake.id).say(f"{path}/agenda", {"case": case}).status_code == 201
    assert client.by(council.id).say(f"{path}/agenda", {"code": "missing_resources"}).status_code == 201
    assert client.by(council.id).say(f"{path}/decisions", {"code": "plan_adopted"}).status_code == 201
    seen = client.by(council.id).get(path).get_json()
    assert [(item["code"], item["case"]) for item in seen["agenda"]] == [(None, case), ("missing_resources", None)]
    assert [item["code"] for item in seen["decisions"]] == ["plan_adopted"]
    assert logged(hub_database, "meeting:agenda_set") == 2
    assert logged(hub_database, "meeting:decided") == 1


def test_an_invited_agency_that_has_not_accepted_adds_nothing(client, intake, council):
    made = convene(client, intake, council).get_json()
    answer = client.by(council.id).say(f"/v1/meetings/{made['id']}/agenda", {"code": "plan"})
    assert refusal(answer) == (403, "not-a-member")


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "item-empty"), ({"code": "架空田さんの件"}, "wrong-type"), ({"case": new_handle()}, "unknown-case")],
    ids=["nothing", "words", "an unknown case"],
)
def test_an_agenda_holds_codes_and_cases_only(client, intake, council, body, code):
    made = convene(client, intake, council).get_json()
    assert refusal(client.by(intake.id).say(f"/v1/meetings/{made['id']}/agenda", body)) == (422, code)


def test_the_convenor_ends_a_meeting_once_and_nothing_is_added_after(client, intake, council, lawyers, hub_database):
    made = convene(client, intake, council, lawyers).get_json()
    accept(client, council, made)
    path = f"/v1/meetings/{made['id']}"
    assert refusal(client.by(council.id).say(f"{path}/end", if_match=2)) == (403, "not-yours")
    assert client.by(intake.id).say(f"{path}/end").status_code == 428
    assert client.by(intake.id).say(f"{path}/end", if_match=1).status_code == 412
    ended = client.by(intake.id).say(f"{path}/end", if_match=2)
    assert (ended.status_code, ended.get_json()["actions"]) == (200, [])
    assert client.by(intake.id).say(f"{path}/end", if_match=2).get_json() == ended.get_json()
    assert refusal(accept(client, lawyers, made)) == (409, "meeting-ended")
    assert refusal(client.by(intake.id).say(f"{path}/agenda", {"code": "plan"})) == (409, "meeting-ended")
    assert refusal(client.by(intake.id).say(f"{path}/decisions", {"code": "plan"})) == (409, "meeting-ended")
    assert logged(hub_database, "meeting:ended") == 1
    assert rows(hub_database, "select count(*) from tasks where done_at is null") == [(0,)]


def test_what_may_be_done_follows_from_who_one_is():
    assert actions(is_open=True, has_accepted=True, is_convenor=True) == ("agenda", "decisions", "end")
    assert actions(is_open=True, has_accepted=True, is_convenor=False) == ("agenda", "decisions")
    assert actions(is_open=True, has_accepted=False, is_convenor=False) == ("accept",)
    assert actions(is_open=False, has_accepted=True, is_convenor=True) == ()


# ── what a conference permits ──


def decided(database, case, sender, recipient, conference, *, later=timedelta(0)):
    with database.transaction(sender.id, Duty.DECIDE) as session:
        found = cases.resolve(session, case, sender=sender.id, recipient=recipient.id)
        question = Question(
            sender=agencies.party(session, sender.id),
            recipient=agencies.party(session, recipient.id),
            purpose="shien_kaigi",
            category="safety",
            basis=ConferenceBasis(conference=conference["id"]),
            at=now(session) + later,
        )
        facts = intakes.facts(session, found, conferences=reads.conferences(session, found))
    verdict = decide(question, facts)
    return verdict.reason if isinstance(verdict, Refused) else verdict


def test_a_conference_permits_between_members_who_accepted_and_until_it_ends(client, database, city, council, lawyers):
    case = opened_case(client, city)
    made = convene(client, city, council, lawyers, kind="shien_kaigi", case=case).get_json()
    assert decided(database, case, city, council, made) is Reason.NOT_CONFERENCE_MEMBER
    accept(client, council, made)
    assert isinstance(decided(database, case, city, council, made), Permitted)
    assert isinstance(decided(database, case, council, city, made), Permitted)
    assert decided(database, case, city, lawyers, made) is Reason.NOT_CONFERENCE_MEMBER
    assert decided(database, case, city, council, made, later=timedelta(days=31)) is Reason.EXPIRED
    version = client.by(city.id).get(f"/v1/meetings/{made['id']}").get_json()["version"]
    client.by(city.id).say(f"/v1/meetings/{made['id']}/end", if_match=version)
    assert decided(database, case, city, council, made) is Reason.EXPIRED


def test_a_coordination_meeting_is_no_basis_for_sharing_without_consent(client, database, city, council):
    case = opened_case(client, city)
    registered(client, city, case, council.id)
    made = convene(client, city, council, case=case).get_json()
    accept(client, council, made)
    assert decided(database, case, city, council, made) is Reason.NOT_CONFERENCE_MEMBER


def test_a_conference_for_one_case_carries_no_other(client, database, city, council):
    case, other = opened_case(client, city), opened_case(client, city)
    for_one = convene(client, city, council, kind="shien_kaigi", case=case).get_json()
    for_any = convene(client, city, council, kind="shien_kaigi").get_json()
    for made in (for_one, for_any):
        accept(client, council, made)
    assert decided(database, other, city, council, for_one) is Reason.NOT_CONFERENCE_MEMBER
    assert isinstance(decided(database, other, city, council, for_any), Permitted)
