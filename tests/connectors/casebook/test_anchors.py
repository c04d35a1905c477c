# SPDX-License-Identifier: Apache-2.0
"""The access log, anchored day by day: every line in one day, every change found, nothing told but a root."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.casebook import access, anchors, outgoing, tables
from connectors.casebook.anchors import Verdict, Word
from connectors.casebook.tables_access import access_anchors
from connectors.sdk.problems import ProblemError
from connectors.sync.connector import Connector
from tests.connectors.story import NAME, NOW, Network, open_case, refused

DAY = date(2026, 4, 6)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(folder=tmp_path)
    yield made
    made.close()


@pytest.fixture
def centre(network: Network) -> Connector:
    """An agency that has worked for a day, on the morning after."""
    made = network.join("jiritsu")
    open_case(made)
    look(made, "st-1", "st-2", "st-3")
    network.clock.on(days=1)
    return made


def look(connector: Connector, *staff: str) -> None:
    with connector.casebook.transaction() as connection:
        for one in staff:
            access.record(connection, staff=one, action="person:seen", about="p-1", now=connector.now())


def known(connector: Connector) -> list[anchors.Anchor]:
    with connector.casebook.transaction() as connection:
        return anchors.anchors(connection)


def tamper(connector: Connector, statement: sa.Update | sa.Delete | sa.Insert) -> None:
    with connector.casebook.transaction() as connection:
        connection.execute(statement)


def test_the_first_round_of_a_day_anchors_the_day_before(centre: Connector, network: Network) -> None:
    centre.sync()
    (anchor,) = known(centre)
    assert (anchor.day, anchor.count, anchor.word) == (DAY, 5, Word.TAKEN)
    assert network.hub.anchors[centre.agency, DAY].root == anchor.root
    centre.sync()
    assert len(known(centre)) == 1


def test_a_day_is_over_an_hour_after_midnight_in_japan_and_not_before(network: Network) -> None:
    made = network.join("jiritsu")
    open_case(made)
    network.clock.at = NOW.replace(hour=15, minute=30)  # 00:30 on the 7th
    made.sync()
    assert known(made) == []
    network.clock.on(hours=1)
    made.sync()
    assert [one.day for one in known(made)] == [DAY]


def test_with_the_line_down_the_anchor_waits_and_goes_out_later(centre: Connector, network: Network) -> None:
    network.hub.away = True
    with pytest.raises(Exception, match="hub-away"):
        centre.sync()
    assert [one.word for one in known(centre)] == [Word.WAITING]
    network.hub.away = False
    centre.sync()
    assert [one.word for one in known(centre)] == [Word.TAKEN]


def test_days_on_which_the_desk_was_closed_are_caught_up_with_each_by_itself(
    centre: Connector, network: Network
) -> None:
    look(centre, "st-1")
    network.clock.on(days=5)
    look(centre, "st-2")
    network.clock.on(days=1)
    centre.sync()
    assert [one.day for one in known(centre)] == [date(2026, 4, 12), date(2026, 4, 7), DAY]
    assert [one.word for one in known(centre)] == [Word.TAKEN] * 3


CHANGES = {
    "who": lambda log: sa.update(log).where(log.c.position == 3).values(staff="st-9"),
    "when": lambda log: sa.update(log).where(log.c.position == 3).values(at=NOW + timedelta(seconds=1)),
    "what": lambda log: sa.update(log).where(log.c.position == 3).values(action="list:seen"),
    "about": lambda log: sa.update(log).where(log.c.position == 3).values(about="p-2"),
    "case": lambda log: sa.update(log).where(log.c.position == 3).values(case="another"),
    "gone": lambda log: sa.delete(log).where(log.c.position == 3),
    "last gone": lambda log: sa.delete(log).where(log.c.position == 5),
    "all gone": sa.delete,
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_done_to_a_line_afterwards_is_found_here_and_at_the_hub(
    centre: Connector, network: Network, change: str
) -> None:
    centre.sync()
    with centre.casebook.transaction() as connection:
        assert anchors.check(connection, DAY).holds
    assert centre.check_anchor(DAY)[1] is Verdict.IN_LOG
    tamper(centre, CHANGES[change](tables.access_log))
    with centre.casebook.transaction() as connection:
        assert not anchors.check(connection, DAY).holds
    assert centre.check_anchor(DAY)[1] is Verdict.DIFFERS


def test_who_changes_the_anchor_in_the_casebook_too_is_found_by_asking_the_hub(
    centre: Connector, network: Network
) -> None:
    centre.sync()
    tamper(centre, sa.update(tables.access_log).where(tables.access_log.c.position == 3).values(staff="st-9"))
    with centre.casebook.transaction() as connection:
        forged = anchors.check(connection, DAY).root
    tamper(centre, sa.update(access_anchors).values(root=forged))
    checked, at_hub = centre.check_anchor(DAY)
    assert (checked.holds, at_hub) == (True, Verdict.DIFFERS)


def test_asking_anchors_nothing_that_was_changed_before_the_hub_had_it(centre: Connector, network: Network) -> None:
    network.hub.away = True
    with pytest.raises(Exception, match="hub-away"):
        centre.sync()
    network.hub.away = False
    assert centre.check_anchor(DAY)[1] is Verdict.NOT_YET
    tamper(centre, sa.update(tables.access_log).where(tables.access_log.c.position == 3).values(staff="st-9"))
    assert centre.check_anchor(DAY)[1] is Verdict.DIFFERS
    assert network.hub.anchors == {}
    centre.sync()
    assert [one.word for one in known(centre)] == [Word.TAKEN]  # the root of the lines as they were
    assert centre.check_anchor(DAY)[1] is Verdict.DIFFERS


def test_a_hub_that_took_the_anchor_and_has_it_in_no_log_yet_is_not_believed(
    centre: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre.sync()

    def missing(*_: object) -> None:
        raise ProblemError(404, {"code": "not-found", "detail": "", "title": "", "type": "about:blank", "status": 404})

    monkeypatch.setattr(type(centre.hub), "log_entry", missing)
    assert centre.check_anchor(DAY)[1] is Verdict.NOT_YET


def test_a_log_that_holds_another_root_than_the_hub_says_is_found(centre: Connector, network: Network) -> None:
    centre.sync()
    (anchor,) = known(centre)
    other = network.hub.write("agency:anchor", (centre.agency,), {"day": "2026-04-06", "root": "0a" * 32, "count": 5})
    network.hub.anchors[centre.agency, DAY] = replace(network.hub.anchors[centre.agency, DAY], entry=other)
    checked, verdict = centre.check_anchor(DAY)
    assert (checked.root, verdict) == (anchor.root, Verdict.DIFFERS)


def test_a_day_that_was_never_anchored_cannot_be_checked(centre: Connector) -> None:
    with refused("anchor-unknown"):
        centre.check_anchor(date(2026, 1, 1))


def test_the_hub_refuses_a_second_root_and_the_row_says_so(centre: Connector, network: Network) -> None:
    centre.hub.anchor(DAY, root="0a" * 32, count=1)
    centre.sync()
    assert [one.word for one in known(centre)] == [Word.REFUSED]


def test_nothing_but_a_root_and_two_numbers_leaves_the_agency(centre: Connector) -> None:
    with centre.casebook.transaction() as connection:
        anchors.queue(connection, new_id=centre.new_id, now=centre.now())
        (row,) = [one for one in outgoing.waiting(connection) if one.what == "anchor"]
    assert sorted(row.body) == ["count", "day", "root"]
    said = json.dumps(dict(row.body), ensure_ascii=False)
    assert NAME not in said
    assert "st-1" not in said


def test_two_agencies_with_the_same_lines_have_different_roots(network: Network) -> None:
    pair = [network.join("jiritsu"), network.join("shakyo")]
    for one in pair:
        look(one, "st-1")
    network.clock.on(days=1)
    for one in pair:
        one.sync()
    roots = {known(one)[0].root for one in pair}
    assert len(roots) == 2


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(min_value=-3, max_value=5), min_size=1, max_size=25))
def test_every_line_belongs_to_exactly_one_day_whatever_the_clock_did(steps: list[int]) -> None:
    engine = sa.create_engine("sqlite://")
    tables.metadata.create_all(engine)
    number = iter(range(10_000))
    at = NOW
    with engine.begin() as connection:
        for step in steps:
            at += timedelta(hours=9 * step)
            access.record(connection, staff="st-1", action="person:seen", about="p", now=at)
            anchors.queue(connection, new_id=lambda: f"k{next(number)}", now=at)
        anchors.queue(connection, new_id=lambda: f"k{next(number)}", now=max(at, NOW) + timedelta(days=400))
        made = sorted(anchors.anchors(connection, limit=1000), key=lambda one: one.first)
        positions = [place for one in made for place in range(one.first, one.last + 1)]
        assert positions == list(range(1, len(steps) + 1))
        assert [one.day for one in made] == sorted({one.day for one in made})
        assert all(anchors.check(connection, one.day).holds for one in made)
