# SPDX-License-Identifier: Apache-2.0
"""The casebook's mirror of the thirteen steps: what the hub said, what waits for it, what it refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.casebook import deeds, people, steps
from connectors.casebook.steps import Course
from connectors.sync.connector import Connector
from tests.connectors.story import STAFF, Network, open_case


@pytest.fixture
def case(j1: Connector) -> str:
    return open_case(j1)


def course(connector: Connector, case: str) -> Course:
    with connector.casebook.transaction() as connection:
        return steps.course_of(connection, case, owner=connector.agency, opened_at=connector.now())


def move(connector: Connector, case: str, **said: object) -> str:
    with connector.casebook.transaction() as connection:
        seen = steps.course_of(connection, case, owner=connector.agency, opened_at=connector.now())
        return deeds.case_move(connection, connector.pen(STAFF), case=case, said=said, version=seen.shown.version)


def note(connector: Connector, case: str, **said: object) -> None:
    with connector.casebook.transaction() as connection:
        deeds.note(connection, connector.pen(STAFF), case=case, note=said)


def test_a_case_that_the_hub_was_not_told_of_stands_at_the_beginning_with_nothing_offered(
    j1: Connector, case: str
) -> None:
    found = course(j1, case)
    assert (found.told, found.shown.step, found.shown.state, found.may_move) == (False, "1", "found", False)


def test_the_hubs_answer_to_a_move_is_here_at_once_and_its_history_after_the_next_round(
    j1: Connector, case: str
) -> None:
    j1.push()
    assert course(j1, case).shown.next_steps == ("2", "3")
    move(j1, case, step="5", reason="persons_wish")
    j1.push()
    found = course(j1, case)
    assert (found.shown.step, found.shown.state, found.shown.version) == ("5", "assessing", 2)
    assert [one.step for one in found.shown.history] == ["1", "5"]
    j1.sync()
    assert [(one.step, one.reason) for one in course(j1, case).shown.history] == [("1", None), ("5", "persons_wish")]


def test_a_move_waits_while_the_line_is_down_and_nothing_more_is_offered(
    j1: Connector, case: str, network: Network
) -> None:
    j1.push()
    network.hub.away = True
    key = move(j1, case, step="2")
    j1.push()
    found = course(j1, case)
    assert [one.key for one in found.waiting] == [key]
    assert (found.shown.step, found.may_move) == ("1", False)
    network.hub.away = False
    j1.push()
    assert (course(j1, case).shown.step, course(j1, case).may_move) == ("2", True)


def test_a_refused_move_stays_in_sight_until_somebody_has_looked(j1: Connector, case: str) -> None:
    j1.push()
    key = move(j1, case, step="8", reason="already_done")
    j1.push()
    (refused,) = course(j1, case).refused
    assert (refused.key, refused.code) == (key, "decision-needs-municipality")
    with j1.casebook.transaction() as connection:
        deeds.look_at(connection, j1.pen(STAFF), key)
    assert course(j1, case).refused == ()


def test_a_note_is_in_the_mirror_after_the_next_round(j1: Connector, case: str) -> None:
    note(j1, case, kind="contact_attempt", channel="telephone")
    j1.sync()
    (kept,) = course(j1, case).shown.notes
    assert (kept.kind, kept.channel, kept.author) == ("contact_attempt", "telephone", j1.agency)


def test_an_older_answer_never_takes_the_place_of_a_newer_one(j1: Connector, case: str) -> None:
    j1.push()
    old = j1.hub.case(case)
    move(j1, case, step="2")
    j1.push()
    with j1.casebook.transaction() as connection:
        steps.keep_detail(connection, old, now=j1.now())
        steps.keep_head(connection, replace(old, actions=()), now=j1.now())
    assert course(j1, case).shown.step == "2"


def test_a_round_asks_only_for_cases_that_changed(j1: Connector, case: str, network: Network) -> None:
    j1.sync()
    with j1.casebook.transaction() as connection:
        assert steps.stale(connection, agency=j1.agency, now=j1.now(), limit=9) == []
    move(j1, case, step="2")
    j1.push()
    with j1.casebook.transaction() as connection:
        assert steps.stale(connection, agency=j1.agency, now=j1.now(), limit=9) == [case]


def test_a_partners_task_about_a_case_has_the_case_looked_at_again(j1: Connector, case: str, network: Network) -> None:
    j1.sync()
    network.clock.on(minutes=5)
    j1.hub.note(case, {"kind": "decision_confirmed", "task": {"agency": j1.agency}})
    j1.sync()
    assert len(course(j1, case).confirmations) == 1
    network.clock.on(minutes=5)
    j1.hub.note(case, {"kind": "contact_made"})
    j1.sync()
    assert len(course(j1, case).shown.notes) == 1, "a task that is known already asks for nothing"


def test_a_quiet_case_is_not_asked_for_and_the_first_move_tells_the_hub_of_it(j1: Connector) -> None:
    handle = "8c1f7b3a-5d2e-4f60-9a1b-0c2d3e4f5a6b"
    with j1.casebook.transaction() as connection:
        made = people.register_person(
            connection, person="p-1", name="架空 静", kana="カクウ", staff=STAFF, now=j1.now()
        )
        people.open_case(
            connection, handle=handle, person=made.id, owner=j1.agency, staff=STAFF, now=j1.now(), quiet=True
        )
        assert steps.stale(connection, agency=j1.agency, now=j1.now(), limit=9) == []
    move(j1, handle, step="2")
    j1.push()
    assert course(j1, handle).shown.step == "2"


def test_cases_are_found_by_their_step_the_one_that_waits_longest_first(
    j1: Connector, case: str, network: Network
) -> None:
    later = open_case(j1, name="架空 後")
    j1.push()
    move(j1, later, step="2")
    j1.push()
    network.clock.on(hours=1)
    move(j1, case, step="2")
    j1.push()
    with j1.casebook.transaction() as connection:
        assert steps.at_steps(connection, ("2",), agency=j1.agency) == [later, case]
        assert steps.standings(connection, [case]) == {case: ("2", "consulting")}


def test_the_municipalitys_word_is_learnt_while_a_plan_waits_for_it(j1: Connector, case: str, network: Network) -> None:
    j1.push()
    move(j1, case, step="7", reason="already_done")
    j1.sync()
    network.clock.on(minutes=4)
    j1.hub.note(case, {"kind": "decision_confirmed"})
    j1.sync()
    assert course(j1, case).confirmations == ()
    network.clock.on(minutes=1)
    j1.sync()
    assert len(course(j1, case).confirmations) == 1


def test_a_case_that_the_hub_has_not_taken_word_of_is_never_asked_for(j1: Connector, network: Network) -> None:
    with j1.casebook.transaction() as connection:
        people.keep_case(connection, handle="not-told", owner=j1.agency, closed_at=None, now=j1.now())
    network.hub.away = True
    waiting = open_case(j1)
    j1.push()
    with j1.casebook.transaction() as connection:
        assert steps.stale(connection, agency=j1.agency, now=j1.now(), limit=9) == []
    network.hub.away = False
    j1.sync()
    assert course(j1, waiting).told
