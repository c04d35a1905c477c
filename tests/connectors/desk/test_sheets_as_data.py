# SPDX-License-Identifier: Apache-2.0
"""A new version of a form, and a municipality's own field, come in as data alone: page, print, export, consent."""

from __future__ import annotations

import copy
import io
import json
from typing import Any

import pytest

from connectors.casebook import sheets
from connectors.desk.sheets import rules
from connectors.desk.web.visits import Role
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.referring import refer
from tests.connectors.desk.test_sheets import newest
from tests.connectors.sheets.filled import NATIONAL, PLAN
from tests.connectors.sheets.test_definitions import OWN

ANSWER = "架空の目じるしの答え"


def brought(browser: Browser, data: Any) -> Page:
    """Bring a file in as an administrator would."""
    browser.get("/sheets/forms")
    raw = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
    return browser.post("/sheets/forms", {"form": (io.BytesIO(raw), "form.json")})


def later_plan() -> dict[str, Any]:
    """Give a later version of the plan in which a question was added that tells of health."""
    data = copy.deepcopy(dict(NATIONAL.newest("plan").document)) | {"version": "2027-04"}
    question = {
        "code": "rest",
        "kind": "text",
        "category": "health",
        "ja": "休み方の工夫",
        "en": "How the person rests",
    }
    data["sections"][1]["fields"].append(question | {"mandatory": True})
    return data


def own_field() -> dict[str, Any]:
    question = {"section": "strengths", "code": "own_snow", "kind": "line", "category": "household"}
    return OWN | {
        "sheet": "plan",
        "options": [],
        "fields": [question | {"ja": "雪下ろしの担い手", "en": "Who clears the snow"}],
    }


@pytest.mark.parametrize(
    ("make", "code", "asked", "category", "reason"),
    [
        (later_plan, "rest", "休み方の工夫", "健康・医療", "この項目への同意がありません"),
        (own_field, "own_snow", "雪下ろしの担い手", "世帯・家族", "この項目への同意がありません"),
    ],
)
def test_a_question_added_as_data_is_on_page_print_export_and_in_the_consent_decision(
    network: Any, office: Office, partner: Office, make: Any, code: str, asked: str, category: str, reason: str
) -> None:
    one = refer(network, office, partner)
    one.open()
    one.accept()
    admin = office.browser(office.hire())
    assert "様式 plan-" in brought(admin, make()).html.get_text()

    page = one.ours.get(f"/cases/{one.case}/sheets")
    page = one.ours.post(f"/cases/{one.case}/sheets/new", {"code": "plan"})
    assert asked in page.words
    assert f"同意の区分：{category}" in page.words
    sheet = newest(office, one.case, "plan")
    with office.connector.casebook.transaction() as connection:
        definition = sheets.definition_of(connection, sheet)
    values = rules.form_of(definition.asked, {**PLAN, code: ANSWER})
    page = one.ours.send(
        page, {**{name: values.getlist(name) for name in values}, "do": "settle"}, form="form[data-autosave]"
    )
    assert asked in page.words
    assert ANSWER in page.words
    paper = one.ours.get(f"/sheets/{sheet.id}/paper")
    assert asked in paper.words
    assert ANSWER in paper.words
    given = one.ours.client.get(f"/sheets/{sheet.id}/file.csv").get_data().decode("utf-8-sig")
    assert f"{code},本人の希望と強み,{asked},{ANSWER}" in given
    shared = one.ours.get(f"/sheets/{sheet.id}/share/{one.id}")
    assert ANSWER not in shared.words
    assert category in shared.words
    assert reason in shared.words


def test_the_file_of_a_form_can_be_saved_changed_and_brought_back(browser: Browser) -> None:
    browser.get("/sheets/forms")
    saved = json.loads(browser.client.get("/sheets/forms/review.json").get_data())
    assert saved["version"] == "2026-11"
    assert "review-2027-04" in brought(browser, saved | {"version": "2027-04"}).html.get_text()
    assert browser.client.get("/sheets/forms/horoscope.json").status_code == 404


NO_FORMS: tuple[tuple[Any, str], ...] = (
    (b"", "ファイルを選んでください"),
    (b"{", "様式のファイルではありません"),
    (b"[1]", "様式のファイルではありません"),
    (b"x" * 400_001, "様式のファイルではありません"),
    ({"code": "plan"}, "様式のここが読めません：/"),
    ({**NATIONAL.newest("plan").document, "ja": "別"}, "同じ版がすでにあり"),
    (OWN | {"sheet": "horoscope"}, "この名前の帳票はありません"),
    (OWN | {"id": "../x"}, "様式のここが読めません：/id"),
)


def test_what_is_no_form_is_refused_and_changes_nothing(browser: Browser) -> None:
    before = browser.get("/sheets/forms").words
    for data, said in NO_FORMS:
        page = brought(browser, data)
        assert (page.status, said in page.words) == (422, True)
    assert browser.get("/sheets/forms").words == before


def test_only_an_administrator_brings_forms_in(office: Office) -> None:
    worker = office.browser(office.hire(roles=frozenset({Role.CASEWORKER})))
    assert worker.get("/sheets/forms").status == 403
