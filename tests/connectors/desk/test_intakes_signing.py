# SPDX-License-Identifier: Apache-2.0
"""How an intake form is signed: on paper, by word of mouth, by or for somebody else, late (ux D6)."""

from __future__ import annotations

import pytest

from connectors.casebook import access
from connectors.desk.intakes.reads import taken
from consent.decisions import Permitted
from tests.connectors.desk.intaking import (
    LOAN,
    PERSON,
    STROKES,
    Filling,
    scopes,
    upload,
)
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.test_papers import document, photograph
from tests.connectors.story import NAME, Network, letter

ORAL = {"method": "oral", "oral_reason": "電話での相談", "oral_follow_up": "R8.4.15"}


def test_a_consent_given_by_word_of_mouth_counts_fourteen_days_and_is_signed_later(
    browser: Browser, office: Office, partner: Office, network: Network
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    filling.check(**ORAL)
    page = filling.take()
    first = page.answer.request.path
    (spoken,) = scopes(office.connector)
    assert (spoken.signature, spoken.kind, spoken.evidence) == ("oral_pending", "oral", "")
    assert (spoken.valid_until - spoken.signed_at).days == 14
    assert "あと14日" in browser.get("/intakes").words
    network.clock.on(days=3)
    browser = office.browser(office.hire("架空 四郎"))
    listed = browser.get("/intakes")
    assert "あと11日" in listed.words
    completing = Filling.of(browser, browser.send(listed, form=f"form[action='{first}/complete']"))
    assert completing.page.html.select_one("input[name=name]")["value"] == NAME  # type: ignore[index]
    completing.check(method="pad", strokes=STROKES)
    completing.take()
    made = scopes(office.connector)
    assert made[1].supersedes == {made[0].id}
    assert made[1].signature == "self"
    assert made[1].case == made[0].case
    assert "あとの申込票で完成しています" in browser.get(first).words
    assert "署名を待っている申込票はありません" in browser.get("/intakes").words
    assert browser.post(f"{first}/complete").status == 409


def test_a_word_of_mouth_that_is_over_says_so(
    browser: Browser, office: Office, partner: Office, network: Network
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    filling.check(**ORAL)
    filling.take()
    network.clock.on(days=15)
    browser = office.browser(office.hire("架空 四郎"))
    assert "14日を過ぎました" in browser.get("/intakes").words


@pytest.mark.parametrize(
    ("changes", "blamed"),
    [
        ({"oral_reason": ""}, "oral_reason"),
        ({"oral_follow_up": ""}, "oral_follow_up"),
        ({"oral_follow_up": "R8.4.21"}, "oral_follow_up"),
        ({"oral_follow_up": "R8.4.5"}, "oral_follow_up"),
    ],
)
def test_a_word_of_mouth_needs_a_reason_and_a_day_within_fourteen(
    browser: Browser, partner: Office, changes: dict[str, str], blamed: str
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    page = filling.check(**ORAL | changes)
    assert page.status == 422
    assert page.faults == [blamed]


def test_a_printed_and_signed_form_is_scanned_and_must_be_legible(
    browser: Browser, office: Office, partner: Office
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    assert "署名" in browser.get(f"{filling.at}/paper").words
    assert filling.check(method="paper").faults == ["scan"]
    filling.check(method="paper", signed_on="R8.4.3", **upload(document(2)))
    page = filling.take()
    assert page.faults == ["legible"]
    page = filling.take(legible="yes")
    (made,) = scopes(office.connector)
    assert made.signed_at.isoformat() == "2026-04-03T03:00:00+00:00"
    assert "2ページ" in page.words
    link = page.html.select_one("a[href*='/scan/']")
    assert link is not None
    got = browser.get(str(link["href"]))
    assert got.answer.mimetype == "application/pdf"
    assert got.answer.headers["Content-Disposition"].startswith('attachment; filename="scan-')
    with office.connector.casebook.transaction() as book:
        assert "scan:viewed" in {one.action for one in access.history(book, made.case)}


def test_a_photograph_is_shown_before_it_is_taken(browser: Browser, partner: Office) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    page = filling.check(method="paper", **upload(photograph(), "form.jpg"))
    seen = page.html.select_one("img.scan")
    assert seen is not None
    assert browser.get(str(seen["src"])).answer.mimetype == "image/jpeg"


def test_an_old_signature_needs_a_second_signer(browser: Browser, office: Office, partner: Office) -> None:
    second = office.hire("架空 二郎")
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    old = {"method": "paper", "signed_on": "R8.3.1"}
    assert filling.check(**old, **upload(document())).faults == ["witness"]
    filling.check(**old, witness=second)
    filling.take(legible="yes")
    assert scopes(office.connector)[0].witness == f"supervisor:{second}"


def test_who_wrote_for_the_person_and_why_is_recorded(browser: Browser, office: Office, partner: Office) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    page = filling.check(method="pad", strokes=STROKES, written_by="staff")
    assert page.faults == ["proxy_reason", "read_aloud"]
    filling.check(
        proxy_reason="cannot_write", read_aloud="yes", witness="interpreter", interpreter="ベトナム語 架空の通訳"
    )
    filling.take()
    (made,) = scopes(office.connector)
    assert made.signature == "self_dictated"
    assert made.written_by.startswith("supervisor:")
    assert (made.proxy_reason, made.witness, made.read_aloud) == ("cannot_write", "interpreter", True)
    with office.connector.casebook.transaction() as book:
        assert taken(book, made.form).document["interpreter"] == ["ベトナム語 架空の通訳"]


def test_a_relative_without_authority_signs_and_nothing_goes_out(
    browser: Browser, office: Office, partner: Office
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    assert "家族の署名では" in filling.check(method="pad", strokes=STROKES, signer="family").words
    filling.take()
    (made,) = scopes(office.connector)
    assert made.signature == "family_unverified"
    (_, one), *_ = office.connector.preview(letter(made.case, partner.connector))
    assert not isinstance(one, Permitted)
