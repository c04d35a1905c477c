# SPDX-License-Identifier: Apache-2.0
"""Consent is taken back or runs out (row 22): what nobody took on ends, what is under way goes on without content."""

import pytest
import sqlalchemy as sa

from hub.agencies import service as directory
from hub.base.db import Duty
from hub.referrals.lifecycle import State
from tests.hub.builders import operator
from tests.hub.messages.story import emergency
from tests.hub.referrals.play import PATHS, Play, jst

EARLY = ("requested", "received", "declined", "reroute_review")
UNDER_WAY = ("accepted", "on_hold", "in_progress", "cancel_requested", "outcome_reported")


def withdrawn(play: Play, **what) -> None:
    consent = play.rows("select consent from consents order by registered_at")[0][0]
    play.story.withdraw(str(consent), **what)
    play.consent_changed()


@pytest.mark.parametrize("state", EARLY)
def test_a_referral_nobody_took_on_ends_with_its_consent(play: Play, state) -> None:
    referral = play.brought(state)
    withdrawn(play)
    after = play.stored(referral)
    assert (after.state, after.ball, after.due_at) == (State.WITHDRAWN, None, None)
    assert play.told(play.j1)[-1] == play.told(play.s1)[-1] == "referral:withdrawn"


@pytest.mark.parametrize("state", UNDER_WAY)
def test_a_referral_under_way_stays_and_carries_no_more_content(play: Play, state) -> None:
    referral = play.brought(state)
    before = play.stored(referral)
    withdrawn(play)
    after = play.stored(referral)
    assert (after.state, after.ball, after.due_at) == (before.state, before.ball, before.due_at)
    assert play.get(play.s1, referral)["content_stopped"] is True
    assert play.story.logged().count("referral:content_stopped") == 1


def test_what_closes_a_referral_stays_possible_without_content(play: Play) -> None:
    referral = play.brought("in_progress")
    message = play.said(referral, play.s1, "outcome")
    withdrawn(play)
    assert play.move("R", referral, "hold").get_json()["code"] == "content-stopped"
    refused = play.move("R", referral, "report-outcome", message=message)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "content-stopped")
    play.moved("R", referral, "report-outcome")
    play.moved("S", referral, "acknowledge", follow_up={"no_follow_up_reason": "persons_wish"})
    assert play.stored(referral).state is State.CLOSED


def test_a_held_referral_finds_its_way_to_the_end_without_consent(play: Play) -> None:
    referral = play.brought("on_hold")
    withdrawn(play)
    play.moved("R", referral, "resume")
    play.moved("R", referral, "report-outcome")


def test_no_new_part_follows_a_withdrawal(play: Play) -> None:
    referral = play.brought("in_progress")
    withdrawn(play)
    refused = play.message(referral, play.j1, play.word(referral, play.j1, "document"))
    assert (refused.status_code, refused.get_json()["decisions"][0]["reason"]) == (403, "WITHDRAWN")


def test_a_withdrawal_of_one_category_lets_the_rest_go_on(play: Play) -> None:
    referral = play.sent()
    withdrawn(play, categories=["income_assets"])
    assert play.stored(referral).state is State.REQUESTED


def test_a_withdrawal_for_another_agency_changes_nothing_here(play: Play) -> None:
    referral = play.sent()
    withdrawn(play, to=[play.f1.id])
    assert play.stored(referral).state is State.REQUESTED


def test_an_exclusion_of_all_it_needs_ends_a_referral_too(play: Play) -> None:
    referral = play.sent()
    play.story.exclude(play.s1.id, "*")
    play.consent_changed()
    assert play.stored(referral).state is State.WITHDRAWN


def test_consent_that_runs_out_ends_a_referral_at_that_moment(play: Play) -> None:
    play.story.consent(valid_until=jst("2026-04-08 00:00"))
    referral = play.send()["id"]
    play.at("2026-04-07 23:59")
    play.consent_changed()
    assert play.stored(referral).state is State.REQUESTED
    play.at("2026-04-08 00:00")
    play.consent_changed()
    last = play.get(play.j1, referral)["history"][-1]
    assert (last["event"], last["to"], last["role"]) == ("withdraw", "withdrawn", "H")


def test_a_new_consent_lets_content_flow_again(play: Play) -> None:
    referral = play.brought("in_progress")
    withdrawn(play)
    play.story.consent()
    play.consent_changed()
    assert play.stored(referral).content_stopped_at is None
    assert play.story.logged().count("referral:content_resumed") == 1
    play.said(referral, play.s1, "reply")


def test_a_closed_case_takes_nothing_back(play: Play) -> None:
    """Open referrals stay open when the case is closed (api.md, closure)."""
    referral = play.brought("accepted")
    with play.story.jobs.transaction(None) as session:
        session.execute(sa.text("update cases set closed_at = now() - interval '100 years', state = 'closed'"))
    play.consent_changed()
    assert play.stored(referral).content_stopped_at is None


def test_an_emergency_does_not_stand_on_consent_and_does_not_fall_with_it(play: Play) -> None:
    play.story.consent()
    referral = play.send("identity", "safety", basis=emergency(), purpose="emergency_response")["id"]
    withdrawn(play)
    assert play.stored(referral).state is State.REQUESTED


def test_the_sender_ends_it_at_the_persons_word_and_nothing_more_is_delivered(play: Play) -> None:
    referral = play.sent()
    play.moved("S", referral, "withdraw")
    assert play.stored(referral).state is State.WITHDRAWN
    assert play.story.sealed_parts(play.stored(referral).opening) is None


def test_every_state_is_either_early_under_way_or_final() -> None:
    assert set(EARLY) | set(UNDER_WAY) <= set(PATHS)


def test_an_agency_that_is_suspended_takes_no_consent_back(play: Play) -> None:
    referral = play.brought("accepted")
    with play.story.database.transaction(None, Duty.DIRECTORY) as session:
        directory.suspend(session, play.s1.id, operator(), now=play.story.time())
    play.consent_changed()
    assert play.stored(referral).content_stopped_at is None
