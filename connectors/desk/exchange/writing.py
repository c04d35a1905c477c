# SPDX-License-Identifier: Apache-2.0
"""Write rows as a file: CSV in UTF-8 with its mark or in cp932, or Excel. Nothing in it is taken for a formula.

In CSV a cell that a spreadsheet would calculate gets `'` before it (`rules.guarded`), which an import takes away again.
In Excel every cell is text and marked as such. What cp932 does not have is never replaced silently: `unwritable` says
row by row what is lost, and only whoever has read that gets a file with 〓 in its place.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from flask import Response as FlaskResponse
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from werkzeug.http import dump_options_header
from werkzeug.wrappers import Response

from connectors.desk.exchange import rules, sheets

SUBSTITUTE: Final = "\u3013"
"""The geta mark, by which Japanese print shows a sign that it does not have."""
MEDIA: Final = {
    sheets.CSV_UTF8: "text/csv; charset=utf-8",
    sheets.CSV_CP932: "text/csv; charset=Shift_JIS",
    sheets.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
_ENCODINGS: Final = {sheets.CSV_UTF8: "utf-8-sig", sheets.CSV_CP932: "cp932"}
_LONGEST_CELL: Final = 32_767
"""Signs (UTF-16 units) that Excel takes in one cell."""
_WIDTH: Final = 18
_CONTROLS: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A cell that an encoding cannot write: its row (of the file, the header is 1), its column, which signs."""

    row: int
    column: str
    cell: str
    signs: tuple[str, ...]


def table_of(rows: Iterable[Sequence[str]], kind: str) -> bytes:
    """Write rows, the header first, as a kind of file.

    *Raises* UnicodeEncodeError: a sign that cp932 does not have (`unwritable` names them before).
    """
    return workbook_of(rows) if kind == sheets.XLSX else csv_of(rows, kind)


def csv_of(rows: Iterable[Sequence[str]], kind: str) -> bytes:
    """Write rows as CSV (RFC 4180), guarded against formulas.

    *Raises* UnicodeEncodeError.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([rules.guarded(cell) for cell in row] for row in rows)
    return out.getvalue().encode(_ENCODINGS[kind])


def workbook_of(rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows, none of which `is_too_long_for_excel`, as an Excel sheet in which every cell is text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("data")
    sheet.freeze_panes = "A2"
    for n, row in enumerate(rows):
        if n == 0:
            for place in range(len(row)):
                sheet.column_dimensions[_letters(place)].width = _WIDTH
        cells = []
        for said in row:
            cell = WriteOnlyCell(sheet, value=said.translate(_CONTROLS))
            cell.data_type = "s"  # a text that begins with = is a text
            cell.number_format = "@"
            if n == 0:
                cell.font = Font(bold=True)
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def is_too_long_for_excel(rows: Iterable[Sequence[str]]) -> bool:
    """Say whether a cell holds more than Excel takes: a workbook would lose its end."""
    return any(len(cell.encode("utf-16-le")) // 2 > _LONGEST_CELL for row in rows for cell in row)


def unwritable(rows: Sequence[Sequence[str]]) -> list[Lost]:
    """Name every cell that cp932 cannot write, row by row."""
    header = rows[0] if rows else ()
    found = []
    for n, row in enumerate(rows, start=1):
        for place, cell in enumerate(row):
            signs = tuple(dict.fromkeys(sign for sign in cell if not _is_in_cp932(sign)))
            if signs:
                found.append(Lost(row=n, column=header[place] if place < len(header) else "", cell=cell, signs=signs))
    return found


def substituted(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """Give rows with `SUBSTITUTE` for each sign that cp932 does not have."""
    return [["".join(sign if _is_in_cp932(sign) else SUBSTITUTE for sign in cell) for cell in row] for row in rows]


def attachment(body: bytes, kind: str, name: str) -> Response:
    """Give a file to be kept, under a name of ours."""
    answer = FlaskResponse(body, content_type=MEDIA[kind])
    answer.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": name})
    return answer


def _is_in_cp932(sign: str) -> bool:
    try:
        sign.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _letters(place: int) -> str:
    """Give the letters of a column, from 0: A to Z, then AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
