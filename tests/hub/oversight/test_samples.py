# SPDX-License-Identifier: Apache-2.0
"""Paper forms are drawn by a seed that nobody chose, so that anybody can draw them again, and held against their
commitments.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import day_of
from hub.base.errors import ConflictError, InvalidError, NotFoundError
from hub.oversight import reads, service
from hub.oversight.rules import Outcome, drawn
from tests.hub.builders import new_uuid
from tests.hub.oversight.conftest import Office


def draw(office: Office, size: int = 1, **options):
    today = day_of(office.story.time())
    given_ = {"officer": office.officer, "first_day": today, "last_day": today, "agency": None} | options
    return office.look(service.draw, size=size, **given_)


@pytest.fixture
def sample(office: Office):
    office.story.consent()
    office.sequence()
    return office.ask(reads.samples, draw(office).id)[0]


def test_the_log_holds_what_is_needed_to_draw_again(office: Office) -> None:
    records = [office.story.consent() for _ in range(6)]
    office.story.consent(signature="oral_pending", evidence="")
    office.sequence()
    made = draw(office, 3)
    chosen = [one.record for one in office.ask(reads.samples, made.id)]
    assert made.candidates == len(records)
    (entry,) = office.story.entries("sample:drawn")
    facts = entry["facts"]
    again = drawn(facts["seed"], sorted(records), facts["size"])
    assert sorted(facts["records"]) == sorted(again) == sorted(chosen)
    assert facts["tree_size"] == made.tree_size > 0
    assert office.story.count("tasks", f"kind = 'paper_sample' and agency = '{office.story.j1.id}'") == 3
    assert office.story.count("events", "event = 'paper:asked'") == 3
    assert [one.id for one in office.ask(reads.draws)] == [made.id]


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [("ab" * 32, Outcome.MATCHES), ("cd" * 32, Outcome.DIFFERS), (None, Outcome.NOT_FOUND)],
    ids=["the same", "another", "none"],
)
def test_the_agencys_answer_is_held_against_the_commitment(office: Office, sample, evidence, outcome) -> None:
    story = office.story
    with story.database.transaction(story.j1.id) as session:
        now = story.time()
        found = service.show_paper(session, sample.id, agency=story.j1.id, evidence=evidence, now=now)
    assert (found.outcome, found.answered_by) == (outcome, story.j1.id)
    assert story.count("tasks", "kind = 'paper_sample' and done_at is null") == 0
    assert story.entries("sample:answered")[0]["facts"]["outcome"] == outcome.value


def test_an_officer_who_saw_the_paper_writes_that_down_once(office: Office, sample) -> None:
    saw = {"officer": office.officer, "outcome": Outcome.MATCHES, "reference": "R8-7"}
    assert office.look(service.saw_paper, sample.id, **saw).reference == "R8-7"
    with pytest.raises(ConflictError, match="already-answered"):
        office.look(service.saw_paper, sample.id, **saw)


def test_another_agency_can_neither_see_nor_answer(office: Office, sample) -> None:
    story = office.story
    with story.database.transaction(story.s1.id) as session:
        assert reads.sample(session, sample.id) is None
        with pytest.raises(NotFoundError):
            service.show_paper(session, sample.id, agency=story.s1.id, evidence=None, now=story.time())


def test_what_cannot_be_drawn_is_refused(office: Office) -> None:
    today = day_of(office.story.time())
    with pytest.raises(ConflictError, match="log-empty"):
        draw(office)
    office.sequence()
    for options, code in (
        ({"size": 0}, "bad-size"),
        ({"size": 51}, "bad-size"),
        ({"last_day": today - timedelta(days=1)}, "bad-period"),
        ({"agency": new_uuid()}, "unknown-agency"),
        ({}, "nothing-to-draw"),
    ):
        with pytest.raises(InvalidError, match=code):
            draw(office, **options)
    assert office.ask(reads.draws) == ()


@given(st.binary(min_size=32, max_size=32), st.sets(st.uuids(), min_size=1, max_size=30), st.integers(1, 40))
def test_a_drawing_is_the_same_for_everybody_and_never_draws_twice(seed: bytes, ids: set, size: int) -> None:
    candidates = [str(one) for one in ids]
    chosen = drawn(seed.hex(), candidates, size)
    assert chosen == drawn(seed.hex(), candidates[::-1], size)
    assert len(set(chosen)) == len(chosen) == min(size, len(candidates))
    assert set(chosen) <= set(candidates)
