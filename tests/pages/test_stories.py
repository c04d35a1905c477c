# SPDX-License-Identifier: Apache-2.0
"""S01, S02 and S05 of the scenarios, driven through the pages of the desks, in Japanese, with scripts and without.

J1 is the centre, F1 the welfare office, S1 the council of social welfare, H1 legal aid. What no page can do is done
beside them and said where it is done: time passes by the town's clock, and the hub's own word on what a page would not
even send is asked with the SDK.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page

from connectors.base.labels import label
from connectors.casebook import reading
from connectors.casebook.compose import Letter
from connectors.sdk.problems import ConsentRefusedError
from consent.calendar import day_of
from consent.envelope.sealing import PlainPart
from tests.connectors.desk.test_papers import document
from tests.pages.seeing import Eyes
from tests.pages.town import Desk, Town
from tests.pages.walking import allow_exactly, choose, draw, intake, press, reach, refer, scanned, write

pytestmark = pytest.mark.slow
both = pytest.mark.parametrize("play", [True, False], ids=["scripts", "plain"], indirect=True)

CENTRE, WELFARE, COUNCIL, LEGAL = "centre", "welfare", "council", "legal"


@dataclass(frozen=True)
class Play:
    """One story: the town, whether pages have scripts, and one tab for each desk."""

    town: Town
    tabs: Mapping[str, Page]
    scripts: bool

    def agency(self, name: str) -> str:
        return self.town[name].connector.agency

    def sign(
        self,
        name: tuple[str, str],
        partners: tuple[str, ...],
        *,
        purposes: str,
        categories: str,
        dictated: bool = False,
    ) -> str:
        """Have the form signed: with the pointer where there are scripts, else on paper; give the case.

        `dictated`: a worker wrote, read it aloud, and the person signed.
        """
        page = self.tabs[CENTRE]
        intake(page, self.town[CENTRE], name, topics=("income", "debt"), purposes=purposes.split())
        allow_exactly(page, {self.agency(one) for one in partners}, set(categories.split()))
        if dictated:
            page.check("[name=read_aloud]")
            page.click("details:has([name=written_by]) summary")
            page.select_option("[name=written_by]", "staff")
            page.select_option("[name=proxy_reason]", "asked")
        draw(page) if self.scripts else scanned(page, document())
        link = page.locator("a[href*='/cases/']").first.get_attribute("href") or ""
        return link.split("/cases/")[1].split("/")[0]

    def refer(self, case: str, to: str, purpose: str, words: Mapping[str, str]) -> str:
        """Send a referral from the centre through the wizard, and let it arrive; give its id."""
        referral = refer(self.tabs[CENTRE], self.town[CENTRE], case, self.agency(to), purpose, words)
        self.arrive(to)
        return referral

    def arrive(self, *desks: str) -> None:
        """Have the hub do what is due and these desks fetch it, as they do every few seconds."""
        self.town.stage.settle()
        for one in desks:
            self.town[one].connector.sync()

    def open(self, desk: str, referral: str) -> set[str]:
        """Open what came at a desk; give the categories that are to be read."""
        page = self.tabs[desk]
        page.goto(self.town[desk].enter(f"/inbox/{referral}"))
        press(page, "form[action$='/open'] button")
        return self.shown(desk)

    def shown(self, desk: str) -> set[str]:
        """Give the categories whose content a page shows."""
        rows = self.tabs[desk].locator("dl.parts > div:has(> dd .written) > dt").all_inner_texts()
        return {row.splitlines()[0] for row in rows}

    def accept(self, desk: str, referral: str) -> None:
        page = self.tabs[desk]
        page.goto(f"{self.town[desk].url}/inbox/{referral}")
        press(page, "form[aria-labelledby=h-accept] button")
        assert label("referral_state", "accepted", "ja") in page.inner_text("main")

    def report(self, desk: str, referral: str, words: Mapping[str, str]) -> None:
        """Write back from a desk, one message for each category, and read it at the centre."""
        for category, text in words.items():
            write(self.tabs[desk], self.town[desk], referral, category, text)
        self.arrive(CENTRE)
        page, read = self.tabs[CENTRE], ""
        for _ in words:
            page.goto(self.town[CENTRE].enter(f"/referrals/{referral}"))
            press(page, page.locator("a:has-text('まだ開いていません')").first)
            press(page, "form[action$='/open'] button")
            read += page.inner_text("main")
        assert [text for text in words.values() if text not in read] == []

    def can_open(self, desk: str, case: str) -> set[str]:
        """Give the categories that an agency received of a case and can read: the scenario's own fact."""
        connector = self.town[desk].connector
        with connector.casebook.transaction() as connection:
            return set(reading.categories_received(connection, case=case, agency=connector.agency))

    def hub_refuses(self, desk: str, case: str, to: str, purpose: str, *categories: str) -> dict[str, str]:
        """Ask the hub itself, with the SDK, why it would refuse what no page lets out."""
        parts = tuple(PlainPart(category=one, media="text/plain", body="架空".encode()) for one in categories)
        letter = Letter(case=case, recipient=self.agency(to), purpose=purpose, parts=parts, acknowledged=True)
        with pytest.raises(ConsentRefusedError) as caught:
            self.town[desk].connector.submit(letter, staff="s-1")
        return {one.category: str(one.reason) for one in caught.value.decisions if not one.permitted}


@pytest.fixture
def play(eyes: Eyes, town: Town, request: pytest.FixtureRequest) -> Iterator[Play]:
    """Give a tab at each desk."""
    scripts = request.param
    with ExitStack() as stack:
        tabs = {name: stack.enter_context(eyes.tab(scripts=scripts)) for name in (CENTRE, WELFARE, COUNCIL, LEGAL)}
        yield Play(town, tabs, scripts)


def name(play: Play, surname: str, given: tuple[str, str]) -> tuple[str, str]:
    """Give a person of their own for each telling of a story."""
    return f"{surname} {given[0]}{'' if play.scripts else '乙'}", f"{given[1]}{'' if play.scripts else 'おつ'}"


@both
def test_s01_four_agencies(play: Play) -> None:
    scope = "identity contact consultation household housing income_assets debt_arrears benefits support_record"
    case = play.sign(
        name(play, "架空田", ("一郎", "かくうだ いちろう")),
        (WELFARE, COUNCIL, LEGAL),
        purposes="seikatsu_hogo koguchi_shikin saimu_seiri follow_up",
        categories=scope,
    )
    money = {"identity": "架空田 一郎", "contact": "昼のみ", "income_assets": "収入なし", "debt_arrears": "家賃4か月"}
    # 2: to the council for a small loan
    loan = play.refer(case, COUNCIL, "koguchi_shikin", money)
    assert play.open(COUNCIL, loan) == labels(*money)
    # 3: to legal aid; health was not ticked, and the page says so before anything is written
    desk, page = play.town[CENTRE], play.tabs[CENTRE]
    choose(page, desk, case, play.agency(LEGAL), "saimu_seiri")
    health = page.locator(f".pick--no li:has(b:text-is('{label('categories', 'health', 'ja')}'))")
    assert label("decision_reasons", "CATEGORY_NOT_COVERED", "ja") in health.inner_text()
    assert health.locator("input[type=checkbox]").is_disabled()
    assert play.hub_refuses(CENTRE, case, LEGAL, "saimu_seiri", *money, "health") == {"health": "CATEGORY_NOT_COVERED"}
    # 4: without it
    debts = play.refer(case, LEGAL, "saimu_seiri", money)
    assert play.open(LEGAL, debts) == labels(*money)
    # 5: the council accepts and reports
    play.accept(COUNCIL, loan)
    play.report(COUNCIL, loan, {"support_record": "受け付けました。貸付は審査中です。架空"})
    # 6: the council may not pass the debts on: no page offers the way, and the hub says why
    council = play.tabs[COUNCIL]
    reach(council, play.town[COUNCIL], case, "saimu_seiri")
    offer = council.locator(f".offer:has([value='{play.agency(LEGAL)}'])")
    assert "同意がありません" in (offer.text_content() or "")
    assert play.hub_refuses(COUNCIL, case, LEGAL, "saimu_seiri", "debt_arrears") == {
        "debt_arrears": "PARTY_NOT_COVERED"
    }
    # 7: to the welfare office
    aid = {
        "identity": "架空田 一郎",
        "household": "単身",
        "housing": "滞納",
        "income_assets": "なし",
        "benefits": "なし",
    }
    welfare = play.refer(case, WELFARE, "seikatsu_hogo", aid)
    assert play.open(WELFARE, welfare) == labels(*aid)
    # 8: another purpose is not on the form
    reach(page, desk, case, "jukyo_kakuho")
    offer = page.locator(f".offer:has([value='{play.agency(WELFARE)}'])")
    assert label("decision_reasons", "PURPOSE_NOT_COVERED", "ja") in (offer.text_content() or "")
    assert play.hub_refuses(CENTRE, case, WELFARE, "jukyo_kakuho", "housing") == {"housing": "PURPOSE_NOT_COVERED"}
    # 9, 10: the welfare office and legal aid report
    play.accept(WELFARE, welfare)
    play.report(WELFARE, welfare, {"support_record": "保護開始決定。架空", "benefits": "生活扶助。架空"})
    play.accept(LEGAL, debts)
    play.report(LEGAL, debts, {"support_record": "受任通知を発送しました。架空"})
    assert play.can_open(COUNCIL, case) == set(money)
    assert play.can_open(LEGAL, case) == set(money)
    assert play.can_open(WELFARE, case) == set(aid)
    assert play.can_open(CENTRE, case) == {"support_record", "benefits"}


@both
def test_s02_accompaniment(play: Play) -> None:
    """B1 has no desk in this town: the council, which takes the same purpose, is asked in its place."""
    case = play.sign(
        name(play, "見本", ("花子", "みほん はなこ")),
        (WELFARE, COUNCIL),
        purposes="seikatsu_hogo kaigo_soudan follow_up",
        categories="identity contact household income_assets benefits support_record health",
        dictated=True,
    )
    town, page = play.town, play.tabs[CENTRE]
    words = {"identity": "見本 花子", "contact": "昼のみ", "income_assets": "年金のみ", "health": "通院中"}
    # 2: with an appointment and somebody who goes along
    day = day_of(town.clock.at) + timedelta(days=2)
    desk = town[CENTRE]
    aid = refer(page, desk, case, play.agency(WELFARE), "seikatsu_hogo", words, going=day.isoformat())
    play.arrive(WELFARE)
    assert play.open(WELFARE, aid) == labels(*words)
    play.accept(WELFARE, aid)
    # 3: the day comes (no page lets time pass), and they go
    plan = plan_outing(page, desk, aid, day)
    town.wait(days=2)
    go_along(page, desk, plan, "application_accepted")
    # 4: what came of it, to the welfare office
    write(page, desk, aid, "support_record", "申請書を提出しました。架空")
    play.arrive(WELFARE)
    tab = play.tabs[WELFARE]
    tab.goto(town[WELFARE].enter(f"/referrals/{aid}"))
    press(tab, tab.locator("a:has-text('まだ開いていません')").first)
    press(tab, "form[action$='/open'] button")
    assert "申請書を提出しました。架空" in tab.inner_text("main")
    # 5: a week later nobody has reported: the hub raises a task, and the agenda says so
    follow_up_in_days(page, desk, aid, day_of(town.clock.at) + timedelta(days=7))
    town.wait(days=8)
    tasks = [one for name in (CENTRE, WELFARE) for one in town[name].connector.hub.tasks() if one.case == case]
    assert any(one.kind.startswith("follow_up") for one in tasks)
    assert desk.connector.hub.referral(aid).awaiting == play.agency(WELFARE)
    page.goto(desk.enter("/followups"))
    assert name(play, "見本", ("花子", ""))[0] in page.inner_text("main")
    # 6: the welfare office reports its decision
    play.report(WELFARE, aid, {"support_record": "保護決定。架空", "benefits": "生活扶助。架空"})
    # 7, 8: then to the next agency, which accepts
    care = play.refer(case, COUNCIL, "kaigo_soudan", words)
    assert play.open(COUNCIL, care) == labels(*words)
    play.accept(COUNCIL, care)
    play.report(COUNCIL, care, {"support_record": "訪問します。架空"})
    assert play.can_open(WELFARE, case) == {*words, "support_record"}
    assert play.can_open(COUNCIL, case) == set(words)
    assert play.can_open(CENTRE, case) == {"support_record", "benefits"}


@both
def test_s05_a_withdrawal_overtakes_what_is_on_its_way(play: Play) -> None:
    case = play.sign(
        name(play, "試験", ("三郎", "しけん さぶろう")),
        (WELFARE, COUNCIL),
        purposes="sogo_shien_shikin seikatsu_hogo",
        categories="identity contact income_assets debt_arrears support_record",
    )
    town, page, desk = play.town, play.tabs[CENTRE], play.town[CENTRE]
    words = {"identity": "試験 三郎", "income_assets": "収入なし"}
    # 2: sent in the evening, when the council's desk is shut, so that the sealed message waits at the hub
    town.shut(COUNCIL)
    loan = refer(page, desk, case, play.agency(COUNCIL), "sogo_shien_shikin", words)
    # 3: the person telephones: not the council
    told = withdraw(page, desk, case, play.agency(COUNCIL))
    assert "お願いは送られません" in told  # 7: nobody had opened anything, so nobody is asked to stop using it
    # 4: in the morning the council fetches (its desk does that by itself): withheld, and the centre is told
    town.company.wait_until(town.clock.at + timedelta(hours=15))
    town.unlock(COUNCIL)
    town.settle()
    assert play.can_open(COUNCIL, case) == set()
    first = desk.connector.hub.referral(loan)
    assert (first.state, [one.delivery for one in first.deliveries]) == ("withdrawn", ["refused"])
    page.goto(desk.enter(f"/referrals/{loan}"))
    assert label("referral_state", first.state, "ja") in page.inner_text("main")
    assert play.hub_refuses(CENTRE, case, COUNCIL, "sogo_shien_shikin", *words) == dict.fromkeys(words, "WITHDRAWN")
    # 5: the welfare office is not concerned
    aid = play.refer(case, WELFARE, "seikatsu_hogo", words)
    assert play.open(WELFARE, aid) == labels(*words)
    # 6: the council cannot report either
    assert play.hub_refuses(COUNCIL, case, CENTRE, "sogo_shien_shikin", "support_record") == {
        "support_record": "WITHDRAWN"
    }
    council = play.tabs[COUNCIL]
    council.goto(town[COUNCIL].enter("/notices"))
    assert case[:8] not in (council.text_content("main") or "")
    assert play.can_open(WELFARE, case) == set(words)
    assert play.can_open(CENTRE, case) == set()


def labels(*codes: str) -> set[str]:
    """Give what pages call these categories."""
    return {label("categories", one, "ja") for one in codes}


def plan_outing(page: Page, desk: Desk, referral: str, on: date) -> str:
    """Plan to go along; give the address of the accompaniment."""
    page.goto(desk.enter(f"/referrals/{referral}/accompany"))
    page.fill("[name=on]", on.isoformat())
    page.fill("[name=at]", "10:00")
    page.check("[name=agreed][value=yes]")
    page.locator("main form button").last.click()
    page.wait_for_url("**/accompaniments/*")
    return page.url.removeprefix(desk.url)


def go_along(page: Page, desk: Desk, plan: str, outcome: str) -> None:
    """Note arrival, end and outcome of an accompaniment."""
    page.goto(desk.enter(plan))
    press(page, "button[value=arrive]")
    press(page, "button[value=end]")
    page.check(f"[name=outcome][value={outcome}]")
    page.fill("[name=minutes]", "130")
    page.click("button[value=save]")
    page.wait_for_url("**/accompaniments/*")
    assert label("accompaniment_result", outcome, "ja") in page.inner_text("main")


def follow_up_in_days(page: Page, desk: Desk, referral: str, on: date) -> None:
    """Set a follow-up for a day."""
    page.goto(desk.enter(f"/followups/{referral}/new"))
    page.check("[name=when][value=day]")
    page.fill("[name=due]", on.isoformat())
    press(page, page.locator("main form button").last)


def withdraw(page: Page, desk: Desk, case: str, agency: str) -> str:
    """Take back what one agency may be told, as said on the telephone; give what the page said would follow."""
    page.goto(desk.enter(f"/cases/{case}/withdraw"))
    page.check("[name=what][value=agencies]")
    page.check(f"[name=to][value='{agency}']")
    page.check("[name=channel][value=telephone]")
    press(page, "main .bar button")
    told = page.inner_text("main")
    page.locator("main .bar button").click()
    page.wait_for_url("**/withdrawals/*")
    return told
