# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a scope template, place by place: so that whoever wrote it finds every one at once.

The consent library judges again when it is kept (`consent.forms.read_template`) and stops at the first; here a file
that it would take has no fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from consent.vocabulary.codes import SENSITIVE, is_known

LONGEST_NAME: Final = 100
_TEXTS: Final = ("id", "version", "ja", "en")
_MATRICES: Final = {
    "purposes": ("purposes", "recipients"),
    "usual": ("recipients", "categories"),
    "ticked": ("recipients", "categories"),
}
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of a template and why it cannot stand: `key` names the sentence, `where` is a JSON pointer."""

    where: str
    key: str


def faults(data: Mapping[str, Any]) -> list[Place]:
    """Give everything that is wrong with a template; nothing of its texts is repeated but codes' own places."""
    return [*_of_texts(data), *_of_members(data), *(one for name in _MATRICES for one in _of_matrix(data, name))]


def _of_texts(data: Mapping[str, Any]) -> Iterator[Place]:
    for name in _TEXTS:
        said = data.get(name)
        is_text = isinstance(said, str) and 0 < len(said.strip()) <= LONGEST_NAME and said.isprintable()
        if not is_text:
            yield Place(where=f"/{name}", key="office.wrong-text")
        elif name in {"id", "version"} and not _ID.fullmatch(str(said)):
            yield Place(where=f"/{name}", key="office.wrong-id")


def _of_members(data: Mapping[str, Any]) -> Iterator[Place]:
    for number, name in enumerate(data, start=1):
        if name not in {*_TEXTS, *_MATRICES}:
            yield Place(where=f"/#{number}", key="office.wrong-member")


def _of_matrix(data: Mapping[str, Any], name: str) -> Iterator[Place]:
    rows = data.get(name)
    keys, values = _MATRICES[name]
    if not isinstance(rows, dict) or (name == "purposes" and not rows):
        yield Place(where=f"/{name}", key="office.wrong-matrix")
        return
    for row, (code, said) in enumerate(rows.items(), start=1):
        where = f"/{name}/{code}" if is_known(keys, code) else f"/{name}/#{row}"
        if not is_known(keys, code):
            yield Place(where=where, key=f"office.wrong-{keys}")
        if not isinstance(said, list):
            yield Place(where=where, key="office.wrong-row")
            continue
        for column, one in enumerate(said):
            if not isinstance(one, str) or not is_known(values, one):
                yield Place(where=f"{where}/{column}", key=f"office.wrong-{values}")
            elif name == "usual" and one in SENSITIVE:
                yield Place(where=f"{where}/{column}", key="office.wrong-sensitive")
