# SPDX-License-Identifier: Apache-2.0
"""What the wizard will not take, and how it says so: codes, days, digits, files, other people's drafts."""

from __future__ import annotations

import io
from typing import Any

import pytest

from connectors.casebook import access, files, listing
from connectors.desk.web.visits import Role
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.wizard import (
    MY_NUMBER,
    WORDS,
    at_check,
    at_content,
    at_recipient,
    goto,
    path,
    picture,
    tell,
)
from tests.connectors.story import NAME

# ── refusals ──


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({"purpose": ""}, ["purpose"]),
        ({"purpose": "emergency_response"}, ["purpose"]),
        ({"purpose": "x"}, ["purpose"]),
        ({"urgency": "x"}, ["urgency"]),
        ({"troubles": ["x"]}, ["troubles"]),
        ({"request_kind": ""}, ["request_kind"]),
        ({"accompany": "x"}, ["accompany"]),
    ],
)
def test_a_purpose_that_cannot_be_read_comes_back(
    browser: Browser, case: str, office: Office, said: dict[str, Any], faults: list[str]
) -> None:
    page = at_recipient(browser, case, **said)
    assert (page.status, page.faults) == (422, faults)
    assert "書きかけはありません" in browser.get("/referrals/drafts").words


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({"answer_on": ""}, ["answer_on"]),
        ({"answer_on": "きのう"}, ["answer_on"]),
        ({"answer_on": "2026-04-05"}, ["answer_on"]),
        ({"answer_on": "2026-04-11"}, ["answer_on"]),
        ({"answer_on": "2027-04-01"}, ["answer_on"]),
        ({"going_at": "10:00"}, ["going_on"]),
        ({"going_on": "2026-04-07", "going_at": "25:00"}, ["going_at"]),
        ({"going_on": "2025-04-07"}, ["going_on"]),
        ({"going_with": "st-nobody"}, ["going_with"]),
        ({"called_on": "2026-04-06", "called_at": "9:00", "call_result": ""}, ["call_result"]),
        ({"called_on": "2026-04-03", "called_at": "9:00", "call_result": "connected"}, ["called_on"]),
    ],
)
def test_dates_that_cannot_be_meant_come_back(
    browser: Browser, case: str, said: dict[str, Any], faults: list[str]
) -> None:
    page = browser.send(goto(browser, at_content(browser, case), "dates"), said)
    assert (page.status, page.faults) == (422, faults)


def test_somebody_elses_draft_is_not_there(browser: Browser, case: str, office: Office) -> None:
    place = path(at_recipient(browser, case)).rsplit("/", 1)[0]
    other = office.browser(office.hire("仮名 ほか"))
    for step in ("person", "purpose", "recipient", "categories", "content", "dates", "check", "nothing"):
        assert other.get(f"{place}/{step}").status == 404
        assert other.post(f"{place}/{step}").status == 404
    assert other.post(f"{place}/purpose/save").status == 404
    assert other.post(f"{place}/drop").status == 404
    assert browser.post(f"{place}/nothing/save").status == 404
    assert browser.get(f"{place}/files/none").status == 404


def test_a_case_of_somebody_else_asks_for_a_reason_first(office: Office, case: str) -> None:
    owner = office.hire("仮名 担当", roles=frozenset({Role.CASEWORKER}))
    other = office.hire("仮名 べつ", roles=frozenset({Role.CASEWORKER}))
    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen(owner)
        files.open_file(connection, pen, case=case, on=office.connector.now().date(), worker=owner)
    page = office.browser(other).get(f"/referrals/new?case={case}")
    assert page.status == 403
    assert NAME not in page.words


def test_nothing_written_is_nothing_sent(browser: Browser, case: str) -> None:
    page = at_content(browser, case)
    empty = {f"text_{one}": "" for one in ("identity", "contact", "income_assets")}
    page = browser.send(page, empty)
    assert (page.status, page.faults) == (422, ["text_identity"])


# ── My Number, words, files ──


def test_a_my_number_stops_and_the_answer_that_it_is_none_is_logged(
    browser: Browser, case: str, office: Office
) -> None:
    page = at_content(browser, case)
    page = browser.send(page, {"text_contact": f"番号 {MY_NUMBER}"})
    assert (page.status, page.faults) == (422, ["no_my_number"])
    assert page.html.mark
    assert page.html.mark.get_text() == MY_NUMBER
    page = browser.send(page, {"no_my_number": "yes"})
    assert path(page).endswith("/dates")
    page = goto(browser, page, "check")
    assert MY_NUMBER in page.words
    with office.connector.casebook.transaction() as connection:
        assert "my-number:denied" in [one.action for one in access.history(connection, case)]
    assert "送りました" in browser.send(page).words


def test_another_number_is_asked_about_anew_and_never_slips_through_the_fast_way(
    browser: Browser, case: str, office: Office
) -> None:
    tell(office, case, "contact", telephone=MY_NUMBER)
    page = at_check(browser, case)
    assert path(page).endswith("/content")
    assert "マイナンバーかもしれません" in page.words


def test_a_word_of_an_item_that_is_not_to_go_is_pointed_out_and_no_more(browser: Browser, case: str) -> None:
    page = at_content(browser, case)
    page = browser.send(page, {"text_contact": "水曜は通院のため不在"})
    page = goto(browser, page, "check")
    assert "「通院」という言葉があります" in page.words
    assert "送りました" in browser.send(page).words


def test_a_photograph_goes_sealed_without_its_place(browser: Browser, case: str, partner: Office) -> None:
    page = at_content(browser, case)
    page = browser.send(page, {"file_income_assets": (picture(), "通帳.jpg"), "go": "attach"})
    assert path(page).endswith("/content")
    assert "通帳.jpg" in page.words
    link = page.html.select_one(".held a")
    assert link is not None
    kept = browser.client.get(str(link["href"]))
    assert kept.headers["Content-Disposition"].startswith("attachment")
    page = goto(browser, page, "check")
    assert "写真の添付" in page.words
    browser.send(page)
    partner.connector.sync()
    with partner.connector.casebook.transaction() as connection:
        (arrived,) = listing.received(connection, partner.connector.agency)
    media = {part.media: part.body for part in partner.connector.read(arrived.id, arrived.sender, staff="s-1")}
    assert media["image/jpeg"] == kept.get_data()
    assert b"canary" not in media["image/jpeg"]


def test_a_file_can_be_taken_away_again(browser: Browser, case: str) -> None:
    page = at_content(browser, case)
    page = browser.send(page, {"file_contact": (picture("PNG"), "a.png"), "go": "attach"})
    button = page.html.select_one("button[name=remove]")
    assert button is not None
    page = browser.send(page, {"remove": str(button["value"]), "text_contact": WORDS})
    assert page.html.select_one(".held") is None
    assert WORDS in page.words


@pytest.mark.parametrize(
    ("body", "name", "field"),
    [(b"MZ\x90\x00", "a.exe", "contact"), (b"%PDF-1.7 broken", "a.pdf", "contact"), (b"", "a.pdf", "contact"),
     (None, "a.jpg", "health")],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_comes_back_with_the_text_kept(
    browser: Browser, case: str, body: bytes | None, name: str, field: str
) -> None:
    page = at_content(browser, case)
    stream = picture() if body is None else io.BytesIO(body)
    page = browser.send(page, {f"file_{field}": (stream, name), "text_contact": WORDS})
    assert (page.status, page.faults) == (422, [f"file_{field}"])
    assert WORDS in page.words
