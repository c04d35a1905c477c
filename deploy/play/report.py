# SPDX-License-Identifier: Apache-2.0
"""What happened at each event, beside what the story expected: lines for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ACCEPTED: Final = "ACCEPT"
REFUSED: Final = "REFUSE"

Told = dict[str, str] | str | None
"""Decisions by category, one word such as RECORDED, or nothing expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One event: what was expected and what was got, and whether the hub took it.

    `remarks` are differences that are not in `got`: a preview that does not agree with the hub. `remedies` are the
    hub's codes by category, for what it refused.
    """

    n: int
    type: str
    expect: Told
    got: Told
    outcome: str
    expected_outcome: str | None = None
    remarks: tuple[str, ...] = ()
    remedies: Mapping[str, str] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether it went as the story expects; where nothing is expected, nothing can differ."""
        if self.remarks or (self.expected_outcome and self.expected_outcome != self.outcome):
            return False
        return self.expect is None or self.expect == self.got


def line(played: Played) -> str:
    """Write one event on one line: number, type, expected, got."""
    mark = "ok  " if played.agrees else "DIFF"
    remarks = "".join(f"  ({remark})" for remark in played.remarks)
    return (
        f"{mark} {played.n:>3}  {played.type:<18} expected {_short(played.expect, played.expected_outcome)}"
        f"  got {_short(played.got, played.outcome)}{remarks}"
    )


def document(events: list[Played]) -> str:
    """Write all events as the JSON list that machines read: `{n, type, expect, got, outcome}`."""
    rows = [
        {"n": played.n, "type": played.type, "expect": played.expect, "got": played.got, "outcome": played.outcome}
        for played in events
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def _short(told: Told, outcome: str | None) -> str:
    if told is None:
        return "-"
    if isinstance(told, str):
        return told
    words = " ".join(f"{category}={word}" for category, word in told.items())
    return f"{outcome or ''}[{words}]"
