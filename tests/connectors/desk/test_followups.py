# SPDX-License-Identifier: Apache-2.0
"""Follow-ups from page to page: the agenda, the month, setting and writing down, the calendar that names nobody."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
import sqlalchemy as sa

from connectors.casebook import files
from connectors.casebook.tables_files import journal
from connectors.desk.followups import rules
from connectors.desk.staff.tables import members
from connectors.desk.web.visits import Role
from connectors.sdk import threads
from tests.connectors import story
from tests.connectors.desk import counting
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.paper import Paper
from tests.connectors.story import Network

CANARY = "架空の確認カナリア"
CLOSED = {"state": "closed", "ball": None, "awaiting": None, "due_at": None}


@pytest.fixture
def paper(office: Office) -> Paper:
    return Paper(office)


@pytest.fixture
def tie(office: Office, partner: Office, network: Network) -> threads.ReferralDetail:
    """A referral that the hub knows."""
    us, other = office.connector, partner.connector
    case = story.open_case(us, name="架空 花子")
    with us.casebook.transaction() as connection:
        files.open_file(connection, us.pen("s-1"), case=case, on=date(2026, 4, 6))
    story.consent(us, case, other.agency)
    us.send(story.letter(case, other))
    us.sync()
    (found,) = network.hub.referrals.values()
    return found


def _set(browser: Browser, tie: threads.ReferralDetail, **said: str) -> Page:
    return browser.send(browser.get(f"/followups/{tie.id}/new"), said, form="main form[method=post]")


def _write(browser: Browser, tie: threads.ReferralDetail, n: int, **said: object) -> Page:
    known = {"channel": "telephone", "asked": ["person", "agency"], "result": "connected", "when": "none"}
    form = browser.get(f"/followups/{tie.id}/{n}")
    return browser.send(form, known | said, form="main form[data-guard]")


def test_what_is_late_stands_on_top_then_days_then_weeks(browser: Browser, partner: Office, paper: Paper) -> None:
    for day in (date(2026, 5, 20), date(2026, 4, 1), date(2026, 4, 8), date(2026, 4, 6)):
        paper.follow_up(paper.referral(paper.case(f"架空 {day.day}日"), partner.connector.agency, **CLOSED), day)
    page = browser.get("/followups")
    heads = [one.get_text(strip=True) for one in page.html.select(".cols > .stack:first-child h2")]
    assert heads == ["期限を過ぎています", "今日 4月6日（月）", "4月8日（水）", "5月18日（月）からの週"]
    first = page.html.select_one(".card--alert .todo li")
    assert first is not None
    assert "架空 1日 さん" in first.get_text(" ")


def test_an_empty_agenda_says_what_has_no_follow_up_yet(browser: Browser, partner: Office, paper: Paper) -> None:
    assert "予定はありません。" in browser.get("/followups").words
    taken = {"state": "accepted", "ball": partner.connector.agency, "awaiting": partner.connector.agency}
    for _ in range(2):
        made = paper.referral(paper.case(), partner.connector.agency, **taken)
    page = browser.get("/followups")
    assert "受入済みでフォロー未設定が2件あります。" in page.words
    assert page.html.select_one(f"a[href='/followups/{made.id}/new']") is not None
    paper.follow_up(made, date(2026, 4, 20))
    assert "受入済みでフォロー未設定が1件あります。" in browser.get("/followups").words


def test_a_preset_sets_the_day_counted_in_japan(office: Office, network: Network, tie: threads.ReferralDetail) -> None:
    network.clock.at = datetime(2026, 4, 6, 15, 30, tzinfo=UTC)  # half past midnight of the 7th
    browser = office.browser(office.hire())
    page = _set(browser, tie, when="2w")
    assert "フォローを決めました" in page.words
    (asked,) = network.hub.referrals[tie.id].follow_ups
    assert asked.due_on == date(2026, 4, 21)
    assert "架空 花子" in page.words


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({}, ["when"]),
        ({"when": "never"}, ["when"]),
        ({"when": "none"}, ["when"]),
        ({"when": "day"}, ["due"]),
        ({"when": "day", "due": "2026-04-05"}, ["due"]),
        ({"when": "day", "due": "2036-04-05"}, ["due"]),
        ({"when": "after_closure"}, ["when"]),
    ],
)
def test_a_follow_up_without_a_fitting_day_is_not_set(
    browser: Browser, network: Network, tie: threads.ReferralDetail, said: dict[str, str], faults: list[str]
) -> None:
    page = _set(browser, tie, **said)
    assert (page.status, page.faults) == (422, faults)
    assert network.hub.referrals[tie.id].follow_ups == ()


def test_after_closure_is_three_months_on_once_it_is_closed(browser: Browser, partner: Office, paper: Paper) -> None:
    closed = paper.referral(paper.case(), partner.connector.agency, **CLOSED)
    _set(browser, closed, when="after_closure")
    assert paper.queued()[-1][2] == {"due": "2026-07-06"}


def test_what_came_of_it_reaches_the_hub_in_codes_and_the_words_stay_here(
    browser: Browser, office: Office, network: Network, tie: threads.ReferralDetail
) -> None:
    _set(browser, tie, when="day", due="令和8年4月6日")
    page = _write(browser, tie, 1, note=CANARY, when="1m")
    assert "フォローを記録しました" in page.words
    done, following = network.hub.referrals[tie.id].follow_ups
    assert (done.result, done.channel, done.asked) == ("connected", "telephone", ("agency", "person"))
    assert following.due_on == date(2026, 5, 6)
    assert CANARY not in repr(network.hub.__dict__)
    with office.connector.casebook.transaction() as connection:
        assert [row.text for row in connection.execute(sa.select(journal.c.text))] == [CANARY]
    assert "記録済みです" in browser.get(f"/followups/{tie.id}/1").words


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({"channel": "pigeon"}, ["channel"]),
        ({"channel": ""}, ["channel"]),
        ({"asked": []}, ["asked"]),
        ({"asked": ["person", "cat"]}, ["asked"]),
        ({"result": ""}, ["result"]),
        ({"when": "day", "due": "2026-04-06"}, ["due"]),
        ({"note": "a\x00"}, ["note"]),
    ],
)
def test_a_record_with_faults_tells_nobody(
    browser: Browser, network: Network, tie: threads.ReferralDetail, said: dict[str, object], faults: list[str]
) -> None:
    _set(browser, tie, when="day", due="2026-04-06")
    page = _write(browser, tie, 1, **said)
    assert (page.status, page.faults) == (422, faults)
    assert network.hub.referrals[tie.id].follow_ups[0].done_at is None


def test_the_third_delay_in_a_row_needs_a_reason(
    browser: Browser, network: Network, tie: threads.ReferralDetail
) -> None:
    _set(browser, tie, when="day", due="2026-04-06")
    for n in (1, 2):
        _write(browser, tie, n, result="no_contact", when="3d")
    page = _write(browser, tie, 3, result="not_yet", when="2w")
    assert (page.status, page.faults) == (422, ["reason"])
    page = _write(browser, tie, 3, result="not_yet", when="2w", reason="決定が月末になるため")
    assert "フォローを記録しました" in page.words
    assert len(network.hub.referrals[tie.id].follow_ups) == 4


def test_with_the_line_down_it_is_kept_shown_as_waiting_and_sent_once(
    browser: Browser, office: Office, network: Network, tie: threads.ReferralDetail, paper: Paper
) -> None:
    _set(browser, tie, when="day", due="2026-04-06")
    network.hub.away = True
    page = _write(browser, tie, 1, when="3d")
    assert "つながり次第送ります" in page.words
    assert "記録済み・送信待ち" in page.words
    assert "フォロー：" not in browser.get("/").html.select_one("#today").get_text()  # type: ignore[union-attr]
    again = browser.post(
        f"/followups/{tie.id}/1", {"channel": "visit", "asked": "person", "result": "refused", "when": "none"}
    )
    assert "もう記録されています" in again.words
    assert [what for what, state, _ in paper.queued() if state == "waiting"].count("follow_up_done") == 1
    network.hub.away = False
    office.connector.sync()
    assert [one.result for one in network.hub.referrals[tie.id].follow_ups] == ["connected", None]
    assert not paper.is_open(tie.id, 1)


def test_the_month_is_a_table_with_a_caption_and_marks_closed_days(
    browser: Browser, partner: Office, paper: Paper
) -> None:
    for _ in range(5):
        paper.follow_up(paper.referral(paper.case(), partner.connector.agency, **CLOSED), date(2026, 5, 7))
    page = browser.get("/followups/month?month=2026-05")
    table = page.html.select_one("table")
    assert table is not None
    assert "2026年5月" in table.caption.get_text()  # type: ignore[union-attr]
    day = table.select_one("time[datetime='2026-05-07']").find_parent("td")  # type: ignore[union-attr]
    assert len(day.select("li")) == 4  # type: ignore[union-attr]
    assert "ほか2件" in day.get_text()  # type: ignore[union-attr]
    holiday = table.select_one("time[datetime='2026-05-05']").find_parent("td")  # type: ignore[union-attr]
    assert "休" in holiday.get_text()  # type: ignore[union-attr]


@pytest.mark.parametrize("month", ["x", "2026-13", "2026-4", "0000-01", "９９９９-01", "2026-04-01"])
def test_what_is_no_month_is_not_found(browser: Browser, month: str) -> None:
    assert browser.get(f"/followups/month?month={month}").status == 404


def test_a_long_agenda_goes_on_by_key_and_asks_as_often_whatever_is_on_it(
    browser: Browser, partner: Office, paper: Paper
) -> None:
    with counting.statements(paper.connector) as before:
        browser.get("/followups")
    case = paper.case()
    for n in range(60):
        closed = paper.referral(case, partner.connector.agency, **CLOSED)
        paper.follow_up(closed, date(2026, 4, 6) + timedelta(days=n))
    with counting.statements(paper.connector) as sent:
        page = browser.get("/followups")
    assert len(sent) == len(before)
    further = page.html.select_one("a[rel=next]")
    assert further is not None
    rest = browser.get(str(further["href"]))
    assert len(page.html.select(".cols > .stack:first-child .todo li")) == 50
    assert len(rest.html.select(".cols > .stack:first-child .todo li")) == 10
    for bad in ("x", "2026-04-06", "2026-99-99.1.x", "a.b.c"):
        assert browser.get(f"/followups?after={bad}").status == 200


def test_the_feed_names_nobody_and_opens_only_with_its_secret(
    office: Office, partner: Office, paper: Paper, network: Network, tie: threads.ReferralDetail
) -> None:
    me = office.hire("仮名 恵", roles=frozenset({Role.CASEWORKER}))
    browser, nobody = office.browser(me), office.browser()
    _set(browser, tie, when="day", due="2026-04-09")
    page = browser.send(browser.get("/followups/calendar"), form="main form[method=post]")
    address = str(page.html.select_one("#address")["value"])  # type: ignore[index]
    path = address.removeprefix("http://localhost")
    answer = nobody.get(path).answer
    assert answer.mimetype == "text/calendar"
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.get_data(as_text=True)
    events = icalendar.Calendar.from_ical(said).walk("VEVENT")
    assert [str(one["summary"]) for one in events] == ["フォロー 令8-0001"]
    assert [one.decoded("dtstart") for one in events] == [date(2026, 4, 9)]
    for secret in ("架空", "花子", "機関", "小口", tie.id, tie.case, partner.connector.agency):
        assert secret not in said
    browser.send(browser.get("/followups/calendar"), form="main form[method=post]")
    assert nobody.get(path).status == 404
    assert nobody.get("/followups/feed/guess.ics").status == 404


def test_the_feed_of_somebody_who_has_left_shows_nothing(office: Office) -> None:
    me = office.hire("仮名 恵", roles=frozenset({Role.CASEWORKER}))
    browser = office.browser(me)
    page = browser.send(browser.get("/followups/calendar"), form="main form[method=post]")
    path = str(page.html.select_one("#address")["value"]).removeprefix("http://localhost")  # type: ignore[index]
    assert office.browser().get(path).status == 200
    with office.connector.casebook.transaction() as connection:
        connection.execute(sa.update(members).where(members.c.id == me).values(is_active=False))
    assert office.browser().get(path).status == 404


def test_a_feed_shows_its_owners_cases_and_those_of_nobody(office: Office, partner: Office, paper: Paper) -> None:
    me, other = office.hire("仮名 恵"), office.hire("仮名 遠")
    for name, worker in (("架空 一", me), ("架空 二", None), ("架空 三", other)):
        made = paper.referral(paper.case(name, worker=worker), partner.connector.agency, **CLOSED)
        paper.follow_up(made, date(2026, 4, 9))
    browser = office.browser(me)
    page = browser.send(browser.get("/followups/calendar"), form="main form[method=post]")
    path = str(page.html.select_one("#address")["value"]).removeprefix("http://localhost")  # type: ignore[index]
    said = office.browser().get(path).answer.get_data(as_text=True)
    assert ("令8-0001" in said, "令8-0002" in said, "令8-0003" in said) == (True, True, False)


def test_what_is_not_there_is_not_there_and_administrators_see_nobody(
    browser: Browser, office: Office, tie: threads.ReferralDetail
) -> None:
    assert browser.get(f"/followups/{tie.id}/9").status == 404
    assert browser.get("/followups/nothing/1").status == 404
    assert browser.get("/followups/nothing/new").status == 404
    admin = office.browser(office.hire("仮名 管理", roles=frozenset({Role.ADMINISTRATOR})))
    for path in ("/followups", "/followups/month", "/followups/calendar", f"/followups/{tie.id}/new"):
        assert admin.get(path).status == 403


@pytest.mark.parametrize("path", ["/followups", "/followups/month", "/followups/calendar"])
def test_the_pages_are_whole_in_english_and_with_the_hub_away(
    office: Office, partner: Office, paper: Paper, network: Network, path: str
) -> None:
    paper.follow_up(paper.referral(paper.case(), partner.connector.agency, **CLOSED), date(2026, 4, 9))
    network.hub.away = True
    assert office.browser(office.hire(), language="en").get(path).status == 200


def test_delays_are_counted_in_a_row() -> None:
    late = ["no_contact", "not_yet"]
    assert rules.needs_reason(late, "not_yet", is_set_anew=True)
    assert not rules.needs_reason(late[:1], "not_yet", is_set_anew=True)
    assert not rules.needs_reason([*late, "connected"], "not_yet", is_set_anew=True)
    assert not rules.needs_reason(late, "connected", is_set_anew=True)
    assert not rules.needs_reason(late, "not_yet", is_set_anew=False)
    assert rules.day_of_preset("1m", datetime(2026, 1, 31, 3, 0, tzinfo=UTC)) == date(2026, 2, 28)
    assert [len(week) for week in rules.weeks_of(date(2026, 2, 1))] == [7, 7, 7, 7]
