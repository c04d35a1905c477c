# SPDX-License-Identifier: Apache-2.0
"""支援決定 (step 8): the municipality decides what is under the law, confirms the rest, and the person is told."""

from __future__ import annotations

import pytest

from connectors.casebook import deeds, meeting_papers, support_decisions
from connectors.desk.web.visits import Role
from tests.connectors.desk.meeting import MINUTES, NAME, SHARED, Table, table
from tests.connectors.desk.office import Browser, Page

__all__ = ["table"]

WORDS = "かなりあ架空の条件"
SAID = {
    "plan": "confirmed", "service-budget": "decided", "service-food": "confirmed",
    "first": "2026-04-20", "last": "2026-10-19", "words": WORDS, "officer": "見本 治",
}  # fmt: skip
FORM = "main form[data-guard]"


@pytest.fixture
def asked(table: Table) -> Table:
    """A plan that a meeting adopted, its minutes at the municipality, not opened yet."""
    table.agrees(table.municipality, *SHARED, "income_assets")
    table.convene()
    line = table.line()
    table.settle(line)
    table.send(line)
    table.round()
    return table


def one(browser: Browser) -> str:
    """Give the address of the only request or answer of a desk."""
    link = browser.get("/decisions").html.select_one("a[href^='/decisions/']")
    assert link is not None
    return str(link["href"])


def opened(browser: Browser) -> Page:
    return browser.send(browser.get(one(browser)), form="form[action$='/open']")


def decided(table: Table, **said: str) -> Page:
    return table.town.send(opened(table.town), SAID | said, form=FORM)


def test_the_officer_opens_decides_and_the_answer_goes_back_sealed(asked: Table) -> None:
    assert "未開封" in asked.town.get("/decisions").words
    closed = asked.town.get(one(asked.town))
    assert MINUTES not in closed.words
    page = opened(asked.town)
    assert MINUTES in page.words
    assert NAME in page.words
    law = page.html.select_one("#f-service-budget")
    beside = page.html.select_one("#f-service-food")
    assert law is not None
    assert beside is not None
    assert [str(box["value"]) for box in law.select("input")] == ["decided", "decided_with_changes", "not_decided"]
    assert [str(box["value"]) for box in beside.select("input")] == ["confirmed", "not_confirmed"]
    assert "決定を届けました。" in asked.town.send(page, SAID, form=FORM).words
    asked.round()
    assert "決定が届きました" in asked.ours.get("/decisions").words
    came = opened(asked.ours)
    assert WORDS in came.words
    assert "家計改善支援事業 決定" in came.words
    assert "（2026年）10月19日" in came.words


def test_minutes_that_their_sender_corrects_are_marked_where_the_municipality_reads_them(asked: Table) -> None:
    opened(asked.town)
    place = one(asked.town)
    with asked.municipality.connector.casebook.transaction() as connection:
        (paper,) = meeting_papers.papers(connection, forms=(meeting_papers.MINUTES,))
    write = asked.ours.get(f"/corrections/new?message={paper.message}&category=income_assets")
    asked.ours.send(write, {"text": "かなりあ正しい収入"}, form="form[data-guard]")
    asked.round()
    page = asked.town.get(place)
    assert "訂正あり" in page.words
    assert "かなりあ正しい収入" not in page.words
    link = page.html.select_one(".corrected a")
    assert link is not None
    asked.town.send(asked.town.get(str(link["href"])), form="form[action$='/open']")
    assert "かなりあ正しい収入" in asked.town.get(place).words


def test_the_hub_hears_only_that_it_was_decided(asked: Table) -> None:
    decided(asked)
    hub = asked.network.hub
    everything = repr([hub.meetings, hub.referrals, hub.cases, hub.tasks, hub.events, hub.log.entries])
    assert WORDS not in everything
    assert "budget" not in everything
    with asked.municipality.connector.casebook.transaction() as connection:
        note = deeds.latest(connection, "note", asked.case)
    assert note is not None
    assert (note.state, note.said) == ("sent", {"kind": "decision_confirmed"})


def test_a_plan_that_is_not_confirmed_carries_no_note(asked: Table) -> None:
    done = decided(asked, plan="not_confirmed", **{"service-budget": "not_decided"})
    assert "決定を届けました。" in done.words
    with asked.municipality.connector.casebook.transaction() as connection:
        assert deeds.latest(connection, "note", asked.case) is None


def test_the_notice_is_plain_and_has_both_sides_words(asked: Table) -> None:
    decided(asked)
    asked.round()
    town = asked.town.get(f"{one(asked.town)}/notice")
    assert "見本 治" in town.words
    assert WORDS in town.words
    assert town.html.select("ruby")
    before = asked.ours.get(f"{one(asked.ours)}/notice")
    assert before.status == 404  # the answer was not opened
    opened(asked.ours)
    ours = asked.ours.get(f"{one(asked.ours)}/notice")
    assert NAME in ours.words
    assert WORDS in ours.words
    assert "見本 治" in ours.words
    assert asked.ours.get("/decisions").status == 200


def test_a_service_is_told_only_to_whom_its_category_may_be_told(table: Table) -> None:
    table.agrees(table.municipality)  # not of money
    table.convene()
    line = table.line()
    table.settle(line)
    table.send(line)
    table.round()
    page = opened(table.town)
    assert "家計改善支援事業" not in page.words
    assert page.html.select_one("#f-service-budget") is None
    assert page.html.select_one("#f-service-food") is not None
    said = {name: value for name, value in SAID.items() if name != "service-budget"}
    assert "決定を届けました。" in table.town.send(page, said, form=FORM).words


def test_only_the_municipalitys_officer_decides(asked: Table) -> None:
    clerk = asked.municipality.browser(asked.municipality.hire("架空 補", roles=frozenset({Role.CASEWORKER})))
    page = opened(clerk)
    assert "決定できるのは" in page.words
    assert page.html.select_one(FORM) is None
    for browser in (clerk, asked.ours):
        refused = browser.post(f"{one(browser)}/decide", SAID)
        assert refused.status == 409
        assert "支援決定ができるのは" in refused.words
    with asked.municipality.connector.casebook.transaction() as connection:
        assert support_decisions.all_decided(connection) == []


def test_a_decision_that_lacks_something_is_not_taken(asked: Table) -> None:
    page = opened(asked.town)
    for field, value, blamed in (
        ("plan", "", "plan"),
        ("service-budget", "", "service-budget"),
        ("service-budget", "confirmed", "service-budget"),
        ("service-food", "decided", "service-food"),
        ("first", "", "first"),
        ("last", "2026-04-01", "last"),
        ("last", "2027-04-30", "last"),
        ("officer", "", "officer"),
        ("words", "番号 123456789018", "words"),
    ):
        done = asked.town.send(page, SAID | {field: value}, form=FORM)
        assert (done.status, done.faults) == (422, [blamed]), field
    without = asked.town.send(page, SAID | {"service-budget": "not_decided", "words": ""}, form=FORM)
    assert without.faults == ["words"]
    with asked.municipality.connector.casebook.transaction() as connection:
        assert support_decisions.all_decided(connection) == []


def test_one_line_is_decided_once(asked: Table) -> None:
    decided(asked)
    again = asked.town.post(f"{one(asked.town)}/decide", SAID)
    assert again.status == 409
    assert "すでに決定を返しています" in again.words


def test_what_is_not_there_is_not_found(asked: Table) -> None:
    assert asked.town.get("/decisions/none/none").status == 404
    assert asked.town.post("/decisions/none/none/decide", SAID).status == 404
    assert asked.theirs.get(one(asked.town)).status == 404
    assert asked.ours.post(f"{one(asked.ours)}/open").status == 404
    assert "決定を求められているプランはありません" not in asked.theirs.get("/decisions").words


def test_minutes_that_adopt_nothing_ask_for_nothing(table: Table) -> None:
    table.agrees(table.municipality)
    table.convene()
    line = table.line()
    table.settle(line, decision="continued")
    table.send(line)
    table.round()
    assert "決定を求められているプランはありません" in table.town.get("/decisions").words


def test_pages_speak_english_too(asked: Table) -> None:
    english = asked.municipality.browser(asked.officer, language="en")
    page = opened(english)
    assert "Under the law: decided" in page.words
    assert "Decided" in english.send(page, SAID, form=FORM).words
    assert "Notice of the decision" in english.get(f"{one(english)}/notice").words
