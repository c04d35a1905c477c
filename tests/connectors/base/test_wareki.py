# SPDX-License-Identifier: Apache-2.0
"""Days as people write them: eras and their borders, digits of every width, and what cannot be a day."""

from __future__ import annotations

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base.wareki import DayError, age_on, era_of, eras, fiscal_year, read_day, say_day


@pytest.mark.parametrize(
    "written",
    ["S54.6.3", "s54.6.3", "昭54/6/3", "昭和54年6月3日", "昭和５４年６月３日", "1979-06-03", "１９７９年６月３日",
     "1979/6/3", "Showa 54.6.3", " 1979ー06ー03 ", "ｓ５４．６．３"],
)  # fmt: skip
def test_one_day_however_it_is_written(written: str) -> None:
    assert read_day(written) == date(1979, 6, 3)


def test_the_first_year_of_an_era_has_a_name() -> None:
    assert read_day("令和元年5月1日") == date(2019, 5, 1)
    assert say_day(date(2019, 5, 1), "ja") == "令和元年（2019年）5月1日（水）"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("昭和64年1月8日", "day-outside-era"),
        ("昭和65年1月1日", "day-outside-era"),
        ("平成元年1月7日", "day-outside-era"),
        ("令和元年4月30日", "day-outside-era"),
        ("昭和0年1月1日", "day-outside-era"),
        ("明治5年12月31日", "day-too-early"),
        ("1872-12-31", "day-too-early"),
        ("2026-02-29", "day-impossible"),
        ("2026-13-01", "day-impossible"),
        ("慶応3年1月1日", "era-unknown"),
        ("明日", "day-unreadable"),
        ("79-6-3", "day-unreadable"),
        ("²026-01-01", "day-unreadable"),
        ("", "day-unreadable"),
    ],
)
def test_what_cannot_be_a_day_is_refused_with_its_reason(written: str, code: str) -> None:
    with pytest.raises(DayError) as refused:
        read_day(written)
    assert refused.value.code == code


def test_a_day_after_the_end_of_an_era_says_when_it_ended() -> None:
    with pytest.raises(DayError) as refused:
        read_day("昭和65年3月3日")
    assert refused.value.places["ends"] == "昭和64年1月7日"


@given(st.dates(min_value=date(1873, 1, 1), max_value=date(2100, 12, 31)))
def test_what_is_said_can_be_read_again(day: date) -> None:
    era = era_of(day)
    assert era is not None
    assert read_day(f"{era.code}{day.year - era.first_year() + 1}.{day.month}.{day.day}") == day
    assert read_day(say_day(day, "ja", "year")) == day
    assert read_day(day.isoformat()) == day


def test_eras_follow_each_other_without_a_gap() -> None:
    listed = eras()
    assert listed[0].ends is None
    assert all((before.begins - after.ends).days == 1 for before, after in itertools.pairwise(listed) if after.ends)


def test_age_and_fiscal_year_turn_on_their_days() -> None:
    assert [age_on(date(2000, 4, 2), day) for day in (date(2026, 4, 1), date(2026, 4, 2))] == [25, 26]
    assert [fiscal_year(day) for day in (date(2026, 3, 31), date(2026, 4, 1))] == [2025, 2026]
