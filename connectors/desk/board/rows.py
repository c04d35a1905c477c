# SPDX-License-Identifier: Apache-2.0
"""One row of the board before it is put in its place, and some of them with the count of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`about` names it; `due` is the end of its time, `at` when it is or was sent."""

    about: str
    kind: str
    case: str | None = None
    name: str | None = None
    number: str | None = None
    referral: str | None = None
    n: int | None = None
    partner: str | None = None
    state: str | None = None
    purpose: str | None = None
    urgent: bool = False
    due: datetime | None = None
    at: datetime | None = None
    is_over: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Some:
    """The rows that can be in sight, and how many there are in all."""

    rows: Sequence[Row] = ()
    total: int = 0
    pressing: int = 0
    """How many of all are late or urgent."""


def some(rows: Sequence[Any], make: Callable[[Any], Row]) -> Some:
    """Read the rows of a query that counts all beside those it fetches (`total`, and `pressing` where it has it)."""
    if not rows:
        return Some()
    return Some(rows=[make(row) for row in rows], total=rows[0].total, pressing=getattr(rows[0], "pressing", 0) or 0)
