# SPDX-License-Identifier: Apache-2.0
"""How little a caseworker must do, counted in a real browser, and that the keyboard alone is enough.

A click, a key, opening a list and choosing from it count one each; the letters of the text itself do not. The seconds
are the machine's, and what a practised person takes by the keystroke-level model (Card, Moran and Newell 1980).
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

import pyotp
import pytest
from playwright.sync_api import Locator, Page

from connectors.base.labels import label
from connectors.desk.staff import service as staff
from tests.connectors.desk.office import EVERY_ROLE, PASSWORD
from tests.connectors.story import PURPOSE
from tests.pages.seeing import ROOT, Eyes
from tests.pages.town import Desk, Town
from tests.pages.walking import WORDS, a_case, choose, referral_of, send

pytestmark = pytest.mark.slow

FIGURES = ROOT / "var" / "pages" / "strokes.json"
DECIDING, POINTING, CLICKING, KEY = 1.35, 1.1, 0.2, 0.28
"""Seconds of a person, by the keystroke-level model."""
SECONDS, TO_SEND, TO_ACCEPT, TO_KNOW_WHY = 90.0, 12, 3, 1
"""What issue B allows."""


@dataclass
class Hand:
    """A hand at the mouse, that counts."""

    page: Page
    strokes: int = 0
    letters: int = 0
    began: float = field(default_factory=time.monotonic)

    def click(self, what: str) -> None:
        self.strokes += 1
        self.page.click(what)

    def choose(self, what: str, value: str) -> None:
        """Open a list and choose from it."""
        self.strokes += 2
        self.page.select_option(what, value)

    def write(self, text: str) -> None:
        """Type the text itself, where the last click went."""
        self.letters += len(text)
        self.page.keyboard.type(text)

    @property
    def seconds(self) -> float:
        """Give what a person needs: the machine's time and their own."""
        own = self.strokes * (DECIDING + POINTING + CLICKING) + self.letters * KEY
        return time.monotonic() - self.began + own


def note(**figures: float) -> None:
    """Keep figures for the documentation (docs/handbook/desk.md)."""
    known = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps({**known, **figures}, indent=1, sort_keys=True), "utf-8")


def test_a_referral_is_sent_from_the_open_case_in_few_strokes(eyes: Eyes, town: Town) -> None:
    case = a_case(town, "架空 いそぎ")
    with eyes.tab() as page:
        page.goto(town["centre"].enter(f"/cases/{case}"))
        hand = Hand(page)
        hand.click(".head__act a.btn--go")
        hand.choose("[name=purpose]", PURPOSE)
        hand.click("button.btn--go[value=next]")
        hand.click("button.btn--go[value=next]")
        hand.click("button.btn--go[value=next]")
        hand.click("[name=text_income_assets]")
        hand.write(WORDS)
        hand.click("button[value=check]")
        hand.click(".bar--go button")
        assert "送りました" in page.inner_text("h1")
        note(send_strokes=hand.strokes, send_seconds=round(hand.seconds))
        assert hand.strokes <= TO_SEND
        assert hand.seconds <= SECONDS


def test_what_arrived_is_accepted_from_the_board_in_three_clicks(eyes: Eyes, town: Town) -> None:
    case = a_case(town, "架空 うけとり")
    with eyes.tab() as page:
        send(page, town["centre"], case)
    referral = referral_of(town, "council", case)
    with eyes.tab() as page:
        # with every row: the other stories of this town, in whatever order they are told, may fill what is in sight
        page.goto(town["council"].enter("/?scope=office%26all=1"))
        assert page.url.endswith("/?scope=office&all=1")
        hand = Hand(page)
        hand.click(f"a[href$='/inbox/{referral}'] >> nth=0")
        hand.click("form[action$='/open'] button")
        hand.click("form[aria-labelledby=h-accept] button")
        assert label("referral_state", "accepted", "ja") in page.inner_text(".head")
        note(accept_strokes=hand.strokes)
        assert hand.strokes <= TO_ACCEPT


def test_why_a_part_may_not_go_is_in_sight_or_one_click_away(eyes: Eyes, town: Town) -> None:
    why = label("decision_reasons", "CATEGORY_NOT_COVERED", "ja")
    case = a_case(town, "架空 りゆう")
    with eyes.tab() as page:
        choose(page, town["centre"], case, town["council"].connector.agency, PURPOSE)
        assert page.locator(".pick--no").get_by_text(why).first.is_visible()  # where one chooses: no click
        send(page, town["centre"], case)
    referral = referral_of(town, "council", case)
    with eyes.tab() as page:
        page.goto(town["council"].enter(f"/referrals/{referral}/write"))
        hand = Hand(page)
        hand.click("main details summary")
        assert page.locator("main details .no .small").first.is_visible()
        note(why_strokes=hand.strokes)
        assert hand.strokes <= TO_KNOW_WHY


@dataclass
class Keys:
    """Ten fingers, no mouse: Tab, Enter, Space, arrows and letters."""

    page: Page
    pressed: int = 0

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            self.pressed += 1
            self.page.keyboard.press(key)

    def go_to(self, what: str) -> Locator:
        """Press Tab until the focus is there, and see that it can be seen."""
        for _ in range(120):
            self.press("Tab")
            if self.page.evaluate("what => document.activeElement.matches(what)", what):
                assert self._is_seen(), f"no visible focus on {what}"
                return self.page.locator(":focus")
        raise AssertionError(f"Tab does not come to {what} on {self.page.url}")

    def enter(self, then: str) -> None:
        """Press Enter and wait for the page that follows."""
        with self.page.expect_navigation(url=then):
            self.press("Enter")

    def is_at(self, what: str) -> bool:
        """Say whether the focus is there."""
        here: bool = self.page.evaluate("what => document.activeElement.matches(what)", what)
        return here

    def _is_seen(self) -> bool:
        ring: str = self.page.evaluate(
            "getComputedStyle(document.activeElement.matches('#find') "
            "? document.activeElement.closest('.find') : document.activeElement).outlineStyle"
        )
        return ring != "none"


def test_the_keyboard_alone_signs_in_sends_a_referral_and_accepts_it(eyes: Eyes, town: Town) -> None:
    case = a_case(town, "架空 けんばん")
    with eyes.tab() as page:
        keys = Keys(page)
        sign_in(keys, town["centre"])
        keys.go_to(".head__act a[href='/referrals/new']")
        keys.enter("**/referrals/new")
        keys.go_to("#f-q")
        page.keyboard.type("架空 けんばん")
        keys.enter("**/referrals/new?*")
        keys.go_to(f"a[href*='case={case}']")
        keys.enter("**/referrals/new?case=*")
        what = keys.go_to("[name=purpose]")
        while what.input_value() != PURPOSE:
            keys.press("ArrowDown")
        keys.go_to("button.btn--go[value=next]")
        keys.enter("**/recipient")
        assert keys.is_at("h1")
        keys.go_to("button.btn--go[value=next]")
        keys.enter("**/categories")
        assert keys.is_at("h1")
        categories(keys)
        keys.go_to("[name=text_income_assets]")
        page.keyboard.press("Control+End")
        page.keyboard.type(WORDS)
        keys.go_to("button[value=check]")
        keys.enter("**/check")
        assert keys.is_at("h1")
        keys.go_to(".bar--go button")
        keys.enter("**/referrals/sent/*")
        assert keys.is_at("h1")
        assert "送りました" in page.inner_text("h1")
        note(keyboard_sends=keys.pressed)
    referral = referral_of(town, "council", case)
    with eyes.tab() as page:
        page.goto(town["council"].enter("/inbox"))
        keys = Keys(page)
        keys.go_to(f"a[href$='/inbox/{referral}']")
        keys.enter(f"**/inbox/{referral}")
        keys.go_to("form[action$='/open'] button")
        keys.enter(f"**/inbox/{referral}")
        assert keys.is_at("h1")
        assert WORDS in page.inner_text("main")
        keys.go_to("form[aria-labelledby=h-accept] button")
        keys.enter(f"**/referrals/{referral}")
        assert keys.is_at("h1")
        assert label("referral_state", "accepted", "ja") in page.inner_text(".head")
        note(keyboard_accepts=keys.pressed)


def sign_in(keys: Keys, desk: Desk) -> None:
    """Sign in with password and code as on every desk that is no sample."""
    secret, now = pyotp.random_base32(), desk.connector.now()
    with desk.connector.casebook.transaction() as connection:
        login = f"keys{now.timestamp():.0f}"
        member, _ = staff.enrol(connection, login=login, name="仮名 鍵", team="", roles=EVERY_ROLE, by="test", now=now)
        staff.set_password(connection, member, PASSWORD, now=now)
        made = pyotp.TOTP(secret)
        assert staff.set_totp(connection, member, secret, made.at(int(now.timestamp()) - 30), now=now)
    keys.page.goto(f"{desk.url}/signin")
    for name, text in (("login", login), ("password", PASSWORD), ("code", made.at(int(now.timestamp())))):
        keys.go_to(f"[name={name}]")
        keys.page.keyboard.type(text)
    keys.enter(f"{desk.url}/")
    assert keys.is_at("h1")


def categories(keys: Keys) -> None:
    """Untick everything: the page says what is wrong, and the focus is on that; tick again and go on."""
    ticked = keys.page.locator("input[name=categories]:checked").count()
    for _ in range(ticked):
        keys.go_to("input[name=categories]:checked")
        keys.press("Space")
    keys.go_to("button.btn--go[value=next]")
    keys.enter("**/categories")
    assert keys.is_at("#faults")
    for _ in range(ticked):
        keys.go_to("input[name=categories]:not(:checked):not(:disabled)")
        keys.press("Space")
    keys.go_to("button.btn--go[value=next]")
    keys.enter("**/content")
    assert keys.is_at("h1")
