# SPDX-License-Identifier: Apache-2.0
"""Moves that carry words or begin another referral, other bases than consent, conferences, going along."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consent.calendar import day_of
from tests.connectors.cli.office import Office, Town

TO_LEND = ("--purpose", "koguchi_shikin", "--part", "identity=x")


@pytest.fixture
def h1(town: Town, j1: Office, s1: Office) -> Office:
    made = town.found("houterasu", "架空法律相談所")
    for office in (made, j1, s1):
        office.json("sync")
    return made


@pytest.fixture
def case(j1: Office, s1: Office) -> str:
    made = j1.open_case()
    j1.consent(made, s1.id)
    return made


@pytest.fixture
def referral(j1: Office, s1: Office, case: str) -> str:
    sent = j1.json("referral", "send", case, "--to", s1.id, *TO_LEND)
    s1.json("sync")
    s1.json("inbox", "read", sent["message"])
    found: str = sent["referral"]
    return found


def tomorrow(office: Office) -> str:
    return day_of(office.around.clock() + timedelta(days=1)).isoformat()


def test_a_question_goes_sealed_with_its_move(j1: Office, s1: Office, referral: str) -> None:
    s1.json("referral", "ask", referral, "--words", "世帯の人数を教えてください")
    j1.json("sync")
    asked = j1.json("inbox", "list", "--unread")["messages"]
    assert [(one["kind"], one["categories"]) for one in asked] == [("question", ["consultation"])]
    assert j1.json("inbox", "read", asked[0]["id"])["parts"][0]["text"] == "世帯の人数を教えてください"


def test_words_that_consent_does_not_carry_stop_the_move(j1: Office, s1: Office, referral: str) -> None:
    said = ("--words", "通院の様子は", "--words-category", "health")
    error = s1.json("referral", "ask", referral, *said, code=3)["error"]
    assert [part["category"] for part in error["parts"]] == ["health"]
    assert [one["event"] for one in s1.json("referral", "show", referral)["history"]].count("ask") == 0


def test_words_from_a_file_that_is_not_there_move_nothing(s1: Office, referral: str) -> None:
    assert "cannot be read" in s1.type("referral", "ask", referral, "--words", "@nowhere.txt", code=1).stderr


def test_a_decline_names_the_agency_that_fits_better(j1: Office, s1: Office, h1: Office, referral: str) -> None:
    moved = s1.json(
        "referral", "decline", referral, "--reason", "other_agency_better", "--suggestion", "agency",
        "--other-agency", "架空法律相談所", "--missing", "legal", "--missing", "contact",
    )  # fmt: skip
    assert moved["state"] == "declined"


def test_a_declined_need_is_referred_on_with_consent_decided_anew(
    j1: Office, s1: Office, h1: Office, case: str, referral: str
) -> None:
    s1.json("referral", "decline", referral, "--reason", "out_of_area", "--suggestion", "think_together")
    on = ("referral", "refer-on", referral, "--to", h1.id, "--purpose", "houritsu_soudan", "--part", "identity=x")
    assert j1.json(*on, code=3)["error"]["parts"][0]["reason"] == "PARTY_NOT_COVERED"
    j1.consent(case, h1.id, purpose="houritsu_soudan")
    moved = j1.json(*on)
    assert (moved["referral"]["state"], moved["next"]["recipient"]) == ("rerouted", h1.id)
    h1.json("sync")
    assert h1.json("inbox", "list")["messages"][0]["referral"] == moved["next"]["id"]


def test_a_move_says_where_the_referral_stands_afterwards(s1: Office, referral: str) -> None:
    told = s1.type("referral", "accept", referral, "--role", "caseworker", "--next-on", tomorrow(s1)).stdout
    assert f"Referral {referral}:" in told
    assert "架空市相談センター → 架空市社会福祉協議会" in told


def test_an_emergency_needs_another_who_approves(j1: Office, s1: Office) -> None:
    case = j1.open_case()
    urgent = ("--to", s1.id, "--purpose", "emergency_response", "--part", "identity=x", "--basis", "emergency")
    why = ("--threat", "life", "--difficulty", "unreachable", "--approver-role", "supervisor")
    same = j1.json("referral", "send", case, *urgent, *why, "--approver", "staff-7", code=3)["error"]
    assert [part["reason"] for part in same["parts"]] == ["LEGAL_BASIS_INCOMPLETE"]
    assert j1.json("referral", "send", case, *urgent, *why, "--approver", "staff-8")["sent"]


def test_an_emergency_needs_a_named_worker_who_asks(j1: Office, s1: Office) -> None:
    case = j1.open_case()
    urgent = ("--to", s1.id, "--purpose", "emergency_response", "--part", "identity=x", "--basis", "emergency")
    assert "--staff" in j1.type("referral", "send", case, *urgent, code=1, staff=None).stderr


def test_the_members_of_a_conference_share_without_consent(j1: Office, s1: Office) -> None:
    case = j1.open_case()
    until = (j1.around.clock() + timedelta(days=30)).isoformat()
    made = j1.json("meeting", "convene", "shien_kaigi", "--member", s1.id, "--until", until)
    share = ("--to", s1.id, "--purpose", "shien_kaigi", "--part", "identity=x", "--basis", "shien_kaigi")
    share = ("referral", "send", case, *share, "--conference", made["id"])
    assert j1.json(*share, code=3)["error"]["parts"][0]["reason"] == "NOT_CONFERENCE_MEMBER"
    for office in (j1, s1):
        office.json("meeting", "accept", made["id"])
    assert made["id"] in s1.type("meeting", "list").stdout
    assert j1.json(*share)["sent"]


def test_going_along_is_planned_and_carried_on(j1: Office, referral: str) -> None:
    plan = ("--on", tomorrow(j1), "--role", "counsellor", "--destination", "shakyo", "--purpose", "apply")
    n = j1.json("accompany", "record", referral, *plan, "--state", "agreed")["n"]
    assert j1.json("accompany", "change", referral, str(n), *plan, "--state", "called_off")["state"] == "called_off"
    assert "called off" in j1.type("accompany", "list", referral).stdout.lower()


def test_a_follow_up_is_set_and_found(j1: Office, referral: str) -> None:
    n = j1.json("follow-up", "set", referral, "--preset", "2w")["n"]
    assert [one["n"] for one in j1.json("follow-up", "list", "--referral", referral)["follow_ups"]] == [n]
    assert referral in j1.type("follow-up", "list").stdout


def test_referrals_are_listed_for_people_and_for_machines(j1: Office, case: str, referral: str) -> None:
    assert [one["id"] for one in j1.json("referral", "list", "--case", case)["referrals"]] == [referral]
    head, row = j1.type("referral", "list", "--role", "sender", "--lang", "ja").stdout.splitlines()
    assert head.split("\t")[:3] == ["番号", "送り手", "受け手"]
    assert row.split("\t")[2] == "架空市社会福祉協議会"
