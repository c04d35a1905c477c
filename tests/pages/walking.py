# SPDX-License-Identifier: Apache-2.0
"""What a caseworker does from page to page, for several tests: a case, the wizard, the intake form, answers.

Every step works with scripts and without.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence

import pytest
from playwright.sync_api import Locator, Page

from connectors.casebook import people
from tests.connectors.story import PURPOSE, STAFF, consent, open_case
from tests.pages.town import Desk, Town

WORDS = "来月から働く予定です。架空の話"
TOLD = {
    "contact": {"telephone": "000-0000-0000", "safe_contact": "昼のみ"},
    "income_assets": {"income": "なし", "savings": "約8千円"},
    "housing": {"rent": "4万8千円"},
}


ARRIVED_WITHIN = 15.0
"""Seconds."""


def a_case(town: Town, name: str) -> str:
    """A person of the centre who agreed that the council learns of identity, contact and money."""
    connector = town["centre"].connector
    case = open_case(connector, name=name)
    consent(connector, case, town["council"].connector.agency)
    with connector.casebook.transaction() as connection:
        for category, said in TOLD.items():
            people.write_answers(connection, case, category, said, staff=STAFF, now=connector.now())
    connector.sync()
    return case


def press(page: Page, what: str | Locator) -> None:
    """Click what leads to another page, and wait until the whole of it is there.

    A click by itself waits until the other page begins; whoever then counts what stands on it may be too early.
    """
    with page.expect_navigation():
        page.click(what) if isinstance(what, str) else what.click()


def begin(page: Page, desk: Desk, case: str) -> str:
    """Begin a referral with what is chosen at first; give where its pages are."""
    page.goto(desk.enter(f"/referrals/new?case={case}"))
    page.select_option("#f-purpose", PURPOSE)
    page.click("text=次へ：送り先")
    page.wait_for_url("**/recipient")
    place = page.url.removesuffix("/recipient")
    page.click("text=次へ：送る項目")
    page.wait_for_url("**/categories")
    return place


def send(page: Page, desk: Desk, case: str) -> None:
    """Send a referral from the case, by clicks."""
    begin(page, desk, case)
    page.click("text=次へ：内容・添付")
    page.fill("#f-text_income_assets", WORDS)
    page.click("text=次へ：期限と同行")
    page.click("text=次へ：確認")
    page.wait_for_url("**/check")
    page.click("text=送る >> nth=-1")
    page.wait_for_url("**/referrals/sent/*")


def referral_of(town: Town, desk: str, case: str) -> str:
    """Give the id of the newest referral of a case at a desk, when all that waited for the desk is there."""
    until = time.monotonic() + ARRIVED_WITHIN
    town.settle()
    while list(town[desk].connector.hub.inbox()) and time.monotonic() < until:  # a log that is behind is waited for
        town.settle()
    found = list(town[desk].connector.hub.referrals(case=case))
    return found[-1].id


def intake(page: Page, desk: Desk, name: Sequence[str], *, topics: Sequence[str], purposes: Sequence[str]) -> None:
    """Fill in who came and what for, and have the table of agencies and categories made."""
    page.goto(desk.enter("/intakes/new"))
    page.fill("[name=name]", name[0])
    page.fill("[name=kana]", name[1])
    page.fill("[name=born_on]", "昭和60年4月18日")
    for topic in topics:
        page.check(f"[name=topics][value={topic}]")
    for purpose in purposes:
        page.check(f"[name=purposes][value={purpose}]")
    page.locator("button[value=refresh]").first.click()
    page.wait_for_selector("table.mx")


def scanned(page: Page, scan: bytes) -> str:
    """Sign the form on paper and put the scan with it; take it; give the address of the form."""
    page.check("[name=method][value=paper]")
    page.set_input_files("[name=scan]", {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": scan})
    press(page, ".bar button[value=check]")
    page.check("[name=legible]")
    page.click(".bar button")
    page.wait_for_url(re.compile(r"/intakes/[0-9a-f]+-[0-9a-f-]+$"))
    return page.url


def draw(page: Page) -> None:
    """Sign the form with the pointer, and have it registered."""
    stroke(page)
    page.click(".bar button[value=check]")
    page.wait_for_url("**/check")
    page.locator(".bar button").click()
    page.wait_for_url(re.compile(r"/intakes/[0-9a-f]+-[0-9a-f-]+$"))


def stroke(page: Page) -> None:
    """Draw one line in the frame of the form; again where the page grew under the pointer."""
    for _ in range(3):
        _try_stroke(page)
        if page.locator("[name=strokes]").input_value():
            return
    pytest.fail("the stroke did not fall into the frame")


def _try_stroke(page: Page) -> None:
    pad = page.locator("[data-pad] svg")
    pad.hover(position={"x": 40, "y": 20})  # waits until it stands still: the sentence above it grows with the boxes
    page.mouse.down()
    pad.hover(position={"x": 120, "y": 80})
    page.mouse.up()


def allow_exactly(page: Page, partners: Collection[str], categories: Collection[str]) -> None:
    """Tick in the table of the intake form what the person allows, and nothing else."""
    for box in page.locator("[name=m]").all():
        partner, _, category = (box.get_attribute("value") or "").partition(":")
        box.set_checked(partner in partners and category in categories)


def refer(page: Page, desk: Desk, case: str, to: str, purpose: str, words: Mapping[str, str], going: str = "") -> str:
    """Send a referral through the wizard: these categories with these words; give its id.

    `going`: the day on which somebody goes along.
    """
    choose(page, desk, case, to, purpose, accompany=bool(going))
    for box in page.locator("input[name=categories]").all():
        box.set_checked(box.get_attribute("value") in words)
    for category in words:
        if page.locator(f"[name=why_{category}]").count():
            page.fill(f"[name=why_{category}]", "架空の理由")
    page.click("button[value=next].btn--go")
    for category, text in words.items():
        page.fill(f"[name=text_{category}]", text)
    if going:
        page.click("button[value=next].btn--go")
        page.fill("[name=going_on]", going)
        page.fill("[name=going_at]", "10:00")
        page.click("button[value=next].btn--go")
    else:
        page.click("button[value=check]")
    page.wait_for_url("**/check")
    seen = page.inner_text(".seen")
    assert all(text in seen for text in words.values())
    page.locator(".bar--go button").click()
    page.wait_for_url("**/referrals/sent/*")
    link = page.locator("main a[href*='/referrals/']:has-text('このつなぎを見る')").get_attribute("href") or ""
    return link.split("/referrals/")[1]


def choose(page: Page, desk: Desk, case: str, to: str, purpose: str, *, accompany: bool = False) -> None:
    """Begin a referral: what for and to whom; the page of the categories is open then."""
    reach(page, desk, case, purpose, accompany=accompany)
    if not page.locator(f"[name=recipient][value='{to}']").is_visible():
        page.click("details:has([name=recipient]) summary")
    page.check(f"[name=recipient][value='{to}']")
    page.click("button[value=next].btn--go")
    page.wait_for_url("**/categories")


def reach(page: Page, desk: Desk, case: str, purpose: str, *, accompany: bool = False) -> None:
    """Begin a referral and come to the page of the recipients."""
    page.goto(desk.enter(f"/referrals/new?case={case}"))
    page.select_option("[name=purpose]", purpose)
    page.check(f"[name=accompany][value={'yes' if accompany else 'no'}]")
    page.click("button[value=next].btn--go")
    page.wait_for_url("**/recipient")


def write(page: Page, desk: Desk, referral: str, category: str, text: str) -> None:
    """Write something in a referral to the other side, sealed under a category."""
    page.goto(desk.enter(f"/referrals/{referral}/write"))
    page.check("[name=kind][value=reply]")
    page.select_option("[name=category]", category)
    page.fill("[name=text]", text)
    page.locator("main form .bar button").click()
    page.wait_for_url(f"**/referrals/{referral}")
    assert page.locator(".flash--good").count() == 1, page.inner_text("main")


def answer(page: Page, form: str, said: Mapping[str, str]) -> None:
    """Fill in a form of a referral's move, whatever kind each field has, and send it."""
    for name, value in said.items():
        here = page.locator(f"{form} [name='{name}']")
        if here.first.get_attribute("type") == "radio":
            page.check(f"{form} [name='{name}'][value='{value}']")
        elif here.evaluate("field => field.tagName") == "SELECT":
            page.select_option(f"{form} [name='{name}']", value)
        else:
            page.fill(f"{form} [name='{name}']", value)
    press(page, page.locator(f"{form} button").last)
