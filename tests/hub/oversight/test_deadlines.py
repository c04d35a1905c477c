# SPDX-License-Identifier: Apache-2.0
"""By when a leak is to be reported, by the Japanese calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import Calendar
from hub.oversight.deadlines import FULL, FULL_ILL_INTENT, deadlines, many

DAYS = st.dates(date(2026, 1, 1), date(2090, 1, 1))


def test_the_day_of_knowing_is_the_first_day() -> None:
    said = deadlines(date(2026, 11, 2), Calendar())
    assert (said.first_from, said.first_until) == (date(2026, 11, 4), date(2026, 11, 6))
    assert said.full == date(2026, 12, 1)
    # the sixtieth day is New Year's holiday
    assert date(2026, 11, 2) + timedelta(days=59) == date(2026, 12, 31)
    assert said.full_ill_intent == date(2027, 1, 4)


def test_a_full_report_that_falls_on_a_weekend_is_due_on_monday() -> None:
    assert deadlines(date(2026, 11, 6), Calendar()).full == date(2026, 12, 7)


def test_the_first_word_waits_for_no_weekend() -> None:
    assert deadlines(date(2026, 11, 26), Calendar()).first_from == date(2026, 11, 28)


def test_days_on_which_the_municipality_is_closed_put_off_too() -> None:
    closed = Calendar(closed=frozenset({date(2026, 12, 1)}))
    assert deadlines(date(2026, 11, 2), closed).full == date(2026, 12, 2)


@given(DAYS)
def test_a_full_report_is_due_on_a_working_day_and_never_early(known_on: date) -> None:
    said = deadlines(known_on, Calendar())
    for day, number in ((said.full, FULL), (said.full_ill_intent, FULL_ILL_INTENT)):
        counted = known_on + timedelta(days=number - 1)
        assert Calendar().is_business_day(day)
        assert counted <= day
        assert not any(Calendar().is_business_day(counted + timedelta(days=n)) for n in range((day - counted).days))
    assert known_on < said.first_from < said.first_until < said.full < said.full_ill_intent


@pytest.mark.parametrize(("regime", "number"), [("private", 1000), ("entrusted", 1000), ("admin", 100), ("mixed", 100)])
def test_public_bodies_report_from_a_hundred_persons_on(regime: str, number: int) -> None:
    assert many(regime) == number
