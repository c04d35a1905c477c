# SPDX-License-Identifier: Apache-2.0
"""Every text a person reads, from the slices' catalogues: `t("board.title")` is `title` in `desk/board/texts.json`.

A catalogue maps a key to `{"ja": …, "en": …}`. `{name}` is a place to fill; `[漢字|かんじ]` is furigana.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from markupsafe import Markup, escape

from consent.vocabulary.codes import Language

_RUBY: Final = re.compile(r"\[([^\[\]|]+)\|([^\[\]|]+)\]")


@cache
def catalogue(slice_name: str) -> Mapping[str, Mapping[str, str]]:
    """Give the texts of a slice.

    *Raises* FileNotFoundError: the slice has none, which is a mistake of the program.
    """
    path = files("connectors.desk").joinpath(slice_name, "texts.json")
    texts: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def is_text(key: str) -> bool:
    """Say whether there is such a text."""
    slice_name, _, name = key.partition(".")
    return name in catalogue(slice_name)


def text(key: str, language: Language, /, **places: Any) -> str:
    """Give a text with its places filled in; a place may have any name, `key` too.

    *Raises* KeyError: there is no such text, which is a mistake of the program.
    """
    slice_name, _, name = key.partition(".")
    said = catalogue(slice_name)[name][language]
    for place, value in places.items():
        said = said.replace("{" + place + "}", str(value))
    return said


def ruby(said: str, *, furigana: bool = True) -> Markup:
    """Turn `[漢字|かんじ]` of our own texts into ruby, or into the plain sign without furigana; the rest is escaped."""
    out, position = Markup(), 0
    for found in _RUBY.finditer(said):
        out += escape(said[position : found.start()])
        base, reading = found[1], found[2]
        shape = Markup("<ruby>{}<rp>（</rp><rt>{}</rt><rp>）</rp></ruby>")
        out += shape.format(base, reading) if furigana else escape(base)
        position = found.end()
    return out + escape(said[position:])
