# SPDX-License-Identifier: Apache-2.0
"""Each move of the table, made through the API: the state after it, who answers, who is told, what is kept."""

import pytest

from hub.agencies import reads as agencies
from hub.referrals.lifecycle import Event, Facts, Refusal, Role, State, decide
from tests.hub.referrals.play import BODIES, PATHS, Play, jst

# row, from, by, event, to, whose ball, who is awaited
ROWS = [
    (3, "requested", "R", "accept", "accepted", "R", "R"),
    (3, "received", "R", "accept", "accepted", "R", "R"),
    (4, "requested", "R", "ask", "received", "S", "S"),
    (5, "requested", "R", "decline", "declined", "S", "S"),
    (5, "received", "R", "decline", "declined", "S", "S"),
    (5, "accepted", "R", "decline", "declined", "S", "S"),
    (5, "on_hold", "R", "decline", "declined", "S", "S"),
    (5, "in_progress", "R", "decline", "declined", "S", "S"),
    (6, "declined", "S", "take-back", "closed", None, None),
    (8, "declined", "S", "contest", "reroute_review", "Co", "Co"),
    (9, "reroute_review", "S", "uphold", "declined", "S", "S"),
    (9, "reroute_review", "S", "send-back", "requested", "S", "R"),
    (10, "requested", "S", "cancel", "cancelled", None, None),
    (10, "received", "S", "cancel", "cancelled", None, None),
    (11, "accepted", "S", "ask-to-cancel", "cancel_requested", "R", "R"),
    (11, "in_progress", "S", "ask-to-cancel", "cancel_requested", "R", "R"),
    (11, "on_hold", "S", "ask-to-cancel", "cancel_requested", "R", "R"),
    (12, "cancel_requested", "R", "confirm-cancel", "cancelled", None, None),
    (13, "cancel_requested", "R", "already-served", "outcome_reported", "S", "S"),
    (14, "accepted", "R", "start", "in_progress", "R", "R"),
    (15, "accepted", "R", "hold", "on_hold", "R", "R"),
    (15, "in_progress", "R", "hold", "on_hold", "R", "R"),
    (16, "on_hold", "R", "resume", "in_progress", "R", "R"),
    (17, "in_progress", "R", "note-progress", "in_progress", "R", "R"),
    (18, "accepted", "R", "report-outcome", "outcome_reported", "S", "S"),
    (18, "in_progress", "R", "report-outcome", "outcome_reported", "S", "S"),
    (19, "outcome_reported", "S", "acknowledge", "closed", None, None),
    (20, "outcome_reported", "S", "return", "in_progress", "R", "R"),
    (21, "closed", "S", "reopen", "in_progress", "R", "R"),
    (21, "closed", "R", "reopen", "in_progress", "R", "R"),
    (22, "requested", "S", "withdraw", "withdrawn", None, None),
    (22, "accepted", "S", "withdraw", "accepted", "R", "R"),
    (23, "accepted", "R", "take-back-acceptance", "received", "S", "R"),
    (24, "requested", "S", "enter-in-error", "entered_in_error", None, None),
    (25, "accepted", "R", "hand-over", "accepted", "R", "R"),
    (25, "requested", "S", "hand-over", "requested", "S", "R"),
]


@pytest.mark.parametrize(("row", "state", "who", "event", "to", "ball", "awaiting"), ROWS)
def test_a_move_leads_where_the_table_says(play: Play, row, state, who, event, to, ball, awaiting) -> None:
    referral = play.brought(state)
    before = play.stored(referral)
    entries = play.story.logged()
    got = play.moved(who, referral, event)
    agencies = {"S": play.j1.id, "R": play.s1.id, "Co": play.j1.id, None: None}
    assert (got["state"], got["ball"], got["awaiting"]) == (to, agencies[ball], agencies[awaiting])
    assert (got["due_at"] is None) is (ball is None)
    assert got["version"] == before.version + 1
    # one history row, one entry of the log (an acknowledgement also logs the follow-up it sets)
    history = play.get(play.j1, referral)["history"]
    assert (history[-1]["event"], history[-1]["frm"], history[-1]["to"]) == (event, state, to)
    own = [kind for kind in play.story.logged()[len(entries) :] if kind.startswith("referral:")]
    assert own == [{"withdraw accepted": "referral:content_stopped"}.get(f"{event} {state}", "referral:moved")]


@pytest.mark.parametrize("state", list(PATHS))
def test_whatever_the_machine_refuses_the_api_refuses_and_nothing_changes(play: Play, state) -> None:
    """Every event in every state by either side: 403 wrong-party, 409 for the rest, and no trace (REF-02, REF-04)."""
    referral = play.brought(state)
    before = play.stored(referral)
    known = Facts(
        hop=0,
        opened=before.opened_at is not None,
        was_accepted=before.accepted_at is not None,
        accepted_just_now=before.accepted_at is not None,
        closed_recently=before.closed_at is not None,
    )
    roles = {"S": {Role.S, Role.CO}, "R": {Role.R}}
    made = {(move["event"], move["agency"]) for move in play.get(play.j1, referral)["history"]}
    for who, event in ((who, event) for who in roles for event in BODIES):
        answer = decide(Event(event), State(state), roles[who], known)
        if not isinstance(answer, Refusal) or (event, play.agency(who).id) in made:
            continue
        got = play.move(who, referral, event)
        assert (got.get_json()["code"], got.status_code) == (
            answer.code,
            403 if answer.code == "wrong-party" else 409,
        ), (who, event)
    assert play.stored(referral) == before


@pytest.mark.parametrize("state", list(PATHS))
def test_what_a_referral_lists_may_be_done(play: Play, state) -> None:
    referral = play.brought(state)
    for who in ("S", "R"):
        listed = play.get(play.agency(who), referral)["actions"]
        known = Facts(
            opened=play.stored(referral).opened_at is not None,
            was_accepted=True,
            accepted_just_now=True,
            closed_recently=True,
        )
        roles = {Role.S, Role.CO} if who == "S" else {Role.R}
        allowed = {e.value for e in Event if not isinstance(decide(e, State(state), roles, known), Refusal)}
        assert set(listed) == allowed - {"send", "accompany"}


def test_opening_by_a_named_worker_moves_the_referral_to_received(play: Play) -> None:
    """Row 2: the signed read receipt moves it; a delivery receipt alone does not."""
    referral = play.sent()
    first = play.open(referral, kinds=["delivery"])
    assert first.get_json()["referral"]["state"] == "requested"
    second = play.open(referral, kinds=["read"])
    assert (second.get_json()["delivery"], second.get_json()["referral"]["state"]) == ("opened", "received")
    assert play.get(play.j1, referral)["history"][-1]["facts"] == {"worker": "u-201"}
    assert play.told(play.j1) == ["referral:received"]


def test_the_same_receipt_again_is_one_move(play: Play) -> None:
    referral = play.sent()
    play.story.collect(play.stored(referral).opening, agency=play.s1)
    token = play.receipt(play.stored(referral).opening, "read")
    path = f"/v1/messages/{play.stored(referral).opening}/receipts"
    for _ in range(2):
        assert play.call(play.s1, path, {"receipt": token}).status_code == 200
    assert play.stored(referral).version == 2


def test_a_receipt_that_is_not_good_leaves_the_referral_where_it_was(play: Play) -> None:
    referral = play.sent()
    message = play.stored(referral).opening
    play.story.collect(message, agency=play.s1)
    bad = play.receipt(message, "delivery", ok=False)
    play.call(play.s1, f"/v1/messages/{message}/receipts", {"receipt": bad})
    read = play.call(play.s1, f"/v1/messages/{message}/receipts", {"receipt": play.receipt(message, "read")})
    assert read.get_json()["referral"]["state"] == "requested"


def test_receive_is_the_same_move_by_the_same_receipt(play: Play) -> None:
    referral = play.sent()
    message = play.stored(referral).opening
    play.story.collect(message, agency=play.s1)
    body = {"receipt": play.receipt(message, "read")}
    got = play.call(play.s1, f"/v1/referrals/{referral}/receive", body, if_match=1)
    assert (got.status_code, got.get_json()["state"]) == (200, "received")
    again = play.call(play.s1, f"/v1/referrals/{referral}/receive", body, if_match=1)
    assert (again.status_code, again.get_json()["version"]) == (200, 2)
    assert play.call(play.j1, f"/v1/referrals/{referral}/receive", body, if_match=2).status_code == 403


def test_receive_wants_the_read_receipt(play: Play) -> None:
    referral = play.sent()
    message = play.stored(referral).opening
    play.story.collect(message, agency=play.s1)
    body = {"receipt": play.receipt(message, "delivery")}
    got = play.call(play.s1, f"/v1/referrals/{referral}/receive", body, if_match=1)
    assert (got.status_code, got.get_json()["code"]) == (422, "read-receipt-required")


def test_acceptance_names_the_worker_and_the_next_date(play: Play) -> None:
    got = play.moved("R", play.brought("received"), "accept")
    assert (got["worker"], got["worker_role"], got["next_on"]) == ("u-201", "counsellor", "2026-04-08")


def test_a_question_stops_the_clock_once_and_asks_the_sender(play: Play) -> None:
    """Row 4: at most two business days; the answer lets it run again and the time asked counts for nobody."""
    referral = play.sent()
    before = play.stored(referral)
    play.at("2026-04-06 12:00")
    question = play.said(referral, play.s1, "question")
    got = play.moved("R", referral, "ask", message=question)
    assert (got["awaiting"], got["due_at"]) == (play.j1.id, "2026-04-08T15:00:00Z")
    play.at("2026-04-07 12:00")
    play.said(referral, play.j1, "reply")
    after = play.stored(referral)
    # accepting was due three business days after sending (Thursday); the day of waiting is added
    assert (after.awaiting, after.due_at) == (play.s1.id, jst("2026-04-11 00:00"))
    assert before.version + 1 == after.version
    again = play.moved("R", referral, "ask")
    assert (again["awaiting"], again["due_at"]) == (play.s1.id, "2026-04-10T15:00:00Z")


def test_an_unanswered_question_stops_the_clock_no_longer_than_two_business_days(play: Play) -> None:
    referral = play.sent()
    play.moved("R", referral, "ask")
    play.tick("2026-04-09 00:00")
    after = play.stored(referral)
    assert (after.awaiting, after.pause_until) == (play.s1.id, None)
    assert play.tasks(play.j1) == {"question_answer"}
    play.said(referral, play.j1, "reply")
    assert play.tasks(play.j1) == set()


def test_a_notice_answers_no_question_and_is_no_news_of_the_person(play: Play) -> None:
    """That something said earlier was wrong may be told at any time, and lets nobody's clock run."""
    referral = play.brought("received")
    before = play.stored(referral)
    play.said(referral, play.j1, "notice")
    after = play.stored(referral)
    assert (after.awaiting, after.pause_until) == (play.j1.id, before.pause_until)
    play.said(referral, play.j1, "reply")
    assert play.stored(referral).awaiting == play.s1.id
    play.moved("R", referral, "accept")
    play.moved("R", referral, "start")
    heard = play.stored(referral).word_at
    play.at("2026-04-08 12:00")
    play.said(referral, play.s1, "notice")
    assert play.stored(referral).word_at == heard
    play.said(referral, play.s1, "reply")
    assert play.stored(referral).word_at != heard


def test_a_sent_back_referral_begins_to_wait_anew(play: Play) -> None:
    referral = play.brought("reroute_review")
    play.at("2026-04-20 10:00")
    play.moved("S", referral, "send-back")
    after = play.stored(referral)
    assert (after.state, after.due_at) == (State.REQUESTED, jst("2026-04-22 00:00"))


def test_a_cancelled_referral_delivers_nothing_more(play: Play) -> None:
    """Row 10: undelivered parts are destroyed."""
    referral = play.sent()
    play.moved("S", referral, "cancel")
    opening = play.stored(referral).opening
    assert play.story.sealed_parts(opening) is None
    assert play.story.message(opening).delivery == "destroyed"


def test_holding_waits_until_the_review_date(play: Play) -> None:
    referral = play.brought("on_hold")
    assert play.stored(referral).due_at == jst("2026-04-20 00:00")


def test_no_show_owes_the_next_step_within_three_business_days(play: Play) -> None:
    """Row 17."""
    referral = play.brought("in_progress")
    play.moved("R", referral, "note-progress", what="no_show", on="2026-04-06")
    assert play.stored(referral).due_at == jst("2026-04-10 00:00")
    play.moved("R", referral, "note-progress", what="appointment_set", on="2026-04-10")
    assert play.stored(referral).due_at == play.stored(referral).word_at + (jst("2026-05-06") - jst("2026-04-06"))


def test_a_no_show_with_its_next_step_is_due_at_the_end_of_that_day(play: Play) -> None:
    referral = play.brought("in_progress")
    got = play.moved("R", referral, "note-progress", what="no_show", on="2026-04-06", next_step_on="2026-04-07")
    assert (got["due_at"], got["next_on"]) == ("2026-04-07T15:00:00Z", "2026-04-07")


def test_a_word_of_the_receiver_in_the_thread_is_news(play: Play) -> None:
    referral = play.brought("in_progress")
    play.at("2026-04-20 10:00")
    play.said(referral, play.s1, "reply")
    assert play.stored(referral).word_at >= jst("2026-04-20 10:00")


def test_an_acknowledged_outcome_sets_its_follow_up(play: Play) -> None:
    referral = play.brought("closed")
    assert [one["due_on"] for one in play.get(play.j1, referral)["follow_ups"]] == ["2026-05-06"]


def test_an_outcome_is_returned_twice_and_then_goes_to_a_conference(play: Play) -> None:
    """Row 20."""
    referral = play.brought("outcome_reported")
    for _ in range(2):
        play.moved("S", referral, "return")
        play.moved("R", referral, "report-outcome")
    third = play.move("S", referral, "return")
    assert (third.status_code, third.get_json()["code"]) == (409, "conference-needed")
    assert play.stored(referral).state is State.REROUTE_REVIEW
    assert play.stored(referral).ball == play.j1.id


def test_a_mistaken_acceptance_is_taken_back_until_the_next_business_day_ends(play: Play) -> None:
    """Row 23."""
    referral = play.brought("accepted")
    play.at("2026-04-08 00:01")
    late = play.move("R", referral, "take-back-acceptance")
    assert (late.status_code, late.get_json()["code"]) == (409, "too-late")


def test_an_acceptance_stands_once_more_was_opened(play: Play) -> None:
    referral = play.brought("accepted")
    play.said(referral, play.j1, "document")
    (row,) = play.rows("select id from messages where kind = 'document'")[0]
    play.story.collect(str(row), agency=play.s1)
    receipt = {"receipt": play.receipt(str(row), "read")}
    assert play.call(play.s1, f"/v1/messages/{row}/receipts", receipt).status_code == 200
    refused = play.move("R", referral, "take-back-acceptance")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "already-opened")


def test_both_sides_hand_over_to_another_worker(play: Play) -> None:
    """Row 25."""
    referral = play.brought("accepted")
    due = play.stored(referral).due_at
    play.moved("R", referral, "hand-over", worker="u-300")
    play.moved("S", referral, "hand-over", worker="u-101")
    after = play.stored(referral)
    assert (after.worker, after.sender_worker, after.due_at) == ("u-300", "u-101", due)


def test_the_other_side_hears_of_a_move_and_the_mover_does_not(play: Play) -> None:
    referral = play.brought("in_progress")
    play.moved("S", referral, "ask-to-cancel")
    assert play.told(play.j1) == ["referral:accepted", "referral:started"]
    assert play.told(play.s1) == ["referral:requested", "referral:cancel_asked"]


def test_a_decline_for_want_of_room_shows_in_the_directory(play: Play) -> None:
    """Row 5."""
    play.moved("R", play.sent(), "decline", reason="no_capacity")
    found = play.look(lambda session: agencies.agency(session, play.s1.id))
    assert found.capacity == "full"
    assert play.story.entries("agency:changed")[-1]["facts"] == {"capacity": "full"}
