# SPDX-License-Identifier: Apache-2.0
"""The referral machine alone: every state × event × role is decided, as the design says."""

from itertools import chain, combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.vocabulary.codes import CODE_LISTS
from hub.referrals import rules
from hub.referrals.lifecycle import (
    EARLY,
    FACT_GUARDS,
    FINAL,
    MOVES,
    OPEN,
    STANDINGS,
    UNDER_WAY,
    Allowed,
    Event,
    Facts,
    Guard,
    Refusal,
    Role,
    State,
    actions,
    decide,
    fault,
    standing,
    table,
)

EASY = Facts(was_accepted=True, accepted_just_now=True, closed_recently=True)
CODES = {
    "bad-transition",
    "wrong-party",
    "content-stopped",
    "conference-needed",
    "return-first",
    "too-late",
    "never-accepted",
    "already-opened",
}
OPENING = {Guard.PARTS_PERMITTED, Guard.RECIPIENT_READY, Guard.NO_OPEN_DUPLICATE, Guard.CALLED}
ROLE_SETS = [frozenset(c) for n in range(len(Role) + 1) for c in combinations(Role, n)]
facts = st.builds(
    Facts,
    hop=st.integers(0, 3),
    returned=st.integers(0, 3),
    content_stopped=st.booleans(),
    opened=st.booleans(),
    more_opened=st.booleans(),
    was_accepted=st.booleans(),
    accepted_just_now=st.booleans(),
    closed_recently=st.booleans(),
)

# The design's table once more, written by hand from referral-loop.md: (row, event): from, to, who.
DESIGN = {
    (1, "send"): ("draft", "requested", "S"),
    (2, "receive"): ("requested", "received", "R"),
    (3, "accept"): ("requested received", "accepted", "R"),
    (4, "ask"): ("requested received", "received", "R"),
    (5, "decline"): ("requested received accepted in_progress on_hold", "declined", "R"),
    (6, "take-back"): ("declined", "closed", "S"),
    (7, "refer-on"): ("declined", "rerouted", "S Co"),
    (8, "contest"): ("declined outcome_reported", "reroute_review", "H S Co"),
    (9, "uphold"): ("reroute_review", "declined", "Co"),
    (9, "send-back"): ("reroute_review", "requested", "Co"),
    (9, "conference-result"): ("reroute_review", "rerouted", "Co"),
    (10, "cancel"): ("requested received", "cancelled", "S"),
    (11, "ask-to-cancel"): ("accepted in_progress on_hold", "cancel_requested", "S"),
    (12, "confirm-cancel"): ("cancel_requested", "cancelled", "R H"),
    (13, "already-served"): ("cancel_requested", "outcome_reported", "R"),
    (14, "start"): ("accepted", "in_progress", "R"),
    (15, "hold"): ("accepted in_progress", "on_hold", "R"),
    (16, "resume"): ("on_hold", "in_progress", "R"),
    (17, "note-progress"): ("in_progress", "in_progress", "R"),
    (17, "accompany"): ("in_progress", "in_progress", "R S"),
    (18, "report-outcome"): ("accepted in_progress", "outcome_reported", "R"),
    (19, "acknowledge"): ("outcome_reported", "closed", "S"),
    (20, "return"): ("outcome_reported", "in_progress", "S"),
    (21, "reopen"): ("closed", "in_progress", "S R"),
    (22, "withdraw"): ("requested received declined reroute_review", "withdrawn", "S H"),
    (23, "take-back-acceptance"): ("accepted", "received", "R"),
}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_state_event_and_set_of_roles_is_decided(state, event):
    worlds = (Facts(), EASY, Facts(content_stopped=True, hop=1, returned=2, opened=True))
    for roles, known in product(ROLE_SETS, worlds):
        answer = decide(event, state, roles, known)
        if isinstance(answer, Allowed):
            assert answer.role in roles & answer.move.who
            assert state in answer.move.frm
            assert answer.to is (answer.move.to or state)
        else:
            assert answer.code in CODES


def test_no_pair_of_state_and_event_has_two_moves():
    pairs = list(chain.from_iterable(((m.event, s) for s in m.frm) for m in MOVES))
    assert len(pairs) == len(set(pairs))


def test_every_row_of_an_event_names_the_same_parties():
    for event in Event:
        assert len({m.who for m in MOVES if m.event is event}) == 1


def test_all_fifteen_states_of_the_vocabulary_and_all_twenty_five_rows_are_there():
    assert {s.value for s in State} == set(CODE_LISTS["referral_state"])
    assert {m.row for m in MOVES} == set(range(1, 26))
    assert {m.event for m in MOVES} == set(Event)


@pytest.mark.parametrize("key", list(DESIGN))
def test_the_table_says_what_the_design_says(key):
    row, event = key
    frm, to, who = DESIGN[key]
    moves = [m for m in MOVES if m.row == row and m.event.value == event and (row != 22 or m.to)]
    assert {s.value for m in moves for s in m.frm} == set(frm.split())
    assert {m.to.value for m in moves if m.to} == {to}
    assert {r.value for m in moves for r in m.who} == set(who.split())


def test_every_guard_is_tested_in_exactly_one_place():
    places = [set(FACT_GUARDS), set(rules.BODY_GUARDS), OPENING, {Guard.SIGNED_OPEN_RECEIPT}]
    assert set().union(*places) == set(Guard)
    assert sum(map(len, places)) == len(set(Guard))
    assert {g for m in MOVES for g in m.guards} == set(Guard)


@given(st.sampled_from(State), st.sampled_from(Event), st.sets(st.sampled_from(Role)), facts)
def test_where_a_move_leads_somebody_answers_unless_it_is_the_end(state, event, roles, known):
    answer = decide(event, state, roles, known)
    if isinstance(answer, Allowed):
        after = standing(answer.to)
        assert (after is None) is (answer.to in FINAL)
        if after:
            assert fault(answer.to, ball=after.ball, awaiting=after.awaiting, due=True) is None


@given(st.sampled_from(State), st.sets(st.sampled_from(Role)), facts)
def test_what_is_listed_may_be_done(state, roles, known):
    for event in actions(state, roles, known):
        assert isinstance(decide(event, state, roles, known), Allowed)


@pytest.mark.parametrize(("state", "stopped"), [*product(sorted(OPEN), [False]), *product(sorted(UNDER_WAY), [True])])
def test_whoever_is_awaited_can_do_something_about_it(state, stopped):
    possible = set(actions(state, {standing(state).awaiting}, Facts(content_stopped=stopped)))
    assert possible - {Event.HAND_OVER, Event.ENTER_IN_ERROR}


def test_the_ball_is_the_senders_until_acceptance_then_the_receivers_until_the_outcome():
    balls = {state: row.ball for state, row in STANDINGS.items()}
    assert {s for s, b in balls.items() if b is Role.R} == UNDER_WAY - {State.OUTCOME_REPORTED}
    assert balls[State.OUTCOME_REPORTED] is balls[State.DECLINED] is balls[State.REQUESTED] is Role.S
    assert balls[State.REROUTE_REVIEW] is Role.CO


@pytest.mark.parametrize(
    ("state", "ball", "awaiting", "due"),
    [
        (State.REQUESTED, None, "R", True),
        (State.REQUESTED, "S", None, True),
        (State.REQUESTED, "S", "R", False),
        (State.CLOSED, "S", None, False),
        (State.CLOSED, None, None, True),
    ],
)
def test_a_broken_invariant_is_named(state, ball, awaiting, due):
    assert fault(state, ball=ball, awaiting=awaiting, due=due)


@pytest.mark.parametrize("event", ["accept", "acknowledge", "cancel", "decline"])
def test_who_may_never_make_a_move_is_told_so_in_every_state(event):
    event = Event(event)
    stranger = {Role.S: Role.R, Role.R: Role.S}
    (who,) = {role for m in MOVES if m.event is event for role in m.who}
    for state in State:
        assert decide(event, state, {stranger[who]}, EASY) == Refusal(code="wrong-party")


def test_a_second_refer_on_goes_to_a_conference():
    answer = decide(Event.REFER_ON, State.DECLINED, {Role.S}, Facts(hop=1))
    assert answer == Refusal(code="conference-needed", to_review=True)


def test_the_third_return_goes_to_a_conference_and_not_before():
    for returned, allowed in ((0, True), (1, True), (2, False)):
        answer = decide(Event.RETURN, State.OUTCOME_REPORTED, {Role.S}, Facts(returned=returned))
        assert isinstance(answer, Allowed) is allowed
        contest = decide(Event.CONTEST, State.OUTCOME_REPORTED, {Role.S}, Facts(returned=returned))
        assert isinstance(contest, Allowed) is not allowed


@pytest.mark.parametrize("state", sorted(UNDER_WAY))
def test_without_consent_only_what_leads_to_the_end_remains(state):
    remaining = set(actions(state, set(Role), Facts(content_stopped=True, opened=True)))
    assert remaining <= {
        Event.ASK_TO_CANCEL,
        Event.CONFIRM_CANCEL,
        Event.ALREADY_SERVED,
        Event.REPORT_OUTCOME,
        Event.ACKNOWLEDGE,
        Event.RESUME,
        Event.ENTER_IN_ERROR,
        Event.HAND_OVER,
    }


def test_withdrawal_ends_what_nobody_took_on_and_stops_content_of_the_rest():
    for state in EARLY:
        assert decide(Event.WITHDRAW, state, {Role.H}, Facts()).to is State.WITHDRAWN
    for state in UNDER_WAY:
        assert decide(Event.WITHDRAW, state, {Role.H}, Facts()).to is state


def test_only_the_officer_marks_an_opened_referral_as_an_error():
    opened = Facts(opened=True)
    assert decide(Event.ENTER_IN_ERROR, State.RECEIVED, {Role.S}, opened) == Refusal(code="already-opened")
    assert isinstance(decide(Event.ENTER_IN_ERROR, State.RECEIVED, {Role.D}, opened), Allowed)
    assert isinstance(decide(Event.ENTER_IN_ERROR, State.REQUESTED, {Role.S}, Facts()), Allowed)


def test_a_served_referral_reopens_within_its_limit_only():
    for known, code in (
        (Facts(was_accepted=True), "too-late"),
        (Facts(closed_recently=True), "never-accepted"),
    ):
        assert decide(Event.REOPEN, State.CLOSED, {Role.S}, known) == Refusal(code=code)
    assert isinstance(decide(Event.REOPEN, State.CLOSED, {Role.R}, EASY), Allowed)


def test_a_mistaken_acceptance_is_taken_back_within_a_day_and_before_more_was_opened():
    event, state = Event.TAKE_BACK_ACCEPTANCE, State.ACCEPTED
    assert decide(event, state, {Role.R}, Facts()) == Refusal(code="too-late")
    assert decide(event, state, {Role.R}, Facts(accepted_just_now=True, more_opened=True)) == Refusal(
        code="already-opened"
    )
    assert isinstance(decide(event, state, {Role.R}, EASY), Allowed)


def test_the_table_prints_one_line_for_each_row():
    printed = table()
    assert len(printed) == len(MOVES)
    assert all(len(line) == 6 and line[1] and line[4] for line in printed)
