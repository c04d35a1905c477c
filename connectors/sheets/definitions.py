# SPDX-License-Identifier: Apache-2.0
"""What a sheet asks, read from data: sections, fields, options, each answer's consent category (domain §2).

A definition is one file per version under `definitions/`; a municipality adds fields and options of its own by an
overlay (`catalogue.py`). Pages, checking, prints, exports and the parts of a message all come from what is read here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from connectors.base.errors import ConnectorError
from connectors.base.labels import codes
from consent.vocabulary.codes import CATEGORIES, Language

OTHER: Final = "other"
"""The option that asks for words of its own."""
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_VERSION: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_FURTHEST: Final = 10**12
_MOST: Final = 400
"""Fields of one sheet, and options of one field."""


class Kind(StrEnum):
    """What an answer is. A table is rows of cells; each cell is of one of the other kinds."""

    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    CHOICES = "choices"
    DATE = "date"
    MONTH = "month"
    NUMBER = "number"
    YES_NO = "yes_no"
    TABLE = "table"


IN_A_TABLE: Final = frozenset({Kind.LINE, Kind.CHOICE, Kind.DATE, Kind.NUMBER})


class DefinitionError(ConnectorError):
    """Data that is no definition; `where` names the place, never what stands there."""

    def __init__(self, where: str) -> None:
        """Take the place."""
        super().__init__("sheet-definition-bad", where=where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A label in both languages."""

    ja: str
    en: str

    def said(self, language: Language) -> str:
        """Give it in one of them."""
        return self.ja if language == "ja" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer to choose. `category`: what choosing it tells of. `alone`: it goes with no other (none of them)."""

    code: str
    words: Words
    category: str
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    code: str
    kind: Kind
    words: Words
    options: tuple[Option, ...] = ()
    mandatory: bool = False
    least: int = 0
    most: int = _FURTHEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question. `mandatory` is the paper's ※; `national`: it is reported; `uncertain`: the wording may differ.

    `when`: it is mandatory where another field's answer is one of some codes. `after`: it is filled in once the sheet
    is settled (a meeting's date, a decision). `own`: the municipality added it.
    """

    code: str
    kind: Kind
    category: str
    words: Words
    options: tuple[Option, ...] = ()
    columns: tuple[Column, ...] = ()
    mandatory: bool = False
    national: bool = False
    uncertain: bool = False
    other: bool = False
    after: bool = False
    ours: bool = False
    own: bool = False
    when: tuple[str, frozenset[str]] | None = None
    least: int = 0
    most: int = _FURTHEST

    @property
    def categories(self) -> frozenset[str]:
        """Every category that an answer may tell of."""
        return frozenset({self.category, *(one.category for one in self.options)})

    def option(self, code: str) -> Option | None:
        """Give one of its options."""
        return next((one for one in self.options if one.code == code), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Fields under one heading. `tone`: `problems` or `strengths`, which every page shows beside one another."""

    code: str
    words: Words
    fields: tuple[Field, ...]
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One version of a sheet. `number`: what people call it (【5】). `steps`: of the thirteen, where it is used.

    `numbered`: it belongs to plan n. `signed`: the person signs it. `adopted`: it holds once it was adopted. `many`: a
    case has many side by side. `kept_here`: it is never shared. `asks`: partners are asked for what it lacks. `order`:
    fields of two days, the first not after the second.
    """

    code: str
    version: str
    number: str
    steps: tuple[str, ...]
    words: Words
    sections: tuple[Section, ...]
    numbered: bool = False
    signed: bool = False
    adopted: bool = False
    many: bool = False
    kept_here: bool = False
    asks: bool = False
    order: tuple[str, str] | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """How a sheet names the definition it was filled in by."""
        return f"{self.code}-{self.version}"

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every field in the order of the paper."""
        return tuple(one for section in self.sections for one in section.fields)

    @property
    def asked(self) -> tuple[Field, ...]:
        """The fields of the form itself, without those that are filled in afterwards."""
        return tuple(one for one in self.fields if not one.after)

    def field(self, code: str) -> Field | None:
        """Give one field."""
        return next((one for one in self.fields if one.code == code), None)


def read_definition(data: Any) -> Definition:
    """Read a definition.

    *Raises* `DefinitionError`.
    """
    try:
        made = _definition(data)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DefinitionError("/") from None
    named = [one.code for one in made.fields]
    if len(set(named)) < len(named) or len(named) > _MOST:
        raise DefinitionError("/sections")
    days = {one.code for one in made.fields if one.kind is Kind.DATE}
    if made.order is not None and not set(made.order) <= days:
        raise DefinitionError("/order")
    if any(one.when is not None and one.when[0] not in named for one in made.fields):
        raise DefinitionError("/sections")
    return made


def read_field(data: Any, *, own: bool = False) -> Field:
    """Read one field.

    *Raises* `DefinitionError`.
    """
    try:
        made = replace(_field(data), own=own)
        _check_shape(made)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DefinitionError("/fields") from None
    return made


def read_option(data: Any, category: str) -> Option:
    """Read one option of a field of some category.

    *Raises* `DefinitionError`.
    """
    try:
        return _option(data, category)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DefinitionError("/options") from None


def checked_code(said: Any, where: str) -> str:
    """Read a code: small letters, digits, `_`.

    *Raises* `DefinitionError`.
    """
    if not isinstance(said, str) or not _CODE.fullmatch(said):
        raise DefinitionError(where)
    return said


def checked_version(said: Any, where: str) -> str:
    """Read a version or an overlay's name.

    *Raises* `DefinitionError`.
    """
    if not isinstance(said, str) or not _VERSION.fullmatch(said):
        raise DefinitionError(where)
    return said


def _definition(data: Mapping[str, Any]) -> Definition:
    order = data.get("order")
    return Definition(
        code=checked_code(data["code"], "/code"),
        version=checked_version(data["version"], "/version"),
        number=_said(data["number"]),
        steps=tuple(_said(one) for one in data["steps"]),
        words=_words(data),
        sections=tuple(_section(one) for one in data["sections"]),
        order=(order["from"], order["until"]) if order else None,
        document=dict(data),
        **{name: data.get(name) is True for name in ("numbered", "signed", "adopted", "many", "kept_here", "asks")},
    )


def _section(data: Mapping[str, Any]) -> Section:
    return Section(
        code=checked_code(data["code"], "/sections"),
        words=_words(data),
        fields=tuple(_field(one) for one in data["fields"]),
        tone=data.get("tone", ""),
    )


def _field(data: Mapping[str, Any]) -> Field:
    code, kind, category = checked_code(data["code"], "/fields"), Kind(data["kind"]), _category(data["category"])
    when = data.get("when")
    options = _options(data, category)
    made = Field(
        code=code,
        kind=kind,
        category=category,
        words=_words(data),
        options=options,
        columns=tuple(_column(one) for one in data.get("columns", ())),
        when=(str(when["field"]), frozenset(when["is"])) if when else None,
        least=int(data.get("least", 0)),
        most=int(data.get("most", _FURTHEST)),
        **{name: data.get(name) is True for name in ("mandatory", "national", "uncertain", "other", "after", "ours")},
    )
    _check_shape(made)
    return made


def _check_shape(made: Field) -> None:
    chooses = made.kind in {Kind.CHOICE, Kind.CHOICES}
    if chooses != bool(made.options) or (made.kind is Kind.TABLE) != bool(made.columns):
        raise DefinitionError(f"/fields/{made.code}")
    if made.other and made.option(OTHER) is None:
        raise DefinitionError(f"/fields/{made.code}/other")
    if made.own and made.after:
        raise DefinitionError(f"/fields/{made.code}/after")


def _column(data: Mapping[str, Any]) -> Column:
    kind = Kind(data["kind"])
    options = _options(data, "")
    if kind not in IN_A_TABLE or (kind is Kind.CHOICE) != bool(options):
        raise DefinitionError("/columns")
    return Column(
        code=checked_code(data["code"], "/columns"),
        kind=kind,
        words=_words(data),
        options=options,
        mandatory=data.get("mandatory") is True,
        least=int(data.get("least", 0)),
        most=int(data.get("most", _FURTHEST)),
    )


def _options(data: Mapping[str, Any], category: str) -> tuple[Option, ...]:
    """Give the options: those of a list of the vocabulary, then those that stand in the data."""
    listed: Sequence[Option] = ()
    if "list" in data:
        rows = codes(data["list"]).items()
        listed = [Option(code=code, words=Words(ja=row["ja"], en=row["en"]), category=category) for code, row in rows]
    made = (*listed, *(_option(one, category) for one in data.get("options", ())))
    if len({one.code for one in made}) < len(made) or len(made) > _MOST:
        raise DefinitionError("/options")
    return made


def _option(data: Mapping[str, Any], category: str) -> Option:
    told = data.get("category")
    return Option(
        code=checked_code(data["code"], "/options"),
        words=_words(data),
        category=_category(told) if told is not None and category else category,
        alone=data.get("alone") is True,
    )


def _category(said: Any) -> str:
    if said not in CATEGORIES:
        raise DefinitionError("/category")
    return str(said)


def _words(data: Mapping[str, Any]) -> Words:
    return Words(ja=_said(data["ja"]), en=_said(data["en"]))


def _said(said: Any) -> str:
    if not isinstance(said, str) or not said.strip() or len(said) > _MOST:
        raise DefinitionError("/words")
    return said
