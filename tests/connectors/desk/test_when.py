# SPDX-License-Identifier: Apache-2.0
"""How pages say days: short where nobody can take them for another year's."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.base.wareki import say_day
from connectors.desk.web.when import form_of_day

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 5, 24), "5月24日（日）"),
        (date(2027, 1, 5), "1月5日（火）"),
        (date(2027, 5, 24), "令和9年5月24日（月）"),
        (date(2025, 12, 1), "令和7年12月1日（月）"),
    ],
    ids=["this year", "soon", "next year", "last year"],
)
def test_a_short_day_has_its_year_where_it_could_be_taken_for_another(day: date, said: str) -> None:
    assert say_day(day, "ja", form_of_day(day, "short", TODAY)) == said


def test_other_forms_stay_as_asked_for() -> None:
    assert form_of_day(date(2030, 1, 1), "full", TODAY) == "full"
    assert say_day(date(2027, 5, 24), "en", "far") == "Mon 24 May 2027"
