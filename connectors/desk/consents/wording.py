# SPDX-License-Identifier: Apache-2.0
"""What the person reads, in the person's language: やさしい日本語 with furigana and five more (ux D12, §3 Languages).

`person.json` holds the texts. Codes have words of their own there, where the vocabulary's are not meant for the person.
`[漢字|かんじ]` is furigana, in the first language alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from markupsafe import Markup

from connectors.base.labels import label
from connectors.base.wareki import say_day
from connectors.desk.web.texts import ruby
from consent.calendar import day_of
from consent.vocabulary.codes import Language

EASY: Final = "ja-easy"
_VOCABULARY: Final[Mapping[str, Language]] = {"ja": "ja", "en": "en"}


@cache
def _catalogue() -> Any:
    return json.loads(files("connectors.desk.consents").joinpath("person.json").read_text(encoding="utf-8"))


def languages() -> tuple[str, ...]:
    """Give the languages of a person's pages, the easy one first."""
    return tuple(_catalogue()["languages"])


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of one language."""

    code: str

    @property
    def html(self) -> str:
        """Give the language as HTML names it."""
        return "ja" if self.code == EASY else self.code

    @property
    def join(self) -> str:
        """Give what stands between the items of a list."""
        return str(_catalogue()["joins"][self.code])

    def say(self, key: str, **places: object) -> Markup:
        """Give a text; what fills its places is shown as it is, never read as furigana."""
        said: str = _catalogue()["texts"][key][self.code]
        marked = ruby(said)
        for place, value in places.items():
            marked = marked.replace("{" + place + "}", Markup.escape(value))
        return marked

    def code_of(self, code_list: str, code: str) -> Markup:
        """Give what a code means, for the person."""
        if self.code in _VOCABULARY:
            return Markup.escape(label(code_list, code, _VOCABULARY[self.code]))
        row = _catalogue()[code_list].get(code)
        return ruby(row[self.code]) if row else Markup.escape(label(code_list, code, "en"))

    def day(self, at: date | datetime) -> str:
        """Say a day; of a moment, its day in Japan."""
        day = day_of(at) if isinstance(at, datetime) else at
        form: str | None = _catalogue()["days"].get(self.code)
        if form is not None:
            return form.format(y=day.year, m=day.month, d=day.day)
        return say_day(day, "en" if self.code == "en" else "ja", "birth")

    def agency(self, names: Mapping[str, str]) -> str:
        """Give an agency's name: the Japanese one, as it stands at its door, and beside it the English one."""
        if self.html == "ja":
            return names["ja"]
        return names["en"] if self.code == "en" else f"{names['ja']} ({names['en']})"


def wording(wish: str | None, language: Language) -> Wording:
    """Give the wording that was asked for; else the easy one, or English where the desk speaks English."""
    if wish in languages():
        return Wording(str(wish))
    return Wording(EASY if language == "ja" else "en")
