# SPDX-License-Identifier: Apache-2.0
"""The early steps at the desk and the decision: triage, application, urgent routes with their clocks, the notice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest

from connectors.casebook import step_files
from connectors.casebook.step_files import Triage, Urgency
from connectors.desk.path.routes import AT_ONCE, routes
from connectors.desk.path.triage_pages import outcomes
from consent.calendar import Calendar, day_of, end_of_day, start_of_day
from consent.vocabulary.codes import CODE_LISTS
from tests.connectors.desk.intaking import only_case, signed_on_screen
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.paper import Paper
from tests.connectors.desk.stepping import course, go, send, stands, through
from tests.connectors.story import NOW, Network, open_case


@pytest.fixture
def case(office: Office) -> str:
    made = open_case(office.connector)
    office.connector.sync()
    return made


def triages(office: Office, case: str) -> list[Triage]:
    with office.connector.casebook.transaction() as connection:
        return list(step_files.triages_of(connection, case))


def urgencies(office: Office, case: str) -> list[Urgency]:
    with office.connector.casebook.transaction() as connection:
        return list(step_files.urgencies_of(connection, case))


@pytest.mark.parametrize(
    ("result", "state", "onward"),
    [
        ("info_only", "screened", "close"),
        ("refer_out", "referred_out", "/referrals/new"),
        ("seek_consent", "seeking_consent", ""),
        ("plan_and_continue", "screened", "application"),
        ("ended_before_screening", "suspended", "close"),
    ],
)
def test_each_result_of_a_triage_leads_to_its_state_and_its_next_page(
    browser: Browser, office: Office, case: str, result: str, state: str, onward: str
) -> None:
    through(browser, office, case, "2")
    page = browser.get(f"/cases/{case}/triage")
    page = browser.send(page, {"result": result, "manner": "together", "words": "架空の判断"}, form="main form.card")
    assert stands(office, case) == ("2", state)
    assert page.status == 200
    assert page.answer.request.path.endswith(onward or case)
    (kept,) = triages(office, case)
    assert (kept.result, kept.text, kept.manner) == (
        result, "架空の判断", "together" if result == "refer_out" else None,
    )  # fmt: skip
    assert "架空の判断" not in str([said for _, _, said in Paper(office).queued()])


def test_every_result_of_the_national_list_leads_somewhere() -> None:
    assert set(outcomes()) == set(CODE_LISTS["screening"])


def test_who_is_referred_out_is_accompanied_or_followed_up(browser: Browser, office: Office, case: str) -> None:
    through(browser, office, case, "2")
    page = browser.send(browser.get(f"/cases/{case}/triage"), {"result": "refer_out"}, form="main form.card")
    assert (page.status, page.faults) == (422, ["manner"])
    assert triages(office, case) == []


def test_only_a_case_in_consultation_is_triaged(browser: Browser, office: Office, case: str) -> None:
    page = browser.send(browser.get(f"/cases/{case}/triage"), {"result": "info_only"}, form="main form.card")
    assert (page.status, page.faults) == (422, ["result"])


def test_without_a_form_nobody_has_applied_but_consent_can_be_sought(
    browser: Browser, office: Office, case: str
) -> None:
    through(browser, office, case, "2")
    page = browser.get(f"/cases/{case}/application")
    assert "申込票がまだありません" in page.words
    browser.send(page, {"state": "seeking_consent"}, form="main form")
    assert stands(office, case) == ("3", "seeking_consent")


def test_with_a_signed_form_the_case_has_applied_and_the_path_names_the_form(office: Office, partner: Office) -> None:
    browser = office.browser(office.hire())
    signed_on_screen(browser)
    case = only_case(office.connector)
    office.connector.sync()
    through(browser, office, case, "2")
    page = browser.get(f"/cases/{case}/application")
    page = browser.send(page, {"state": "applied"}, form="main form")
    assert stands(office, case) == ("3", "applied")
    assert page.html.select("[aria-current=step] a[href^='/intakes/']")


def test_every_route_of_the_list_has_its_data_and_leads_to_kinds_and_purposes_that_exist() -> None:
    assert list(routes()) == list(CODE_LISTS["emergency_route"])
    for route in routes().values():
        assert set(route.to) <= set(CODE_LISTS["recipients"])
        assert route.purpose in CODE_LISTS["purposes"]
        assert route.then in {"referral", "emergency"}
        assert set(route.trigger) == {"ja", "en"}


MONDAY = datetime(2026, 4, 6, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "on", "due"),
    [
        ("life", None, MONDAY + AT_ONCE),
        ("shelter", None, end_of_day(date(2026, 4, 6))),
        ("small_loan", None, end_of_day(date(2026, 4, 9))),
        ("housing_benefit", None, end_of_day(date(2026, 4, 13))),
        ("lifeline", None, MONDAY + timedelta(hours=48)),
        ("lifeline", date(2026, 4, 7), start_of_day(date(2026, 4, 7))),
        ("lifeline", date(2026, 5, 7), MONDAY + timedelta(hours=48)),
        ("lifeline", date(2026, 4, 1), end_of_day(date(2026, 4, 6))),
        ("eviction", date(2026, 4, 30), start_of_day(date(2026, 4, 23))),
        ("eviction", date(2026, 4, 9), end_of_day(date(2026, 4, 6))),
        ("eviction", None, end_of_day(date(2026, 4, 6))),
    ],
)
def test_each_route_has_its_own_clock(code: str, on: date | None, due: datetime) -> None:
    assert routes()[code].due(MONDAY, on, Calendar()) == due


def test_a_route_starts_its_clock_moves_the_case_and_opens_the_referral_for_it(
    browser: Browser, office: Office, case: str
) -> None:
    page = browser.get(f"/cases/{case}/urgent")
    said = {"route": "food", "words": "架空の冷蔵庫は空"}
    page = browser.send(page, said, form="main form.card")
    assert page.answer.request.path == "/referrals/new"
    assert page.html.select_one("option[value=shokuryo][selected]")
    assert page.html.select_one("input[name=urgency][value=same_day][checked]")
    assert stands(office, case) == ("4", "consulting")
    assert course(office, case).shown.history[-1].reason == "emergency", "② was not reached yet"
    (kept,) = urgencies(office, case)
    assert kept.due_at == end_of_day(day_of(NOW))
    shown = browser.get(f"/cases/{case}").html.select_one("#urgent")
    assert shown is not None
    assert "架空の冷蔵庫は空" in shown.get_text()
    assert "架空の冷蔵庫は空" not in str([said for _, _, said in Paper(office).queued()])


def test_where_life_is_at_risk_the_emergency_disclosure_opens(browser: Browser, office: Office, case: str) -> None:
    page = browser.send(
        browser.get(f"/cases/{case}/urgent"), {"route": "life", "words": "架空の切迫"}, form="main form.card"
    )
    assert page.answer.request.path == "/emergencies/new"


def test_the_same_form_sent_twice_takes_one_route_and_a_done_one_stops_its_clock(
    browser: Browser, office: Office, case: str
) -> None:
    form = browser.get(f"/cases/{case}/urgent")
    for _ in range(2):
        browser.send(form, {"route": "shelter", "words": "架空"}, form="main form.card")
    (kept,) = urgencies(office, case)
    page = browser.get(f"/cases/{case}")
    missing = browser.send(page, {"outcome": " "}, form="#urgent form")
    assert "結果を書いてください" in missing.words
    page = browser.send(page, {"outcome": "架空の宿に入った"}, form="#urgent form")
    assert "架空の宿に入った" in page.words
    assert not page.html.select("#urgent form")
    assert send(browser, case, f"urgent/{kept.id}/done", outcome="もう一度").status == 404


def test_urgency_sends_the_case_back_to_where_it_was(browser: Browser, office: Office, case: str) -> None:
    through(browser, office, case, "2", "3", "5", "6")
    browser.send(browser.get(f"/cases/{case}/urgent"), {"route": "debt", "words": "架空"}, form="main form.card")
    assert stands(office, case) == ("4", "planning")
    back = browser.get(f"/cases/{case}").html.select_one("button.btn--go[name=step]")
    assert back is not None
    assert back["value"] == "6"
    go(browser, office, case, step="6")
    assert stands(office, case) == ("6", "planning")


NO_ROUTES: Final[tuple[tuple[dict[str, str], list[str]], ...]] = (
    ({"route": "", "words": "架空"}, ["route"]),
    ({"route": "moon", "words": "架空"}, ["route"]),
    ({"route": "food", "words": ""}, ["words"]),
    ({"route": "eviction", "words": "架空", "on": "そのうち"}, ["on"]),
)


def test_what_is_no_route_is_blamed_and_no_clock_runs(browser: Browser, office: Office, case: str) -> None:
    form = browser.get(f"/cases/{case}/urgent")
    for said, faults in NO_ROUTES:
        page = browser.send(form, said, form="main form.card")
        assert (page.status, page.faults) == (422, faults), said
    assert urgencies(office, case) == []
    assert stands(office, case) == ("1", "found")


def test_the_clock_runs_with_the_line_down_too(browser: Browser, office: Office, case: str, network: Network) -> None:
    network.hub.away = True
    browser.send(browser.get(f"/cases/{case}/urgent"), {"route": "food", "words": "架空"}, form="main form.card")
    assert len(urgencies(office, case)) == 1
    assert "送信待ち" in browser.get(f"/cases/{case}").words


def at_conference(browser: Browser, office: Office, case: str) -> None:
    through(browser, office, case, "2", "3", "5", "6", "7")


def test_the_decision_is_the_municipalitys_and_until_then_it_is_waited_for(
    browser: Browser, office: Office, case: str
) -> None:
    at_conference(browser, office, case)
    page = browser.get(f"/cases/{case}")
    assert not page.html.select("button[name=step][value='8']")
    assert "決定待ち" in page.html.select_one(".balls").get_text()  # type: ignore[union-attr]
    page = go(browser, office, case, step="8")
    assert "支援決定は自治体が行います" in page.words
    assert stands(office, case) == ("7", "conference")


def test_a_decision_on_paper_is_noted_after_it_was_seen_and_leads_on(
    browser: Browser, office: Office, case: str
) -> None:
    at_conference(browser, office, case)
    page = browser.get(f"/cases/{case}/decision")
    said = {"on": "2026-04-06", "number": "架空第12号", "officer": "架空 担当"}
    page = browser.send(page, said, form="main form")
    assert (page.status, page.faults) == (422, ["seen"])
    page = browser.send(page, {**said, "seen": "yes"}, form="main form")
    assert "自治体の決定が届いています" in page.words
    assert "架空第12号" not in str([one for _, _, one in Paper(office).queued()])
    page = browser.send(page, {"step": "8"}, form="main form")
    assert stands(office, case) == ("8", "decided")
    (eight,) = [one for one in page.html.select("li.st") if one.select_one("i").get_text() == "8"]  # type: ignore[union-attr]
    assert "自治体が決定" in eight.select_one(".st__x--l").get_text()  # type: ignore[union-attr]


def test_a_decision_counts_once_the_next_plan_waits_for_its_own(
    browser: Browser, office: Office, case: str, network: Network
) -> None:
    at_conference(browser, office, case)
    page = browser.get(f"/cases/{case}/decision")
    said = {"on": "2026-04-06", "number": "架空第12号", "officer": "架空 担当", "seen": "yes"}
    browser.send(page, said, form="main form")
    network.clock.on(minutes=1)
    go(browser, office, case, step="8")
    assert stands(office, case) == ("8", "decided")
    through(browser, office, case, "9", "11", "12", "6", "7")
    assert "自治体の決定を待っています" in browser.get(f"/cases/{case}/decision").words
