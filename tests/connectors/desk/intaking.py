# SPDX-License-Identifier: Apache-2.0
"""Filling in an intake form, as a browser without scripts sends it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any, Self

from connectors.casebook import files, people, statements
from connectors.sync.connector import Connector
from consent.scopes import Scope
from tests.connectors.desk.office import Browser, Page
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
    "words": "家賃が払えません。\r\n👨\u200d👩\u200d👧🇯🇵",
}
LOAN = {"purposes": ["sogo_shien_shikin"]}


class Filling:
    """One form, from the first page on."""

    def __init__(self, browser: Browser, path: str = "/intakes/new") -> None:
        self.browser = browser
        self.page = browser.get(path)
        self.at = self.page.answer.request.path

    @classmethod
    def of(cls, browser: Browser, page: Page) -> Self:
        """Go on from a page that shows a form."""
        return cls(browser, page.answer.request.path)

    def press(self, do: str, **fields: Any) -> Page:
        self.page = self.browser.send(self.page, {**fields, "do": do}, form="form[data-autosave]")
        return self.page

    def look(self, **fields: Any) -> Page:
        """Press "look again", as one does after choosing what for."""
        return self.press("refresh", **fields)

    def check(self, **fields: Any) -> Page:
        return self.press("check", **fields)

    def take(self, **fields: Any) -> Page:
        """Send the check page."""
        form = f"form[action='{self.at}/check']"
        assert self.page.html.select_one(form), self.page.faults
        self.page = self.browser.send(self.page, fields, form=form)
        return self.page


def signed_on_screen(browser: Browser, **changes: Any) -> Page:
    """Take a form about a loan that was signed on the screen."""
    filling = Filling(browser)
    filling.look(**PERSON | LOAN | changes)
    filling.check(method="pad", strokes=STROKES)
    return filling.take()


def upload(data: bytes, name: str = "scan.pdf") -> dict[str, Any]:
    return {"scan": (io.BytesIO(data), name)}


def scopes(connector: Connector) -> list[Scope]:
    """Give every record, in the order of signing."""
    with connector.casebook.transaction() as book:
        found = [one.record.scope() for case in statements.cases(book) for one in statements.consents_of(book, case)]
    return sorted(found, key=lambda one: one.id)


def only_case(connector: Connector) -> str:
    with connector.casebook.transaction() as book:
        found = files.search(book, "かくうだ", staff="test", now=connector.now())
    assert len(found) == 1
    assert found[0].case
    return found[0].case


def answers(connector: Connector, case: str) -> Mapping[str, Mapping[str, Any]]:
    with connector.casebook.transaction() as book:
        return people.answers_of(book, case)
