# SPDX-License-Identifier: Apache-2.0
"""What the sheets say on the path: services with their referrals and gaps, dates of monitoring, strengths, problems."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from connectors.desk.path import planned
from connectors.desk.referrals.reads import Row
from consent.vocabulary.codes import CODE_LISTS
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.paper import Paper
from tests.connectors.desk.test_sheets import adopted, filled
from tests.connectors.sheets.filled import ASSESSMENT, NATIONAL
from tests.connectors.story import NOW

TODAY = date(2026, 4, 6)


def row(state: str, *, late: int = 0, purpose: str = "kakei_kaizen", days: int = 0) -> Row:
    """A referral as a list has it."""
    at = NOW + timedelta(days=days)
    members: dict[str, Any] = {
        "id": f"{state}-{days}", "case": "c", "thread": "t", "sender": "us", "recipient": "them", "person": None,
        "kana": None, "number": None, "case_number": None, "title": "", "purpose": purpose, "urgency": "normal",
        "state": state, "ball": "us", "awaiting": "them", "due_at": at, "late": late, "side": "sender",
        "partner": "them", "partner_name": "架空の機関", "worker": None, "sent_at": at, "updated_at": at, "version": 1,
        "opened": False, "asked": False,
    }  # fmt: skip
    return Row(**members)


@pytest.mark.parametrize(
    ("rows", "gap"),
    [
        ((), "unasked"),
        ((row("accepted", purpose="shuro_junbi"),), "unasked"),
        ((row("accepted"),), None),
        ((row("requested"),), None),
        ((row("requested", late=2),), "overdue"),
        ((row("declined"),), "turned-down"),
        ((row("declined"), row("accepted", days=1)), None),
        ((row("accepted"), row("cancelled", days=1)), "turned-down"),
    ],
)
def test_a_service_that_nobody_gives_is_a_gap(rows: tuple[Row, ...], gap: str | None) -> None:
    body = {"services": [{"purpose": "kakei_kaizen", "provider": "架空", "begins": "2026-04-01"}, {}]}
    (found,) = planned.services_of(body, rows)
    assert (found.gap, found.begins) == (gap, date(2026, 4, 1))


def test_a_service_that_was_only_ticked_is_looked_for_too() -> None:
    body = {"services_law": ["budget", "job_preparation"], "services_else": ["loans", "other"],
            "services": [{"purpose": "shuro_junbi", "provider": "架空"}]}  # fmt: skip
    found = planned.services_of(body, [row("accepted", purpose="sogo_shien_shikin")])
    assert [(one.purpose, one.gap) for one in found] == [
        ("shuro_junbi", "unasked"), ("kakei_kaizen", "unasked"), ("sogo_shien_shikin", None)
    ]  # fmt: skip


def test_every_service_of_the_plan_s_sheet_leads_to_purposes_that_exist() -> None:
    asked = {one.code: one for section in NATIONAL.newest("plan").sections for one in section.fields}
    ticked = {option.code for name in ("services_law", "services_else") for option in asked[name].options} - {"other"}
    assert set(planned.purposes_of()) == ticked
    assert {purpose for purposes in planned.purposes_of().values() for purpose in purposes} <= set(
        CODE_LISTS["purposes"]
    )


def test_a_date_is_kept_by_a_look_since_or_a_little_before_and_a_missed_one_is_overdue() -> None:
    body = {
        "monitoring": [{"on": "2026-05-01", "indicator": "後"}, {"on": "2026-03-01", "indicator": "先"}, {"on": ""}]
    }
    first, second = planned.looks_of(body, [], TODAY)
    assert (first.indicator, first.is_overdue, second.is_overdue) == ("先", True, False)
    first, second = planned.looks_of(body, [date(2026, 3, 5)], TODAY)
    assert (first.is_done, second.is_done) == (True, False)
    first, second = planned.looks_of(body, [date(2026, 2, 20)], TODAY)
    assert first.is_done, "a little early counts"
    assert not any(one.is_done for one in planned.looks_of(body, [date(2026, 1, 1)], TODAY)), "much too early does not"


def test_a_draft_s_words_are_no_day() -> None:
    assert planned.day_of("令和8年4月1日") is None
    assert planned.day_of(None) is None
    assert planned.services_of({}, []) == planned.looks_of({}, [], TODAY) == ()


def test_the_plan_that_holds_and_the_assessment_are_on_the_path(browser: Browser, office: Office, paper: Paper) -> None:
    case = paper.case()
    office.connector.sync()
    assert not browser.get(f"/cases/{case}").html.select("section[aria-labelledby=h-team]")
    filled(browser, case, "assessment", ASSESSMENT)
    adopted(office, browser, case)
    page = browser.get(f"/cases/{case}")
    strengths = page.html.select_one("section[aria-labelledby=h-strength]")
    problems = page.html.select_one("section[aria-labelledby=h-problem]")
    assert strengths is not None
    assert problems is not None
    assert str(ASSESSMENT["strengths"]).splitlines()[0] in strengths.get_text()
    assert "アセスメントシートから" in problems.get_text()
    team = page.html.select_one("section[aria-labelledby=h-team]")
    looks = page.html.select_one("section[aria-labelledby=h-looks]")
    assert team is not None
    assert looks is not None
    assert "まだつないでいません" in team.get_text()
    assert team.select("a[href*='/referrals/new?case=']")
    assert looks.select("time")
