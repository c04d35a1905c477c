# SPDX-License-Identifier: Apache-2.0
"""The command line's texts in Japanese and English: sentences, headings, help, and the labels of every code.

The labels of codes are `connectors.base.labels`; they are given on from here, since commands say both in one breath.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from connectors.base.labels import code_of, codes, label
from consent.vocabulary.codes import Language

__all__ = ["code_of", "codes", "help_of", "is_text", "label", "language_of_the_shell", "text"]

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
