# SPDX-License-Identifier: Apache-2.0
"""Tables as files: what is taken as what, and everything that is refused before anybody reads it."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from connectors.desk.exchange import rules, sheets, writing
from connectors.desk.exchange.service import read_file
from connectors.desk.exchange.sheets import CSV_CP932, CSV_UTF8, KINDS, XLSX, SheetError
from tests.connectors.desk.tables import HEADER, OTHER, ROW, as_csv, as_xlsx, changed

NAMES = {CSV_UTF8: "a.csv", CSV_CP932: "a.csv", XLSX: "a.xlsx"}
EMBEDDED = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/oleObject" Target="x"/></Relationships>'
)
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def read(data: bytes, kind: str = CSV_UTF8, name: str = "") -> list[tuple[str, ...]]:
    return [line.cells for line in read_file(data, name or NAMES[kind], kind)]


def refusal(data: bytes, kind: str = CSV_UTF8, name: str = "") -> tuple[str, int]:
    with pytest.raises(SheetError) as refused:
        read(data, kind, name)
    return refused.value.code, refused.value.status


@pytest.mark.parametrize(("encoding", "kind"), [("utf-8", CSV_UTF8), ("utf-8-sig", CSV_UTF8), ("cp932", CSV_CP932)])
def test_a_table_is_read_in_the_encoding_that_was_declared(encoding: str, kind: str) -> None:
    assert read(as_csv(ROW, encoding=encoding), kind) == [HEADER, ROW]


@pytest.mark.parametrize(
    ("written", "declared"),
    [("cp932", CSV_UTF8), ("euc_jp", CSV_UTF8), ("utf-16", CSV_UTF8), ("utf-16-le", CSV_UTF8), ("iso2022_jp", CSV_UTF8),
     ("utf-8", CSV_CP932), ("utf-8-sig", CSV_CP932), ("euc_jp", CSV_CP932), ("utf-16", CSV_CP932),
     ("utf-16-be", CSV_CP932), ("iso2022_jp", CSV_CP932)],
)  # fmt: skip
@pytest.mark.parametrize(
    "header", [HEADER, ("number", "name", "kana", "born_on", "postal", "address", "phone_mobile", "notes")]
)
def test_another_encoding_than_the_declared_one_is_refused(
    written: str, declared: str, header: tuple[str, ...]
) -> None:
    plain = (ROW[0], "架空花子", "カクウハナコ", "", "", "架空市見本町", "", "備考")
    assert refusal(as_csv(plain, header=header, encoding=written), declared) == ("encoding", 415)


def test_bytes_that_could_be_two_encodings_are_read_as_declared_where_the_header_proves_it() -> None:
    # the half-width kana of the row are as well two signs of UTF-8
    data = "氏名,備考\r\n".encode("cp932") + b"\xc2\xa9,\xc3\xbf\r\n"
    assert read(data, CSV_CP932)[1] == ("ﾂｩ", "ﾃｿ")
    assert refusal(b"name,notes\r\n\xc2\xa9,\xc3\xbf\r\n", CSV_CP932) == ("encoding", 415)


def test_every_sign_that_windows_writes_is_kept() -> None:
    signs = ("氏名", "髙﨑①㈱Ⅲ～－彅神")  # U+FA19 is in cp932 too
    assert read(as_csv(signs, header=("氏名", "住所"), encoding="cp932"), CSV_CP932)[1] == signs


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7 ...",
        b"MZ\x90\x00",
        b"\x7fELF....",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"\xd0\xcf\x11\xe0\xa1\xb1",
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_refused(data: bytes, kind: str) -> None:
    assert refusal(data, kind) == ("kind", 415)


def test_a_workbook_that_is_declared_csv_and_the_reverse_are_refused() -> None:
    assert refusal(as_xlsx(ROW), CSV_UTF8) == ("kind", 415)
    assert refusal(as_csv(ROW), XLSX) == ("kind", 415)


@pytest.mark.parametrize("name", ["a.exe", "a.csv.exe", "a.xlsm", "a", "a.csv\n.txt"])
def test_the_end_of_a_name_must_agree(name: str) -> None:
    assert refusal(as_csv(ROW), CSV_UTF8, name) == ("ending", 415)


def test_limits_of_size_hold() -> None:
    assert refusal(b"") == ("empty", 422)
    assert refusal(b"\r\n , \r\n") == ("empty", 422)
    assert refusal(b"a" * (sheets.LARGEST + 1)) == ("too-large", 413)
    assert refusal(b"name\r\n" + b"x\r\n" * (sheets.MOST_ROWS + 20)) == ("too-many-rows", 422)
    assert refusal(b"," * 200 + b"x\r\n") == ("too-many-columns", 422)
    assert refusal(b"name\r\n" + b"x" * 110_000 + b"\r\n") == ("cell-too-long", 422)
    assert refusal(b"name\r\n" + b"x" * 140_000 + b"\r\n") == ("broken", 422)
    assert refusal(b'name\r\n"never closed\r\n') == ("broken", 422)
    assert refusal(b'name\r\n"a"b,c\r\n') == ("broken", 422)


def test_the_antivirus_test_file_is_refused_alone_and_inside_a_workbook() -> None:
    assert refusal(EICAR) == ("malware", 422)
    assert refusal(changed(as_xlsx(ROW), {"xl/media/image1.png": EICAR}), XLSX) == ("malware", 422)


@pytest.mark.parametrize("name", ["../../etc/x.xml", "/etc/x.xml", "xl\\..\\x.xml", "C:x.xml", "xl/a\u202eb.xml"])
def test_a_workbook_whose_parts_lead_elsewhere_is_refused(name: str) -> None:
    assert refusal(changed(as_xlsx(ROW), {name: "x"}), XLSX) == ("unsafe", 422)


def test_a_link_in_a_workbook_is_refused() -> None:
    out = io.BytesIO(as_xlsx(ROW))
    with zipfile.ZipFile(out, "a") as archive:
        link = zipfile.ZipInfo("xl/link.xml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert refusal(out.getvalue(), XLSX) == ("unsafe", 422)


@pytest.mark.parametrize(
    ("put", "code"),
    [({"xl/vbaProject.bin": b"\x00"}, "active"),
     ({"xl/externalLinks/externalLink1.xml": "<a/>"}, "active"),
     ({"xl/embeddings/oleObject1.bin": b"\x00"}, "active"),
     ({"xl/connections.xml": "<connections/>"}, "active"),
     ({"xl/worksheets/_rels/sheet1.xml.rels": EMBEDDED}, "active"),
     ({"xl/worksheets/sheet1.xml": '<!DOCTYPE x [<!ENTITY a "b">]><worksheet>&a;</worksheet>'}, "unsafe"),
     ({"xl/worksheets/sheet1.xml": '<?xml version="1.0" encoding="utf-16"?><worksheet/>'.encode("utf-16")}, "unsafe"),
     ({"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row>"}, "broken"),
     ({"xl/worksheets/sheet1.xml": b"\xff\xfeno xml"}, "unsafe")],
)  # fmt: skip
def test_what_could_act_or_hide_in_a_workbook_is_refused(put: dict[str, bytes | str], code: str) -> None:
    assert refusal(changed(as_xlsx(ROW), put), XLSX) == (code, 422)


def test_another_archive_is_no_workbook() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    assert refusal(out.getvalue(), XLSX) == ("kind", 415)


def test_a_workbook_that_is_cut_off_or_has_a_password_is_refused() -> None:
    whole = as_xlsx(ROW)
    assert refusal(whole[: len(whole) // 2], XLSX) == ("broken", 422)
    locked = bytearray(whole)
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = locked.find(sign)
        while at >= 0:
            locked[at + place] |= 1
            at = locked.find(sign, at + 1)
    assert refusal(bytes(locked), XLSX) == ("encrypted", 422)


def test_a_bomb_is_refused_before_it_is_unpacked_in_little_memory() -> None:
    bomb = changed(as_xlsx(ROW), {"xl/media/big.bin": b"\x00" * 40_000_000})
    tracemalloc.start()
    assert refusal(bomb, XLSX) == ("bomb", 422)
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


def test_parts_that_claim_to_be_small_do_not_unpack_to_more() -> None:
    honest = changed(as_xlsx(ROW), {"xl/media/big.bin": b"\x00" * 3_000_000})
    lying = honest.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 1_000))
    assert refusal(lying, XLSX)[1] == 422


def test_a_workbook_says_its_cells_as_a_person_would() -> None:
    row = ("架空", datetime(1979, 6, 3), 1234567, 12.5, "=1+1", date(2026, 4, 6), None, "=")  # noqa: DTZ001
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["氏名", "a", "b", "c", "d", "e", "f", "g"])
    sheet.append([])
    sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    _, line = read_file(out.getvalue(), "a.xlsx", XLSX)
    assert line.n == 3
    assert line.cells == ("架空", "1979-06-03", "1234567", "12.5", "", "2026-04-06", "", "=")
    assert line.odd == {2: "number", 3: "number", 4: "formula"}


def test_a_gap_of_a_million_rows_is_no_trouble() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["氏名"])
    sheet.cell(row=1_000_000, column=1, value="架空 花子")
    out = io.BytesIO()
    book.save(out)
    assert [(line.n, line.cells) for line in read_file(out.getvalue(), "a.xlsx", XLSX)] == [
        (1, ("氏名",)), (1_000_000, ("架空 花子",)),
    ]  # fmt: skip


def said_of(data: bytes, kind: str) -> int:
    """Give the status with which a file is answered: 200, or that of the refusal."""
    try:
        lines = read_file(data, NAMES[kind], kind)
    except SheetError as refused:
        return refused.status
    return 200 if lines else 500


@given(st.binary(max_size=400), st.sampled_from(KINDS))
def test_no_bytes_make_the_reader_fail_otherwise_than_in_words(data: bytes, kind: str) -> None:
    assert said_of(data, kind) in {200, 413, 415, 422}


WHOLE = as_xlsx(ROW)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(WHOLE)), st.booleans())
def test_no_damage_makes_the_reader_of_workbooks_fail_otherwise_than_in_words(data: bytes, at: int, over: bool) -> None:
    damaged = WHOLE[:at] + data + WHOLE[at + (len(data) if over else 0) :]
    assert said_of(damaged, XLSX) in {200, 413, 415, 422}


# what XML and a line of CSV can hold; lone surrogates and controls are refused at the form already
SIGNS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
CELLS = st.text(SIGNS, min_size=1, max_size=30).filter(lambda said: said.strip() == said)


@given(
    st.lists(st.tuples(CELLS, st.text(SIGNS, max_size=20)), min_size=1, max_size=5), st.sampled_from([CSV_UTF8, XLSX])
)
def test_what_is_written_is_read_again_byte_for_byte(rows: list[tuple[str, str]], kind: str) -> None:
    written = writing.table_of([("氏名", "備考"), *rows], kind)
    _, *lines = read_file(written, NAMES[kind], kind)
    read_again = [tuple(map(_off, (*line.cells, "")[:2], (kind,) * 2)) for line in lines]
    assert read_again == [(name, note) for name, note in rows]


def _off(cell: str, kind: str) -> str:
    return rules.unguarded(cell) if kind == CSV_UTF8 else cell


@given(st.text(max_size=20))
def test_the_guard_of_formulas_is_taken_off_without_a_trace(said: str) -> None:
    guarded = rules.guarded(said)
    assert rules.unguarded(guarded) == said
    assert not guarded.startswith(rules.SIGNS_OF_FORMULAS)


def test_in_a_workbook_a_text_that_looks_like_a_formula_is_text() -> None:
    (_, line) = read_file(writing.workbook_of([("氏名", "備考"), ("=1+1", "+81-0")]), "a.xlsx", XLSX)
    assert (line.cells, line.odd) == (("=1+1", "+81-0"), {})


def test_what_cp932_lacks_is_named_row_by_row_and_never_a_question_mark() -> None:
    rows = [("氏名", "住所"), ("𠮷葛󠄀", "①㈱Ⅲ"), ("髙﨑", "見本町")]
    assert [(one.row, one.column, one.signs) for one in writing.unwritable(rows)] == [(2, "氏名", ("𠮷", "󠄀"))]
    with pytest.raises(UnicodeEncodeError):
        writing.table_of(rows, CSV_CP932)
    kept = writing.table_of(writing.substituted(rows), CSV_CP932).decode("cp932")
    assert kept.splitlines() == ["氏名,住所", "〓葛〓,①㈱Ⅲ", "髙﨑,見本町"]


@pytest.mark.parametrize("header", [("name",), ("Name",), ("氏名",), ("氏 名（必須）",), ("お名前",), ("ＮＡＭＥ",)])
def test_a_column_is_known_by_code_label_or_what_offices_call_it(header: tuple[str, ...]) -> None:
    assert rules.columns_of(header) == (["name"], [])


def test_a_title_above_the_header_is_passed_over() -> None:
    rows = [("相談者台帳", ""), ("令和8年4月1日 現在",), HEADER, ROW, OTHER]
    assert rules.header_among(rows) == 2


@pytest.mark.parametrize(
    ("said", "most", "shown"),
    [
        ("葛󠄀城", 1, "…"),
        ("あ葛󠄀城", 2, "あ…"),
        ("家👨‍👩‍👧族", 3, "家…"),
        ("🇯🇵🇻🇳x", 3, "…"),
        ("e\u0301x", 1, "…"),
        ("あい", 2, "あい"),
    ],
)
def test_a_text_is_never_cut_inside_a_sign(said: str, most: int, shown: str) -> None:
    assert rules.shortened(said, most) == shown
