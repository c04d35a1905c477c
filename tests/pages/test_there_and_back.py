# SPDX-License-Identifier: Apache-2.0
"""Two desks and a hub: a referral that is accepted, and one that is declined and goes on to another agency."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.connectors.story import consent
from tests.pages.seeing import Eyes
from tests.pages.test_sending_pages import WORDS, a_case, begin
from tests.pages.town import Desk, Town

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]


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
    """Give the address of the newest referral of a case at a desk."""
    town.settle()
    found = list(town[desk].connector.hub.referrals(case=case))
    return found[-1].id


@pytest.mark.parametrize("scripts", [True, False])
def test_what_was_sent_is_opened_and_accepted_and_the_sender_sees_it(eyes: Eyes, town: Town, *, scripts: bool) -> None:
    centre, council = town["centre"], town["council"]
    case = a_case(town, f"架空 うけいれ{'あり' if scripts else 'なし'}")
    with eyes.tab(scripts=scripts) as page:
        send(page, centre, case)
        referral = referral_of(town, "council", case)
        page.goto(council.enter(f"/inbox/{referral}"))
        assert WORDS not in page.inner_text("main")
        page.click("form[action$='/open'] button")
        assert WORDS in page.inner_text("main")
        page.click("form[aria-labelledby=h-accept] button")
        assert "受入済み" in page.inner_text("main")
    town.settle()
    with eyes.tab(scripts=scripts) as page:
        page.goto(centre.enter(f"/referrals/{referral}"))
        assert "受入済み" in page.inner_text("main")


def test_what_is_declined_comes_back_with_somebody_to_go_to(eyes: Eyes, town: Town) -> None:
    centre, council, welfare = town["centre"], town["council"], town["welfare"]
    case = a_case(town, "架空 べつのきかん")
    consent(centre.connector, case, welfare.connector.agency)
    with eyes.tab() as page:
        send(page, centre, case)
        referral = referral_of(town, "council", case)
        page.goto(council.enter(f"/inbox/{referral}"))
        page.click("form[action$='/open'] button")
        form = "form[aria-labelledby=h-decline]"
        for name, said in (
            ("decline_by", "agency"),
            ("reason", "other_agency_better"),
            ("suggestion", "agency"),
            ("other_agency", welfare.connector.agency),
        ):
            field = page.locator(f"{form} [name=decline-{name}]")
            if field.first.get_attribute("type") == "radio":
                page.check(f"{form} [name=decline-{name}][value='{said}']")
            else:
                page.select_option(f"{form} [name=decline-{name}]", said)
        page.click(f"{form} button")
        assert "架空市福祉事務所" in page.inner_text(".hear")
        page.click("form[data-guard] button.btn--go")
    town.settle()
    with eyes.tab() as page:
        page.goto(centre.enter(f"/referrals/{referral}"))
        assert "架空市福祉事務所" in page.inner_text("main")
        page.click(f"a[href*='from={referral}'] >> nth=0")
        page.wait_for_url(f"**/referrals/new?from={referral}")
        page.click("text=次へ：送り先")
        page.wait_for_url("**/recipient")
        assert "架空市福祉事務所" in page.inner_text("main")
