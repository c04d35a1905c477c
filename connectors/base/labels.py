# SPDX-License-Identifier: Apache-2.0
"""What a person reads for a code: the vocabulary's labels, and those of codes that only the API has (`codes.json`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from consent.vocabulary.codes import CODE_LISTS, Language, find_code


@cache
def _own() -> Any:
    return json.loads(files("connectors.base").joinpath("codes.json").read_text(encoding="utf-8"))


def codes(code_list: str) -> Mapping[str, Mapping[str, str]]:
    """Give a list of codes, of the vocabulary or of the API, each with its labels.

    *Raises* KeyError: there is no such list, which is a mistake of the program.
    """
    if code_list in CODE_LISTS:
        return CODE_LISTS[code_list]
    return {row["code"]: row for row in _own()[code_list]}


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
