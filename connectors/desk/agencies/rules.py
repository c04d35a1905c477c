# SPDX-License-Identifier: Apache-2.0
"""Which agencies fit what somebody looks for, and which of them nobody has verified for long. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectors.sdk.answers import Agency
from consent.vocabulary.codes import TYPICAL_RECIPIENTS

STALE_AFTER: Final = timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; what is left out does not matter. `words` is already folded."""

    purpose: str | None = None
    kind: str | None = None
    words: str = ""


def is_stale(agency: Agency, now: datetime) -> bool:
    """Say whether nobody has verified the entry for 180 days, or ever."""
    return agency.last_verified is None or now - agency.last_verified >= STALE_AFTER


def serves(agency: Agency, purpose: str) -> bool:
    """Say whether an agency takes referrals for a purpose: it says so, or says nothing and its kind usually does."""
    if agency.purposes:
        return purpose in agency.purposes
    typical = TYPICAL_RECIPIENTS.get(purpose, frozenset())
    return agency.kind in typical or "*" in typical


def fitting(agencies: Iterable[Agency], wanted: Wanted, folded: dict[str, str]) -> list[Agency]:
    """Give the agencies that fit, those with room first, then by their usual answer time and name.

    `folded`: each agency's names and area, folded for finding, by id.
    """
    found = [
        one
        for one in agencies
        if (wanted.kind is None or one.kind == wanted.kind)
        and (wanted.purpose is None or serves(one, wanted.purpose))
        and wanted.words in folded[one.id]
    ]
    return sorted(found, key=_rank)


def nearest(agencies: Iterable[Agency], wanted: Wanted) -> list[Agency]:
    """Give who could help find a way where nobody fits: those that coordinate, or of the wanted kind."""
    return sorted((one for one in agencies if one.coordinates or one.kind == wanted.kind), key=_rank)


def _rank(agency: Agency) -> tuple[bool, int, str]:
    return agency.capacity == "full", agency.answer_days if agency.answer_days is not None else 99, agency.name["ja"]
