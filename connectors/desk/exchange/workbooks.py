# SPDX-License-Identifier: Apache-2.0
"""Read the first sheet of an Excel file (.xlsx): looked at as an archive first, then read row by row, never calculated.

An .xlsx is a ZIP of XML. What acts by itself (macros, links to other files, embedded things) is refused, and what
would unpack to more than a table is refused before it is unpacked.
"""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from datetime import date, datetime, time
from pathlib import PurePosixPath
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.cell.read_only import EMPTY_CELL

from connectors.desk.exchange.sheets import (
    ERROR,
    FORMULA,
    MOST_COLUMNS,
    NUMBER,
    Line,
    SheetError,
    has_virus_test,
    refuse_obvious,
    within_limits,
)

MOST_UNPACKED: Final = 80 * 1024 * 1024
"""Bytes of all parts together; 20,000 rows of 25 cells are about 40 MB."""
MOST_PARTS: Final = 500
_MOST_TIMES: Final = 200
"""How many times a part may grow when it is unpacked; tables grow about tenfold."""
_SMALL: Final = 1024 * 1024
_WORKBOOK: Final = "xl/workbook.xml"
_CONTENT_TYPES: Final = "[Content_Types].xml"
_ACTIVE_FOLDERS: Final = (
    "xl/externallinks/", "xl/embeddings/", "xl/activex/", "xl/macrosheets/", "xl/dialogsheets/", "customui/",
    "xl/querytables/", "xl/model/",
)  # fmt: skip
_ACTIVE_PARTS: Final = ("vbaproject.bin", "vbadata.xml", "connections.xml")
_ACTIVE_WORDS: Final = (b"macroenabled", b"relationships/externallink", b"relationships/oleobject")
_DECLARED: Final = (b"<!doctype", b"<!entity")
_EXCEL_ROWS: Final = 1_048_576
_CHUNK: Final = 1 << 16
_OVERLAP: Final = 64
_ENCRYPTED: Final = 0x1
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")


def read_workbook(data: bytes) -> list[Line]:
    """Read the rows of the first sheet.

    *Raises* `SheetError`: `empty`, `too-large`, `kind` (no .xlsx), `unsafe` (names that lead elsewhere, links),
    `bomb` (unpacks to too much), `encrypted`, `active`, `malware`, `broken`, and as `within_limits`.
    """
    refuse_obvious(data)
    if not data.startswith(b"PK\x03\x04"):
        raise SheetError("kind")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _look_at(archive, len(data))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError):
        raise SheetError("broken", row="") from None
    try:
        return within_limits(_rows(data))
    except SheetError:
        raise
    except Exception:  # noqa: BLE001
        # the library meets damage in as many classes as there are places for it
        raise SheetError("broken", row="") from None


def _look_at(archive: zipfile.ZipFile, size: int) -> None:
    parts = archive.infolist()
    names = [part.filename for part in parts]
    if any(_leads_elsewhere(part) for part in parts) or len(set(names)) < len(names):
        raise SheetError("unsafe")
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise SheetError("bomb")
    if any(part.file_size > max(_SMALL, _MOST_TIMES * part.compress_size) for part in parts):
        raise SheetError("bomb")
    if sum(part.compress_size for part in parts) > size:
        raise SheetError("bomb")  # parts that lie over one another
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise SheetError("encrypted")
    if _CONTENT_TYPES not in names or _WORKBOOK not in names:
        raise SheetError("kind")
    if any(_is_active(name.lower()) for name in names):
        raise SheetError("active")
    left = MOST_UNPACKED
    for part in parts:
        left = _look_into(archive, part, left)


def _leads_elsewhere(part: zipfile.ZipInfo) -> bool:
    """Say whether a part's name leads out of the archive, or whether the part is a link (zip slip)."""
    name = part.filename
    path = PurePosixPath(name)
    is_link = stat.S_ISLNK(part.external_attr >> 16)
    return is_link or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not name.isprintable()


def _is_active(name: str) -> bool:
    return name.startswith(_ACTIVE_FOLDERS) or name.endswith(_ACTIVE_PARTS)


def _look_into(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """Unpack a part piece by piece without keeping it; give how many bytes may still follow."""
    is_xml = part.filename.lower().endswith((".xml", ".rels", ".vml"))
    is_table = part.filename == _CONTENT_TYPES or part.filename.lower().endswith(".rels")
    end = b""
    with archive.open(part) as opened:
        while piece := opened.read(_CHUNK):
            left -= len(piece)
            if left < 0:
                raise SheetError("bomb")
            if has_virus_test(end + piece):
                raise SheetError("malware")
            # Excel writes UTF-8; anything else could hide what is looked for
            if is_xml and not end and piece.startswith(_UTF_16):
                raise SheetError("unsafe")
            small = (end + piece).lower()
            if is_xml and any(word in small for word in _DECLARED):
                raise SheetError("unsafe")
            if is_table and any(word in small for word in _ACTIVE_WORDS):
                raise SheetError("active")
            end = piece[-_OVERLAP:]
    return left


def _rows(data: bytes) -> Iterable[Line]:
    with warnings.catch_warnings():
        # it warns of what it leaves out (extensions, styles), none of which is read here
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        try:
            sheet = book.worksheets[0]
            # one column more than there may be, so that more are noticed; rows as far as Excel has any
            rows = sheet.iter_rows(min_row=1, max_row=_EXCEL_ROWS, min_col=1, max_col=MOST_COLUMNS + 1)
            blank: Any = None
            for n, row in enumerate(rows, start=1):
                # rows that the file leaves out are one and the same tuple, a million times if it comes to that
                if row is blank:
                    continue
                cells: tuple[Any, ...] = row
                if any(cell is not EMPTY_CELL for cell in cells):
                    yield _line(n, row)
                else:
                    blank = row
        finally:
            book.close()


def _line(n: int, row: Iterable[Any]) -> Line:
    cells: list[str] = []
    odd: dict[int, str] = {}
    for place, cell in enumerate(row):
        value, kind = cell.value, getattr(cell, "data_type", "n")
        if kind == "f":
            odd[place], value = FORMULA, ""
        elif kind == "e":
            odd[place], value = ERROR, ""
        elif isinstance(value, int | float) and not isinstance(value, bool):
            odd[place] = NUMBER
        cells.append(_text(value))
    while cells and not cells[-1] and len(cells) - 1 not in odd:
        cells.pop()
    return Line(n=n, cells=tuple(cells), odd=odd)


def _text(value: object) -> str:
    """Write a cell as a person would: days by ISO 8601, whole numbers without a point."""
    match value:
        case None:
            return ""
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
