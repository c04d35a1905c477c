# SPDX-License-Identifier: Apache-2.0
"""One test for each thing that refuses a move: double clicks, other versions, other parties, what a body lacks."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.base.errors import ConflictError
from hub.referrals import service
from hub.referrals.lifecycle import State
from tests.hub.builders import active_agency
from tests.hub.referrals.play import Play, jst


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.get_json().get("code")


def test_accepting_twice_is_one_acceptance(play: Play) -> None:
    """REF-01: double click, two tabs: the same answer, one event, whatever version the second tab saw."""
    referral = play.sent()
    first = play.move("R", referral, "accept", seen=1)
    second = play.move("R", referral, "accept", seen=1)
    assert first.status_code == second.status_code == 200
    assert first.get_json() == second.get_json()
    assert play.told(play.j1) == ["referral:accepted"]
    assert [move["event"] for move in play.get(play.j1, referral)["history"]] == ["send", "accept"]


def test_the_same_move_sent_late_is_known_even_after_others(play: Play) -> None:
    referral = play.brought("in_progress")
    again = play.move("R", referral, "accept", seen=1)
    assert (again.status_code, again.get_json()["state"]) == (200, "in_progress")


def test_the_same_words_are_a_new_move_where_the_state_calls_for_it_again(play: Play) -> None:
    referral = play.brought("on_hold")
    play.moved("R", referral, "resume")
    assert play.moved("R", referral, "hold")["state"] == "on_hold"


def test_two_workers_accept_at_once_and_one_is_told(play: Play) -> None:
    """REF-16."""
    referral = play.sent()

    def accept(worker: str) -> tuple[int, str | None]:
        answer = play.move("R", referral, "accept", seen=1, worker=worker)
        return answer.status_code, answer.get_json().get("code")

    with ThreadPoolExecutor(2) as pool:
        got = sorted(pool.map(accept, ["u-201", "u-202"]))
    assert got == [(200, None), (409, "already-accepted")]


def test_the_same_key_again_gives_the_same_answer(play: Play) -> None:
    referral, key = play.sent(), str(uuid.uuid4())
    first = play.move("R", referral, "decline", key=key, seen=1)
    play.moved("S", referral, "take-back")
    again = play.move("R", referral, "decline", key=key, seen=1)
    assert (first.data, again.data) == (again.data, first.data)


@pytest.mark.parametrize(
    ("seen", "status", "refused"), [("7", 412, "stale"), ("1.abc", 200, None), ("x", 412, "stale")]
)
def test_a_move_names_the_version_it_saw(play: Play, seen, status, refused) -> None:
    referral = play.sent()
    answer = play.move("R", referral, "accept", seen=seen)
    assert (answer.status_code, answer.get_json().get("code")) == (status, refused)


def test_a_move_without_a_version_is_refused(play: Play) -> None:
    referral = play.sent()
    body = {"reason": "need_gone"}
    assert code(play.call(play.j1, f"/v1/referrals/{referral}/cancel", body)) == (428, "precondition-required")


def test_the_tag_of_a_referral_serves_as_the_version_seen(play: Play) -> None:
    referral = play.sent()
    got = play.client.by(play.s1.id).get(f"/v1/referrals/{referral}")
    tag = got.headers["ETag"].strip('"')
    assert play.move("R", referral, "accept", seen=tag).status_code == 200


@pytest.mark.parametrize(
    ("state", "who", "event"),
    [
        ("outcome_reported", "R", "decline"),
        ("declined", "R", "accept"),
        ("accepted", "S", "acknowledge"),
        ("closed", "S", "cancel"),
        ("cancelled", "R", "accept"),
    ],
)
def test_a_move_from_the_wrong_state_is_refused(play: Play, state, who, event) -> None:
    """REF-02."""
    referral = play.brought(state)
    before = play.stored(referral)
    assert code(play.move(who, referral, event)) == (409, "bad-transition")
    assert play.stored(referral) == before


@pytest.mark.parametrize(("who", "event"), [("R", "cancel"), ("S", "accept"), ("R", "acknowledge"), ("S", "decline")])
def test_a_move_of_the_other_party_is_refused(play: Play, who, event) -> None:
    """REF-04."""
    assert code(play.move(who, play.sent(), event)) == (403, "wrong-party")


def test_a_coordinator_reads_and_moves_only_what_is_the_coordinators(play: Play) -> None:
    centre = active_agency(play.story.database, "jiritsu", coordinates=True)
    play.story.consent(hub_parties=frozenset({play.j1.id, centre.id}))
    first = play.send(sender=centre)["id"]
    play.moved("R", first, "decline")
    play.story.consent(partners=frozenset({play.f1.id}), hub_parties=frozenset({centre.id, play.j1.id}))
    # the coordinator of the next hop is that of the root, whoever sends it
    sealed = play.story.seal(sender=centre, recipient=play.f1)
    second = play.refer_on(centre, first, sealed).get_json()["next"]["id"]
    assert play.stored(second).coordinator == centre.id
    assert code(play.move(centre, second, "accept")) == (403, "wrong-party")


@pytest.mark.parametrize(
    ("state", "who", "event", "said", "refused"),
    [
        ("requested", "R", "accept", {"next_on": "2026-04-05"}, "bad-date"),
        ("requested", "R", "accept", {"next_on": "2027-04-05"}, "bad-date"),
        ("requested", "R", "accept", {"worker": None}, "missing-member"),
        ("requested", "R", "accept", {"worker_role": "king"}, "unknown-code"),
        ("requested", "R", "accept", {"worker": "架空田 一郎"}, "wrong-type"),
        ("requested", "R", "decline", {"reason": "other_agency_better"}, "other-agency-required"),
        ("requested", "R", "decline", {"reason": "insufficient_information"}, "missing-required"),
        ("requested", "R", "decline", {"reason": "unable_to_act", "missing": ["legal"]}, "must-not-say-why"),
        ("requested", "R", "decline", {"reason": "nobody_here"}, "unknown-code"),
        ("requested", "R", "decline", {"decline_by": None}, "missing-member"),
        ("requested", "S", "cancel", {"reason": "no_capacity"}, "unknown-code"),
        ("requested", "S", "cancel", {"why": "x"}, "unknown-member"),
        ("accepted", "R", "start", {"what": "contact_made", "on": "2026-04-07"}, "bad-date"),
        ("accepted", "R", "start", {"what": "appointment_set", "on": "2026-04-05"}, "bad-date"),
        ("accepted", "R", "hold", {"review_on": "2026-05-07"}, "bad-date"),
        ("accepted", "R", "hold", {"review_on": "2026-04-06"}, "bad-date"),
        ("in_progress", "R", "note-progress", {"what": "visit_done", "on": "2026-04-05"}, "bad-date"),
        (
            "in_progress",
            "R",
            "note-progress",
            {"what": "no_show", "next_step_on": "2026-04-10"},
            "bad-date",
        ),
        ("outcome_reported", "S", "acknowledge", {"follow_up": {}}, "follow-up-required"),
        (
            "outcome_reported",
            "S",
            "acknowledge",
            {"follow_up": {"preset": "1m", "no_follow_up_reason": "not_needed"}},
            "follow-up-required",
        ),
        ("outcome_reported", "S", "acknowledge", {"follow_up": {"on": "2026-04-06"}}, "bad-date"),
        ("accepted", "R", "report-outcome", {"message": "00000000-0000-7000-8000-000000000000"}, "unknown-message"),
        (
            "requested",
            "R",
            "decline",
            {"reason": "other_agency_better", "other_agency": "00000000-0000-7000-8000-000000000000"},
            "unknown-agency",
        ),
    ],
)
def test_a_body_that_lacks_what_its_move_asks_for_is_refused(play: Play, state, who, event, said, refused) -> None:
    referral = play.brought(state)
    before = play.stored(referral)
    assert code(play.move(who, referral, event, **said)) == (422, refused)
    assert play.stored(referral) == before


def test_a_decline_that_names_a_better_agency_or_what_is_missing_is_taken(play: Play) -> None:
    first = play.sent()
    play.moved("R", first, "decline", reason="other_agency_better", other_agency=play.f1.id)
    assert play.get(play.j1, first)["history"][-1]["facts"]["other_agency"] == play.f1.id
    play.moved("S", first, "take-back")
    second = play.send()["id"]
    play.moved("R", second, "decline", reason="insufficient_information", missing=["income_assets"])


def test_lawyers_decline_without_saying_why(play: Play) -> None:
    referral = play.sent()
    message = play.said(referral, play.s1, "reply")
    refused = play.move("R", referral, "decline", reason="unable_to_act", message=message)
    assert code(refused) == (422, "must-not-say-why")
    play.moved("R", referral, "decline", reason="unable_to_act")


def test_after_a_visit_a_decline_owes_a_note(play: Play) -> None:
    referral = play.brought("in_progress")
    play.moved("R", referral, "note-progress")
    assert code(play.move("R", referral, "decline")) == (422, "note-required")
    note = play.said(referral, play.s1, "reply")
    play.moved("R", referral, "decline", message=note)


def test_a_move_names_only_the_callers_own_message_of_this_thread(play: Play) -> None:
    referral = play.brought("accepted")
    other = play.said(referral, play.j1, "document")
    assert code(play.move("R", referral, "report-outcome", message=other)) == (422, "unknown-message")
    own = play.said(referral, play.s1, "outcome")
    assert play.moved("R", referral, "report-outcome", message=own)["outcome"] == "granted"


def test_a_closed_referral_does_not_reopen_without_consent(play: Play) -> None:
    """REF-14."""
    referral = play.brought("closed")
    consent = play.rows("select consent from consents")[0][0]
    play.story.withdraw(str(consent))
    refused = play.move("S", referral, "reopen")
    assert code(refused) == (403, "consent-refused")
    assert {one["reason"] for one in refused.get_json()["decisions"]} == {"WITHDRAWN"}
    assert play.story.entries("decision:asked")[-1]["id"] == refused.get_json()["decision_id"]
    assert play.stored(referral).state is State.CLOSED


def test_a_closed_referral_does_not_reopen_after_consent_expired(play: Play) -> None:
    """REF-14: consent ends at a bare date, 00:00 in Japan."""
    play.story.consent(valid_until=jst("2026-05-01 00:00"))
    referral = play.send()["id"]
    for who, event in (("R", "accept"), ("R", "report-outcome"), ("S", "acknowledge")):
        play.moved(who, referral, event)
    play.at("2026-05-01 00:00")
    refused = play.move("S", referral, "reopen")
    assert code(refused) == (403, "consent-refused")
    assert {one["reason"] for one in refused.get_json()["decisions"]} == {"EXPIRED"}


def test_consent_is_asked_before_the_state(play: Play) -> None:
    """The order of checks: a reopening that neither consent nor the state allows is refused by consent."""
    referral = play.brought("accepted")
    consent = play.rows("select consent from consents")[0][0]
    play.story.withdraw(str(consent))
    assert code(play.move("S", referral, "reopen")) == (403, "consent-refused")


def test_a_closed_referral_reopens_within_ninety_days(play: Play) -> None:
    referral = play.brought("closed")
    play.story.consent(valid_until=jst("2027-03-01 00:00"))
    play.at("2026-07-06 10:00")
    assert code(play.move("S", referral, "reopen")) == (409, "too-late")


def test_a_referral_taken_back_unserved_does_not_reopen(play: Play) -> None:
    referral = play.brought("declined")
    play.moved("S", referral, "take-back")
    assert code(play.move("S", referral, "reopen")) == (409, "never-accepted")


def test_a_closed_referral_does_not_reopen_beside_a_new_one_for_the_same_need(play: Play) -> None:
    referral = play.brought("closed")
    newer = play.send()["id"]
    refused = play.move("S", referral, "reopen")
    assert code(refused) == (409, "duplicate-need")
    assert refused.get_json()["referral"] == newer


def test_an_opened_referral_is_marked_as_an_error_by_the_officer_only(play: Play) -> None:
    """Row 24."""
    referral = play.sent()
    play.open(referral)
    assert code(play.move("S", referral, "enter-in-error")) == (409, "already-opened")
    with play.story.jobs.transaction(None) as session:
        marked = service.enter_in_error(session, referral, officer=str(uuid.uuid4()), now=play.story.time())
    assert (marked.state, marked.ball) == (State.ENTERED_IN_ERROR, None)
    with pytest.raises(ConflictError, match="bad-transition"), play.story.jobs.transaction(None) as session:
        service.enter_in_error(session, referral, officer=str(uuid.uuid4()), now=play.story.time())


@pytest.mark.parametrize("event", ["accept", "decline", "cancel", "acknowledge"])
def test_a_strangers_move_answers_like_one_on_nothing(play: Play, event) -> None:
    """TEN-01."""
    referral = play.sent()
    strange = play.move(play.f1, referral, event)
    nothing = play.call(
        play.f1,
        f"/v1/referrals/00000000-0000-7000-8000-000000000000/{event}",
        {},
        if_match=1,
    )
    assert strange.status_code == 404
    assert nothing.status_code in {404, 422}
