# SPDX-License-Identifier: Apache-2.0
"""Split a sheet's answers into parts by consent category, so that each is decided, sealed and opened for itself.

A ticked option goes where its own category says: 「DV・虐待」 is never in the part that tells of debts. A part is JSON
in the shape of a referral form's (`answers` of `{field, ja, en, value}`), so that every desk shows it with its labels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as member
from typing import Any

from connectors.sheets.answers import OTHER_WORDS, UNASKED, is_empty
from connectors.sheets.definitions import OTHER, Definition, Field, Kind, Words
from connectors.sheets.saying import said
from consent.vocabulary.codes import CODE_LISTS, Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One field's answer as far as it belongs to one category: `body` holds the answer and what belongs to it."""

    field: Field
    body: Mapping[str, Any] = member(repr=False)

    def said(self, language: Language) -> str:
        """Say it in words."""
        return said(self.field, self.body, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which sheet a part is of: its id, and of which plan, so that a recipient can put the parts together again."""

    id: str
    n: int | None = None


def split(definition: Definition, answers: Mapping[str, Any]) -> dict[str, tuple[Item, ...]]:
    """Give the answers by category, in the vocabulary's order, each field in the order of the paper."""
    found: dict[str, list[Item]] = {}
    for one in definition.fields:
        for category, body in _by_category(one, answers).items():
            found.setdefault(category, []).append(Item(field=one, body=body))
    return {code: tuple(found[code]) for code in CODE_LISTS["categories"] if code in found}


def told_of(one: Field, answers: Mapping[str, Any]) -> list[str]:
    """Name the categories that the answer to a field tells of, in the vocabulary's order, else its own."""
    told = _by_category(one, answers)
    return [code for code in CODE_LISTS["categories"] if code in told] or [one.category]


def part_of(definition: Definition, items: tuple[Item, ...], origin: Origin) -> bytes:
    """Write one part: UTF-8 JSON that says which sheet it is of, and its answers with their labels."""
    body = {
        "form": f"sheet-{definition.code}",
        "version": definition.version,
        "sheet": {
            "code": definition.code,
            "number": definition.number,
            "ja": definition.words.ja,
            "en": definition.words.en,
            "id": origin.id,
            **({} if origin.n is None else {"n": origin.n}),
        },
        "answers": [
            {
                "field": item.field.code,
                "ja": item.field.words.ja,
                "en": item.field.words.en,
                "value": item.said("ja"),
                "value_en": item.said("en"),
                "answer": dict(item.body),
            }
            for item in items
        ],
    }
    return json.dumps(body, ensure_ascii=False).encode("utf-8")


def question_of(definition: Definition, asked: tuple[Field, ...], origin: Origin, words: Words) -> bytes:
    """Write one part that asks for answers of a sheet: its questions with their labels; `words` is what is asked."""
    body = {
        "form": f"sheet-{definition.code}-asked",
        "version": definition.version,
        "sheet": {
            "code": definition.code,
            "number": definition.number,
            "ja": definition.words.ja,
            "en": definition.words.en,
            "id": origin.id,
        },
        "answers": [
            {
                "field": one.code,
                "ja": one.words.ja,
                "en": one.words.en,
                "value": words.ja,
                "value_en": words.en,
            }
            for one in asked
        ],
    }
    return json.dumps(body, ensure_ascii=False).encode("utf-8")


def _by_category(one: Field, answers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    unasked, words = answers.get(one.code + UNASKED), answers.get(one.code + OTHER_WORDS)
    answer: Any = answers.get(one.code)
    made: dict[str, dict[str, Any]] = {}
    if not is_empty(unasked):
        made.setdefault(one.category, {})[one.code + UNASKED] = unasked
    if not is_empty(answer):
        if one.kind is Kind.CHOICES:
            for code in answer:
                made.setdefault(_category(one, code), {}).setdefault(one.code, []).append(code)
        else:
            category = _category(one, answer) if one.kind is Kind.CHOICE else one.category
            made.setdefault(category, {})[one.code] = answer
    if not is_empty(words):
        made.setdefault(_category(one, OTHER), {})[one.code + OTHER_WORDS] = words
    return made


def _category(one: Field, code: str) -> str:
    option = one.option(code)
    return option.category if option else one.category
