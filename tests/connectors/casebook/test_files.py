# SPDX-License-Identifier: Apache-2.0
"""The agency's file of a person and a case: numbers by fiscal year, and finding people however they are typed."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.casebook import files, people
from connectors.sync.connector import Connector
from tests.connectors.story import NAME, STAFF, open_case


def _filed(connector: Connector, *, name: str = NAME, on: date = date(2026, 4, 6)) -> str:
    case = open_case(connector, name=name)
    with connector.casebook.transaction() as connection:
        person = people.person_of(connection, case, staff=STAFF, now=connector.now())
        assert person is not None
        pen = connector.pen(STAFF)
        files.keep_record(
            connection, pen, person=person.id, born_on=date(1979, 6, 3), fields={"phone": "０９０−１２３４−５６７８"},
            phones=["０９０−１２３４−５６７８"],
        )  # fmt: skip
        files.open_file(connection, pen, case=case, on=on, worker=STAFF)
    return case


def test_cases_are_numbered_within_the_fiscal_year(j1: Connector) -> None:
    cases = [_filed(j1, on=day) for day in (date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 2), date(2027, 3, 31))]
    with j1.casebook.transaction() as connection:
        found = files.files_of(connection, cases)
    assert [found[case].number for case in cases] == ["令7-0001", "令8-0001", "令8-0002", "令8-0003"]


def test_a_case_gets_its_number_once(j1: Connector) -> None:
    case = _filed(j1)
    with j1.casebook.transaction() as connection:
        again = files.open_file(connection, j1.pen(STAFF), case=case, on=date(2027, 5, 1))
    assert again.number == "令8-0001"


@pytest.mark.parametrize(
    "typed",
    ["高崎", "髙﨑", "ﾀｶｻｷ", "たかさき", "090-1234", "０９０１２３４", "5678", "令8-0001", "0001", "８ー０００１"],
)
def test_somebody_is_found_however_they_are_typed(j1: Connector, typed: str) -> None:
    case = _filed(j1)
    with j1.casebook.transaction() as connection:
        found = files.search(connection, typed, staff=STAFF, now=j1.now())
    assert [(one.case, one.person.name) for one in found] == [(case, NAME)]


@pytest.mark.parametrize("typed", ["", " ", "%", "_", "123", "架空の誰か"])
def test_what_names_nobody_finds_nobody(j1: Connector, typed: str) -> None:
    _filed(j1)
    with j1.casebook.transaction() as connection:
        assert files.search(connection, typed, staff=STAFF, now=j1.now()) == []
