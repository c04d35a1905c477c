# SPDX-License-Identifier: Apache-2.0
"""The board's order (ux D2) and the bar of a wait, as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.desk.board.rules import BAR_WIDTH, Place, Sort, bar, order, overdue_days, present
from consent.calendar import JST, Calendar, day_of, end_of_day

NOW = datetime(2026, 4, 6, 1, 30, tzinfo=UTC)
CALENDAR = Calendar()
unhurried = settings(deadline=None)
"""The holidays of a year are worked out once, and the machine may be busy."""

moments = st.integers(min_value=-60 * 24 * 60, max_value=60 * 24 * 60).map(lambda n: NOW + timedelta(minutes=n))


@st.composite
def places(draw: st.DrawFn) -> Place:
    due = draw(st.none() | moments)
    return Place(
        about=draw(st.text(alphabet="abcdef", min_size=1, max_size=4)),
        sort=draw(st.sampled_from(Sort)),
        urgent=draw(st.booleans()),
        overdue=overdue_days(due, NOW, CALENDAR),
        due=due,
    )


def _class(place: Place) -> int:
    """Say the rule once more in other words: urgent, overdue, today, withdrawal, answer, rest."""
    if place.urgent:
        return 0
    if place.due is not None and place.due <= NOW:
        return 1
    if place.due is not None and place.due <= end_of_day(day_of(NOW)):
        return 2
    return {Sort.WITHDRAWAL: 3, Sort.ANSWER: 4, Sort.REST: 5}[place.sort]


@unhurried
@given(st.lists(places(), max_size=30))
def test_the_classes_stand_in_the_order_of_the_rule(some: list[Place]) -> None:
    classes = [_class(place) for place in order(some, NOW)]
    assert classes == sorted(classes)


@unhurried
@given(st.lists(places(), max_size=30))
def test_nothing_is_lost_and_nothing_doubled(some: list[Place]) -> None:
    assert sorted(map(repr, order(some, NOW))) == sorted(map(repr, some))


@unhurried
@given(st.lists(places(), max_size=20, unique_by=lambda place: place.about), st.randoms())
def test_the_order_does_not_depend_on_how_rows_come(some: list[Place], chance) -> None:
    mixed = list(some)
    chance.shuffle(mixed)
    assert order(mixed, NOW) == order(some, NOW)


@unhurried
@given(st.lists(places(), min_size=2, max_size=30))
def test_what_is_later_by_more_business_days_comes_first_and_today_goes_by_the_clock(some: list[Place]) -> None:
    ordered = order(some, NOW)
    late = [place.overdue for place in ordered if _class(place) == 1]
    assert late == sorted(late, reverse=True)
    today = [place.due for place in ordered if _class(place) == 2]
    assert today == sorted(today)  # type: ignore[type-var]


@unhurried
@given(moments)
def test_overdue_begins_with_the_deadline_and_never_shrinks_with_time(due: datetime) -> None:
    days = [overdue_days(due, NOW + timedelta(hours=hours), CALENDAR) for hours in range(0, 24 * 14, 5)]
    assert days == sorted(days)
    assert (overdue_days(due, NOW, CALENDAR) > 0) == (due <= NOW)


def test_a_deadline_at_midnight_ended_with_the_day_before() -> None:
    due = datetime(2026, 4, 7, 0, 0, tzinfo=JST)  # Monday the 6th at its end
    assert overdue_days(due, datetime(2026, 4, 6, 23, 59, tzinfo=JST), CALENDAR) == 0
    assert overdue_days(due, datetime(2026, 4, 7, 0, 0, tzinfo=JST), CALENDAR) == 1
    assert overdue_days(due, datetime(2026, 4, 8, 0, 0, tzinfo=JST), CALENDAR) == 2
    assert overdue_days(None, NOW, CALENDAR) == 0


def test_weekends_and_holidays_are_not_days_of_being_late() -> None:
    friday = datetime(2026, 5, 2, 0, 0, tzinfo=JST)  # Friday 1 May at its end; 3 to 6 May are holidays
    for day in (2, 3, 4, 5, 6, 7):
        assert overdue_days(friday, datetime(2026, 5, day, 12, 0, tzinfo=JST), CALENDAR) == 1
    assert overdue_days(friday, datetime(2026, 5, 8, 12, 0, tzinfo=JST), CALENDAR) == 2


@unhurried
@given(moments, moments)
def test_a_bar_stays_in_its_picture_and_is_full_when_it_is_late(sent: datetime, due: datetime) -> None:
    if due <= sent:
        return
    drawn = bar(sent, due, NOW, CALENDAR)
    assert 0 <= drawn.width <= BAR_WIDTH
    assert drawn.allowed >= 1
    assert (drawn.tone == "late") == (due <= NOW)
    assert drawn.tone != "late" or drawn.width == BAR_WIDTH


def test_the_present_appointment_is_the_one_that_has_just_begun_else_the_next() -> None:
    times = [NOW + timedelta(hours=hours) for hours in (-3, -0.5, 2)]
    assert present(times, NOW) == times[1]
    assert present([times[0], times[2]], NOW) == times[2]
    assert present([times[0]], NOW) is None
