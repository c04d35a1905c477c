# SPDX-License-Identifier: Apache-2.0
"""The hub in memory moves cases as the real one: every pair of position and move, every offer, every guard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk import answers
from connectors.sdk.problems import ProblemError
from connectors.sync.connector import Connector
from connectors.testing import courses
from connectors.testing.courses import _is_lost
from consent.vocabulary.codes import CODE_LISTS
from hub.cases import process, rules
from hub.cases.process import Advised, Position
from hub.cases.rules import Attempt
from tests.connectors.story import NOW, open_case

STEPS = sorted(CODE_LISTS["step"], key=int)
STATES = [None, *CODE_LISTS["case_state"]]
PLACES = [(step, state) for step, states in process.STATES.items() for state in states] + [
    (step, "suspended") for step in STEPS if step != "13"
]


@pytest.mark.parametrize("at", PLACES, ids="-".join)
def test_every_pair_of_place_and_move_is_judged_as_by_the_hub(at: tuple[str, str]) -> None:
    place = Position(step=at[0], state=at[1])
    for step in STEPS:
        for state in STATES:
            judged = process.advise(place, step, state)
            if isinstance(judged, Advised):
                assert courses.course_of(*at, step, state) == (judged.course.value, judged.to.state)
            else:
                assert courses.course_of(*at, step, state) == (judged.value, "")


@pytest.mark.parametrize("at", PLACES, ids="-".join)
def test_what_is_offered_at_every_place_is_what_the_hub_offers(at: tuple[str, str]) -> None:
    place = Position(step=at[0], state=at[1])
    assert courses.next_steps(*at) == process.usual_steps(place)
    for is_owner in (True, False):
        assert courses.actions(*at, is_owner=is_owner) == rules.actions(place, is_owner=is_owner)


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(("telephone", "visit", "letter"))), max_size=6))
def test_contact_is_lost_when_it_is_at_the_hub(tries: list[tuple[int, str]]) -> None:
    notes = [
        answers.Note(id=str(n), author="a", kind="contact_attempt", channel=channel, at=NOW + timedelta(days=day))
        for n, (day, channel) in enumerate(tries)
    ]
    real = [Attempt(at=one.at, channel=one.channel or "") for one in notes]
    assert _is_lost(notes) == rules.is_contact_lost(real)


@pytest.fixture
def case(j1: Connector) -> str:
    made = open_case(j1)
    j1.push()
    return made


@pytest.mark.parametrize(
    ("move", "code"),
    [
        ({"step": "6"}, "reason-needed"),
        ({"step": "2", "state": "deciding"}, "state-not-of-step"),
        ({"step": "13", "state": "ended"}, "move-not-possible"),
        ({"step": "13", "state": "closed"}, "closure-incomplete"),
        ({"step": "8", "reason": "already_done"}, "decision-needs-municipality"),
        ({"step": "13", "closure": {"ground": "lost_contact", "follow_up": {"no_follow_up_reason": "not_possible"}}},
         "contact-attempts-missing"),
        ({"step": "13", "closure": {"ground": "improved", "follow_up": {"date": "2026-01-01"}}}, "bad-date"),
        ({"step": "13", "closure": {"ground": "improved", "follow_up": {}}}, "closure-incomplete"),
        ({"step": "2", "closure": {"ground": "improved", "follow_up": {}}, "state": "consulting"}, "closure-not-here"),
    ],
)  # fmt: skip
def test_a_refused_move_says_why_and_changes_nothing(j1: Connector, case: str, move: dict, code: str) -> None:  # type: ignore[type-arg]
    before = j1.hub.case(case)
    with pytest.raises(ProblemError) as refused:
        j1.hub.move_case(case, move, version=before.version)
    assert refused.value.code == code
    assert j1.hub.case(case) == before


def test_a_move_on_an_old_version_is_stale_and_an_old_move_again_is_not(j1: Connector, case: str) -> None:
    j1.hub.move_case(case, {"step": "2"}, version=1)
    with pytest.raises(ProblemError, match="stale"):
        j1.hub.move_case(case, {"step": "3"}, version=1)
    assert j1.hub.move_case(case, {"step": "2"}, version=1).version == 2


def test_the_history_is_the_owners_and_a_follow_up_raises_its_task(j1: Connector, s1: Connector, case: str) -> None:
    closure = {"ground": "improved", "follow_up": {"date": "2026-07-06"}}
    j1.hub.move_case(case, {"step": "13", "closure": closure}, version=1)
    (_, last) = j1.hub.case(case).history
    assert (last.state, last.closure_ground, str(last.follow_up_on)) == ("closed", "improved", "2026-07-06")
    assert [task.kind for task in j1.hub.tasks()] == ["follow_up_due"]
    with pytest.raises(ProblemError):
        s1.hub.case(case)
