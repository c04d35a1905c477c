# SPDX-License-Identifier: Apache-2.0
"""What the intake pages do not take: files that are no scans, drawings that are no signatures (group FIL)."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from werkzeug.datastructures import MultiDict

from connectors.casebook import access, drafts, scans, tables
from connectors.casebook.tables_files import scans as held
from connectors.desk.intakes.signing import picture, read_strokes
from connectors.desk.web.filling import Filled
from connectors.desk.web.visits import Role
from tests.connectors.desk.intaking import LOAN, PERSON, STROKES, Filling, only_case, scopes, signed_on_screen, upload
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.test_papers import EICAR, GPS, document, flood, photograph, zipped
from tests.connectors.story import NOW

BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "scan.pdf"),
    "too-large": (b"%PDF-" + b"0" * (10 * 1024 * 1024), "scan.pdf"),
    "flood": (flood(100_000, 100_000), "scan.png"),
    "program": (b"MZ" + b"\x00" * 100, "scan.pdf"),
    "page": (b"<html><script>alert(1)</script>", "scan.png"),
    "polyglot": (document() + zipped(), "scan.pdf"),
    "encrypted": (document(password="架空"), "scan.pdf"),
    "active": (document(script="app.alert(1)"), "scan.pdf"),
    "ending": (document(), "scan.jpg"),
    "cut-off": (photograph()[:-100], "scan.jpg"),
    "eicar": (EICAR, "scan.pdf"),
}


def files_of(office: Office, draft: str) -> list[str]:
    with office.connector.casebook.transaction() as book:
        return [one.media for one in drafts.files_with(book, draft.rsplit("/", 1)[-1])]


@pytest.mark.parametrize(("data", "name"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_scan_is_refused_with_its_reason_and_changes_nothing(
    browser: Browser, office: Office, partner: Office, data: bytes, name: str
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN, **upload(document()))
    assert files_of(office, filling.at) == ["application/pdf"]
    page = filling.check(method="paper", **upload(data, name))
    assert page.status == 422
    assert page.faults == ["scan"]
    assert page.html.select_one("input[name=name]")["value"] == PERSON["name"]  # type: ignore[index]
    assert files_of(office, filling.at) == ["application/pdf"]
    with office.connector.casebook.transaction() as book:
        logged = [row.about for row in book.execute(sa.select(tables.access_log)) if row.action == "paper:refused"]
        assert book.execute(sa.select(held)).all() == []
    assert len(logged) == 1
    assert name not in logged


@pytest.mark.parametrize("name", ["../../etc/x.pdf", "CON.pdf", "字" * 290 + ".pdf", "abc\u202efdp.pdf"])
def test_the_name_of_a_file_is_ours_and_never_the_one_it_came_with(
    browser: Browser, office: Office, partner: Office, name: str
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    page = filling.check(method="paper", **upload(document(), name))
    assert page.status == 200
    assert name not in page.html.get_text()
    page = filling.take(legible="yes")
    link = page.html.select_one("a[href*='/scan/']")
    assert link is not None
    said = browser.get(str(link["href"])).answer.headers["Content-Disposition"]
    assert said.isascii()
    assert said.startswith('attachment; filename="scan-')
    with office.connector.casebook.transaction() as book:
        kept = [one.name for one in drafts.files_with(book, filling.at.rsplit("/", 1)[-1])]
    assert kept == []


def test_what_is_kept_of_a_photographed_form_does_not_say_where_it_was_taken(
    browser: Browser, office: Office, partner: Office
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    filling.check(method="paper", **upload(photograph(), "form.jpeg"))
    filling.take(legible="yes")
    (made,) = scopes(office.connector)
    with office.connector.casebook.transaction() as book:
        (scan,) = scans.scans_of_form(book, made.form)
    with Image.open(io.BytesIO(scan.body)) as picture_kept:
        assert not picture_kept.getexif().get_ifd(GPS)


def test_a_scan_that_was_changed_is_said_to_differ_and_is_no_evidence_any_more(
    browser: Browser, office: Office, partner: Office
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    filling.check(method="paper", **upload(document()))
    page = filling.take(legible="yes")
    where = page.answer.request.path
    assert "一致しています" in page.words
    with office.connector.casebook.transaction() as book:
        book.execute(sa.update(held).values(body=document(2)))
    page = browser.get(where)
    assert "一致しません" in page.words
    assert browser.post(f"{where}/complete").status == 409


@pytest.mark.parametrize(
    "drawn",
    ["no json", "{}", "[[[1,2]]]", "[[[1,2,3,4]]]", "[[[1,2,-1]]]", "[[[401,2,3]]]", "[[[1,2,NaN]]]", '[[["1",2,3]]]',
     "[[[true,2,3]]]", "7", "null", "[1]", "[" * 10_000, json.dumps([[[1, 1, 1]]] * 401),
     json.dumps([[[1, 1, 1]] * 20_001])],
)  # fmt: skip
def test_a_drawing_that_is_none_is_refused(browser: Browser, partner: Office, drawn: str) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    page = filling.check(method="pad", strokes=drawn)
    assert page.status == 422
    assert page.faults == ["strokes"]


def test_nothing_drawn_is_no_signature(browser: Browser, partner: Office) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    assert filling.check(method="pad", strokes="").faults == ["strokes"]
    assert filling.check(method="pad", strokes="[[]]").faults == ["strokes"]


def test_a_drawn_signature_is_a_picture_that_holds_its_strokes() -> None:
    filled = Filled(values=MultiDict({"strokes": STROKES}))
    strokes = read_strokes(filled)
    with Image.open(io.BytesIO(picture(strokes, NOW))) as drawn:
        assert drawn.size == (1200, 360)
        assert drawn.getextrema() == (0, 255)
        assert json.loads(str(drawn.info["strokes"])) == json.loads(STROKES)
        assert drawn.info["signed_at"] == NOW.isoformat()


@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        ({"sex": "9"}, ["sex"]),
        ({"topics": ["none-such"]}, ["topics"]),
        ({"received_by": "somebody"}, ["received_by"]),
        ({"received_on": "R8.4.7"}, ["received_on"]),
        ({"born_on": "R8.4.7"}, ["born_on"]),
        ({"email": "kakuu"}, ["email"]),
        ({"visitor_phone": "x"}, ["visitor_phone"]),
        ({"words": "\x00"}, ["words"]),
        ({"name": "架空\n花子"}, ["name"]),
        ({"method": ""}, ["method"]),
        ({"method": "seal"}, ["method"]),
        ({"purposes": ["shien_kaigi"]}, ["purposes"]),
        ({"declined": ["x"]}, ["declined"]),
        ({"no1_to": ["x"], "no1_words": "いや", "no1_what": ["*"]}, ["no1_to"]),
    ],
)
def test_what_the_form_does_not_offer_is_refused_and_everything_stays(
    browser: Browser, office: Office, fields: dict[str, Any], blamed: list[str]
) -> None:
    filling = Filling(browser)
    page = filling.check(**{"kana": "かくうだ", "method": "none", **fields})
    assert page.status == 422
    assert page.faults == blamed
    with office.connector.casebook.transaction() as book:
        assert book.execute(sa.select(tables.persons)).all() == []


def test_a_form_too_long_to_keep_is_refused(browser: Browser) -> None:
    filling = Filling(browser)
    assert filling.press("save", words="あ" * 1_000_001).status == 413


def test_pages_of_forms_that_are_not_there(browser: Browser, office: Office) -> None:
    nothing = "019d0000-0000-7000-8000-000000000000"
    for path in (f"/intakes/{nothing}", f"/intakes/drafts/{nothing}", f"/intakes/drafts/{nothing}/check",
                 f"/intakes/drafts/{nothing}/paper", f"/intakes/drafts/{nothing}/scan", f"/intakes/{nothing}/scan/x",
                 "/intakes/new?case=nothing"):  # fmt: skip
        assert browser.get(path).status == 404, path
    filling = Filling(browser)
    assert browser.get(f"{filling.at}/scan").status == 404


def test_a_case_of_a_colleague_asks_for_a_reason_first(office: Office, partner: Office) -> None:
    signed_on_screen(office.browser(office.hire()))
    case = only_case(office.connector)
    other = office.browser(office.hire("架空 五郎", roles=frozenset({Role.CASEWORKER})))
    assert other.get(f"/intakes/new?case={case}").status == 403
    assert other.get(f"/intakes/{scopes(office.connector)[0].form}").status == 403


def test_a_consent_on_a_closed_case_is_refused_and_the_draft_stays(
    browser: Browser, office: Office, partner: Office
) -> None:
    signed_on_screen(browser)
    case = only_case(office.connector)
    filling = Filling(browser, f"/intakes/new?case={case}")
    filling.look(**LOAN)
    filling.check(method="pad", strokes=STROKES)
    with office.connector.casebook.transaction() as book:
        book.execute(sa.update(tables.cases).values(closed_at=office.connector.now()))
    assert filling.take().status == 409
    assert browser.get(filling.at).status == 200
    assert len(scopes(office.connector)) == 1


def test_every_look_and_every_form_is_in_the_access_log(browser: Browser, office: Office, partner: Office) -> None:
    signed_on_screen(browser)
    browser.get("/intakes")
    case = only_case(office.connector)
    with office.connector.casebook.transaction() as book:
        of_case = {one.action for one in access.history(book, case)}
        every = {row.action for row in book.execute(sa.select(tables.access_log))}
    assert {"case:opened", "answers:written", "consent:signed", "scan:added", "person:viewed"} <= of_case
    assert "intakes:listed" in every
