# SPDX-License-Identifier: Apache-2.0
"""The lines of the access log as a supervisor reads them: who, what in words, whom, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from connectors.casebook import files, looks
from connectors.casebook.looks import Look
from connectors.desk.staff import reads as staff
from connectors.desk.web.texts import is_text, text
from connectors.sync.station import SYSTEM
from consent.calendar import JST, day_of
from consent.vocabulary.codes import Language

_CHUNK: Final = 500
"""How many lines are looked up at once: SQLite takes so many values in one question, and not many more."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
COLUMNS: Final = (
    "position", "at", "staff_id", "staff_name", "action", "action_label", "case", "case_number", "person_name",
    "about", "reason", "reason_label",
)  # fmt: skip
"""One header row, codes and labels side by side (rules for machine-readable data)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: `who` is none for somebody who is not of the staff; `number` and `person`: whom it was about."""

    look: Look
    who: str | None
    words: str
    number: str | None
    person: str | None
    about: str
    reason: str | None

    @property
    def at(self) -> datetime:
        """Give when it was."""
        return self.look.at


def rows(connection: Connection, found: Sequence[Look], language: Language) -> list[Row]:
    """Read lines with the names of staff, persons and cases."""
    made: list[Row] = []
    for at in range(0, len(found), _CHUNK):
        made += _rows(connection, found[at : at + _CHUNK], language)
    return made


def words_of(action: str, language: Language) -> str:
    """Say in words what was done; a code that nobody has put into words stands for itself."""
    plain = action.replace(":", "-").replace("_", "-")
    for key in (f"office.act-{plain}", f"office.act-{plain.partition('-')[0]}"):
        if is_text(key):
            return text(key, language)
    return action


def csv_of(found: Sequence[Row]) -> str:
    """Write lines for a table program."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in found:
        look, reason = one.look, one.reason or ""
        code = look.action.removeprefix("reason:") if look.action.startswith("reason:") else ""
        cells = (
            str(look.position), look.at.astimezone(JST).isoformat(timespec="seconds"), look.staff, one.who or "",
            look.action, one.words, look.case or "", one.number or "", one.person or "", look.about, code, reason,
        )  # fmt: skip
        writer.writerow([_plain(cell) for cell in cells])
    return out.getvalue()


def _rows(connection: Connection, found: Sequence[Look], language: Language) -> list[Row]:
    cases = {one.case for one in found if one.case}
    numbered, known = files.files_of(connection, cases), files.people_of(connection, cases)
    abouts = {one.about for one in found if one.about}
    members = staff.names_of(connection, {one.staff for one in found} | abouts)
    people, why = looks.names_of(connection, abouts), looks.reasons(connection, found)
    made = []
    for one in found:
        file, person = numbered.get(one.case or ""), known.get(one.case or "")
        code = why.get((one.staff, one.case or "", day_of(one.at)))
        made.append(
            Row(
                look=one,
                who=text("office.act-by-program", language) if one.staff == SYSTEM else members.get(one.staff),
                words=words_of(one.action, language),
                number=file.number if file else None,
                person=person.name if person else people.get(one.about),
                about=members.get(one.about) or ("" if one.about in people or one.about == one.case else one.about),
                reason=_reason(code, language),
            )
        )
    return made


def _reason(code: str | None, language: Language) -> str | None:
    if code is None:
        return None
    key = f"cases.reason-{code}"
    return text(key, language) if is_text(key) else code


def _plain(cell: str) -> str:
    """Keep a table program from reading a cell as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
