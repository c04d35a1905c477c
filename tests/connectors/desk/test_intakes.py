# SPDX-License-Identifier: Apache-2.0
"""The intake form as a caseworker fills it in: paper, screen, word of mouth or nothing yet (ux D6)."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from connectors.casebook import files, people, scans, statements, words
from connectors.desk.intakes import rules
from connectors.sync.connector import Connector
from consent.scopes import Scope
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.test_papers import document, photograph
from tests.connectors.story import NAME

STROKES = json.dumps([[[10, 20, 0], [60, 80, 40]], [[100, 30, 90]]])
PERSON = {
    "kana": "カクウダ ハナコ",
    "name": NAME,
    "sex": "2",
    "born_on": "Ｓ６０．４．１８",
    "postal": "〒１２３－４５６７",
    "address": "架空市見本町1丁目2番3号 ①㍿",
    "phone_mobile": "０９０−００００−００００",
    "safe_contact": "昼のみ",
    "topics": ["housing", "income"],
    "worst": "income",
    "words": "家賃が払えません。\r\n👨‍👩‍👧🇯🇵",
}
LOAN = {"purposes": ["sogo_shien_shikin"]}


class Filling:
    """One form, from the first page on, as a browser without scripts sends it."""

    def __init__(self, browser: Browser, path: str = "/intakes/new") -> None:
        self.browser = browser
        self.page = browser.get(path)
        self.at = self.page.answer.request.path

    def press(self, do: str, **fields: Any) -> Page:
        self.page = self.browser.send(self.page, {**fields, "do": do}, form="form[data-autosave]")
        return self.page

    def look(self, **fields: Any) -> Page:
        """Press "look again", as one does after choosing what for."""
        return self.press("refresh", **fields)

    def check(self, **fields: Any) -> Page:
        return self.press("check", **fields)

    def take(self, **fields: Any) -> Page:
        assert not self.page.faults, (self.page.faults, self.page.html.select_one("#faults"))
        self.page = self.browser.send(self.page, fields, form=f"form[action='{self.at}/check']")
        return self.page


def upload(data: bytes, name: str = "scan.pdf") -> dict[str, Any]:
    return {"scan": (io.BytesIO(data), name)}


def scopes(connector: Connector) -> list[Scope]:
    with connector.casebook.transaction() as book:
        return [one.record.scope() for case in statements.cases(book) for one in statements.consents_of(book, case)]


def only_case(connector: Connector) -> str:
    with connector.casebook.transaction() as book:
        found = files.search(book, "かくうだ", staff="test", now=connector.now())
    assert len(found) == 1
    assert found[0].case
    return found[0].case


def answers(connector: Connector, case: str) -> Mapping[str, Mapping[str, Any]]:
    with connector.casebook.transaction() as book:
        return people.answers_of(book, case)


def signed_on_screen(browser: Browser, partner: Office, **changes: Any) -> Page:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    filling.check(**{"method": "pad", "strokes": STROKES, **changes})
    return filling.take()


def test_a_form_becomes_a_case_and_one_record_per_partner(browser: Browser, office: Office, partner: Office) -> None:
    page = signed_on_screen(browser, partner)
    assert page.status == 200, page.faults
    assert "登録しました" in page.words
    made = scopes(office.connector)
    assert [one.partners for one in made] == [frozenset({partner.connector.agency})]
    assert made[0].signature == "self"
    assert made[0].kind == "intake_form"
    assert made[0].categories == {
        "identity", "contact", "consultation", "income_assets", "debt_arrears",
    }  # fmt: skip
    assert "登録済み" in page.words
