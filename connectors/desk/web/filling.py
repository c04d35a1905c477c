# SPDX-License-Identifier: Apache-2.0
"""`Filled`: a form as it was sent, read field by field, with a fault per field that cannot be taken.

Text is kept as it was written, byte for byte: nothing is normalised, only what cannot be stored is refused. Codes
are looked up, days read as people write them. A page with faults shows every value again; nothing is changed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

from flask import request
from werkzeug.datastructures import FileStorage, MultiDict

from connectors.base.dashes import has_odd_digits
from connectors.base.labels import codes
from connectors.base.signs import is_too_long, is_unfit
from connectors.base.wareki import DayError, read_day
from connectors.desk.web.papers import LARGEST, Paper, PaperError, read_paper
from consent.calendar import JST

LONGEST_LINE: Final = 200
LONGEST_TEXT: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a field cannot be taken: the key of the sentence and what fills its places."""

    key: str
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Filled:
    """A submitted form; `faults` by the name of the field, in the order in which they were found."""

    values: MultiDict[str, str]
    files: MultiDict[str, FileStorage] = field(default_factory=MultiDict)
    faults: dict[str, Fault] = field(default_factory=dict)

    @classmethod
    def of_request(cls) -> Filled:
        """Read the form of this request."""
        return cls(values=request.form, files=request.files)

    @property
    def is_fine(self) -> bool:
        """Say whether nothing was found so far."""
        return not self.faults

    def blame(self, name: str, key: str, /, **places: str) -> None:
        """Note a fault; the first of a field stays."""
        self.faults.setdefault(name, Fault(key=key, places=places))

    def has(self, name: str) -> bool:
        """Say whether a field has anything in it, or a box is ticked."""
        return bool(self.values.get(name, "").strip())

    def line(self, name: str, *, required: bool = False, longest: int = LONGEST_LINE) -> str:
        """Read one line of text, as it was written; white space around it goes."""
        text = self._text(name, required=required, longest=longest)
        if any(sign in text for sign in "\n\r\t"):
            self.blame(name, "web.fault-one-line")
        return text

    def text(self, name: str, *, required: bool = False, longest: int = LONGEST_TEXT) -> str:
        """Read a text of several lines, as it was written."""
        return self._text(name, required=required, longest=longest)

    def code(self, name: str, allowed: str | Iterable[str], *, required: bool = False) -> str | None:
        """Read one code of a list of the vocabulary (by its name), or of some codes."""
        said = self.values.get(name, "").strip()
        if not said:
            if required:
                self.blame(name, "web.fault-choose")
            return None
        known = codes(allowed) if isinstance(allowed, str) else frozenset(allowed)
        if said not in known:
            self.blame(name, "web.fault-unknown-choice")
            return None
        return said

    def several(self, name: str, allowed: str | Iterable[str], *, required: bool = False) -> tuple[str, ...]:
        """Read the codes that were ticked, each once, in their order."""
        known = codes(allowed) if isinstance(allowed, str) else frozenset(allowed)
        said = tuple(dict.fromkeys(self.values.getlist(name)))
        if any(one not in known for one in said):
            self.blame(name, "web.fault-unknown-choice")
            return ()
        if required and not said:
            self.blame(name, "web.fault-choose")
        return said

    def day(
        self, name: str, *, required: bool = False, first: date | None = None, last: date | None = None
    ) -> date | None:
        """Read a day however people write it (`wareki.read_day`), within bounds."""
        said = self.values.get(name, "").strip()
        if not said:
            if required:
                self.blame(name, "web.fault-day-required")
            return None
        try:
            read = read_day(said)
        except DayError as error:
            self.blame(name, f"web.fault-{error.code}", **error.places)
            return None
        if (first is not None and read < first) or (last is not None and read > last):
            self.blame(name, "web.fault-day-out-of-range")
            return None
        return read

    def moment(self, day_name: str, time_name: str, *, required: bool = False) -> datetime | None:
        """Read a day and a time of day in Japan, `9:05` or `0905`, full-width digits too."""
        day = self.day(day_name, required=required)
        said = unicodedata.normalize("NFKC", self.values.get(time_name, "")).strip().replace(":", "")
        if day is None:
            return None
        if not said:
            if required:
                self.blame(time_name, "web.fault-time-required")
            return None
        try:
            read = time.fromisoformat(f"{said.zfill(4)[:2]}:{said.zfill(4)[2:]}")
        except ValueError:
            self.blame(time_name, "web.fault-time-unreadable")
            return None
        return datetime.combine(day, read, tzinfo=JST)

    def number(self, name: str, *, least: int, most: int, required: bool = False) -> int | None:
        """Read a whole number within bounds; full-width digits too."""
        written = self.values.get(name, "")
        said = unicodedata.normalize("NFKC", written).strip().replace(",", "")
        if not said:
            if required:
                self.blame(name, "web.fault-required")
            return None
        # ² and ① would become digits above, and nobody means a number by them
        if not (not has_odd_digits(written) and said.isascii() and said.isdigit() and least <= int(said[:12]) <= most):
            self.blame(name, "web.fault-number", least=str(least), most=str(most))
            return None
        return int(said)

    def paper(self, name: str) -> tuple[Paper, str] | None:
        """Read a file that may be a scan or a photograph, looked at and clean, and its name; or none."""
        sent = self.files.get(name)
        if sent is None or not sent.filename:
            return None
        try:
            return read_paper(sent.stream.read(LARGEST + 1), sent.filename), sent.filename
        except PaperError as error:
            self.blame(name, f"web.fault-paper-{error.code}")
            return None

    def _text(self, name: str, *, required: bool, longest: int) -> str:
        said = self.values.get(name, "")
        text = said.strip()
        if required and not text:
            self.blame(name, "web.fault-required")
        if is_too_long(text, longest):
            self.blame(name, "web.fault-too-long", longest=str(longest))
        if any(is_unfit(sign) for sign in text):
            self.blame(name, "web.fault-unfit-sign")
            return ""
        return text
