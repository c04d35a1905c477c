# SPDX-License-Identifier: Apache-2.0
"""The month's figures are counts of what happened in it in Japan, and no small one leaves the house."""

from datetime import timedelta

import pytest

from consent.calendar import JST, day_of
from hub.base.errors import ForbiddenError
from hub.oversight import figures
from tests.hub.messages.story import emergency
from tests.hub.oversight.conftest import Office


def month(office: Office, at=None):
    day = day_of(at or office.story.time())
    return office.look(figures.month, day.year, day.month)


def test_parts_are_counted_by_category_and_kind_of_recipient(office: Office) -> None:
    story = office.story
    story.consent()
    for _ in range(6):
        story.send("identity", "income_assets")
    made = month(office)
    assert (made.disclosures.rows, made.disclosures.columns) == (("identity", "income_assets"), ("shakyo",))
    assert made.disclosures.cells == ((6,), (6,))
    assert (made.disclosures.row_totals, made.disclosures.total) == ((6, 6), 12)


def test_small_numbers_are_hidden_in_every_part_of_the_report(office: Office) -> None:
    story = office.story
    story.consent()
    story.send()
    story.send("safety", purpose="emergency_response", basis=emergency())
    with pytest.raises(ForbiddenError):
        story.send("health")
    office.sequence()
    made = month(office)
    numbers = [count for line in made.disclosures.cells for count in line]
    numbers += [*made.disclosures.row_totals, *made.disclosures.column_totals, made.disclosures.total]
    for listed in (made.refusals, made.reviews, made.referrals):
        numbers += [*listed.counts, listed.total]
    numbers += made.events.values()
    assert not [count for count in numbers if count is not None and 0 < count < 5]
    assert made.reviews.names == (figures.OPEN_REVIEW,)
    assert made.refusals.names == ("CATEGORY_NOT_COVERED",)


def test_a_month_without_anything_is_empty_and_not_hidden(office: Office) -> None:
    made = office.look(figures.month, 2020, 2)
    assert (made.disclosures.cells, made.disclosures.total, made.refusals.total) == ((), 0, 0)
    assert set(made.events.values()) == {0}


@pytest.mark.parametrize(("year", "number"), [(2026, 0), (2026, 13), (0, 1)])
def test_there_is_no_such_month(office: Office, year: int, number: int) -> None:
    with pytest.raises(ValueError, match=r"month|year"):
        office.look(figures.month, year, number)


def test_a_month_begins_at_midnight_in_japan() -> None:
    since, until = figures.bounds(2026, 12)
    assert since.astimezone(JST).isoformat() == "2026-12-01T00:00:00+09:00"
    assert until.astimezone(JST).isoformat() == "2027-01-01T00:00:00+09:00"


def test_the_share_of_emergencies_is_of_all_that_was_sent(office: Office) -> None:
    story = office.story
    story.consent()
    story.send()
    story.send("safety", purpose="emergency_response", basis=emergency())
    at = story.time()
    assert office.ask(figures.share, since=at - timedelta(days=1), until=at + timedelta(minutes=1)) == (1, 2)
