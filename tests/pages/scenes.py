# SPDX-License-Identifier: Apache-2.0
"""What must have happened before every page of a desk can be seen with something on it: done through the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from playwright.sync_api import Page

from connectors.casebook import finding, marks, meetings, papers, plans, sheets
from connectors.desk.finding.pages import FORM_IS_OPEN
from connectors.desk.intakes.signing import picture
from connectors.desk.staff import service as staff
from connectors.desk.web.visits import Role
from connectors.desk.web.when import clock_of
from consent.calendar import day_of
from consent.ids import uuid7
from deploy.demo.town import Resident
from hub.base import db
from hub.oversight import service as oversight
from tests.connectors.desk.test_papers import document
from tests.connectors.sheets.filled import ASSESSMENT, PLAN, TRIAGE
from tests.pages.seeing import Eyes
from tests.pages.town import EVERY_ROLE, Desk, Town
from tests.pages.walking import WORDS, a_case, begin, intake, press, scanned, send

PLOTS = (
    "late_unread", "question", "visiting_today", "follow_up_late", "declined_other", "outcome", "withdrawn",
    "incoming_urgent", "incoming_old", "ending",
)  # fmt: skip
"""Of the demo's people, one for every state that a page looks different in."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The town when everything has happened: its people, tickets, and the addresses that the pages gave."""

    town: Town
    people: dict[str, Resident]
    tickets: dict[str, str]
    urls: dict[str, str]

    def case(self, plot: str) -> str:
        return self.people[plot].case

    def referral(self, plot: str) -> str:
        """Give the referral of a person of the demo."""
        resident = self.people[plot]
        return next(iter(resident.owner.connector.hub.referrals(case=resident.case))).id


def set_scene(town: Town, eyes: Eyes) -> Scene:
    """Let the demo's people live through their weeks, and caseworkers do what is still missing, through the pages."""
    people, ticket = town.people(PLOTS)
    centre = town["centre"]
    worker = Desk("centre", centre.connector, centre.opened, ticket, centre.supervisor)
    tickets, colleague = _tickets(town, ticket)
    scene = Scene(town=town, people=people, tickets=tickets, urls={"colleague": f"/office/staff/{colleague}"})
    with eyes.tab(scripts=False) as page:
        _wizard(page, scene, worker)
        _intake(page, scene, worker)
        _consents(page, scene, worker)
        _corrections(page, scene, worker)
        _drawn(scene, worker)
        _outing(page, scene, worker)
        _emergency(page, scene, worker)
        _opened(page, scene, worker)
        _import(page, scene, worker)
        _meetings(page, scene, worker)
    _sheets(scene)
    _finding(scene)
    with eyes.tab(scripts=False) as page:
        page.goto(town["council"].enter("/notices"))
        scene.urls["notice"] = page.locator("a[href*='/notices/']").first.get_attribute("href") or ""
    return scene


def _finding(scene: Scene) -> None:
    """Write a tip down, as it came by the public page, which is open."""
    connector = scene.town["centre"].connector
    with connector.casebook.transaction() as connection:
        marks.remember(connection, FORM_IS_OPEN, "yes")
        said = {"name": "架空 気になる", "signs": "郵便物がたまっている", "phone": "000-0000-0001"}
        tip = finding.Tip(
            id=connector.new_id(), at=connector.now(), source="neighbour", came_by=finding.BY_FORM, staff=None,
            urgent=True, document=said,
        )  # fmt: skip
        finding.keep(connection, tip, by="test")
    scene.urls["tip"] = f"/tips/{tip.id}"


def _tickets(town: Town, worker: str) -> tuple[dict[str, str], str]:
    """Give who looks at pages (the demo's worker, supervisor, colleague, a partner, somebody invited), and whose."""
    connector, now = town["centre"].connector, town["centre"].connector.now()
    with connector.casebook.transaction() as connection:
        colleague, _ = staff.enrol(
            connection, login="other", name="仮名 代", team="", roles=frozenset({Role.CASEWORKER}), by="test", now=now
        )
        _, code = staff.enrol(
            connection, login="invited", name="仮名 新", team="", roles=EVERY_ROLE, by="test", now=now
        )
        other = staff.ticket(connection, colleague)
    tickets = {
        "worker": worker,
        "chief": town["centre"].supervisor,
        "colleague": other,
        "council": town["council"].ticket,
        "invited": code,
    }
    return tickets, colleague


def _wizard(page: Page, scene: Scene, desk: Desk) -> None:
    case = a_case(scene.town, "架空 花")
    send(page, desk, case)
    scene.urls["sent"] = page.url
    press(page, "text=本人に渡す控え")
    scene.urls["slip"] = page.url
    place = begin(page, desk, a_case(scene.town, "架空 月"))
    page.click("text=次へ：内容・添付")
    page.fill("#f-text_income_assets", WORDS)
    page.set_input_files(
        "#f-file_income_assets", {"name": "通帳の写し（見本）.pdf", "mimeType": "application/pdf", "buffer": document()}
    )
    press(page, "button[value=attach]")
    scene.urls["draft"] = place


def _intake(page: Page, scene: Scene, desk: Desk) -> None:
    said = {"topics": ("income", "rent_loans"), "purposes": ("sogo_shien_shikin", "jukyo_kakuho")}
    intake(page, desk, ("架空 実", "かくう みのる"), **said)
    scene.urls["intake"] = scanned(page, document())
    case = page.locator("a[href*='/cases/']").first.get_attribute("href") or ""
    scene.urls["signed case"] = case.split("/cases/")[1].split("/")[0]
    intake(page, desk, ("架空 稔", "かくう みのる"), **said)
    page.check("[name=method][value=paper]")
    page.set_input_files("[name=scan]", {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": document()})
    scene.urls["intake draft"] = page.url.split("#")[0].split("?")[0].removesuffix("/check")
    press(page, ".bar button[value=check]")
    scene.urls["intake check"] = page.url


def _consents(page: Page, scene: Scene, desk: Desk) -> None:
    case = scene.urls["signed case"]
    page.goto(desk.enter(f"/cases/{case}/exclusions/new"))
    page.locator("[name=to]").last.check()
    page.locator("[name=categories]").last.check()
    page.fill("[name=words]", "大家さんには言わないでほしい。架空の言葉")
    press(page, page.locator("main button").last)
    page.goto(f"{desk.url}/cases/{case}/consents")
    scene.urls["receipt"] = page.locator("a[href$='/copy']").first.get_attribute("href") or ""
    scene.urls["exclusion"] = page.locator("a[href$='/revoke']").first.get_attribute("href") or ""
    page.goto(f"{desk.url}/cases/{case}/withdraw")
    page.check("[name=what][value=categories]")
    page.locator("[name=categories]").first.check()
    page.check("[name=channel][value=telephone]")
    page.locator("main .bar button").click()
    page.locator("main .bar button").click()
    page.wait_for_url("**/withdrawals/*")
    scene.urls["taken"] = page.url


def _corrections(page: Page, scene: Scene, desk: Desk) -> None:
    page.goto(desk.enter(f"/cases/{scene.case('follow_up_late')}/provisions"))
    link = page.locator("a[href*='/corrections/new']").first
    scene.urls["correcting all"] = link.get_attribute("href") or ""
    press(page, link)
    choices = page.locator("nav.card a")
    if choices.count():
        press(page, choices.first)
    scene.urls["correcting"] = page.url
    page.fill("[name=text]", "正しくは架空の別の内容です")
    page.locator("form[data-guard] .bar button").click()
    page.wait_for_url("**/corrections/*-*")
    scene.urls["correction"] = page.url


def _meetings(page: Page, scene: Scene, desk: Desk) -> None:
    held = (day_of(desk.connector.now()) + timedelta(days=7)).isoformat()
    for where, name in (("conferences", "conference"), ("meetings", "meeting")):
        page.goto(desk.enter(f"/{where}/new"))
        page.fill("[name=day]", held)
        page.fill("[name=time]", "14:00")
        page.fill("[name=place]", "架空市役所 第二会議室")
        page.fill("[name=purpose]", "架空の目的：支援の分担を決める")
        page.locator(f"[name=members][value='{scene.town['council'].connector.agency}']").check()
        if where == "conferences":
            page.fill("[name=last]", (day_of(desk.connector.now()) + timedelta(days=90)).isoformat())
            page.check("[name=secrecy]")
        press(page, "main form .bar button")
        scene.urls[name] = page.url
    page.fill("[name=case]", scene.urls["signed case"])
    press(page, "form[action$='/agenda'] button")
    scene.urls["line"] = page.url
    page.goto(f"{desk.url}/resources/new")
    page.fill("[name=what]", "保証人なしで入れる架空の住まい")
    page.select_option("[name=kind]", "housing")
    press(page, "main form .btn--go")
    scene.urls["resource"] = page.url
    scene.town["council"].connector.sync()
    with desk.connector.casebook.transaction() as connection:
        hub_id = meetings.hub_id_of(connection, scene.urls["meeting"].rsplit("/", 1)[1])
        met = meetings.hub_id_of(connection, scene.urls["conference"].rsplit("/", 1)[1])
    scene.urls["invitation"], scene.urls["conference at the hub"] = f"/meetings/{hub_id}", str(met)


def _drawn(scene: Scene, desk: Desk) -> None:
    """Let an officer draw what the centre had signed, the form of the signed case too."""
    officers = db.Database(scene.town.stage.settings.database_url, db.Role.DPO)
    with officers.transaction(None) as session:
        at = db.now(session)
        day, officer = day_of(at), uuid7(at, bytes(10))
        first, ours = day - timedelta(days=90), desk.connector.agency
        oversight.draw(session, officer=officer, first_day=first, last_day=day, size=50, agency=ours, now=at)
    officers.close()
    desk.connector.sync()
    with desk.connector.casebook.transaction() as connection:
        found = papers.drawn(connection)
    scene.urls["sample"] = "/samples/" + next(one.id for one in found if one.case == scene.urls["signed case"])


def _outing(page: Page, scene: Scene, desk: Desk) -> None:
    page.goto(desk.enter(f"/referrals/{scene.referral('visiting_today')}/accompany"))
    page.fill("[name=on]", (day_of(desk.connector.now()) + timedelta(days=1)).isoformat())
    page.fill("[name=at]", "10:00")
    page.fill("[name=counter]", "2階 相談窓口")
    page.fill("[name=bring]", "本人確認書類\n通帳")
    page.check("[name=agreed][value=yes]")
    page.locator("main form button").last.click()
    page.wait_for_url("**/accompaniments/*")
    scene.urls["outing"] = page.url


def _emergency(page: Page, scene: Scene, desk: Desk) -> None:
    called = desk.connector.now() - timedelta(minutes=1)
    page.goto(desk.enter(f"/emergencies/new?case={scene.case('late_unread')}"))
    page.fill("#f-called_on", day_of(called).isoformat())
    page.fill("#f-called_at", clock_of(called))
    page.check("input[name=call_result][value=connected]")
    page.check("input[name=threat][value=life]")
    page.check("input[name=difficulty][value=unreachable]")
    page.fill("#f-why", "昨夜から連絡がつかない。架空の理由")
    page.select_option("#f-recipient", scene.town["welfare"].connector.agency)
    page.check("input[name=categories][value=housing]")
    page.fill("#f-text_housing", "架空アパート2階")
    page.check("#f-understood")
    page.click("text=承認を申し出る")
    page.wait_for_url("**/emergencies/*-*")
    scene.urls["emergency"] = page.url


def _opened(page: Page, scene: Scene, desk: Desk) -> None:
    page.goto(desk.enter(f"/inbox/{scene.referral('incoming_old')}"))
    press(page, "form[action$='/open'] button")
    page.goto(f"{desk.url}/referrals/{scene.referral('question')}")
    scene.urls["message"] = page.locator("a[href*='/messages/']").first.get_attribute("href") or ""
    page.goto(f"{desk.url}/followups")
    scene.urls["follow-up"] = page.locator("a[href^='/followups/']:has(.vh)").first.get_attribute("href") or ""


def _import(page: Page, scene: Scene, desk: Desk) -> None:
    """Send a list of people twice: one import waits at its columns, the other before it is taken."""
    people = "架空 輸入,かくう ゆにゅう,昭和54年6月3日\n架空 無日,かくう むじつ,昭和65年1月1日\n"
    for name, head in (("import columns", "だれ,よみ,いつ"), ("import check", "氏名,ふりがな,生年月日")):
        rows = f"{head}\n{people}"
        page.goto(desk.enter("/exchange/imports/new"))
        page.check("[name=kind][value=csv-cp932]")
        page.set_input_files(
            "[name=file]", {"name": "people.csv", "mimeType": "text/csv", "buffer": rows.encode("cp932")}
        )
        page.locator("main form .bar button").click()
        page.wait_for_url(re.compile(r"/exchange/imports/[0-9a-f-]{8,}"))
        scene.urls[name] = page.url.split("?")[0]


def _sheets(scene: Scene) -> None:
    """Fill sheets in for a person of the demo: an assessment, one that is being written, a plan signed and adopted."""
    connector, case = scene.town["centre"].connector, scene.case("question")
    pen = connector.pen("demo")
    with connector.casebook.transaction() as connection:
        for code, body in (("assessment", ASSESSMENT), ("plan", PLAN), ("triage", TRIAGE)):
            made = sheets.begin(connection, pen, case=case, code=code, body=body)
            scene.urls[code] = f"/sheets/{made.id}"
            if code != "triage":
                sheets.settle(connection, pen, made.id)
        plan = scene.urls["plan"].removeprefix("/sheets/")
        scan = picture((((10.0, 10.0, 0), (80.0, 60.0, 200)),), pen.now)
        plans.sign(
            connection, pen, plan, method="pad", signer="self", signed_on=day_of(pen.now),
            media="image/png", pages=1, scan=scan,
        )  # fmt: skip
        plans.adopt(connection, pen, plan, {"meeting_on": day_of(pen.now).isoformat()})
        second = sheets.begin_from(connection, pen, plan, change=sheets.RE_PLAN)
        sheets.settle(connection, pen, second.id)
        scene.urls["second plan"] = f"/sheets/{second.id}"
