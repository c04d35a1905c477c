# SPDX-License-Identifier: Apache-2.0
"""Files that go with a draft: looked at and cleaned before they are kept, one category each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection
from werkzeug.wrappers import Response

from connectors.casebook import drafts
from connectors.casebook.drafts import DraftFile
from connectors.desk.sending import fields
from connectors.desk.sending.reads import Sheet
from connectors.desk.web import papers
from connectors.desk.web.filling import Filled
from connectors.desk.web.papers import PaperError
from connectors.desk.web.visits import Visit
from consent.vocabulary.codes import CATEGORIES

MOST_FILES: Final = 8
LARGEST_TOGETHER: Final = 13 * 1024 * 1024
"""Bytes of all files of one referral: sealed they must fit into what the hub takes at once (20 MiB, protocol §2)."""
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file that was found good, and the category that it goes with."""

    belongs_to: str
    name: str
    media: str
    body: bytes = field(repr=False)


def take(filled: Filled, sheet: Sheet) -> list[Taken]:
    """Read the files of a form, a field `file_<category>` each; what cannot be taken is blamed on its text's field."""
    made: list[Taken] = []
    ticked = frozenset(fields.chosen(filled))
    size = sum(len(one.body) for one in sheet.files)
    for category in [one for one in sorted(CATEGORIES) if f"file_{one}" in filled.files]:
        for sent in filled.files.getlist(f"file_{category}"):
            if not sent.filename:
                continue
            name = _plain_name(sent.filename)
            try:
                paper = papers.read_paper(sent.stream.read(papers.LARGEST + 1), name)
            except PaperError as error:
                filled.blame(f"file_{category}", f"web.fault-paper-{error.code}")
                continue
            size += len(paper.body)
            if category not in ticked:
                filled.blame(f"file_{category}", "sending.fault-not-ticked")
            elif size > LARGEST_TOGETHER or len(sheet.files) + len(made) >= MOST_FILES:
                filled.blame(f"file_{category}", "sending.fault-files-together")
            else:
                made.append(Taken(belongs_to=category, name=name, media=paper.media, body=paper.body))
    return made


def keep(connection: Connection, visit: Visit, draft: str, taken: Sequence[Taken]) -> None:
    """Put files with a draft.

    *Raises* `ConnectorError("draft-unknown")`.
    """
    for one in taken:
        drafts.add_file(
            connection, visit.pen(), draft, belongs_to=one.belongs_to, name=one.name, media=one.media, body=one.body
        )


def hand_out(file: DraftFile) -> Response:
    """Give a file to be saved by the browser, never to be run in the page."""
    answer = Response(file.body, mimetype=file.media)
    answer.headers.set("Content-Disposition", "attachment", filename=file.name)
    return answer


def _plain_name(written: str) -> str:
    """Give the last part of a name without what would hide how it ends."""
    last = written.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable())[-_LONGEST_NAME:]
