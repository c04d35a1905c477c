# SPDX-License-Identifier: Apache-2.0
"""The thirteen-step machine: every pair of position and move is decided, and the guideline's order is a usual
order.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.vocabulary.codes import CODE_LISTS
from hub.cases import process
from hub.cases.process import Advised, Course, Obstacle, Position, advise

STEPS = tuple(CODE_LISTS["step"])
STATES_KNOWN = tuple(CODE_LISTS["case_state"])
POSITIONS = [
    Position(step=step, state=state)
    for step in STEPS
    for state in (*process.STATES[step], *(() if step == "13" else ("suspended",)))
]

positions = st.sampled_from(POSITIONS)
steps = st.sampled_from(STEPS)
states = st.one_of(st.none(), st.sampled_from(STATES_KNOWN))


def at(step: str, state: str) -> Position:
    return Position(step=step, state=state)


@pytest.mark.parametrize("here", POSITIONS, ids=str)
def test_every_pair_of_position_and_move_is_decided(here):
    for step in STEPS:
        for state in (None, *STATES_KNOWN):
            assert isinstance(advise(here, step, state), Advised | Obstacle)


@given(positions, st.text(max_size=5), st.text(max_size=12))
def test_a_step_or_state_that_nobody_knows_is_refused(here, step, state):
    verdict = advise(here, step, state)
    assert isinstance(verdict, Obstacle) or verdict.to in POSITIONS


@given(positions, st.lists(st.tuples(steps, states), max_size=30))
def test_whatever_is_tried_a_case_stays_at_a_position_its_step_knows(here, tries):
    for step, state in tries:
        verdict = advise(here, step, state)
        if isinstance(verdict, Advised):
            here = verdict.to
        assert here in POSITIONS


@given(st.sampled_from(("closed", "follow_up", "ended")), st.lists(st.tuples(steps, states), max_size=30))
def test_a_closed_case_never_opens_again(state, tries):
    here = at("13", state)
    for step, wanted in tries:
        verdict = advise(here, step, wanted)
        if isinstance(verdict, Advised):
            here = verdict.to
        assert process.is_closed(here.state)


@given(positions, steps, states)
def test_the_same_move_twice_changes_nothing_the_second_time(here, step, state):
    verdict = advise(here, step, state)
    if isinstance(verdict, Advised):
        again = advise(verdict.to, step, verdict.to.state)
        assert again == Advised(to=verdict.to, course=Course.UNCHANGED)


def test_the_guidelines_own_order_is_usual_from_finding_to_closing():
    here = process.START
    for step in ("2", "3", "5", "6", "7", "8", "9", "10", "11", "13"):
        verdict = advise(here, step)
        assert isinstance(verdict, Advised)
        assert verdict.course is Course.USUAL
        here = verdict.to
    assert here == at("13", "closing")


@pytest.mark.parametrize(
    ("here", "step"),
    [
        (at("1", "found"), "9"),
        (at("3", "applied"), "8"),
        (at("5", "assessing"), "7"),
        (at("9", "supporting"), "3"),
        (at("12", "replanning"), "9"),
        (at("1", "found"), "4"),
    ],
    ids=str,
)
def test_a_move_beside_the_order_is_unusual_but_not_forbidden(here, step):
    verdict = advise(here, step)
    assert isinstance(verdict, Advised)
    assert verdict.course is Course.UNUSUAL


@pytest.mark.parametrize("step", [step for step in STEPS if step not in {"1", "4", "13"}])
def test_emergency_support_can_begin_at_every_step_and_leaves_the_state_as_it_was(step):
    here = at(step, process.STATES[step][0])
    verdict = advise(here, "4")
    assert isinstance(verdict, Advised)
    assert verdict.course is Course.USUAL
    assert verdict.to.state == here.state


@pytest.mark.parametrize("step", [step for step in STEPS if step != "13"])
def test_a_case_can_pause_at_its_step_and_go_on_there(step):
    here = at(step, process.STATES[step][0])
    paused = advise(here, step, "suspended")
    assert isinstance(paused, Advised)
    resumed = advise(paused.to, step, here.state)
    assert resumed == Advised(to=here, course=Course.USUAL)


def test_pausing_does_not_move_a_case_to_another_step():
    assert advise(at("5", "assessing"), "6", "suspended") is Obstacle.STATE_NOT_OF_STEP


def test_a_pause_is_no_closure_and_a_closing_case_is_not_paused():
    assert not process.is_closed("suspended")
    assert advise(at("13", "closing"), "13", "suspended") is Obstacle.STATE_NOT_OF_STEP


def test_a_state_that_belongs_to_another_step_is_refused():
    assert advise(at("5", "assessing"), "6", "supporting") is Obstacle.STATE_NOT_OF_STEP


def test_follow_up_comes_after_closing_and_not_instead_of_it():
    assert advise(at("13", "closing"), "13", "ended") is Obstacle.MOVE_NOT_POSSIBLE
    assert advise(at("9", "supporting"), "13", "follow_up") is Obstacle.MOVE_NOT_POSSIBLE
    follow_up = advise(at("13", "closed"), "13", "follow_up")
    assert isinstance(follow_up, Advised)
    assert isinstance(advise(follow_up.to, "13", "ended"), Advised)
    assert advise(at("13", "ended"), "13", "follow_up") is Obstacle.CASE_CLOSED


def test_a_closed_case_lists_no_next_step():
    assert process.usual_steps(at("13", "closed")) == ()
    assert process.usual_steps(at("13", "closing")) == ("9", "11", "12")
    assert process.usual_steps(at("9", "supporting")) == ("4", "10", "11")


def test_every_step_and_state_of_the_vocabulary_has_a_place_in_the_machine():
    assert set(process.STATES) == set(process.USUAL) == set(STEPS)
    placed = {state for states_of in process.STATES.values() for state in states_of} | {process.SUSPENDED}
    assert placed == set(STATES_KNOWN)
