# SPDX-License-Identifier: Apache-2.0
"""The dashboard counts what the log says, shows no trend where there is none, hides small numbers in what leaves."""

import csv
import io
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit.figures import Day
from hub.base.errors import HubError
from hub.console import charts
from hub.console.overview import _change
from hub.staff.rules import Role
from tests.hub.messages.story import emergency, new_story


@pytest.fixture
def told(database, jobs_database, sequence):
    story = new_story(database, jobs_database)
    story.consent()
    for _ in range(6):
        story.send("identity", "income_assets")
    for categories in (("health",), ("health",), ("debt_arrears", "health")):
        with pytest.raises(HubError):
            story.send(*categories)
    story.send("health", basis=emergency())
    sequence()
    return story


def numbers(page):
    return [one.get_text(strip=True) for one in page.select(".kpi__n")]


def table(page, caption):
    found = next(one for one in page.find_all("table") if one.caption.get_text() == caption)
    rows = [[cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])] for row in found.find_all("tr")]
    return rows[0], rows[1:]


def test_disclosures_refusals_and_emergencies_are_counted(signed_in, told):
    looking = signed_in()
    looking.get("/console/language/en")
    page = looking.soup("/console?days=7")
    assert numbers(page)[:4] == ["7", "3", "1", "0"]
    _, days = table(page, "Disclosures by day")
    assert len(days) == 7
    assert days[-1][1:] == ["7", "3", "1"]
    assert all(row[1:] == ["0", "0", "0"] for row in days[:-1])
    _, why = table(page, "Why they were refused")
    assert why == [["This category is not covered", "3"]]
    head, heat = table(page, "Which category went to which kind of agency")
    assert head == ["Category", "Council of social welfare"]
    assert [row[1] for row in heat] == ["1", "6", "6"]
    assert page.select("path.c-bg")


def test_few_disclosures_make_no_trend(signed_in, told):
    looking = signed_in()
    looking.get("/console/language/en")
    page = looking.get("/console").text
    assert "10 so far. Trends are shown from 30 on." in page
    assert "% of what was asked" not in page
    assert _change(29, 100) is None
    assert _change(33, 30) == "+10%"
    assert _change(30, 60) == "-50%"


def test_one_agency_alone_can_be_counted_and_an_agencys_officer_counts_only_their_own(signed_in, told):
    looking = signed_in()
    assert numbers(looking.soup(f"/console?days=7&agency={told.s1.id}"))[:3] == ["7", "0", "1"]
    assert numbers(looking.soup(f"/console?days=7&agency={told.f1.id}"))[:3] == ["0", "0", "0"]
    theirs = signed_in(Role.AGENCY_OFFICER, agency=told.f1.id)
    assert numbers(theirs.soup("/console?days=7"))[:3] == ["0", "0", "0"]
    assert numbers(theirs.soup(f"/console?days=7&agency={told.s1.id}"))[:3] == ["0", "0", "0"]


def test_small_numbers_are_hidden_in_what_leaves(signed_in, told):
    looking = signed_in()
    looking.get("/console/language/en")
    answer = looking.get("/console/figures.csv?days=7")
    lines = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    cells = [cell for line in lines[1:] for cell in line[1:] if cell.isdigit()]
    assert not {"1", "2", "3", "4"} & set(cells)
    assert ["This category is not covered", ""] in lines
    assert any(line[0] == "Identity" and line[1] == "6" for line in lines) or ["Identity", ""] in lines


@pytest.mark.parametrize(
    "asked", ["days=0", "days=8", "days=x", "days=", "days=%EF%BC%97", "agency=x", "agency=%00", "days=9999999999999"]
)
def test_a_period_or_agency_that_cannot_be_read_is_refused(signed_in, asked):
    looking = signed_in()
    for path in ("/console", "/console/figures.csv"):
        assert looking.get(f"{path}?{asked}").status_code == 400


def test_every_period_is_drawn(signed_in, told):
    looking = signed_in()
    bars = [
        len(looking.soup(f"/console?days={days}").select(".chart + details tbody")[0].find_all("tr"))
        for days in (7, 30, 90, 365)
    ]
    assert bars == [7, 30, 13, 53]


COUNTS = st.builds(Day, disclosed=st.integers(0, 10**6), refused=st.integers(0, 10**6), emergency=st.integers(0, 9))
FIRST = date(2026, 1, 1)


@given(st.lists(COUNTS, min_size=1, max_size=400))
def test_every_bar_stands_in_the_picture_and_every_day_is_in_one_bar(counts):
    days = {FIRST + timedelta(days=place): one for place, one in enumerate(counts)}
    made = charts.stacks(days, first=FIRST, last=FIRST + timedelta(days=len(counts) - 1))
    assert 2 <= len(made.grid) <= 5
    assert sum(bar.counts.disclosed for bar in made.bars) == sum(one.disclosed for one in counts)
    assert sum(bar.counts.refused for bar in made.bars) == sum(one.refused for one in counts)
    for bar in made.bars:
        assert bar.mark_y + 12 >= 0
        assert 0 <= bar.x <= bar.x + bar.width <= charts.WIDTH
        assert abs(bar.refused_y + bar.refused_height - bar.disclosed_y) < 0.2
        assert bar.disclosed_y + bar.disclosed_height <= charts.HEIGHT


def test_shades_and_lengths_grow_with_their_numbers():
    assert [charts.shade(n, 100) for n in (0, 1, 25, 26, 50, 75, 100)] == [
        "heat0",
        "heat1",
        "heat1",
        "heat2",
        "heat2",
        "heat3",
        "heat4",
    ]
    assert charts.shade(1, 1) == "heat4"
    assert charts.lengths([4, 2, 0], longest=300) == (300.0, 150.0, 0.0)
    assert charts.lengths([], longest=300) == ()
    assert charts.lengths([0], longest=300) == (0.0,)
