# SPDX-License-Identifier: Apache-2.0
"""Drafts that save themselves; sending, waiting, refused and put right; a declined need that goes further."""

from __future__ import annotations

from dataclasses import replace

from connectors.casebook import directory, listing
from consent.receipts import WithdrawalRecord
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.wizard import (
    WORDS,
    at_check,
    at_content,
    at_recipient,
    goto,
    path,
    tell,
)
from tests.connectors.story import NAME, PURPOSE, Network, consent

# ── drafts ──


def test_a_page_saves_itself_and_says_when(browser: Browser, case: str, network: Network) -> None:
    place = path(at_content(browser, case)).rsplit("/", 1)[0]
    answer = browser.post(f"{place}/content/save", {"text_contact": WORDS, "text_x": "no"}).answer
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, "10:30 下書きを保存しました")
    assert WORDS in browser.get(f"{place}/content").words


def test_a_save_that_is_late_on_the_line_does_not_undo_what_was_sent_after_it(browser: Browser, case: str) -> None:
    place, page = path(at_content(browser, case)).rsplit("/", 1)[0], "0" * 24
    for text, turn in ((WORDS, 1002), ("古い文", 1001)):
        browser.post(f"{place}/content/save", {"text_contact": text, "turn": f"{page} {turn}"})
    words = browser.get(f"{place}/content").words
    assert WORDS in words
    assert "古い文" not in words


def test_what_cannot_be_kept_is_left_out_of_a_save(browser: Browser, case: str) -> None:
    place = path(at_content(browser, case)).rsplit("/", 1)[0]
    browser.post(f"{place}/content/save", {"text_contact": "a\x00b", "text_identity": WORDS})
    page = browser.get(f"{place}/content")
    assert WORDS in page.words
    assert "\x00" not in page.answer.get_data(as_text=True)


def test_a_draft_is_taken_up_from_the_list_and_thrown_away_there(browser: Browser, case: str) -> None:
    page = browser.send(at_recipient(browser, case), {"go": "stop"})
    assert path(page) == "/referrals/drafts"
    assert NAME in page.words
    link = page.html.select_one("a.row-link")
    assert link is not None
    assert browser.get(str(link["href"])).status == 200
    page = browser.send(page, form=".toss form")
    assert "下書きを消しました" in page.words
    assert browser.get(str(link["href"])).status == 404


# ── sending ──


def test_a_second_click_sends_nothing_more(browser: Browser, case: str, network: Network) -> None:
    page = at_check(browser, case)
    first, second = browser.send(page), browser.send(page)
    assert path(first) == path(second)
    assert len(network.hub.messages) == 1


def test_what_changed_after_the_look_is_looked_at_again(browser: Browser, case: str, network: Network) -> None:
    page = at_check(browser, case)
    place = path(page).rsplit("/", 1)[0]
    browser.post(f"{place}/content/save", {"text_contact": WORDS})
    page = browser.send(page)
    assert "確認のあとで内容が変わりました" in page.html.get_text()
    assert network.hub.messages == {}
    assert "送りました" in browser.send(page).words


def test_with_the_line_down_it_waits_and_goes_out_by_itself(
    browser: Browser, case: str, network: Network, office: Office
) -> None:
    page = at_check(browser, case)
    network.hub.away = True
    page = browser.send(page)
    assert "送信待ち" in page.words
    assert "順番 1番目" in page.words
    here = path(page)
    assert "送信待ち" in browser.send(page).words
    network.hub.away = False
    office.connector.sync()
    assert "送りました" in browser.get(here).words


def test_what_the_hub_refuses_comes_back_with_the_rows_marked_and_everything_kept(
    browser: Browser, case: str, network: Network, office: Office
) -> None:
    page = at_content(browser, case)
    page = goto(browser, browser.send(page, {"text_contact": WORDS}), "check")
    connector = office.connector
    # the person took it back at the hub's own page a moment ago; the desk does not know yet
    taken = WithdrawalRecord(
        id=connector.new_id(), agency=connector.agency, case=case, scopes=frozenset(), to=frozenset(),
        categories=frozenset({"income_assets"}), at=connector.now(),
    )  # fmt: skip
    network.hub.withdrawals[case] = [taken.withdrawal()]
    page = browser.send(page)
    assert path(page).endswith("/categories")
    assert "ハブが止めました：同意が撤回されています" in page.words
    boxes = {one["value"]: one.has_attr("checked") for one in page.html.select("input[name=categories]")}
    assert boxes["contact"]
    assert boxes["identity"]
    assert not boxes.get("income_assets")
    page = browser.send(browser.send(page), {"go": "check"})
    assert WORDS in page.words
    assert "送りました" in browser.send(page).words


def test_a_need_that_is_open_already_leads_to_the_other_referral(browser: Browser, case: str, network: Network) -> None:
    network.hub.one_need_at_a_time = True
    browser.send(at_check(browser, case))
    page = browser.send(at_check(browser, case))
    assert path(page).endswith("/check")
    assert "同じ相手・同じ目的のつなぎがすでに進んでいます" in page.html.get_text()


def test_an_old_word_of_the_intake_agency_is_said_in_words(
    office: Office, partner: Office, network: Network, case: str
) -> None:
    partner.connector.refresh_case(case)
    tell(partner, case, "contact", telephone="000-0000-0000")
    network.clock.on(days=5)
    browser = partner.browser(partner.hire())
    network.hub.away = True
    page = browser.send(at_recipient(browser, case), {"recipient": office.connector.agency, "go": "check"})
    assert "同意が今も続いているという受付機関の新しい知らせが届いていません" in page.words
    assert page.html.select_one("input[name=print]") is not None
    assert not [one for one in page.html.select("main button") if one.get_text().strip() == "送る"]


def test_a_recipient_without_a_key_is_not_to_be_chosen(
    office: Office, partner: Office, network: Network, case: str
) -> None:
    with office.connector.casebook.transaction() as connection:
        known = directory.agency(connection, partner.connector.agency)
        directory.keep(connection, replace(known, keys=()), now=network.clock())
    browser = office.browser(office.hire())
    page = at_recipient(browser, case)
    assert "いまは届けられません" in page.words
    page = browser.send(page, {"recipient": partner.connector.agency})
    assert (page.status, page.faults) == (422, ["recipient"])


def test_an_immediate_need_takes_its_call_along(browser: Browser, case: str, network: Network, office: Office) -> None:
    page = browser.send(at_recipient(browser, case, urgency="immediate"), {"go": "check"})
    page = browser.send(page, {"called_on": "R8.4.6", "called_at": "10:05", "call_result": "connected"})
    assert path(page).endswith("/check")
    assert "送りました" in browser.send(page).words
    (referral,) = network.hub.referrals.values()
    assert referral.urgency == "immediate"


def test_the_person_gets_a_slip_without_a_single_secret(browser: Browser, case: str) -> None:
    page = browser.send(at_check(browser, case))
    link = page.html.select_one('a[href$="/slip"]')
    assert link is not None
    slip = browser.get(str(link["href"]))
    assert NAME in slip.words
    assert "約8千円" not in slip.words
    assert browser.get("/referrals/sent/unknown").status == 404


# ── a declined need goes further ──


def declined(browser: Browser, case: str, partner: Office, network: Network, office: Office, other: str) -> str:
    browser.send(at_check(browser, case))
    (referral,) = network.hub.referrals.values()
    partner.connector.hub.move(
        referral.id, "decline", {"decline_by": "agency", "reason": "other_agency_better", "suggestion": "agency",
        "other_agency": other}, version=1,
    )  # fmt: skip
    office.connector.refresh_referral(referral.id)
    return referral.id


def test_a_declined_need_is_referred_on_with_the_same_text_and_the_agency_that_was_named(
    browser: Browser, case: str, partner: Office, network: Network, office: Office
) -> None:
    other = Office(network.join("shakyo"))
    network.meet()
    office.connector.fetch_directory()
    consent(office.connector, case, other.connector.agency)
    office.connector.sync()
    first = declined(browser, case, partner, network, office, other.connector.agency)
    page = browser.get(f"/referrals/new?from={first}")
    assert "断られたつなぎの続きです" in page.words
    page = browser.send(page)
    chosen = page.html.select_one("input[name=recipient][checked]")
    assert chosen
    assert chosen["value"] == other.connector.agency
    page = browser.send(browser.send(page, {"go": "check"}))
    assert "送りました" in page.words
    states = {one.recipient: (one.state, one.hop) for one in network.hub.referrals.values()}
    assert states == {
        partner.connector.agency: ("rerouted", 0),
        other.connector.agency: ("requested", 1),
    }
    other.connector.sync()
    with other.connector.casebook.transaction() as connection:
        assert len(listing.received(connection, other.connector.agency)) == 1


def test_what_was_not_declined_is_not_taken_further(
    browser: Browser, case: str, network: Network, office: Office
) -> None:
    browser.send(at_check(browser, case))
    (referral,) = network.hub.referrals.values()
    assert browser.get(f"/referrals/new?from={referral.id}").status == 409
    assert browser.get("/referrals/new?from=unknown").status == 404


def test_after_two_declines_a_conference_decides_and_its_result_is_sent(
    browser: Browser, case: str, partner: Office, network: Network, office: Office
) -> None:
    offices = [Office(network.join("shakyo")) for _ in range(2)]
    network.meet()
    for one in offices:
        consent(office.connector, case, one.connector.agency)
    office.connector.sync()
    referral = declined(browser, case, partner, network, office, offices[0].connector.agency)
    page = browser.send(browser.get(f"/referrals/new?from={referral}"))
    browser.send(browser.send(page, {"go": "check"}))
    (second,) = [one for one in network.hub.referrals.values() if one.hop == 1]
    offices[0].connector.hub.move(second.id, "decline", {"decline_by": "agency", "reason": "no_capacity"}, version=1)
    office.connector.refresh_referral(second.id)
    page = browser.send(browser.get(f"/referrals/new?from={second.id}"))
    page = browser.send(page, {"recipient": offices[1].connector.agency, "go": "check"})
    page = browser.send(page)
    assert "次は支援調整会議で決めます" in page.html.get_text()
    office.connector.refresh_referral(second.id)
    (link,) = browser.get(f"/referrals/{second.id}").html.select("a[href*='/referrals/new?from=']")
    assert link.get_text(strip=True) == "会議で決めた機関へつなぐ"
    page = browser.send(browser.get(str(link["href"])))
    assert (page.status, page.faults) == (422, ["move_reason"])
    page = browser.send(page, {"move_reason": "persons_wish"})
    page = browser.send(page, {"recipient": offices[1].connector.agency, "go": "check"})
    assert "送りました" in browser.send(page).words
    assert sorted((one.hop, one.state) for one in network.hub.referrals.values()) == [
        (0, "rerouted"),
        (1, "rerouted"),
        (2, "requested"),
    ]


def test_who_comes_from_the_directory_finds_that_agency_chosen(
    browser: Browser, case: str, network: Network, office: Office
) -> None:
    other = network.join("houterasu")
    network.meet()
    page = browser.get(f"/referrals/new?to={other.agency}&q=高崎")
    link = page.html.select_one(".people a.btn")
    assert link is not None
    page = browser.send(browser.get(str(link["href"])), {"purpose": PURPOSE})
    chosen = page.html.select_one("input[name=recipient][checked]")
    assert chosen is not None
    assert chosen["value"] == other.agency
