# SPDX-License-Identifier: Apache-2.0
"""A settled sheet goes to a partner part by part, as consent allows; after a re-plan the old purpose is refused."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.casebook import sheets, statements
from connectors.casebook.sheets import Sheet
from tests.connectors.desk.intaking import LOAN, STROKES, Filling, scopes, signed_on_screen
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.referring import Referred, refer
from tests.connectors.desk.test_sheets import adopted, begun, filled, newest
from tests.connectors.desk.wizard import MY_NUMBER
from tests.connectors.sheets.filled import ASSESSMENT, PLAN
from tests.connectors.story import PURPOSE, Network, consent

TRAIT = "刑余者"


@pytest.fixture
def shared(network: Network, office: Office, partner: Office) -> Referred:
    """A referral that the partner has accepted; consultation, income and records may go there, safety may not."""
    made = refer(network, office, partner)
    made.open()
    made.accept()
    return made


def plan(one: Referred) -> Sheet:
    return adopted(one.office, one.ours, one.case)


def share(one: Referred, sheet: Sheet, **said: Any) -> Page:
    page = one.ours.get(f"/sheets/{sheet.id}/share/{one.id}")
    done = one.ours.send(page, said, form="form[action*='/share/']")
    one.round()
    return done


def received(one: Referred) -> Page:
    """Open the message that came last, at the partner's."""
    page = one.theirs.get(f"/referrals/{one.id}")
    links = [str(each["href"]) for each in page.html.select("a[href*='/messages/']")]
    looked = [one.theirs.get(link) for link in dict.fromkeys(links)]
    closed = next(each for each in looked if each.html.select_one("form[action$='/open']") is not None)
    return one.theirs.send(closed, form="form[action$='/open']")


def test_the_page_says_for_each_recipient_what_they_would_see_and_why_not_the_rest(shared: Referred) -> None:
    filled(shared.ours, shared.case, "assessment", ASSESSMENT)
    sheet = newest(shared.office, shared.case, "assessment")
    page = shared.ours.get(f"/sheets/{sheet.id}/share")
    row = page.html.select_one("tbody tr")
    assert row is not None
    seen, unseen = row.select("td")[1], row.select("td")[2]
    assert "支援方針・経過" in seen.get_text()
    assert "収入・資産・家計" in seen.get_text()
    assert "安全" in unseen.get_text()
    assert "健康・医療" in unseen.get_text()
    assert "この項目への同意がありません" in unseen.get_text()


def test_the_recipient_reads_a_sheet_with_its_labels_and_nothing_that_was_not_agreed_to(shared: Referred) -> None:
    filled(shared.ours, shared.case, "assessment", ASSESSMENT)
    sheet = newest(shared.office, shared.case, "assessment")
    preview = shared.ours.get(f"/sheets/{sheet.id}/share/{shared.id}")
    assert TRAIT not in preview.words
    assert "生活習慣の乱れ" in preview.words
    share(shared, sheet)
    words = received(shared).words
    assert "【2】 インテーク・アセスメントシート" in words
    assert "本人の強み 手先が器用" in words
    assert "本人の収入(月額・円) 120,000" in words
    assert TRAIT not in words
    assert shared.theirs.get(f"/referrals/{shared.id}").status == 200


def test_only_what_was_ticked_goes(shared: Referred) -> None:
    share(shared, plan(shared), categories=["support_record"])
    words = received(shared).words
    assert PLAN["goal_now"] in words
    assert PLAN["problems"] not in words


def test_the_same_page_sent_twice_is_one_message(shared: Referred) -> None:
    sheet = plan(shared)
    page = shared.ours.get(f"/sheets/{sheet.id}/share/{shared.id}")
    for _ in range(2):
        shared.ours.send(page, form="form[action*='/share/']")
    with shared.office.connector.casebook.transaction() as connection:
        kinds = connection.exec_driver_sql("SELECT kind FROM messages WHERE kind = 'document'").all()
    assert len(kinds) == 1


def test_a_part_that_consent_does_not_carry_is_refused_and_nothing_goes(shared: Referred) -> None:
    filled(shared.ours, shared.case, "assessment", ASSESSMENT)
    sheet = newest(shared.office, shared.case, "assessment")
    page = share(shared, sheet, categories=["support_record", "safety"])
    assert page.status == 422
    assert "安全(DV・虐待・自死等)」は送れません" in page.words.replace(" ", "")
    assert share(shared, sheet, categories=["identity"]).faults == ["categories"]
    assert share(shared, sheet, categories=[]).faults == ["categories"]


def test_what_looks_like_a_my_number_is_asked_about_first(shared: Referred) -> None:
    filled(shared.ours, shared.case, "assessment", ASSESSMENT | {"direction": f"番号 {MY_NUMBER}"})
    sheet = newest(shared.office, shared.case, "assessment")
    assert share(shared, sheet).faults == ["categories"]
    assert share(shared, sheet, acknowledged="yes").status == 200


def test_a_tip_stays_here_and_a_draft_is_not_shared(shared: Referred) -> None:
    tip = {"received_on": "2026-04-01", "source": "lifeline", "subject_knows": "does_not_know", "told": "架空の知らせ"}
    filled(shared.ours, shared.case, "tip", tip)
    begun(shared.ours, shared.case, "triage")
    for code, said in (("tip", "ほかの機関には渡しません"), ("triage", "できる状態ではありません")):
        page = shared.ours.get(f"/sheets/{newest(shared.office, shared.case, code).id}/share")
        assert (page.status, said in page.words) == (409, True)


def test_a_referral_of_another_case_is_not_found(shared: Referred) -> None:
    assert shared.ours.get(f"/sheets/{plan(shared).id}/share/nowhere").status == 404


def renewed(one: Referred, **changes: Any) -> None:
    """Let the person sign anew together with plan no. 2; what they signed before is replaced."""
    with one.office.connector.casebook.transaction() as connection:
        old = [each.record.id for each in statements.consents_of(connection, one.case)]
    agency = one.partner.connector.agency
    consent(one.office.connector, one.case, agency, kind="plan", supersedes=frozenset(old), **changes)
    one.round()


def test_after_a_re_plan_the_old_plan_and_its_old_purpose_are_refused(shared: Referred) -> None:
    first = plan(shared)
    assert share(shared, first).status == 200
    shared.ours.post(f"/sheets/{first.id}/next", {"change": "re_plan"})
    second = newest(shared.office, shared.case, "plan")
    page = shared.ours.get(f"/sheets/{second.id}/edit")
    shared.ours.send(page, {"goal_now": "家計を立て直す", "do": "settle"}, form="form[data-autosave]")
    shared.ours.post(
        f"/sheets/{second.id}/sign", {"method": "pad", "signer": "self", "strokes": "[[[10, 10, 0], [60, 40, 9]]]"}
    )
    assert "同意の更新(プランとあわせて)・まだ" in shared.ours.get(f"/sheets/{second.id}").words.replace(" ", "")
    renewed(shared, purposes=frozenset({"kakei_kaizen"}), categories=frozenset({"identity", "support_record"}))
    assert "同意の更新(プランとあわせて)・あり" in shared.ours.get(f"/sheets/{second.id}").words.replace(" ", "")
    shared.ours.post(f"/sheets/{second.id}/adopt", {"meeting_on": "2026-04-22"})
    with shared.office.connector.casebook.transaction() as connection:
        assert sheets.sheet(connection, first.id).state == "replaced"
    refused = shared.ours.get(f"/sheets/{first.id}/share")
    assert (refused.status, "もう共有しません" in refused.words) == (409, True)
    page = shared.ours.get(f"/sheets/{second.id}/share")
    assert "送れる部分はありません" in page.words
    assert "新しい同意に置き換わっています" in page.words
    assert share_anyway(shared, second).status == 422


def share_anyway(one: Referred, sheet: Sheet) -> Page:
    """Send what the page does not offer, as somebody who makes requests by hand would."""
    return one.ours.post(f"/sheets/{sheet.id}/share/{one.id}", {"categories": ["support_record"], "once": "x"})


def test_a_sheet_goes_with_a_new_referral_and_its_check_page_shows_it(shared: Referred) -> None:
    sheet = plan(shared)
    page = shared.ours.get(f"/referrals/new?case={shared.case}&sheet={sheet.id}")
    page = shared.ours.send(page, {"purpose": PURPOSE})
    page = shared.ours.send(page)
    page = shared.ours.send(page, {"go": "check"})
    assert "【5】 プラン兼事業等利用申込書" in page.words
    assert PLAN["goal_now"] in page.words
    sent = shared.ours.send(page, form="form[action$='/check']")
    assert sent.status == 200
    shared.round()
    with shared.partner.connector.casebook.transaction() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM parts").scalars().all()
    assert any(PLAN["goal_now"].encode() in body for body in bodies)


def test_a_sheet_of_another_case_or_one_that_does_not_hold_goes_with_no_referral(shared: Referred) -> None:
    sheet = plan(shared)
    assert shared.ours.get(f"/referrals/new?case={shared.case}&sheet=nowhere").status == 404
    filled(shared.ours, shared.case, "assessment", ASSESSMENT)
    old = newest(shared.office, shared.case, "assessment")
    page = shared.ours.send(shared.ours.get(f"/referrals/new?case={shared.case}&sheet={old.id}"), {"purpose": PURPOSE})
    page = shared.ours.send(shared.ours.send(page), {"go": "check"})
    draft = page.answer.request.path.rsplit("/", 1)[0]
    shared.ours.post(f"/sheets/{old.id}/next", {"change": "new_version"})
    again = shared.ours.get(f"/sheets/{newest(shared.office, shared.case, 'assessment').id}/edit")
    shared.ours.send(again, {"do": "settle"}, form="form[data-autosave]")
    assert shared.ours.get(f"/referrals/new?case={shared.case}&sheet={old.id}").status == 409
    checked = shared.ours.get(f"{draft}/check")
    assert "もう共有しません" in checked.words
    assert "もう共有しません" in shared.ours.send(checked, form="form[data-send]").words
    with shared.office.connector.casebook.transaction() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM messages").scalar_one() == 1
    assert sheet.state == "adopted"


def test_consent_is_renewed_together_with_the_plan_and_replaces_what_was_signed(
    browser: Browser, office: Office, partner: Office, network: Network
) -> None:
    signed_on_screen(browser)
    (before,) = scopes(office.connector)
    plan_one = adopted(office, browser, before.case)
    network.clock.on(minutes=1)
    assert browser.get(f"/intakes/new?case={before.case}&plan=nowhere").status == 404
    link = browser.get(f"/sheets/{plan_one.id}").html.select_one("a[href^='/intakes/new']")
    assert link is not None
    filling = Filling(browser, str(link["href"]))
    filling.look(**LOAN)
    filling.check(method="pad", strokes=STROKES)
    filling.take()
    made = scopes(office.connector)[1]
    assert (made.kind, made.supersedes) == ("plan", {before.id})
