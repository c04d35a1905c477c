# SPDX-License-Identifier: Apache-2.0
"""The wizard and the emergency disclosure in Chromium and a real hub: by clicks, by keyboard, without scripts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.casebook import listing
from connectors.desk.web.when import clock_of
from consent.calendar import day_of
from tests.pages.seeing import Eyes
from tests.pages.town import Town
from tests.pages.walking import WORDS, a_case, begin, press

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("scripts", [True, False])
def test_a_referral_goes_from_the_case_to_the_partner(eyes: Eyes, town: Town, *, scripts: bool) -> None:
    desk, council = town["centre"], town["council"]
    case = a_case(town, f"架空 {'すくりぷと' if scripts else 'なし'}")
    with eyes.tab(scripts=scripts) as page:
        begin(page, desk, case)
        page.click("text=次へ：内容・添付")
        page.fill("#f-text_income_assets", WORDS)
        page.click("text=次へ：期限と同行")
        page.click("text=次へ：確認")
        page.wait_for_url("**/check")
        assert WORDS in page.inner_text(".seen")
        if scripts:
            page.keyboard.press("Control+Enter")
        else:
            page.click("text=送る >> nth=-1")
        page.wait_for_url("**/referrals/sent/*")
        assert "送りました" in page.inner_text("h1")
        number = page.inner_text(".done__n")
        assert number.startswith("R-")
        press(page, "text=本人に渡す控え")
        assert number in page.inner_text("article")
    town.settle()
    with council.connector.casebook.transaction() as connection:
        arrived = [one for one in listing.received(connection, council.connector.agency) if one.case == case]
    parts = council.connector.read(arrived[0].id, arrived[0].sender, staff="s-1")
    assert WORDS in [part.body.decode() for part in parts]


def test_the_keyboard_alone_sends_a_referral_and_enter_does_not(eyes: Eyes, town: Town) -> None:
    desk = town["centre"]
    case = a_case(town, "架空 きいぼうど")
    with eyes.tab() as page:
        begin(page, desk, case)
        page.focus("input[name=categories]")
        page.keyboard.press("Enter")
        page.wait_for_url("**/content")
        page.goto(page.url.replace("/content", "/check"))
        page.keyboard.press("Enter")
        assert page.url.endswith("/check")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/referrals/sent/*")


def test_what_is_written_saves_itself(eyes: Eyes, town: Town) -> None:
    desk = town["centre"]
    case = a_case(town, "架空 したがき")
    with eyes.tab() as page:
        place = begin(page, desk, case)
        page.goto(f"{place}/content")
        page.fill("#f-text_contact", WORDS)
        page.wait_for_selector("[data-saved]:has-text('下書きを保存しました')")
        page.reload()
        assert page.input_value("#f-text_contact") == WORDS


def test_a_second_person_sends_what_somebody_asked_for_in_an_emergency(eyes: Eyes, town: Town) -> None:
    desk = town["centre"]
    case = a_case(town, "架空 きんきゅう")
    called = desk.connector.now() - timedelta(minutes=1)
    with eyes.tab(scripts=False) as page:
        page.goto(desk.enter(f"/emergencies/new?case={case}"))
        page.fill("#f-called_on", day_of(called).isoformat())
        page.fill("#f-called_at", clock_of(called))
        page.check("input[name=call_result][value=connected]")
        page.check("input[name=threat][value=life]")
        page.check("input[name=difficulty][value=unreachable]")
        page.fill("#f-why", "昨夜から連絡がつかない。架空の理由")
        page.select_option("#f-recipient", town["welfare"].connector.agency)
        page.check("input[name=categories][value=housing]")
        page.fill("#f-text_housing", "架空アパート2階")
        page.check("#f-understood")
        press(page, "text=承認を申し出る")
        here = page.url
        assert "承認待ち" in page.inner_text("main")
    chief = f"{desk.url}/enter/{desk.supervisor}?next=/"
    with eyes.tab(scripts=False) as page:
        page.goto(chief)
        page.goto(here)
        page.check("#f-read")
        press(page, "text=承認して送る >> nth=-1")
        assert "承認し、送りました" in page.inner_text("main")
