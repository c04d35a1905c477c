# SPDX-License-Identifier: Apache-2.0
"""Limits pass: who gets a task, who is told, once; across a weekend, Golden Week and the New Year."""

import pytest

from hub.referrals import reads
from hub.referrals.lifecycle import State
from tests.hub.referrals.play import Play, jst

J1, S1 = "j1", "s1"


def kinds(play: Play) -> dict[str, set[str]]:
    return {name: play.tasks(getattr(play, name)) for name in (J1, S1)}


@pytest.mark.parametrize(
    ("state", "at", "j1", "s1"),
    [
        # opened within a business day (till Tuesday 24:00), else remind; after three tell both
        ("requested", "2026-04-07 23:59", set(), set()),
        ("requested", "2026-04-08 00:00", set(), {"referral_open"}),
        ("requested", "2026-04-10 00:00", {"referral_overdue"}, {"referral_open", "referral_overdue"}),
        ("received", "2026-04-10 23:59", {"question_answer"}, set()),
        ("accepted", "2026-04-13 23:59", set(), set()),
        ("accepted", "2026-04-14 00:00", set(), {"referral_first_contact"}),
        ("accepted", "2026-04-21 00:00", {"referral_overdue"}, {"referral_first_contact", "referral_overdue"}),
        ("on_hold", "2026-04-20 00:00", set(), {"referral_review_hold"}),
        ("on_hold", "2026-04-24 00:00", {"referral_overdue"}, {"referral_review_hold", "referral_overdue"}),
        ("in_progress", "2026-05-06 09:00", set(), set()),
        ("in_progress", "2026-05-06 11:00", set(), {"referral_no_word"}),
        ("in_progress", "2026-05-16 11:00", {"referral_overdue"}, {"referral_no_word", "referral_overdue"}),
        ("cancel_requested", "2026-04-09 00:00", {"referral_overdue"}, {"referral_confirm_cancel"}),
        ("outcome_reported", "2026-04-14 00:00", {"referral_acknowledge"}, set()),
        ("outcome_reported", "2026-04-21 00:00", {"referral_acknowledge", "referral_overdue"}, set()),
        ("declined", "2026-04-09 00:00", {"referral_next_step", "referral_overdue"}, set()),
        ("reroute_review", "2026-04-14 00:00", {"referral_reroute", "conference_needed"}, set()),
    ],
)
def test_each_limit_raises_its_tasks(play: Play, state, at, j1, s1) -> None:
    play.brought(state)
    play.tick(at)
    assert kinds(play) == {J1: j1, S1: s1}


def test_urgent_limits_run_by_the_clock(play: Play) -> None:
    play.sent(urgency="same_day")
    play.tick("2026-04-06 13:59")
    assert play.tasks() == set()
    play.tick("2026-04-06 14:01")
    assert play.tasks() == {"referral_open"}


def test_a_step_is_taken_once_however_often_the_timers_come_round(play: Play) -> None:
    referral = play.sent()
    for _ in range(3):
        play.tick("2026-04-08 00:10")
    assert play.rows("select count(*) from tasks") == [(1,)]
    assert play.told(play.j1) == ["referral:overdue"]
    assert play.story.logged().count("referral:overdue") == 1
    assert play.stored(referral).step == 1


def test_a_worker_that_slept_takes_all_steps_at_once(play: Play) -> None:
    referral = play.sent()
    play.tick("2026-04-16 00:00")
    assert kinds(play) == {J1: {"referral_overdue"}, S1: {"referral_open", "referral_overdue"}}
    assert (play.stored(referral).step, play.stored(referral).step_at) == (3, None)


def test_a_timer_never_moves_the_ball(play: Play) -> None:
    referral = play.sent()
    before = play.stored(referral)
    play.tick("2026-06-01 00:00")
    after = play.stored(referral)
    assert (after.ball, after.awaiting, after.state, after.due_at, after.version) == (
        before.ball,
        before.awaiting,
        before.state,
        before.due_at,
        before.version,
    )


def test_a_move_ends_the_tasks_of_the_state_it_leaves(play: Play) -> None:
    referral = play.sent()
    play.tick("2026-04-10 00:00")
    play.moved("R", referral, "accept", next_on="2026-04-13")
    assert kinds(play) == {J1: set(), S1: set()}


def test_an_unanswered_cancellation_is_confirmed_by_the_hub_which_tells_both(play: Play) -> None:
    """Row 12: 2 business days → the coordinator, at 5 the hub confirms."""
    referral = play.brought("cancel_requested")
    play.tick("2026-04-13 23:59")
    assert play.stored(referral).state is State.CANCEL_REQUESTED
    play.tick("2026-04-14 00:00")
    assert play.stored(referral).state is State.CANCELLED
    assert play.told(play.j1)[-1] == play.told(play.s1)[-1] == "referral:cancelled"
    last = play.get(play.j1, referral)["history"][-1]
    assert (last["event"], last["agency"], last["role"]) == ("confirm-cancel", None, "H")
    assert kinds(play) == {J1: set(), S1: set()}


def test_a_review_beyond_its_limit_is_in_the_officers_digest(play: Play) -> None:
    referral = play.brought("reroute_review")
    play.at("2026-04-14 00:00")
    digest = play.look(lambda session: reads.for_digest(session, now=play.story.time(), limit=10))
    assert [one.id for one in digest] == [referral]
    play.tick()
    assert play.story.entries("referral:overdue")[-1]["facts"] == {"state": "reroute_review", "step": 1, "digest": True}


@pytest.mark.parametrize(
    ("sent", "due"),
    [
        ("2026-04-10 17:00", "2026-04-14 00:00"),  # Friday: Monday is the one business day
        ("2026-04-28 10:00", "2026-05-01 00:00"),  # 29 April is a holiday: Thursday
        ("2026-05-01 10:00", "2026-05-08 00:00"),  # 3 to 6 May: Thursday 7
        ("2026-12-28 10:00", "2027-01-05 00:00"),  # 29 December to 3 January: Monday 4
    ],
)
def test_business_days_skip_weekends_golden_week_and_the_new_year(play: Play, sent, due) -> None:
    play.at(sent)
    play.story.consent(valid_until=jst("2027-03-31 00:00"))
    referral = play.send()["id"]
    assert play.stored(referral).due_at == jst(due)
    play.tick(due)
    assert play.tasks() == {"referral_open"}


def test_an_overdue_referral_is_found_by_its_list(play: Play) -> None:
    referral = play.sent()
    client = play.client.by(play.s1.id)
    assert client.get("/v1/referrals?overdue=true").get_json()["items"] == []
    play.at("2026-04-08 00:00")
    (late,) = client.get("/v1/referrals?overdue=true").get_json()["items"]
    assert (late["id"], late["overdue"]) == (referral, True)
    assert client.get("/v1/referrals?overdue=false").get_json()["items"] == []
