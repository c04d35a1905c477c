# SPDX-License-Identifier: Apache-2.0
"""Which kind of resource a purpose points to, and the counts for the next meeting. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from connectors.casebook.resources import OPEN, Entry
from consent.vocabulary.codes import CODE_LISTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What the next meeting is told of one kind: entries not settled, what fed them, next steps that are late."""

    kind: str
    open: int
    declines: int
    lines: int
    late: int


@cache
def _kinds() -> Mapping[str, str]:
    made: dict[str, str] = json.loads(files(__package__).joinpath("kinds.json").read_text(encoding="utf-8"))
    return made


def kind_for(purpose: str) -> str:
    """Give the kind of resource that a referral for a purpose was after; the last of the list where none is known."""
    return _kinds().get(purpose, "other")


def is_late(entry: Entry, today: date) -> bool:
    """Say whether the day of an open entry's next step has passed."""
    return entry.said.state in OPEN and entry.said.next_on is not None and entry.said.next_on < today


def counts(entries: Iterable[Entry], today: date) -> Sequence[Count]:
    """Count what is not settled by kind, in the vocabulary's order; kinds without any are left out."""
    by_kind: dict[str, list[Entry]] = {}
    for one in entries:
        if one.said.state in OPEN:
            by_kind.setdefault(one.said.kind, []).append(one)
    return [
        Count(
            kind=kind,
            open=len(by_kind[kind]),
            declines=sum(one.declines for one in by_kind[kind]),
            lines=sum(one.lines for one in by_kind[kind]),
            late=sum(is_late(one, today) for one in by_kind[kind]),
        )
        for kind in CODE_LISTS["resource_kind"]
        if kind in by_kind
    ]
