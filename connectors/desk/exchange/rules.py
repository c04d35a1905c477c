# SPDX-License-Identifier: Apache-2.0
"""The columns of a table of people, how a cell is kept from being a formula, and when two rows are one. Pure.

A column is known by its code, its label in either language, or another name that offices use (`columns.json`).
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

SIGNS_OF_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet calculate; the full-width ones do so in Japanese settings (OWASP, CSV injection)."""
_GUARD: Final = "'"
_GUARDED: Final = (*SIGNS_OF_FORMULAS, _GUARD)
IGNORED: Final = ""
"""The code of a column that is not taken in."""
IDENTIFYING: Final = frozenset(
    {"name", "family_name", "given_name", "kana", "family_kana", "phone_mobile", "phone_home", "email"}
)
"""A table has at least one column by which a person is known."""
_REMARKS: Final = str.maketrans("", "", "*※ \u3000\u200b")


_JOINER: Final = "\u200d"
_SKINS: Final = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_FLAGS: Final = frozenset(map(chr, range(0x1F1E6, 0x1F200)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that we know: code, labels, other names, and what the template shows in it (none: it is not there)."""

    code: str
    ja: str
    en: str
    also: tuple[str, ...]
    sample: str | None


@cache
def _data() -> Any:
    return json.loads(files("connectors.desk.exchange").joinpath("columns.json").read_text(encoding="utf-8"))


@cache
def columns() -> tuple[Column, ...]:
    """Give the columns in the order of the template."""
    return tuple(
        Column(code=row["code"], ja=row["ja"], en=row["en"], also=tuple(row["also"]), sample=row["sample"])
        for row in _data()["fields"]
    )


def labels(language: str) -> dict[str, str]:
    """Give the names of the columns by code."""
    return {one.code: one.ja if language == "ja" else one.en for one in columns()}


@cache
def codes() -> frozenset[str]:
    """Give the codes of the columns."""
    return frozenset(one.code for one in columns())


@cache
def _names() -> dict[str, str]:
    made = {_folded(name): one.code for one in columns() for name in (*one.also, one.code, one.ja, one.en)}
    return {**dict.fromkeys(map(_folded, _data()["given_out"]), IGNORED), **made}


def column_of(header: str) -> str | None:
    """Give the code of a column by its header; `IGNORED` for one that an export of ours adds; none: not known."""
    return _names().get(_folded(header))


def proves_encoding(cells: Sequence[str]) -> bool:
    """Say whether there is a Japanese header among some cells that we know: only the right encoding reads it so."""
    return any(column_of(cell) is not None for cell in cells if cell.strip() and not cell.isascii())


def header_among(rows: Sequence[Sequence[str]]) -> int:
    """Find the header among the first rows: the one with the most columns that we know; the first if there are none."""
    known = [sum(bool(column_of(cell)) for cell in row if cell.strip()) for row in rows]
    return known.index(max(known)) if known else 0


def columns_of(header: Sequence[str]) -> tuple[list[str], list[int]]:
    """Give a code per place, and the places whose header we do not know or that say again what another says."""
    chosen: list[str] = []
    unknown: list[int] = []
    for place, said in enumerate(header):
        code = column_of(said) if said.strip() else IGNORED
        if code is None or (code and code in chosen):
            unknown.append(place)
            code = IGNORED
        chosen.append(code)
    return chosen, unknown


def is_usable(chosen: Iterable[str]) -> bool:
    """Say whether some columns will do: each known, each once, and one among them that says who it is."""
    named = [one for one in chosen if one]
    return len(set(named)) == len(named) and set(named) <= codes() and bool(IDENTIFYING & set(named))


def sex_of(said: str) -> str | None:
    """Give the code of the form for how an office writes it; none: other words."""
    found: str | None = _data()["sexes"].get(unicodedata.normalize("NFKC", said).strip().casefold())
    return found


def yes_or_no(said: str) -> bool | None:
    """Read a mark of yes or no; none where it is neither."""
    plain = unicodedata.normalize("NFKC", said).strip().casefold()
    if plain in _data()["yes"] or said.strip() in _data()["yes"]:
        return True
    return False if plain in _data()["no"] or said.strip() in _data()["no"] else None


def guarded(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula: `'` before it. `unguarded` takes exactly that away again."""
    return _GUARD + cell if cell.startswith(_GUARDED) else cell


def unguarded(cell: str) -> str:
    """Give a cell as it was before `guarded`; any other cell stays as it is."""
    return cell[1:] if cell.startswith(_GUARD) and cell[1:].startswith(_GUARDED) else cell


def digest(values: Mapping[str, str]) -> str:
    """Give what says whether two rows say the same, whatever the order of the columns."""
    said = {name: value for name, value in sorted(values.items()) if value.strip()}
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What two records of one person have in common: folded name and reading, day of birth (ISO), telephone digits."""

    name: str
    kana: str
    born_on: str
    phones: frozenset[str]

    def may_be(self, other: Keys) -> bool:
        """Say whether both may be one person: same name or reading, and nothing that speaks against it.

        Two different days of birth speak against it, unless the telephone is the same.
        """
        same_phone = bool(self.phones & other.phones)
        same_name = bool(self.name) and self.name == other.name
        same_kana = bool(self.kana) and self.kana == other.kana
        if not (same_name or same_kana):
            return False
        if self.born_on and other.born_on:
            return self.born_on == other.born_on or (same_phone and same_name)
        return same_name or same_phone


def shortened(text: str, most: int) -> str:
    """Cut a text for showing, before a whole sign: never between a sign and its marks, or inside a joined picture."""
    if len(text) <= most:
        return text
    at = most
    while at and _belongs_to_the_sign_before(text, at):
        at -= 1
    return text[:at] + "\u2026"


def _belongs_to_the_sign_before(text: str, at: int) -> bool:
    """Say whether a text may not be cut here (UAX #29, near enough: a run of flags is never cut at all)."""
    here, before = text[at], text[at - 1]
    is_flag = here in _FLAGS and before in _FLAGS
    return unicodedata.category(here) in {"Mn", "Mc", "Me", "Cf"} or here in _SKINS or before == _JOINER or is_flag


def _folded(header: str) -> str:
    plain = unicodedata.normalize("NFKC", header).casefold().translate(_REMARKS)
    for remark in _data()["remarks"]:
        plain = plain.removesuffix(remark)
    return plain
