# SPDX-License-Identifier: Apache-2.0
"""The board from page to page: what is on it and in which order, whose work, putting off, what administrators see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.casebook import drafts, outgoing, outings
from connectors.desk.web.visits import Role
from tests.connectors import story
from tests.connectors.desk import counting
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.paper import Paper, order_of, outing_of, section
from tests.connectors.story import Network

NAMES = ("架空 一郎", "架空 二子", "架空 三郎", "架空 四子", "架空 五郎", "架空 六子")


def test_a_new_agency_is_told_three_first_steps_and_what_is_done_of_them(browser: Browser, partner: Office) -> None:
    words = browser.get("/").words
    assert "関係機関を確認する" in words
    assert "申込票を1件登録する" in words
    assert "つなぎを試す（見本）" in words
    assert "期限を過ぎたものはありません。" in words


def test_a_row_says_who_why_since_when_and_has_one_button(browser: Browser, partner: Office, paper: Paper) -> None:
    case = paper.case("架空 花子")
    paper.referral(case, partner.connector.agency, due_at=paper.now - timedelta(days=3))
    page = browser.get("/")
    row = page.html.select_one("#late .todo li")
    assert row is not None
    said = row.get_text(" ")
    assert "架空 花子 さん" in said
    assert "令8-0001" in said
    assert "架空の機関1から返事がありません。電話で確認してください。" in said
    assert "営業日超過" in said
    assert len(row.select(".btn")) <= 1
    assert "はじめの3つ" not in page.words


def test_the_order_on_the_page_is_the_rule(browser: Browser, partner: Office, paper: Paper) -> None:
    other, now = partner.connector.agency, paper.now
    cases = [paper.case(name) for name in NAMES]
    rest = {"state": "accepted", "came": True, "ball": paper.connector.agency, "awaiting": paper.connector.agency}
    paper.referral(cases[0], other, **rest, due_at=now + timedelta(days=20))
    paper.referral(cases[1], other, state="outcome_reported", awaiting=paper.connector.agency)
    paper.notice(cases[2], due_at=now + timedelta(days=9))
    paper.referral(cases[3], other, **rest, due_at=now + timedelta(hours=2))
    paper.referral(cases[4], other, due_at=now - timedelta(days=10))
    paper.referral(cases[5], other, **rest, urgency="immediate", due_at=now + timedelta(hours=3))
    page = browser.get("/").words
    late = section(browser, "late")
    todo = section(browser, "todo")
    assert order_of(late, NAMES) == [NAMES[5], NAMES[4]]
    assert order_of(todo, NAMES) == [NAMES[3], NAMES[2], NAMES[1], NAMES[0]]
    assert "期限を過ぎています・急ぎです（2件）" in page


def test_the_counters_lead_to_their_sections_and_count_all(browser: Browser, partner: Office, paper: Paper) -> None:
    case = paper.case()
    for days in range(30):
        paper.referral(case, partner.connector.agency, due_at=paper.now - timedelta(days=days + 1))
    page = browser.get("/")
    assert [one["href"] for one in page.html.select(".tally a")] == ["#late", "#today", "#wait", "#inbox"]
    assert [one.get_text() for one in page.html.select(".tally b")] == ["30", "0", "30", "0"]
    assert len(page.html.select("#late .todo li")) == 20
    assert len(browser.get("/?all=1").html.select("#late .todo li")) == 30


def test_mine_are_my_cases_and_those_of_nobody_team_and_agency_are_wider(
    office: Office, partner: Office, paper: Paper
) -> None:
    me = office.hire("仮名 恵", team="A")
    friend, stranger = office.hire("仮名 友", team="A"), office.hire("仮名 遠", team="B")
    for name, worker, team in (
        (NAMES[0], me, "A"),
        (NAMES[1], None, ""),
        (NAMES[2], friend, "A"),
        (NAMES[3], stranger, "B"),
    ):
        paper.referral(
            paper.case(name, worker=worker, team=team), partner.connector.agency, due_at=paper.now - timedelta(days=2)
        )
    browser = office.browser(me)
    seen = {
        scope: order_of(section(browser, "late", f"/?scope={scope}"), NAMES) for scope in ("mine", "team", "office")
    }
    assert set(seen["mine"]) == set(NAMES[:2])
    assert set(seen["team"]) == set(NAMES[:3])
    assert set(seen["office"]) == set(NAMES[:4])
    assert set(order_of(section(browser, "late", "/?scope=%E3%81%82"), NAMES)) == set(NAMES[:2])


def test_a_look_at_the_board_is_one_line_of_the_access_log(browser: Browser, paper: Paper) -> None:
    browser.get("/?scope=office")
    assert "board:viewed-office" in paper.log()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_both_languages_show_every_kind_of_row(office: Office, partner: Office, paper: Paper, language: str) -> None:
    other, us = partner.connector.agency, paper.connector.agency
    case = paper.case()
    for state in ("accepted", "in_progress", "on_hold", "cancel_requested", "outcome_reported", "declined"):
        paper.referral(case, other, came=True, state=state, ball=us, awaiting=us)
    paper.referral(case, other, state="reroute_review", awaiting=us)
    paper.referral(case, other, came=True)
    paper.follow_up(paper.referral(case, other, state="closed", ball=None, awaiting=None), date(2026, 4, 1))
    paper.task(case)
    with paper.connector.casebook.transaction() as connection:
        pen = paper.connector.pen("s-1")
        outings.escalate(connection, pen, outing_of(case))
    page = office.browser(office.hire(), language=language).get("/")
    assert page.status == 200
    assert len(page.html.select("#late .todo li, #todo .todo li")) == 10
    assert len(page.html.select("#inbox .todo li")) == 1


def test_a_follow_up_due_today_is_on_the_day_and_one_of_yesterday_is_late(
    browser: Browser, partner: Office, paper: Paper
) -> None:
    for name, day in ((NAMES[0], date(2026, 4, 6)), (NAMES[1], date(2026, 4, 3)), (NAMES[2], date(2026, 4, 7))):
        closed = {"state": "closed", "ball": None, "awaiting": None, "due_at": None}
        paper.follow_up(paper.referral(paper.case(name), partner.connector.agency, **closed), day)
    assert order_of(section(browser, "today"), NAMES) == [NAMES[0]]
    assert order_of(section(browser, "late"), NAMES) == [NAMES[1]]
    assert NAMES[2] not in browser.get("/").words


@pytest.mark.parametrize(
    ("at", "is_late"),
    [
        (datetime(2026, 4, 6, 14, 59, 59, tzinfo=UTC), False),  # 23:59:59 in Japan
        (datetime(2026, 4, 6, 15, 0, 0, tzinfo=UTC), True),  # midnight
    ],
)
def test_a_day_ends_at_midnight_in_japan(
    office: Office, partner: Office, paper: Paper, network: Network, at: datetime, is_late: bool
) -> None:
    closed = {"state": "closed", "ball": None, "awaiting": None, "due_at": None}
    paper.follow_up(paper.referral(paper.case(), partner.connector.agency, **closed), date(2026, 4, 6))
    network.clock.at = at
    browser = office.browser(office.hire())
    assert ("架空 花子" in section(browser, "late")) is is_late
    assert ("架空 花子" in section(browser, "today")) is not is_late


def test_holidays_do_not_count_as_overdue_days(office: Office, partner: Office, paper: Paper, network: Network) -> None:
    # due on 1 May 2026 (Friday); 3 to 6 May are holidays: on 7 May one business day has passed
    paper.referral(paper.case(), partner.connector.agency, due_at=datetime(2026, 5, 1, 15, 0, tzinfo=UTC))
    network.clock.at = datetime(2026, 5, 7, 1, 0, tzinfo=UTC)
    browser = office.browser(office.hire())
    assert "期限 5月1日（金）（1営業日超過）" in section(browser, "late")


def test_consents_that_end_within_a_month_are_shown_and_later_ones_are_not(
    browser: Browser, office: Office, partner: Office, paper: Paper
) -> None:
    soon, later, gone = (paper.case(name) for name in NAMES[:3])
    for case, days in ((soon, 10), (later, 80), (gone, 12)):
        story.consent(office.connector, case, partner.connector.agency, valid_until=paper.now + timedelta(days=days))
    story.consent(office.connector, gone, partner.connector.agency)
    from connectors.casebook import statements
    from consent.receipts import WithdrawalRecord

    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen("s-1")
        record = WithdrawalRecord(
            id=pen.new_id(), agency=pen.agency, case=gone, scopes=frozenset(), to=frozenset(), categories=frozenset(),
            at=pen.now,
        )  # fmt: skip
        statements.withdraw(connection, record, pen)
    said = browser.get("/").words
    assert NAMES[0] in said
    assert NAMES[1] not in said
    assert NAMES[2] not in said


def test_a_consent_that_was_renewed_is_not_told_to_end_and_one_of_a_colleagues_case_stands_on_their_board(
    office: Office, partner: Office, paper: Paper
) -> None:
    me, friend = office.hire("仮名 恵"), office.hire("仮名 友")
    renewed, theirs = paper.case(NAMES[0], worker=me), paper.case(NAMES[1], worker=friend)
    for case in (renewed, theirs):
        story.consent(office.connector, case, partner.connector.agency, valid_until=paper.now + timedelta(days=10))
    story.consent(office.connector, renewed, partner.connector.agency, valid_until=paper.now + timedelta(days=200))
    mine, whole = (office.browser(me).get(f"/?scope={scope}").words for scope in ("mine", "office"))
    assert NAMES[0] not in mine
    assert NAMES[1] not in mine
    assert NAMES[0] not in whole
    assert NAMES[1] in whole


def test_drafts_are_the_writers_own(office: Office, paper: Paper) -> None:
    me, other = office.hire("仮名 恵"), office.hire("仮名 遠")
    with paper.connector.casebook.transaction() as connection:
        drafts.begin(connection, paper.connector.pen(me), kind="referral", case=None, fields={})
    assert "保存" in office.browser(me).get("/").words
    assert "書きかけはありません" in office.browser(other).get("/").words


def test_an_administrator_without_casework_sees_counts_and_nobody(
    office: Office, partner: Office, paper: Paper
) -> None:
    paper.referral(paper.case(), partner.connector.agency, due_at=paper.now - timedelta(days=2))
    admin = office.browser(office.hire("仮名 管理", roles=frozenset({Role.ADMINISTRATOR})))
    page = admin.get("/?scope=office")
    assert "事業所の今日" in page.words
    assert "架空 花子" not in page.answer.get_data(as_text=True)
    assert "令8-0001" not in page.words
    for path in ("/day", "/board/put-off?about=x"):
        assert admin.get(path).status == 403


def test_with_the_hub_away_the_board_opens_all_the_same(
    browser: Browser, network: Network, partner: Office, paper: Paper
) -> None:
    paper.referral(paper.case(), partner.connector.agency, due_at=paper.now - timedelta(days=2))
    network.hub.away = True
    assert "架空 花子" in section(browser, "late")


def test_the_day_fits_a_sheet_of_paper_with_names_and_a_warning(
    browser: Browser, partner: Office, paper: Paper
) -> None:
    closed = {"state": "closed", "ball": None, "awaiting": None, "due_at": None}
    paper.follow_up(paper.referral(paper.case(), partner.connector.agency, **closed), date(2026, 4, 6))
    words = browser.get("/day").words
    assert "架空 花子" in words
    assert "裁断してください" in words


def test_a_wait_is_a_bar_with_words(browser: Browser, partner: Office, paper: Paper) -> None:
    # sent on Wednesday 1 April, answer due on Monday the 6th at its end: three business days, all three are gone
    paper.referral(
        paper.case(),
        partner.connector.agency,
        sent_at=datetime(2026, 4, 1, 1, 0, tzinfo=UTC),
        due_at=datetime(2026, 4, 6, 15, 0, tzinfo=UTC),
    )
    section = browser.get("/").html.select_one("#wait")
    assert section is not None
    assert "3日／3日" in section.get_text(" ")
    bar = section.select_one("svg[aria-hidden=true] .bar-warn")
    assert bar is not None
    assert bar["width"] == "62"


def test_a_row_says_that_a_deed_about_it_waits_to_be_sent(browser: Browser, partner: Office, paper: Paper) -> None:
    sent = paper.referral(paper.case(), partner.connector.agency, due_at=paper.now - timedelta(days=2))
    with paper.connector.casebook.transaction() as connection:
        outgoing.put(
            connection, key="k", what="move", about=sent.id, path="/v1/referrals/x/cancel", body={}, now=paper.now
        )
    assert "送信待ち" in section(browser, "late")


def test_a_changed_referral_leaves_the_late_ones(browser: Browser, partner: Office, paper: Paper) -> None:
    sent = paper.referral(paper.case(), partner.connector.agency, due_at=paper.now - timedelta(days=2))
    assert "架空 花子" in section(browser, "late")
    from connectors.casebook import referrals

    with paper.connector.casebook.transaction() as connection:
        answered = replace(sent, state="closed", ball=None, awaiting=None, due_at=None, version=2)
        referrals.keep(connection, answered)
    assert "架空 花子" not in section(browser, "late")


def test_the_board_asks_the_casebook_as_often_whatever_is_on_it(
    browser: Browser, partner: Office, paper: Paper
) -> None:
    def asked(path: str) -> int:
        browser.get(path)
        with counting.statements(paper.connector) as sent:
            browser.get(path)
        return len(sent)

    paper.referral(paper.case(), partner.connector.agency, due_at=paper.now - timedelta(days=2))
    before = [asked(path) for path in ("/", "/?scope=office&all=1", "/day")]
    for n in range(25):
        case = paper.case(f"架空 {n}")
        late = paper.referral(case, partner.connector.agency, due_at=paper.now - timedelta(days=n))
        paper.referral(case, partner.connector.agency, came=True)
        paper.follow_up(late, date(2026, 4, 6) - timedelta(days=n % 3))
        paper.notice(case, due_at=paper.now + timedelta(days=1))
        paper.task(case)
    after = [asked(path) for path in ("/", "/?scope=office&all=1", "/day")]
    # the search for what is due next is asked only while nothing is late
    assert after == before
    assert max(after) <= 42
