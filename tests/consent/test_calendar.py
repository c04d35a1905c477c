# SPDX-License-Identifier: Apache-2.0
"""Days as offices in Japan count them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import Calendar, Limit, add_months, day_of, end_of_day, moment, start_of_day
from consent.errors import DocumentRefusedError

OFFICE = Calendar()
days = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    "closed",
    [
        "2026-07-11",  # Saturday
        "2026-07-12",  # Sunday
        "2026-07-20",  # Marine Day
        "2026-09-22",  # a day between two holidays is one
        "2026-05-06",  # a holiday on a Sunday moves on
        "2026-12-29",
        "2026-12-31",
        "2027-01-02",
        "2027-01-03",
    ],
)
def test_offices_are_shut(closed: str) -> None:
    assert not OFFICE.is_business_day(date.fromisoformat(closed))


@pytest.mark.parametrize("working", ["2026-07-13", "2026-12-28", "2027-01-04", "2026-12-25"])
def test_offices_are_open(working: str) -> None:
    assert OFFICE.is_business_day(date.fromisoformat(working))


def test_a_municipality_shuts_on_days_of_its_own() -> None:
    town = Calendar.read(["2026-10-01"])
    assert not town.is_business_day(date(2026, 10, 1))
    assert town.next_business_day(date(2026, 9, 30)) == date(2026, 10, 2)


def test_municipal_days_are_dates() -> None:
    with pytest.raises(DocumentRefusedError, match="bad-date"):
        Calendar.read(["1st of October"])


@pytest.mark.parametrize(
    ("start", "count", "last_day"),
    [
        ("2026-07-10T18:12+09:00", 1, date(2026, 7, 13)),
        ("2026-04-28T09:00+09:00", 3, date(2026, 5, 7)),  # Golden Week
        ("2026-12-28T16:00+09:00", 1, date(2027, 1, 4)),
        ("2026-07-12T23:59+09:00", 1, date(2026, 7, 13)),  # from a Sunday
        ("2026-07-13T15:00Z", 1, date(2026, 7, 15)),  # already the 14th in Japan
    ],
)
def test_business_days_end_with_the_day(start: str, count: int, last_day: date) -> None:
    assert OFFICE.add_business_days(moment(start), count) == end_of_day(last_day)


@given(days, st.integers(1, 12))
def test_so_many_business_days_lie_between(start: date, count: int) -> None:
    begin = start_of_day(start)
    end = OFFICE.add_business_days(begin, count)
    assert OFFICE.business_days_between(begin, end - timedelta(seconds=1)) == count
    assert OFFICE.is_business_day(day_of(end - timedelta(seconds=1)))


def test_nothing_lies_between_later_and_earlier() -> None:
    assert OFFICE.business_days_between(moment("2026-07-14"), moment("2026-07-10")) == 0


@pytest.mark.parametrize(
    ("limit", "due"),
    [
        ("4h", "2026-07-10T22:12+09:00"),
        ("72h", "2026-07-13T18:12+09:00"),
        ("14d", "2026-07-24T18:12+09:00"),
        ("3bd", "2026-07-16"),
    ],
)
def test_hours_and_days_run_by_the_clock_and_business_days_by_the_calendar(limit: str, due: str) -> None:
    assert OFFICE.due(moment("2026-07-10T18:12+09:00"), Limit.read(limit)) == moment(due)


@pytest.mark.parametrize("text", ["", "0h", "h", "3 bd", "3w", "-1d", "1.5h", "99999h", "３h"])
def test_a_limit_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a limit reads like"):
        Limit.read(text)


def test_a_bare_date_is_midnight_in_japan() -> None:
    assert moment("2026-03-31") == datetime(2026, 3, 30, 15, tzinfo=UTC)
    assert end_of_day(date(2026, 3, 31)) == moment("2026-04-01")


def test_a_moment_is_read_as_utc() -> None:
    assert moment("2026-03-31T00:00:00.5+09:00") == datetime(2026, 3, 30, 15, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-3-31",
        "2026-02-30",
        "20260331",
        "2026-03-31T10:00",
        "2026-03-31 10:00Z",
        "2026-03-31T25:00Z",
        "0001-01-01T00:00+09:00",
        "0001-01-01",
        "２０２６-03-31",
        "2026-W14-2",
    ],
)
def test_what_is_not_a_date_is_refused(text: str) -> None:
    with pytest.raises(DocumentRefusedError) as caught:
        moment(text, "/valid_from")
    assert (caught.value.code, caught.value.pointer) == ("bad-date", "/valid_from")


@pytest.mark.parametrize(
    ("start", "months", "later"),
    [
        ("2026-04-06", 12, "2027-04-06"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-10-31", 1, "2026-11-30"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-11-30", 1, "2026-12-30"),
    ],
)
def test_months_are_counted_on_the_japanese_calendar(start: str, months: int, later: str) -> None:
    assert add_months(moment(start), months) == moment(later)
