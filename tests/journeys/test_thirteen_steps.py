# SPDX-License-Identifier: Apache-2.0
"""One person from a tip through two plans to closure and follow-up, at a real desk around a real hub.

`make pictures` keeps each page of this way as it was seen (`var/pages/way-…`).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

import pytest

from connectors.casebook import finding
from connectors.casebook.sheets import Sheet
from deploy.demo.search import search
from deploy.play.company import Company
from deploy.play.story import Story
from tests.connectors.desk.intaking import LOAN, PERSON, STROKES, Filling
from tests.connectors.desk.office import Browser, Office, Page, begin_anew
from tests.connectors.desk.stepping import course, go
from tests.connectors.desk.test_sheets import adopted, filled, newest
from tests.connectors.sheets.filled import ASSESSMENT, LOOKED, PLAN, REVIEW
from tests.journeys.theatre import Theatre
from tests.pages import seeing
from tests.pages.seeing import Eyes

NAME: Final = "架空江 十三郎"
SIGNS: Final = "検針のとき郵便物があふれていた架空の家"
STRENGTH: Final = "架空の畑を毎朝手入れしている"
ENDING: Final = "架空の仕事が続き家計も落ち着いた"
MINUTE: Final = timedelta(minutes=1)
STYLESHEET: Final = re.compile(r'<link rel="stylesheet" href="/static/([a-z.-]+)">')
TOLD: Final = Story.model_validate(
    {
        "id": "thirteen",
        "person": "架空江 前景子",
        "agencies": {"J6": "架空市道筋相談支援センター", "S6": "架空市道筋社会福祉協議会"},
        "hub_party": "J6",
        "events": [{"at": "2027-06-01T09:00", "type": "remark", "from": "J6", "to": "S6"}],
    }
)

pytestmark = pytest.mark.slow


@pytest.fixture
def company(theatre: Theatre) -> Company:
    return theatre.assemble(TOLD)


def keep_pictures(seen: list[Page], request: pytest.FixtureRequest) -> None:
    """Draw every page of the way, if pictures are wanted: the pages as they were answered, with their stylesheets."""
    if not seeing.is_closely():
        return
    eyes: Eyes = request.getfixturevalue("eyes")
    with eyes.tab(scripts=False) as tab:
        for n, page in enumerate(seen, start=1):
            html = STYLESHEET.sub(_style, page.answer.get_data(as_text=True))
            tab.set_content(html)
            words = [one for one in page.answer.request.path.split("/") if one.isalpha()]
            name = words[-1]  # what stands at the end of the address, ids left out
            seeing.shoot(tab, f"way-{n:02}-{name}-{seeing.WIDE}")


def _style(found: re.Match[str]) -> str:
    return f"<style>{(seeing.STATIC / found[1]).read_text(encoding='utf-8')}</style>"


def found(browser: Browser, office: Office) -> str:
    """Write the tip down and make it a case; give its handle."""
    said = {"source": "lifeline", "came_by": "telephone", "signs": SIGNS, "name": NAME, "phone": "000-0000-0013"}
    page = browser.send(browser.get("/tips/new"), said, form="main form.card")
    tip = page.answer.request.path.rsplit("/", 1)[1]
    assert browser.send(page, form="#case").status == 200
    with office.connector.casebook.transaction() as connection:
        case = finding.tip_of(connection, tip).case
    assert case is not None
    return case


def applied(browser: Browser, case: str) -> None:
    """Take the form in that the person signed on the screen."""
    filling = Filling(browser, f"/intakes/new?case={case}")
    filling.look(**PERSON | LOAN | {"name": NAME})
    filling.check(method="pad", strokes=STROKES)
    assert filling.take(whom=f"case:{case}").status == 200
    page = browser.send(browser.get(f"/cases/{case}/application"), {"state": "applied"}, form="main form")
    assert page.status == 200


def decided(browser: Browser, company: Company, case: str) -> None:
    """Note the municipality's notice and go on to ⑧."""
    said = {"on": company.clock.at.date().isoformat(), "number": "架空第十三号", "officer": "仮名 所管", "seen": "yes"}
    page = browser.send(browser.get(f"/cases/{case}/decision"), said, form="main form")
    assert page.status == 200, page.faults
    company.wait_until(company.clock.at + MINUTE)
    browser.send(page, {"step": "8"}, form="main form")


def test_a_person_goes_through_all_thirteen_steps_twice_planned_and_is_not_at_the_hub(
    theatre: Theatre, company: Company, request: pytest.FixtureRequest
) -> None:
    begin_anew()
    office = Office(company.hub_party.connector)
    browser = office.browser(office.hire())
    seen: list[Page] = []

    def see(path: str) -> None:
        seen.append(browser.get(path))
        assert seen[-1].status == 200

    def sheet(code: str, body: dict[str, Any]) -> Sheet:
        assert filled(browser, case, code, body).status == 200
        made = newest(office, case, code)
        see(f"/sheets/{made.id}")
        return made

    def to(*way: str, **said: Any) -> None:
        for step in way:
            company.wait_until(company.clock.at + MINUTE / 6)
            assert go(browser, office, case, step=step, **said).status == 200
            assert course(office, case).shown.step == step, course(office, case).refused
            see(f"/cases/{case}")

    see("/tips/new")
    case = found(browser, office)
    see(f"/cases/{case}")
    to("2")
    see(f"/cases/{case}/triage")
    page = browser.get(f"/cases/{case}/triage")
    browser.send(page, {"result": "plan_and_continue", "words": SIGNS}, form="main form.card")
    applied(browser, case)
    see(f"/cases/{case}/application")
    see(f"/cases/{case}/urgent")
    page = browser.get(f"/cases/{case}/urgent")
    browser.send(page, {"route": "food", "words": SIGNS}, form="main form.card")
    to("5")
    page = browser.get(f"/cases/{case}")
    browser.send(page, {"strength": STRENGTH}, form="section[aria-labelledby=h-strength] > form")
    sheet("assessment", ASSESSMENT)
    to("6")
    first = adopted(office, browser, case)
    see(f"/sheets/{first.id}")
    to("7")
    decided(browser, company, case)
    see(f"/cases/{case}/decision")
    to("9", "10")
    sheet("monitoring", LOOKED)
    to("11")
    sheet("review", REVIEW)
    to("12", "5", "6")
    browser.post(f"/sheets/{first.id}/next", {"change": "re_plan"})
    second = newest(office, case, "plan")
    assert (second.n, second.change) == (2, "re_plan")
    see(f"/sheets/{second.id}/edit")
    to("7")
    refused = go(browser, office, case, step="8")
    assert "支援決定は自治体が行います" in refused.words, "the first plan's decision is not the second's"
    decided(browser, company, case)
    to("9", "11", "13")
    today = company.clock.at.date()
    closing = {
        "reason": "improved", "words": ENDING, "person_on": today.isoformat(), "meeting_on": today.isoformat(),
        "follow": "yes", "follow_on": (today + timedelta(days=30)).isoformat(), "follow_by": "ours",
    }  # fmt: skip
    see(f"/cases/{case}/close")
    browser.send(seen[-1], closing, form="main form")
    for state in ("follow_up", "ended"):
        go(browser, office, case, step="13", state=state)
        see(f"/cases/{case}")

    shown = company.hub_party.connector.hub.case(case)
    assert [one.step for one in shown.history] == [
        "1", "2", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "5", "6", "7", "8", "9", "11", "13", "13",
        "13", "13",
    ]  # fmt: skip
    assert [one.state for one in shown.history[-4:]] == ["closing", "closed", "follow_up", "ended"]
    assert "プラン第2期" in browser.get(f"/cases/{case}").words
    stage = theatre.stage
    assert stage is not None
    stage.settle()
    needles = [
        NAME,
        SIGNS,
        STRENGTH,
        ENDING,
        "架空第十三号",
        str(PERSON["address"]),
        "000-0000-0013",
        str(ASSESSMENT["chief"]),
        str(PLAN["goal_now"]),
    ]
    assert search(stage.settings, needles, stage.traces).found == ()
    assert search(stage.settings, [case], ()).found, "the same search finds the handle"
    keep_pictures(seen, request)
