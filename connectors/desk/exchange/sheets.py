# SPDX-License-Identifier: Apache-2.0
"""Read a table that somebody hands in as a file. What it is, the person says; what it says of itself must agree.

An encoding is never guessed: bytes that are not what was declared, or that could as well be something else, are refused
with a sentence, so that nothing is stored that nobody wrote (mojibake). Nothing in a file is ever executed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

LARGEST: Final = 10 * 1024 * 1024
"""Bytes of one file."""
MOST_ROWS: Final = 20_000
"""Rows below the header."""
MOST_ABOVE: Final = 10
"""Rows that may stand above the header (a title, a date)."""
MOST_COLUMNS: Final = 100
LONGEST_CELL: Final = 100_000
"""Code points; what a field may hold is far less (`web.filling`)."""

CSV_UTF8: Final = "csv-utf-8"
CSV_CP932: Final = "csv-cp932"
XLSX: Final = "xlsx"
KINDS: Final = (XLSX, CSV_UTF8, CSV_CP932)
"""What a file may be declared as."""
ENDINGS: Final = {XLSX: ".xlsx", CSV_UTF8: ".csv", CSV_CP932: ".csv"}

FORMULA: Final = "formula"
ERROR: Final = "error"
NUMBER: Final = "number"
"""What a cell may be besides text."""

_ENCODINGS: Final = {CSV_UTF8: "utf-8-sig", CSV_CP932: "cp932"}
_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {"utf-8-sig": (), "cp932": ("utf-8", "euc_jp")}
"""What bytes could be just as well; they are hardly ever UTF-8 by chance."""
_OTHER_KINDS: Final = (
    b"PK\x03\x04", b"PK\x05\x06", b"%PDF-", b"MZ", b"\x7fELF", b"\xd0\xcf\x11\xe0",
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b",
)  # fmt: skip
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_BOM: Final = b"\xef\xbb\xbf"
_ESCAPE: Final = b"\x1b"
_VIRUS_TEST: Final = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"

_STATUS: Final = {
    "too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "kind": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "ending": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "encoding": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}


class SheetError(Exception):
    """A file that cannot be taken. `code` names the sentence, `exchange.fault-file-<code>`; `status` is HTTP's."""

    def __init__(self, code: str, **places: str) -> None:
        """Take the code of the sentence and what fills its places."""
        super().__init__(code)
        self.code = code
        self.places = places

    @property
    def status(self) -> int:
        """Give the status of an answer that refuses the file: 413, 415 or 422."""
        return int(_STATUS.get(self.code, HTTPStatus.UNPROCESSABLE_ENTITY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a table as it is in the file. `n`: its number there, from 1.

    `odd` names cells (by their place, from 0) that are no plain text: `formula`, `error`, `number`.
    """

    n: int
    cells: tuple[str, ...] = field(repr=False)
    odd: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        """Say whether there is nothing in it."""
        return not any(cell.strip() for cell in self.cells) and set(self.odd.values()) <= {NUMBER}


def read_csv(data: bytes, kind: str, proves: Callable[[Sequence[str]], bool]) -> list[Line]:
    """Read CSV (RFC 4180) in the encoding that was declared, with or without its mark.

    `proves` says whether a row has a Japanese name of a column that we know: it proves the encoding where the bytes
    alone would allow another. *Raises* `SheetError`: `empty`, `kind`, `encoding`, `malware`, `broken` (with the row),
    and as `within_limits`.
    """
    refuse_obvious(data)
    if data.startswith(_OTHER_KINDS):
        raise SheetError("kind")
    if b"\x00" in data or _ESCAPE in data or data.startswith(_UTF_16):
        raise SheetError("encoding")
    encoding = _ENCODINGS[kind]
    if encoding == "cp932" and data.startswith(_BOM):
        raise SheetError("encoding")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise SheetError("encoding") from None
    lines = within_limits(_records(text))
    if (
        not text.isascii()
        and not any(proves(line.cells) for line in lines[:MOST_ABOVE])
        and _could_be_other(data, encoding)
    ):
        raise SheetError("encoding")
    return lines


def refuse_obvious(data: bytes) -> None:
    """Refuse what need not be opened.

    *Raises* `SheetError`: `empty`, `too-large`, `malware`.
    """
    if not data:
        raise SheetError("empty")
    if len(data) > LARGEST:
        raise SheetError("too-large")
    if has_virus_test(data):
        raise SheetError("malware")


def has_virus_test(data: bytes) -> bool:
    """Say whether this is the file by which antivirus programs are tried (EICAR)."""
    return _VIRUS_TEST in data


def within_limits(lines: Iterable[Line]) -> list[Line]:
    """Take rows, but no more of them, and no larger ones, than a table has; rows without anything are left out.

    *Raises* `SheetError`: `too-many-rows`, `too-many-columns`, `cell-too-long`, `empty`.
    """
    made: list[Line] = []
    for line in lines:
        if line.is_blank:
            continue
        if len(line.cells) > MOST_COLUMNS:
            raise SheetError("too-many-columns", most=str(MOST_COLUMNS), row=str(line.n))
        if any(len(cell) > LONGEST_CELL for cell in line.cells):
            raise SheetError("cell-too-long", row=str(line.n))
        made.append(line)
        if len(made) > MOST_ROWS + MOST_ABOVE:
            raise SheetError("too-many-rows", most=str(MOST_ROWS))
    if not made:
        raise SheetError("empty")
    return made


def _records(text: str) -> Iterable[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    n = 0
    try:
        for n, cells in enumerate(reader, start=1):  # the number is said of the row that breaks
            yield Line(n=n, cells=tuple(cells))
    except csv.Error:
        raise SheetError("broken", row=str(n + 1)) from None


def _could_be_other(data: bytes, encoding: str) -> bool:
    """Say whether the bytes are whole in another encoding that is in use: then nothing here says which it is."""
    for other in _OTHERS[encoding]:
        try:
            data.decode(other)
        except UnicodeDecodeError:
            continue
        return True
    return False
