# SPDX-License-Identifier: Apache-2.0
"""The path drawn from a history: what is done, where it stands, what was passed over, which plan it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.desk.path import rules
from connectors.desk.path.rules import Standing
from connectors.sdk.answers import Note, Step
from hub.cases import process
from hub.cases import rules as hub_rules
from tests.connectors.story import NOW

STATE = {step: states[0] for step, states in process.STATES.items()}


def moves(*steps: str) -> list[Step]:
    """Write a history, a day between two moves; `4!` is a move beside the order."""
    return [
        Step(step=step.rstrip("!"), state=STATE[step.rstrip("!")], reason="emergency" if "!" in step else None,
             at=NOW + timedelta(days=day))
        for day, step in enumerate(steps)
    ]  # fmt: skip


def standing(*steps: str, term: int | None = None) -> dict[str, str]:
    return {one.step: one.standing.value for one in rules.stages(moves(*steps), term)}


def test_what_was_reached_is_done_and_what_was_passed_over_is_said_so() -> None:
    found = standing("1", "2", "3", "5", "6")
    assert [step for step, how in found.items() if how == "done"] == ["1", "2", "3", "5"]
    assert found["4"] == "skipped"
    assert found["6"] == "now"
    assert {found[str(n)] for n in range(7, 14)} == {"ahead"}


def test_urgency_alone_passes_nothing_over() -> None:
    found = standing("1", "2", "4")
    assert (found["3"], found["4"], found["5"]) == ("ahead", "now", "ahead")


def test_a_re_plan_begins_a_second_term_in_which_the_loop_is_empty_again() -> None:
    story = ("1", "2", "3", "5", "6", "7", "8", "9", "10", "11", "12", "5", "6")
    assert rules.terms(moves(*story))[-1] == 2
    found = standing(*story)
    assert (found["1"], found["5"], found["6"], found["7"], found["12"]) == ("done", "done", "now", "ahead", "ahead")
    first = standing(*story, term=1)
    assert {first[str(n)] for n in range(5, 13)} == {"done"}
    assert first["13"] == "ahead"


@pytest.mark.parametrize(
    ("story", "term"),
    [
        (("5", "12", "6"), 2),
        (("5", "12", "4", "5"), 2),
        (("5", "12"), 1),
        (("5", "12", "9!"), 1),
        (("11", "7"), 1),
        (("12", "5", "6", "12", "7"), 3),
    ],
)
def test_only_a_re_plan_that_leads_on_counts_as_a_term(story: tuple[str, ...], term: int) -> None:
    assert rules.terms(moves(*story))[-1] == term


def test_a_move_beside_the_order_shows_its_reason() -> None:
    (six,) = [one for one in rules.stages(moves("1", "6!")) if one.step == "6"]
    assert six.reasons == ("emergency",)


@pytest.mark.parametrize("state", sorted(rules.CLOSED))
def test_an_ended_case_stands_nowhere_any_more(state: str) -> None:
    history = [*moves("1", "2"), Step(step="13", state=state, at=NOW + timedelta(days=9))]
    assert not [one for one in rules.stages(history) if one.standing is Standing.NOW]


def test_things_are_put_at_the_step_and_the_term_in_which_they_happened() -> None:
    history = moves("1", "2", "3", "5", "12", "5")
    assert rules.step_at(history, NOW - timedelta(days=1)) == "1"
    assert rules.step_at(history, NOW + timedelta(days=2, hours=5)) == "3"
    assert rules.term_at(history, NOW + timedelta(days=9)) == 2
    assert rules.term_at(history, NOW - timedelta(days=1)) == 1


def test_whoever_was_called_away_by_urgency_knows_where_to_go_back() -> None:
    assert rules.step_before_urgent(moves("1", "2", "6", "4", "4")) == "6"
    assert rules.step_before_urgent(moves("1", "2")) is None
    assert rules.step_before_urgent([]) is None


@given(st.lists(st.sampled_from(rules.STEPS), max_size=30))
def test_every_history_has_thirteen_steps_one_of_them_now_at_most(steps: list[str]) -> None:
    history = moves(*steps)
    for term in {None, *rules.terms(history)}:
        drawn = rules.stages(history, term)
        assert [one.step for one in drawn] == list(rules.STEPS)
        assert sum(one.standing is Standing.NOW for one in drawn) <= 1
        assert all(one.since is None for one in drawn if one.standing in {Standing.AHEAD, Standing.SKIPPED})


@given(
    st.lists(
        st.tuples(st.sampled_from(("contact_attempt", "contact_made")), st.integers(0, 40 * 24),
                  st.sampled_from(("telephone", "visit", "letter"))),
        max_size=8,
    )
)  # fmt: skip
def test_contact_is_called_lost_exactly_when_the_hub_will_take_it(tries: list[tuple[str, int, str]]) -> None:
    notes = [
        Note(id=str(n), author="a", kind=kind, channel=channel, at=NOW + timedelta(hours=hours))
        for n, (kind, hours, channel) in enumerate(tries)
    ]
    made = max((one.at for one in notes if one.kind == "contact_made"), default=None)
    since = [one for one in notes if one.kind == "contact_attempt" and (made is None or one.at > made)]
    real = [hub_rules.Attempt(at=one.at, channel=one.channel or "") for one in since]
    assert rules.effort(notes).is_enough == hub_rules.is_contact_lost(real)
