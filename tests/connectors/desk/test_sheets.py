# SPDX-License-Identifier: Apache-2.0
"""The sheets at the desk: filled in with every value kept, settled, signed, adopted, printed, given out."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from openpyxl import load_workbook

from connectors.casebook import files, sheets
from connectors.casebook.sheets import Sheet
from connectors.desk.sheets import rules
from connectors.sheets.catalogue import ORDER
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.paper import Paper
from tests.connectors.sheets.filled import ASSESSMENT, NATIONAL, PLAN, TRIAGE

DRAWN = "[[[10, 10, 0], [60, 40, 100]]]"


def form(code: str, body: dict[str, Any]) -> dict[str, Any]:
    """Give the fields of the page that holds a body."""
    values = rules.form_of(NATIONAL.newest(code).asked, body)
    return {name: values.getlist(name) for name in values}


def begun(browser: Browser, case: str, code: str) -> Page:
    if not browser.token:
        browser.get(f"/cases/{case}/sheets")
    return browser.post(f"/cases/{case}/sheets/new", {"code": code})


def filled(browser: Browser, case: str, code: str, body: dict[str, Any]) -> Page:
    page = begun(browser, case, code)
    return browser.send(page, {**form(code, body), "do": "settle"}, form="form[data-autosave]")


def newest(office: Office, case: str, code: str) -> Sheet:
    with office.connector.casebook.transaction() as connection:
        return sheets.sheets_of(connection, case, code)[0]


def adopted(office: Office, browser: Browser, case: str) -> Sheet:
    """Bring a plan to where it holds."""
    filled(browser, case, "plan", PLAN)
    plan = newest(office, case, "plan")
    browser.post(f"/sheets/{plan.id}/sign", {"method": "pad", "signer": "self", "strokes": DRAWN})
    browser.post(f"/sheets/{plan.id}/adopt", {"meeting_on": "令和8年4月22日"})
    return newest(office, case, "plan")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_sheet_can_be_begun_and_its_page_is_sound(office: Office, case: str, language: str) -> None:
    browser = office.browser(office.hire(), language=language)
    page = browser.get(f"/cases/{case}/sheets")
    assert all(NATIONAL.newest(code).number in page.words for code in ORDER)
    for code in ORDER:
        assert begun(browser, case, code).status == 200
        assert browser.get(f"/sheets/paper/{code}").status == 200


def test_what_is_written_is_kept_as_it_was_typed_and_settled_in_one_form(
    office: Office, browser: Browser, case: str
) -> None:
    page = begun(browser, case, "plan")
    page = browser.send(page, {**form("plan", PLAN), "do": "keep"}, form="form[data-autosave]")
    assert page.html.select_one("#f-term_until")["value"] == "R8.9.30"  # type: ignore[index]
    page = browser.send(page, {"do": "settle"}, form="form[data-autosave]")
    assert "確定しました" in page.html.get_text()
    plan = newest(office, case, "plan")
    assert (plan.state, plan.n, plan.body["term_until"]) == ("settled", 1, "2026-09-30")


def test_a_page_saves_itself_and_a_late_save_undoes_nothing(office: Office, browser: Browser, case: str) -> None:
    begun(browser, case, "triage")
    draft = newest(office, case, "triage")
    for number, words in (("2", "あとの文"), ("1", "前の文")):
        answer = browser.post(f"/sheets/{draft.id}/save", {"words": words, "turn": f"{'a' * 24} {number}"})
        assert answer.status == 200
    assert newest(office, case, "triage").body == {"words": "あとの文"}


def test_what_is_missing_is_named_and_nothing_of_what_was_typed_is_lost(
    office: Office, browser: Browser, case: str
) -> None:
    body = {**ASSESSMENT, "rent": "五万円", "chief": "", "assessed_on": "きのう"}
    page = filled(browser, case, "assessment", body)
    assert page.status == 422
    assert page.faults == ["assessed_on", "chief", "rent"]
    assert page.html.select_one("#f-rent")["value"] == "五万円"  # type: ignore[index]
    assert newest(office, case, "assessment").state == "draft"


def test_a_table_gets_more_rows_and_keeps_those_it_has(office: Office, browser: Browser, case: str) -> None:
    page = begun(browser, case, "plan")
    rows = {f"deeds.{n}.deed": f"すること {n}" for n in range(3)}
    page = browser.send(page, {**rows, "do": "rows:deeds"}, form="form[data-autosave]")
    assert page.html.select_one("[name='deeds.4.deed']") is not None
    assert page.html.select_one("[name='deeds.2.deed']")["value"] == "すること 2"  # type: ignore[index]


def test_strengths_stand_beside_problems_and_what_was_not_asked_is_said(
    office: Office, browser: Browser, case: str
) -> None:
    page = filled(browser, case, "assessment", ASSESSMENT)
    beside = page.html.select_one(".beside")
    assert beside is not None
    assert "手先が器用" in beside.get_text()
    assert "DV・虐待" in beside.get_text()
    assert "本人が希望しない" in page.words


def test_the_paper_shows_every_box_the_signature_and_whose_it_is(office: Office, browser: Browser, case: str) -> None:
    plan = adopted(office, browser, case)
    page = browser.get(f"/sheets/{plan.id}/paper")
    assert "☑選択:家計改善支援事業" in page.words.replace(" ", "")
    assert "☐居住支援事業" in page.words.replace(" ", "")
    assert page.html.select_one(".a4s__sig") is not None
    picture = browser.client.get(f"/sheets/{plan.id}/signature")
    assert picture.mimetype == "image/png"
    assert picture.get_data().startswith(b"\x89PNG")


def test_a_plan_is_signed_brought_to_the_meeting_and_adopted(office: Office, browser: Browser, case: str) -> None:
    filled(browser, case, "plan", PLAN)
    plan = newest(office, case, "plan")
    page = browser.post(f"/sheets/{plan.id}/sign", {"method": "pad", "signer": "self"})
    assert page.faults == ["strokes"]
    page = browser.post(f"/sheets/{plan.id}/sign", {"method": "paper", "signer": "self", "signed_on": "2026-04-01"})
    assert page.faults == ["scan"]
    assert browser.post(f"/sheets/{plan.id}/adopt", {"meeting_on": "2026-04-22"}).status == 409
    browser.post(f"/sheets/{plan.id}/sign", {"method": "pad", "signer": "self", "strokes": DRAWN})
    assert browser.post(f"/sheets/{plan.id}/adopt", {}).faults == ["meeting_on"]
    assert browser.post(f"/sheets/{plan.id}/adopt", {"meeting_on": "いつか"}).faults == ["meeting_on"]
    returned = {"meeting_on": "2026-04-22", "decision": "returned"}
    assert browser.post(f"/sheets/{plan.id}/adopt", returned).faults == ["decision"]
    browser.post(f"/sheets/{plan.id}/adopt", {"meeting_on": "2026-04-22"})
    page = browser.post(f"/sheets/{plan.id}/adopt", {"decision": "decided", "decided_on": "2026-04-24"})
    assert "支援決定" in page.words
    assert newest(office, case, "plan").answers["decision"] == "decided"


def test_a_signed_paper_is_kept_with_the_plan(office: Office, browser: Browser, case: str, paper: Paper) -> None:
    filled(browser, case, "plan", PLAN)
    plan = newest(office, case, "plan")
    scan = (io.BytesIO(_picture()), "plan.png")
    browser.post(
        f"/sheets/{plan.id}/sign", {"method": "paper", "signer": "self", "signed_on": "2026-04-01", "scan": scan}
    )
    signature = newest(office, case, "plan").signature
    assert signature is not None
    assert signature.method == "paper"


def test_a_re_plan_is_the_next_number_and_an_amendment_keeps_it(office: Office, browser: Browser, case: str) -> None:
    first = adopted(office, browser, case)
    page = browser.post(f"/sheets/{first.id}/next", {"change": "amendment"})
    assert "プラン1回目" in page.words
    browser.post(f"/sheets/{newest(office, case, 'plan').id}/drop")
    page = browser.post(f"/sheets/{first.id}/next", {"change": "re_plan"})
    assert "プラン2回目" in page.words
    assert browser.post(f"/sheets/{first.id}/next", {"change": "re_plan"}).status == 409


@pytest.mark.parametrize("wanted", ["csv", "xlsx"])
def test_a_sheet_is_given_out_and_nothing_in_it_is_a_formula(
    office: Office, browser: Browser, case: str, wanted: str
) -> None:
    filled(browser, case, "triage", TRIAGE | {"words": '=HYPERLINK("http://架空")'})
    answer = browser.client.get(f"/sheets/{newest(office, case, 'triage').id}/file.{wanted}")
    if wanted == "csv":
        rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
        assert next(row for row in rows if row[0] == "words")[3] == '\'=HYPERLINK("http://架空")'
        assert next(row for row in rows if row[0] == "screening")[3:5] == ["プラン策定し継続支援", "support_record"]
    else:
        cells = [cell for row in load_workbook(io.BytesIO(answer.get_data())).active.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells if cell.value} == {"s"}
    assert browser.get(f"/sheets/{newest(office, case, 'triage').id}/file.exe").status == 404


def test_a_mixed_list_names_the_category_of_each_answer(office: Office, browser: Browser, case: str) -> None:
    filled(browser, case, "assessment", ASSESSMENT)
    answer = browser.client.get(f"/sheets/{newest(office, case, 'assessment').id}/file.csv")
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    traits = next(row for row in rows if row[0] == "traits")
    assert traits[4] == "consultation / debt_arrears / health / justice_history / safety"


def test_the_list_of_cases_says_what_the_sheets_of_each_say(office: Office, browser: Browser, case: str) -> None:
    with office.connector.casebook.transaction() as connection:
        files.open_file(connection, office.connector.pen("test"), case=case, on=date(2026, 4, 1))
    filled(browser, case, "triage", TRIAGE)
    adopted(office, browser, case)
    asked = {"what": "caselist", "width": "office", "kind": "csv-utf-8"}
    answer = browser.post("/exchange/export", asked | {"reason": _reason(browser)})
    head, row = list(csv.reader(io.StringIO(answer.answer.get_data().decode("utf-8-sig"))))
    said = dict(zip(head, row, strict=True))
    assert said["スクリーニング結果"] == "プラン策定し継続支援"
    assert (said["プラン回数"], said["法に基づく事業等"]) == ("1", "家計改善支援事業、就労準備支援事業")
    assert said["プラン期間(終了)"].startswith("令和8年")


def _reason(browser: Browser) -> str:
    """Give a reason that the page of exports offers."""
    options = browser.get("/exchange").html.select("[name=reason]")
    found = next(one for one in options if one.get("value") or one.select_one("option[value]:not([value=''])"))
    return str(found.get("value") or found.select_one("option[value]:not([value=''])")["value"])  # type: ignore[index]


def test_what_is_not_here_is_not_found(browser: Browser, case: str) -> None:
    assert browser.get("/sheets/nowhere").status == 404
    assert browser.get("/sheets/paper/horoscope").status == 404
    assert browser.get("/cases/nowhere/sheets").status == 404
    assert begun(browser, case, "horoscope").status == 404


def test_a_settled_sheet_is_not_edited_and_has_no_signature_it_was_not_given(
    office: Office, browser: Browser, case: str
) -> None:
    filled(browser, case, "triage", TRIAGE)
    settled = newest(office, case, "triage")
    assert browser.get(f"/sheets/{settled.id}/edit").status == 409
    assert browser.get(f"/sheets/{settled.id}/signature").status == 404
    assert browser.post(f"/sheets/{settled.id}/next", {"change": "re_plan"}).status == 409


def _picture() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (60, 40), 255).save(out, "PNG")
    return out.getvalue()
