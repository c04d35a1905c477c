# SPDX-License-Identifier: Apache-2.0
"""The command line's texts in Japanese and English: sentences, headings, help, and the labels of every code.

Codes of the vocabulary have their labels there; those that only the API has are in `codes.json`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from consent.vocabulary.codes import CODE_LISTS, Language, find_code

LANGUAGE: Final = "connectors.cli.language"
"""Where a click context keeps the language that was asked for."""
_VARIABLES: Final = ("TSUNAGI_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@cache
def _data(name: str) -> Any:
    return json.loads(files("connectors.cli").joinpath(f"{name}.json").read_text(encoding="utf-8"))


def is_text(key: str) -> bool:
    """Say whether the catalogue has this sentence."""
    return key in _data("messages")


def text(key: str, language: Language, **places: object) -> str:
    """Give a sentence of the catalogue with its `{places}` filled in.

    *Raises* KeyError: there is no such sentence, which is a mistake of the program.
    """
    said: str = _data("messages")[key][language]
    for name, value in places.items():
        said = said.replace("{" + name + "}", str(value))
    return said


def help_of(path: str, name: str, language: Language) -> str:
    """Give the help of a command (`name` empty) or of one of its parameters, which most commands share."""
    known: Mapping[str, Mapping[str, str]] = _data("help")
    found = known.get(f"{path} {name}".strip()) or known.get(name)
    return found[language] if found else ""


def language_of_the_shell() -> Language:
    """Tell the person's language by the usual variables of the shell."""
    chosen = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), "")
    return "ja" if chosen.startswith("ja") else "en"


def codes(code_list: str) -> Mapping[str, Mapping[str, str]]:
    """Give a list of codes, of the vocabulary or of the API, each with its labels."""
    if code_list in CODE_LISTS:
        return CODE_LISTS[code_list]
    return {row["code"]: row for row in _data("codes")[code_list]}


def label(code_list: str, code: str | None, language: Language) -> str:
    """Give what a person reads for a code; a code that is not known here stands for itself."""
    if code is None:
        return ""
    row = codes(code_list).get(code)
    return row[language] if row else code


def code_of(code_list: str, said: str) -> str | None:
    """Find the code that was typed, by itself or by its label."""
    if said in codes(code_list):
        return said
    by_label = next((code for code, row in codes(code_list).items() if said in {row["ja"], row["en"]}), None)
    return by_label or (find_code(code_list, said) if code_list in CODE_LISTS else None)
