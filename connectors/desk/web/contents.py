# SPDX-License-Identifier: Apache-2.0
"""How one part of a message is read on a page: a form's answers line by line, a text as it is, a file by its kind.

The same for whoever is about to send it and whoever has received it. Nothing of what was written is changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from consent.vocabulary.codes import Language

FORM_MEDIA: Final = "application/json"
TEXT_MEDIA: Final = "text/plain"


class Part(Protocol):
    """A part in the clear, wherever it was opened."""

    @property
    def category(self) -> str:
        """The category it is sealed as."""
        ...

    @property
    def media(self) -> str:
        """Its media type."""
        ...

    @property
    def body(self) -> bytes:
        """What it says."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A part as a page shows it: `answers` of a form as (question, answer), `text`, or a file's `media` and `size`."""

    media: str
    size: int
    answers: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    title: str = ""
    """What the sheet is called that the answers are a part of."""

    @property
    def is_file(self) -> bool:
        """Whether it is neither a form's answers nor a text."""
        return not self.answers and self.text is None


def content_of(media: str, body: bytes, language: Language) -> Content:
    """Read a part; what says it is a form and is none is shown as the text that it is."""
    if media == FORM_MEDIA:
        answers = _answers(body, language)
        if answers:
            return Content(media=media, size=len(body), answers=answers, title=sheet_title(body, language))
    if media.startswith("text/") or media == FORM_MEDIA:
        return Content(media=media, size=len(body), text=body.decode("utf-8", errors="replace"))
    return Content(media=media, size=len(body))


def by_category(parts: Iterable[Part], language: Language) -> list[tuple[str, list[Content]]]:
    """Give the contents of a message's parts by category, in the order in which the categories come."""
    made: dict[str, list[Content]] = {}
    for part in parts:
        made.setdefault(part.category, []).append(content_of(part.media, part.body, language))
    return list(made.items())


def is_of_a_sheet(part: Part) -> bool:
    """Say whether a part is one of a national sheet (`sheets.parts.part_of`), not of a referral form."""
    return part.media == FORM_MEDIA and bool(sheet_title(part.body, "ja"))


def sheet_title(body: bytes, language: Language) -> str:
    """Give what a sheet is called of which a form's answers are a part; nothing where it is another form."""
    try:
        known = json.loads(body)["sheet"]
        return f"{known['number']} {known[language]}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def lines_of(body: bytes, language: Language) -> str:
    """Write a form's answers as lines, for whoever goes on writing from there."""
    return "\n".join(f"{question}：{answer}" for question, answer in _answers(body, language))


def _answers(body: bytes, language: Language) -> tuple[tuple[str, str], ...]:
    try:
        given = json.loads(body)["answers"]
        return tuple((str(one[language]), _plain(said_in(one, language))) for one in given)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def said_in(one: Mapping[str, Any], language: Language) -> Any:
    """Give an answer in a language, where it was written in both; else as it was written."""
    return one["value_en"] if language == "en" and one.get("value_en") else one["value"]


def _plain(value: object) -> str:
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)
