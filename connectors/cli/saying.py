# SPDX-License-Identifier: Apache-2.0
"""How an answer is printed: one JSON document, or lines for people; tables aligned on a screen, with tabs in a pipe."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final

import click

from consent.calendar import JST
from consent.wire import write_moment

_WIDE: Final = frozenset("WF")
_SHOWN_CONTROLS: Final = frozenset("\n\t")
_DIRECTIONS: Final = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command answers: `document` for machines (None: they have it already), `lines` for people, exit code."""

    document: Any
    lines: Sequence[str] = field(default=())
    code: int = 0


def plain(value: Any) -> Any:
    """Make a value of JSON's kinds: dataclasses by member, moments in UTC, sets sorted."""
    match value:
        case Enum():
            made: Any = value.value
        case datetime():
            made = write_moment(value)
        case date():
            made = value.isoformat()
        case Path():
            made = str(value)
        case Mapping():
            made = {str(name): plain(each) for name, each in value.items()}
        case frozenset() | set():
            made = sorted(plain(each) for each in value)
        case list() | tuple():
            made = [plain(each) for each in value]
        case _ if is_dataclass(value):
            made = {one.name: plain(getattr(value, one.name)) for one in fields(value)}
        case _:
            made = value
    return made


def emit(said: Said, *, as_json: bool) -> None:
    """Print an answer on standard output."""
    if as_json:
        if said.document is None:
            return
        click.echo(json.dumps(plain(said.document), ensure_ascii=False, indent=1))
        return
    for line in said.lines:
        click.echo(harmless(line))


def harmless(line: str) -> str:
    """Take out what would steer a terminal or turn its text round: what others wrote is printed here too."""
    return "".join(
        "�" if (unicodedata.category(sign) == "Cc" and sign not in _SHOWN_CONTROLS) or sign in _DIRECTIONS else sign
        for sign in line
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lay rows under a heading: aligned for a screen, tab-separated for a pipe."""
    cells = [[" ".join(cell.split()) for cell in row] for row in (head, *rows)]
    if not sys.stdout.isatty():
        return ["\t".join(row) for row in cells]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(head))]
    return ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def moment(at: datetime | None) -> str:
    """Write a moment as people in Japan read it, to the minute."""
    return "" if at is None else at.astimezone(JST).strftime("%Y-%m-%d %H:%M")


def _width(cell: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in _WIDE else 1 for sign in cell)


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))
