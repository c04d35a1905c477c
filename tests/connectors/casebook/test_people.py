# SPDX-License-Identifier: Apache-2.0
"""Names stay byte for byte, are found however they are typed, and every look is logged."""

from __future__ import annotations

import pytest

from connectors.casebook import access, people
from connectors.sync.connector import Connector
from tests.connectors.story import NAME, NOW, STAFF, open_case, waiting


def test_a_name_comes_back_byte_for_byte(j1: Connector) -> None:
    case = open_case(j1)
    with j1.casebook.transaction() as connection:
        person = people.person_of(connection, case, staff=STAFF, now=NOW)
    assert person is not None
    assert person.name.encode() == NAME.encode()
    assert "\ufa19" in person.name
    assert "\U000e0100" in person.name


@pytest.mark.parametrize(
    "typed", ["髙", "高崎", "髙﨑", "吉", "𠮷", "葛", "葛\U000e0100", "神", "\ufa19", "たかさき", "ﾀｶｻｷ", "高 崎"]
)
def test_a_person_is_found_by_any_way_of_typing_the_name(j1: Connector, typed: str) -> None:
    open_case(j1)
    with j1.casebook.transaction() as connection:
        assert [one.name for one in people.find_people(connection, typed, staff=STAFF, now=NOW)] == [NAME]


@pytest.mark.parametrize("typed", ["%", "_", "\\", "山田"])
def test_what_is_no_part_of_a_name_finds_nobody(j1: Connector, typed: str) -> None:
    open_case(j1)
    with j1.casebook.transaction() as connection:
        assert not people.find_people(connection, typed, staff=STAFF, now=NOW)


def test_who_opened_and_who_looked_stands_in_the_access_log_without_a_name(j1: Connector) -> None:
    case = open_case(j1)
    with j1.casebook.transaction() as connection:
        people.write_answers(connection, case, "contact", {"telephone": "000"}, staff="s-08", now=NOW)
        people.person_of(connection, case, staff="s-09", now=NOW)
        lines = list(access.history(connection, case))
    assert [(line.action, line.staff) for line in lines] == [
        ("case:opened", STAFF),
        ("answers:written", "s-08"),
        ("person:viewed", "s-09"),
    ]
    assert all("髙" not in line.about for line in lines)


def test_a_search_is_logged_and_what_was_searched_is_not(j1: Connector) -> None:
    with j1.casebook.transaction() as connection:
        people.find_people(connection, "髙﨑", staff=STAFF, now=NOW)
        rows = connection.exec_driver_sql("select action, about from access_log").all()
    assert rows == [("person:searched", "")]


def test_a_later_word_replaces_the_earlier_in_its_category(j1: Connector) -> None:
    case = open_case(j1)
    with j1.casebook.transaction() as connection:
        people.write_answers(connection, case, "contact", {"telephone": "000"}, staff=STAFF, now=NOW)
        people.write_answers(connection, case, "contact", {"telephone": "111"}, staff=STAFF, now=NOW)
        people.write_answers(connection, case, "housing", {"kind": "rented"}, staff=STAFF, now=NOW)
        assert people.answers_of(connection, case) == {"contact": {"telephone": "111"}, "housing": {"kind": "rented"}}


def test_opening_a_case_queues_its_handle_and_nothing_else(j1: Connector) -> None:
    case = open_case(j1)
    assert waiting(j1) == [("case", case)]


def test_what_the_hub_says_of_a_case_leaves_the_person_behind_it(j1: Connector) -> None:
    case = open_case(j1)
    with j1.casebook.transaction() as connection:
        people.keep_case(connection, handle=case, owner=j1.agency, closed_at=NOW, now=NOW)
        assert people.person_of(connection, case, staff=STAFF, now=NOW) is not None
