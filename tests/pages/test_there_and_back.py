# SPDX-License-Identifier: Apache-2.0
"""Two desks and a hub: a referral that is accepted, and one that is declined and goes on to another agency."""

from __future__ import annotations

import pytest

from tests.connectors.story import consent
from tests.pages.seeing import Eyes
from tests.pages.town import Town
from tests.pages.walking import WORDS, a_case, answer, press, referral_of, send

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("scripts", [True, False])
def test_what_was_sent_is_opened_and_accepted_and_the_sender_sees_it(eyes: Eyes, town: Town, *, scripts: bool) -> None:
    centre, council = town["centre"], town["council"]
    case = a_case(town, f"架空 うけいれ{'あり' if scripts else 'なし'}")
    with eyes.tab(scripts=scripts) as page:
        send(page, centre, case)
        referral = referral_of(town, "council", case)
        page.goto(council.enter(f"/inbox/{referral}"))
        assert WORDS not in page.inner_text("main")
        press(page, "form[action$='/open'] button")
        assert WORDS in page.inner_text("main")
        press(page, "form[aria-labelledby=h-accept] button")
        assert "受入済み" in page.inner_text("main")
    town.settle()
    with eyes.tab(scripts=scripts) as page:
        page.goto(centre.enter(f"/referrals/{referral}"))
        assert "受入済み" in page.inner_text("main")


@pytest.mark.parametrize("scripts", [True, False])
def test_what_is_declined_comes_back_and_goes_to_the_agency_that_was_named(
    eyes: Eyes, town: Town, *, scripts: bool
) -> None:
    centre, council, welfare = town["centre"], town["council"], town["welfare"]
    case = a_case(town, f"架空 べつのきかん{'あり' if scripts else 'なし'}")
    consent(centre.connector, case, welfare.connector.agency)
    with eyes.tab(scripts=scripts) as page:
        send(page, centre, case)
        referral = referral_of(town, "council", case)
        page.goto(council.enter(f"/inbox/{referral}"))
        press(page, "form[action$='/open'] button")
        said = {
            "decline-decline_by": "agency",
            "decline-reason": "other_agency_better",
            "decline-suggestion": "agency",
            "decline-other_agency": welfare.connector.agency,
        }
        answer(page, "form[aria-labelledby=h-decline]", said)
        assert "架空市福祉事務所" in page.inner_text(".hear")
        press(page, "form[data-guard] button.btn--go")
    town.settle()
    with eyes.tab(scripts=scripts) as page:
        page.goto(centre.enter(f"/referrals/{referral}"))
        assert "架空市福祉事務所" in page.inner_text("main")
        page.click(f"a[href*='from={referral}'] >> nth=0")
        page.wait_for_url(f"**/referrals/new?from={referral}")
        page.click("text=次へ：送り先")
        page.wait_for_url("**/recipient")
        assert "架空市福祉事務所" in page.inner_text("main")
        page.click("text=次へ：送る項目")
        page.check("input[name=categories][value=income_assets]")
        page.fill("[name=why_income_assets]", "架空の理由")
        press(page, "text=次へ：内容・添付")
        assert page.input_value("#f-text_income_assets") == WORDS
        page.click("button[value=check]")
        page.wait_for_url("**/check")
        page.click("text=送る >> nth=-1")
        page.wait_for_url("**/referrals/sent/*")
    onward = referral_of(town, "welfare", case)
    with eyes.tab(scripts=scripts) as page:
        page.goto(welfare.enter(f"/inbox/{onward}"))
        press(page, "form[action$='/open'] button")
        assert WORDS in page.inner_text("main")
    assert {one.id: one.state for one in centre.connector.hub.referrals(case=case)}[referral] == "rerouted"
