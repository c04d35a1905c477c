# SPDX-License-Identifier: Apache-2.0
"""What agencies are called on a page, and how a table becomes a file that a spreadsheet opens without running it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence

from flask import Response

from hub.agencies import reads as agencies
from hub.agencies.reads import Agency
from hub.base.db import Session

Name = Callable[[str], str]


def directory(session: Session) -> Mapping[str, Agency]:
    """Give every agency by its id."""
    return {one.id: one for one in agencies.everybody(session)}


def named(known: Mapping[str, Agency], language: str) -> Name:
    """Give what says an agency's name by its id; an id that nobody has stands for itself."""

    def name(agency: str) -> str:
        found = known.get(agency)
        if found is None:
            return agency
        return found.name_ja if language == "ja" else found.name_en

    return name


def as_csv(name: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """Give a table as CSV in UTF-8 with its mark, as spreadsheets in Japan expect it."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    for row in (head, *rows):
        writer.writerow([_plain(cell) for cell in row])
    return as_file(name, written.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8")


def as_file(name: str, body: bytes, media: str) -> Response:
    """Give bytes as a file to keep."""
    return Response(body, content_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _plain(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
