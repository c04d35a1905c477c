# SPDX-License-Identifier: Apache-2.0
"""A new referral from the first page to what the partner opens: seven pages, no scripts, nothing lost."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.casebook import access, listing, referral_files, statements
from connectors.desk.web.contents import by_category
from consent.receipts import ExclusionRecord
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
from tests.connectors.story import NAME, PURPOSE, STAFF, Network, consent, open_case

# ── the whole way ──


def test_what_was_previewed_is_what_the_partner_opens(browser: Browser, case: str, partner: Office) -> None:
    page = at_check(browser, case)
    assert page.html.h1
    assert page.html.h1.get_text() == "この機関に見えるもの"
    seen = page.html.select_one(".seen .parts")
    assert seen is not None
    previewed = " ".join(seen.get_text(" ").split())
    assert NAME in previewed
    assert "約8千円" in previewed
    assert "送りました" in browser.send(page).words

    partner.connector.sync()
    with partner.connector.casebook.transaction() as connection:
        (arrived,) = listing.received(connection, partner.connector.agency)
    parts = partner.connector.read(arrived.id, arrived.sender, staff="s-1")
    opened = by_category(parts, "ja")
    for _, contents in opened:
        for one in contents:
            assert all(f"{question} {answer}" in previewed for question, answer in one.answers)
    assert [category for category, _ in opened] == ["identity", "contact", "income_assets"]
    assert len(opened) == len(seen.find_all("div", recursive=False))


def test_a_referral_costs_few_clicks_from_an_open_case(browser: Browser, case: str) -> None:
    """Count what a person does beside the text: a click on each link, box, choice and button, and each key typed."""
    clicks = 1  # "new referral" on the page of the case
    page = browser.get(f"/referrals/new?case={case}")
    clicks += 2  # the list of purposes, the purpose
    page = browser.send(page, {"purpose": PURPOSE})
    clicks += 1  # on to the recipient: the first one is chosen
    page = browser.send(page, {"go": "check"})
    clicks += 1  # on to the check page
    assert path(page).endswith("/check")
    page = browser.send(page)
    clicks += 1  # send
    assert "送りました" in page.words
    assert clicks <= 12


def test_all_seven_pages_one_after_another(browser: Browser, case: str, partner: Office, office: Office) -> None:
    page = at_recipient(browser, case, accompany="yes", troubles=["income", "debt"])
    assert "2" not in page.words.split("／7")[0][-2:-1]
    page = browser.send(page)
    assert path(page).endswith("/categories")
    page = browser.send(page)
    assert path(page).endswith("/content")
    page = browser.send(page, {"text_income_assets": WORDS})
    assert path(page).endswith("/dates")
    page = browser.send(page, {"going_on": "R8.4.8", "going_at": "１０：３０", "going_place": "架空市役所 2階"})
    assert path(page).endswith("/check")
    assert WORDS in page.words
    assert "架空市役所 2階" in page.words
    page = browser.send(page)
    assert "R-2026-0001" in page.words
    partner.connector.sync()
    with partner.connector.casebook.transaction() as connection:
        (arrived,) = listing.received(connection, partner.connector.agency)
    bodies = [part.body.decode() for part in partner.connector.read(arrived.id, arrived.sender, staff="s-1")]
    assert WORDS in bodies
    with office.connector.casebook.transaction() as connection:
        file = referral_files.file_of(connection, arrived.id, office.connector.agency)
    assert file is not None
    assert file.number == "R-2026-0001"


def test_the_hub_learns_no_name_no_word_and_no_number_of_ours(
    browser: Browser, case: str, network: Network, office: Office
) -> None:
    browser.send(at_check(browser, case))
    (kept,) = network.hub.messages.values()
    everything = repr(network.hub.messages) + repr(network.hub.referrals) + repr(network.hub.events)
    assert kept.case == case
    for canary in (NAME, "約8千円", "000-0000-0000", "R-2026"):
        assert canary not in everything


def test_an_english_speaking_worker_gets_english_pages(office: Office, case: str) -> None:
    browser = office.browser(office.hire(), language="en")
    page = at_check(browser, case)
    assert page.html.h1
    assert page.html.h1.get_text() == "What this agency will see"
    assert "Sent" in browser.send(page).words


def test_going_back_keeps_everything(browser: Browser, case: str) -> None:
    page = at_content(browser, case)
    page = browser.send(page, {"text_income_assets": WORDS})
    page = goto(browser, page, "categories")
    page = browser.send(page)
    assert WORDS in page.html.select_one("#f-text_income_assets").get_text()  # type: ignore[union-attr]


def test_the_pages_before_lead_to_what_is_missing(browser: Browser, case: str, office: Office) -> None:
    page = at_recipient(browser, case, urgency="immediate")
    page = browser.send(page, {"go": "check"})
    assert path(page).endswith("/dates")
    assert "先に電話をします" in page.words


# ── finding the person ──


def test_a_person_is_found_with_how_the_consent_stands(browser: Browser, case: str, office: Office) -> None:
    page = browser.get("/referrals/new?q=高崎")
    assert "有効" in page.words
    assert page.html.select_one(f'a[href="/referrals/new?case={case}"]')
    with office.connector.casebook.transaction() as connection:
        actions = [one.action for one in access.history(connection, case)]
    page = browser.get(f"/referrals/new?case={case}")
    assert NAME in page.words
    with office.connector.casebook.transaction() as connection:
        assert [one.action for one in access.history(connection, case)] == [*actions, "person:viewed"]


def test_nobody_found_says_what_to_do(browser: Browser, partner: Office) -> None:
    assert "ふりがなの一部" in browser.get("/referrals/new?q=いない人").words
    assert browser.get("/referrals/new?case=00000000-0000-4000-8000-000000000000").status == 404


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"signature": "family_unverified"}, "有効な署名なし"), ({"valid_until": None}, "期限切れ")],
)
def test_a_consent_that_does_not_count_is_shown_as_that(
    office: Office, partner: Office, network: Network, changes: dict[str, Any], word: str
) -> None:
    case = open_case(office.connector)
    if "valid_until" in changes:
        changes = {}
        consent(office.connector, case, partner.connector.agency)
        network.clock.on(days=100)
    else:
        consent(office.connector, case, partner.connector.agency, **changes)
    browser = office.browser(office.hire())
    assert word in browser.get("/referrals/new?q=高崎").words


# ── consent as the shape of the form ──


def test_each_category_comes_decided_with_its_reason_and_a_way_out(browser: Browser, case: str) -> None:
    page = browser.send(at_recipient(browser, case))
    boxes = {one["value"]: one for one in page.html.select("input[name=categories]")}
    assert sorted(boxes) == ["contact", "identity", "income_assets"]
    assert all(one.has_attr("checked") for one in boxes.values())
    refused = page.html.select(".pick--no li")
    assert all(one.select_one("input[disabled]") and one.select_one(".pick__ng") for one in refused)
    assert "この項目への同意がありません" in page.words
    assert "この送り先では使わない区分" in page.words


def test_a_refusal_of_the_person_is_stronger_than_consent(browser: Browser, case: str, office: Office) -> None:
    connector = office.connector
    with connector.casebook.transaction() as connection:
        pen = connector.pen(STAFF)
        record = ExclusionRecord(
            id=pen.new_id(), agency=pen.agency, case=case, to=frozenset({"shakyo"}),
            categories=frozenset({"income_assets"}), from_time=pen.now, words_digest="ab" * 32,
        )  # fmt: skip
        statements.exclude(connection, record, pen)
    page = browser.send(at_recipient(browser, case))
    assert "本人が伝えないでほしいと言っています" in page.words
    assert page.html.select_one("input[name=categories][value=income_assets]") is None


def test_an_item_without_consent_cannot_be_slipped_in(browser: Browser, case: str) -> None:
    page = browser.send(at_recipient(browser, case))
    page = browser.send(page, {"categories": ["identity", "health"]})
    assert (page.status, page.faults) == (422, ["categories"])


def test_what_is_not_needed_wants_one_line_of_why(browser: Browser, office: Office, partner: Office) -> None:
    case = open_case(office.connector)
    consent(office.connector, case, partner.connector.agency, categories=frozenset({"identity", "housing"}))
    tell(office, case, "housing", rent="4万8千円")
    office.connector.sync()
    page = browser.send(at_recipient(browser, case))
    assert not page.html.select_one("input[value=housing]").has_attr("checked")  # type: ignore[union-attr]
    page = browser.send(page, {"categories": ["identity", "housing"]})
    assert (page.status, page.faults) == (422, ["why_housing"])
    page = browser.send(page, {"categories": ["identity", "housing"], "why_housing": "支払日が近いため"})
    assert path(page).endswith("/content")
    assert "4万8千円" in page.answer.get_data(as_text=True)


def test_agencies_without_consent_are_shown_and_marked(
    browser: Browser, office: Office, partner: Office, network: Network
) -> None:
    other = network.join("shakyo")
    network.meet()
    case = open_case(office.connector)
    consent(office.connector, case, partner.connector.agency)
    page = at_recipient(browser, case)
    offers = page.html.select(".offer")
    assert [one.select_one("input")["value"] for one in offers] == [partner.connector.agency, other.agency]  # type: ignore[index]
    assert offers[0].select_one("input[checked]")
    assert "同意がありません" in offers[1].get_text()
    page = browser.send(page, {"recipient": other.agency})
    assert "いま送れる項目がありません" in page.words


def test_a_case_without_any_consent_says_so_everywhere(browser: Browser, office: Office, partner: Office) -> None:
    case = open_case(office.connector)
    page = at_recipient(browser, case)
    assert "同意がまだありません" in page.words
    page = browser.send(page, {"recipient": ""})
    assert (page.status, page.faults) == (422, ["recipient"])
