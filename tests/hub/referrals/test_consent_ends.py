# SPDX-License-Identifier: Apache-2.0
"""Consent is taken back or runs out (row 22): what nobody took on ends, what is under way goes on without content."""

import pytest
import sqlalchemy as sa

from hub.agencies import service as directory
from hub.base.db import Duty
from hub.outbox import jobs as outbox_jobs
from hub.referrals.lifecycle import State
from hub.station import HANDLERS
from tests.hub.builders import active_agency, operator
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


# ── with nobody calling: what the outbox holds for later ──


def given_up(*_) -> None:
    raise AssertionError("work-given-up")


def worked(play: Play, text: str | None = None) -> None:
    """Have the worker do what is due, at a moment if one is given."""
    if text is not None:
        play.at(text)
    outbox_jobs.work_off(play.story.jobs, HANDLERS, given_up=given_up, by="test")


def heard(play: Play, agency, thing: str) -> list[tuple[str, str]]:
    found = play.rows("select event, about from events where agency = :a order by seq", a=agency.id)
    return [(event, about) for event, about in found if event.startswith(f"{thing}:")]


def oral(play: Play, **changes) -> str:
    """Register an oral word of Monday 2026-04-06, 09:55."""
    return play.story.consent(signature="oral_pending", evidence="", **changes)


def test_an_oral_word_that_nobody_signed_ends_the_referral_after_fourteen_days_and_all_are_told(play: Play) -> None:
    made = oral(play)
    referral = play.send()["id"]
    worked(play, "2026-04-20 09:54")
    assert play.stored(referral).state is State.REQUESTED
    assert ("consent:lapsed", made) not in heard(play, play.s1, "consent")
    worked(play, "2026-04-20 09:56")
    last = play.get(play.j1, referral)["history"][-1]
    assert (last["event"], last["to"], last["role"]) == ("withdraw", "withdrawn", "H")
    assert heard(play, play.j1, "consent") == [("consent:lapsed", made)]
    assert heard(play, play.s1, "consent")[-1] == ("consent:lapsed", made)
    assert heard(play, play.f1, "consent") == []
    assert play.story.logged().count("consent:lapsed") == 1


def test_a_period_that_ends_is_told_at_its_end_and_once(play: Play) -> None:
    made = play.story.consent(valid_until=jst("2026-04-08 00:00"))
    referral = play.send()["id"]
    play.moved("R", referral, "accept")
    worked(play, "2026-04-07 23:59")
    assert heard(play, play.j1, "consent") == []
    worked(play, "2026-04-08 00:00")
    worked(play, "2026-04-09 00:00")
    assert play.get(play.s1, referral)["content_stopped"] is True
    assert heard(play, play.j1, "consent") == [("consent:lapsed", made)]


def test_what_was_taken_back_or_replaced_before_is_no_news_at_its_end(play: Play) -> None:
    taken, replaced = oral(play), oral(play)
    play.story.withdraw(taken)
    play.story.consent(supersedes=frozenset({replaced}))
    worked(play, "2026-04-21 10:00")
    assert heard(play, play.j1, "consent") == []
    assert play.story.logged().count("consent:lapsed") == 0


def test_a_signature_that_follows_in_time_lets_the_referral_go_on(play: Play) -> None:
    said = oral(play)
    referral = play.send()["id"]
    play.at("2026-04-19 10:00")
    play.story.consent(supersedes=frozenset({said}))
    worked(play, "2026-04-21 10:00")
    assert play.stored(referral).state is State.REQUESTED


def test_a_form_that_nobody_signed_never_counted_and_does_not_lapse(play: Play) -> None:
    play.story.consent(signature="none", evidence="", valid_until=jst("2026-04-08 00:00"))
    worked(play, "2026-04-09 00:00")
    assert play.story.logged().count("consent:lapsed") == 0


def test_content_flows_again_when_a_new_consent_begins_and_not_before(play: Play) -> None:
    referral = play.brought("in_progress")
    withdrawn(play)
    play.story.consent(valid_from=jst("2026-04-10 00:00"))
    worked(play, "2026-04-09 23:59")
    assert play.stored(referral).content_stopped_at is not None
    worked(play, "2026-04-10 00:00")
    assert play.stored(referral).content_stopped_at is None


def test_what_lapses_while_an_agency_is_suspended_ends_all_the_same(play: Play) -> None:
    oral(play)
    referral = play.send()["id"]
    with play.story.database.transaction(None, Duty.DIRECTORY) as session:
        directory.suspend(session, play.s1.id, operator(), now=play.story.time())
    worked(play, "2026-04-21 10:00")
    assert play.stored(referral).state is State.WITHDRAWN


# ── named by its kind ──


@pytest.fixture
def by_kind(play: Play) -> str:
    """A consent for every council, on which the one of the play got a message; another council exists."""
    made = play.story.consent(partners=frozenset({play.s1.kind}))
    play.send()
    worked(play)
    return made


def test_a_partner_that_is_named_by_its_kind_and_holds_a_copy_hears_of_a_withdrawal(play: Play, by_kind) -> None:
    other = active_agency(play.story.database, play.s1.kind)
    play.story.withdraw(by_kind)
    worked(play)
    assert heard(play, play.s1, "withdrawal") == [("withdrawal:registered", by_kind)]
    assert play.rows("select event from events where agency = :a", a=other.id) == []


def test_such_a_partner_does_not_hear_of_a_withdrawal_for_another(play: Play, by_kind) -> None:
    play.story.withdraw(by_kind, to=[play.f1.id])
    worked(play)
    assert heard(play, play.s1, "withdrawal") == []
    play.story.withdraw(by_kind, to=[play.s1.id])
    worked(play)
    assert heard(play, play.s1, "withdrawal") == [("withdrawal:registered", by_kind)]


def test_such_a_partner_hears_of_a_newer_record_of_a_lapse_and_of_a_refusal(play: Play, by_kind) -> None:
    new = play.story.consent(partners=frozenset({play.s1.kind}), supersedes=frozenset({by_kind}))
    play.story.exclude(play.s1.kind, "health")
    worked(play)
    expected = [("consent:registered", by_kind), ("consent:registered", new), ("consent:superseded", by_kind)]
    assert heard(play, play.s1, "consent") == expected
    assert len(heard(play, play.s1, "exclusion")) == 1
    worked(play, "2026-10-01 10:00")
    assert heard(play, play.s1, "consent")[-1] == ("consent:lapsed", new)


def test_such_a_partner_does_not_hear_of_records_that_name_others(play: Play, by_kind) -> None:
    other = play.story.consent(partners=frozenset({"bengoshi"}))
    play.story.withdraw(other)
    play.story.exclude("bengoshi", "health")
    worked(play)
    assert heard(play, play.s1, "consent") == [("consent:registered", by_kind)]
    assert heard(play, play.s1, "withdrawal") == heard(play, play.s1, "exclusion") == []
