# SPDX-License-Identifier: Apache-2.0
"""Read a row as the intake form is read: the same parsers, the same sentences, every name as it was written."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from werkzeug.datastructures import MultiDict

from connectors.base.dashes import fold_dashes
from connectors.casebook.files import phone_key
from connectors.casebook.people import search_key
from connectors.desk.exchange import rules, sheets
from connectors.desk.exchange.rules import Keys
from connectors.desk.exchange.sheets import Line
from connectors.desk.intakes import rules as form
from connectors.desk.intakes.answers import Told
from connectors.desk.web.filling import Fault, Filled

_BETWEEN: Final = "\u3000"
"""What stands between a family and a given name that come in two columns."""
_LOST: Final = "\ufffd"
"""What software writes for a sign that it could not read."""
_LONGEST_NUMBER: Final = 40
_AS_NUMBERS: Final = frozenset({"phone_home", "phone_mobile", "postal"})
"""Columns where a number has lost its leading zeros."""
_ODD: Final = {sheets.FORMULA: "exchange.fault-formula", sheets.ERROR: "exchange.fault-error-cell"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Who may be in charge: ids by folded name, none where two have the same; and who is, where a row does not say."""

    by_name: Mapping[str, str | None]
    otherwise: str

    @classmethod
    def of(cls, members: Sequence[tuple[str, str]], otherwise: str) -> Staff:
        """Take ids and names."""
        made: dict[str, str | None] = {}
        for member, name in members:
            for key in {search_key(name), search_key(member)}:
                made[key] = None if key in made and made[key] != member else member
        return cls(by_name=made, otherwise=otherwise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that was read: what was told, what belongs to the case, and what is wrong, by column."""

    told: Told
    number: str
    worker: str
    opened_on: date
    notes: str
    faults: Mapping[str, Fault]

    @property
    def keys(self) -> Keys:
        """Give what it is found by."""
        return Keys(
            name=search_key(self.told.name),
            kana=search_key(self.told.kana),
            born_on=self.told.born_on.isoformat() if self.told.born_on else "",
            phones=frozenset(filter(None, map(phone_key, self.told.phones))),
        )


def values_of(line: Line, columns: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Give a row's cells by the codes of their columns, guards of formulas taken off, and which of them are no text."""
    values = {code: rules.unguarded(cell) for code, cell in zip(columns, line.cells, strict=False) if code}
    odd = {columns[place]: kind for place, kind in line.odd.items() if place < len(columns) and columns[place]}
    return values, odd


def read_row(values: Mapping[str, str], odd: Mapping[str, str], *, staff: Staff, today: date) -> Row:
    """Read a row; what cannot be taken is blamed, by the column it stands in."""
    filled = Filled(values=MultiDict(dict(values)))
    _blame_odd(filled, odd)
    name = _joined(filled, "name", "family_name", "given_name")
    kana = form.read_kana(_joined(filled, "kana", "family_kana", "given_kana"))
    told = _told(filled, name, kana, today)
    if not (told.name or told.kana or told.phones or told.email) and filled.is_fine:
        filled.blame("name", "intakes.fault-identifier")
    return Row(
        told=told,
        number=_number(filled),
        worker=_worker(filled, staff),
        opened_on=told.received_on or today,
        notes=filled.text("notes"),
        faults=dict(filled.faults),
    )


def _told(filled: Filled, name: str, kana: str, today: date) -> Told:
    written = filled.line("sex")
    sex = form_sex = rules.sex_of(written) if written else None
    if written and form_sex is None:
        sex = "3"
    told = {one: bool(filled.values.get(one, "").strip()) for one in form.ASKED} | {
        "name": bool(name),
        "kana": bool(kana),
    }
    return Told(
        received_on=filled.day("opened_on", last=today),
        received_by="",
        kana=kana,
        name=name,
        sex=sex,
        sex_words=written if written and form_sex is None else "",
        born_on=filled.day("born_on", last=today),
        postal=_read(filled, "postal"),
        address=filled.text("address", longest=500),
        address_facts=("protected",) if _is_protected(filled) else (),
        phone_home=_read(filled, "phone_home"),
        phone_mobile=_read(filled, "phone_mobile"),
        email=_read(filled, "email"),
        safe_contact=filled.line("safe_contact"),
        visitor_name="",
        visitor_phone="",
        visitor_relation=None,
        visitor_kinship="",
        topics=(),
        worst=None,
        other_topic="",
        words=filled.text("words"),
        untold={one: "not_asked" for one, is_told in told.items() if not is_told},
    )


def _blame_odd(filled: Filled, odd: Mapping[str, str]) -> None:
    for code, kind in odd.items():
        if kind in _ODD:
            filled.blame(code, _ODD[kind])
        elif code in _AS_NUMBERS and not filled.values.get(code, "").startswith("0"):
            is_whole_postal = code == "postal" and len(filled.values.get(code, "")) == len("0000000")
            if not is_whole_postal:
                filled.blame(code, "exchange.fault-number-cell")
    for code, value in filled.values.items():
        if _LOST in value:
            filled.blame(code, "exchange.fault-lost-sign")


def _joined(filled: Filled, whole: str, family: str, given: str) -> str:
    said = filled.line(whole)
    return said or _BETWEEN.join(one for one in (filled.line(family), filled.line(given)) if one)


def _read(filled: Filled, code: str) -> str:
    written = filled.line(code, longest=100)
    if not written:
        return ""
    read = {"postal": form.read_postal, "email": form.read_email}.get(code, form.read_phone)(written)
    if read is None:
        filled.blame(code, f"intakes.fault-{code.removesuffix('_home').removesuffix('_mobile')}")
    return read or ""


def _is_protected(filled: Filled) -> bool:
    said = rules.yes_or_no(filled.line("protected"))
    if said is None:
        filled.blame("protected", "exchange.fault-yes-or-no")
    # what nobody could read is taken for a yes: an address that got out does not come back
    return said is not False


def _number(filled: Filled) -> str:
    written = filled.line("number", longest=_LONGEST_NUMBER)
    return fold_dashes(unicodedata.normalize("NFKC", written)).strip()


def _worker(filled: Filled, staff: Staff) -> str:
    written = filled.line("worker")
    if not written:
        return staff.otherwise
    found = staff.by_name.get(search_key(written))
    if found is None:
        filled.blame("worker", "exchange.fault-worker")
    return found or staff.otherwise
