# SPDX-License-Identifier: Apache-2.0
"""An answer in words, as a page, a print, an export and a recipient read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from connectors.base.wareki import DayError, read_day, say_day
from connectors.sheets.answers import OTHER_WORDS, UNASKED, is_empty
from connectors.sheets.definitions import OTHER, Column, Field, Kind, Option
from consent.vocabulary.codes import Language

_BETWEEN: Final[Mapping[str, str]] = {"ja": "、", "en": ", "}
_CELLS: Final = " / "


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    said: dict[str, dict[str, str]] = json.loads(
        files("connectors.sheets").joinpath("texts.json").read_text(encoding="utf-8")
    )
    return said


def said(one: Field, body: Mapping[str, Any], language: Language) -> str:
    """Say the answer to a field; nothing where there is none. A draft's answer is said as it was written."""
    why = body.get(one.code + UNASKED)
    if isinstance(why, str) and why:
        return _texts()[why][language] if why in _texts() else why
    answer = body.get(one.code)
    if is_empty(answer):
        return ""
    other = body.get(one.code + OTHER_WORDS)
    match one.kind:
        case Kind.CHOICES:
            return _BETWEEN[language].join(_chosen(one.options, code, other, language) for code in _listed(answer))
        case Kind.CHOICE:
            return _chosen(one.options, answer, other, language)
        case Kind.TABLE:
            return "\n".join(_row(one, row, language) for row in rows_of(answer))
        case _:
            return _plain(one.kind, answer, (), language)


def cell(column: Column, row: Mapping[str, Any], language: Language) -> str:
    """Say one cell of a table."""
    answer = row.get(column.code)
    return "" if is_empty(answer) else _plain(column.kind, answer, column.options, language)


def rows_of(answer: Any) -> list[Mapping[str, Any]]:
    """Give the rows of a table's answer that have anything in them."""
    return [row for row in _listed(answer) if isinstance(row, Mapping) and not is_empty(row)]


def _row(one: Field, row: Mapping[str, Any], language: Language) -> str:
    return _CELLS.join(filter(None, (cell(column, row, language) for column in one.columns)))


def _plain(kind: Kind, answer: Any, options: tuple[Option, ...], language: Language) -> str:
    if kind is Kind.CHOICE:
        return _chosen(options, answer, None, language)
    if kind is Kind.YES_NO:
        return _texts()[answer][language] if answer in _texts() else str(answer)
    if kind is Kind.NUMBER:
        return f"{answer:,}" if isinstance(answer, int) else str(answer)
    if kind is Kind.DATE:
        return _day(str(answer), language)
    return str(answer)


def _day(written: str, language: Language) -> str:
    try:
        return say_day(
            date.fromisoformat(written) if len(written) == len("2026-04-01") else read_day(written), language
        )
    except (ValueError, DayError):
        return written


def _chosen(options: tuple[Option, ...], code: Any, other: Any, language: Language) -> str:
    found = next((one for one in options if one.code == code), None)
    label = found.words.said(language) if found else str(code)
    if code == OTHER and isinstance(other, str) and other.strip():
        return _texts()["other-words"][language].format(label=label, words=other)
    return label


def _listed(answer: Any) -> list[Any]:
    return list(answer) if isinstance(answer, list | tuple) else [answer]
