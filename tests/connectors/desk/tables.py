# SPDX-License-Identifier: Apache-2.0
"""Tables that somebody hands in, and what tests of imports do with them in a browser."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from openpyxl import Workbook

from connectors.casebook import files, people
from tests.connectors import story
from tests.connectors.desk.office import Browser, Office, Page

HEADER = ("ケース番号", "氏名", "ふりがな", "生年月日", "郵便番号", "住所", "電話（携帯）", "備考")
ROW = (
    "H31-0042",
    "架空　花子",
    "かくう　はなこ",
    "昭和54年6月3日",
    "０００－００００",
    "架空市見本町①㈱Ⅲ",
    "000-0000-1234",
    "CANARY架空の備考",
)
OTHER = ("H31-0043", "架空　太郎", "かくう　たろう", "S60.1.2", "", "", "", "")
Cells = Sequence[Any]


def as_csv(*rows: Cells, header: Cells = HEADER, encoding: str = "utf-8-sig") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([header, *rows])
    return out.getvalue().encode(encoding)


def as_xlsx(*rows: Cells, header: Cells = HEADER) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (header, *rows):
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(workbook: bytes, put: Mapping[str, bytes | str]) -> bytes:
    """Write a workbook's archive anew with some parts put in or replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename not in put:
                new.writestr(part, old.read(part))
        for name, body in put.items():
            new.writestr(name, body)
    return out.getvalue()


def upload(browser: Browser, data: bytes, kind: str = "csv-utf-8", *, name: str = "", follow: bool = True) -> Page:
    name = name or ("台帳.xlsx" if kind == "xlsx" else "台帳.csv")
    return browser.post("/exchange/imports/new", {"kind": kind, "file": (io.BytesIO(data), name)}, follow=follow)


def go_on(browser: Browser, page: Page) -> Page:
    """Look at the page of a long work as often as it asks for it."""
    for _ in range(500):
        if "Refresh" not in page.answer.headers:
            return page
        page = browser.get(str(page.answer.request.path))
    raise AssertionError(page.words)


def taken_in(browser: Browser, data: bytes, kind: str = "csv-utf-8") -> Page:
    """Take a file in that needs no decision; give the page of the result."""
    checked = go_on(browser, upload(browser, data, kind))
    return go_on(browser, browser.send(checked, {"do": "confirm"}, form="#f-alike"))


def held(office: Office, query: str) -> list[tuple[Any, ...]]:
    with office.connector.casebook.transaction() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query).all()]


def everybody(office: Office) -> list[tuple[Any, ...]]:
    return held(office, "SELECT name, kana FROM persons ORDER BY created_at, name")


def counts(
    office: Office, tables: Iterable[str] = ("persons", "cases", "case_files", "outgoing", "imports")
) -> list[int]:
    return [held(office, f"SELECT count(*) FROM {one}")[0][0] for one in tables]  # noqa: S608  # names of this file


def path_of(page: Page) -> str:
    return str(page.answer.request.path)


def checked(browser: Browser, *rows: tuple[Any, ...], header: tuple[str, ...] = HEADER) -> Page:
    return go_on(browser, upload(browser, as_csv(*rows, header=header)))


def confirm(browser: Browser, page: Page, **said: str) -> Page:
    return go_on(browser, browser.send(page, {"do": "confirm"} | said, form="#f-alike"))


def known(office: Office, **fields: Any) -> str:
    """Somebody who is here: 髙﨑…, born 1979-06-03."""
    case = story.open_case(office.connector)
    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen("test")
        person = people.person_of(connection, case, staff="test", now=pen.now)
        assert person is not None
        files.keep_record(
            connection, pen, person=person.id, born_on=date(1979, 6, 3), fields=fields, phones=["000-1111"]
        )
        files.open_file(connection, pen, case=case, on=pen.now.date())
    return case


ALIKE = ("", "高崎　吉葛神", "ﾀｶｻｷ", "S54.6.3", "000-0000", "新しい住所", "000-0000-9999", "書き足し")
