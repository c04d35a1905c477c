# SPDX-License-Identifier: Apache-2.0
"""Every text of the console, from `words/*.json`: `t("signin.title")` is `title` in `words/signin.json`.

A catalogue maps a key to `{"ja": …, "en": …}`; `{name}` is a place to fill.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

from consent.vocabulary.codes import CODE_LISTS, Language

_JAPAN: Final = timezone(timedelta(hours=9))
"""Japan has one zone and no summer time."""


@cache
def catalogue(group: str) -> Mapping[str, Mapping[str, str]]:
    """Give the texts of a group of pages.

    *Raises* FileNotFoundError: there is no such group, which is a mistake of the program.
    """
    path = files("hub.console").joinpath("words", f"{group}.json")
    texts: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def is_text(key: str) -> bool:
    """Say whether there is such a text."""
    group, _, name = key.partition(".")
    return name in catalogue(group)


def text(language: str, key: str, /, **places: Any) -> str:
    """Give a text with its places filled in.

    *Raises* KeyError: there is no such text, which is a mistake of the program.
    """
    group, _, name = key.partition(".")
    said = catalogue(group)[name][language]
    for place, value in places.items():
        said = said.replace("{" + place + "}", str(value))
    return said


def label(language: str, code_list: str, code: str) -> str:
    """Give what a person reads for a code of the vocabulary; a code that is not known stands for itself."""
    row = CODE_LISTS[code_list].get(code)
    return row[cast("Language", language)] if row else code


def say_moment(at: datetime) -> str:
    """Write a moment as a day and a time of day in Japan, the same in both languages; frames say once which zone."""
    return at.astimezone(_JAPAN).strftime("%Y-%m-%d %H:%M")
