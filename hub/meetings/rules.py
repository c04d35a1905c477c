# SPDX-License-Identifier: Apache-2.0
"""What a meeting may be, pure: its two kinds, how long it may sit, who belongs to it."""

import re
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Final

from consent.calendar import add_months

LONGEST_MONTHS: Final = 12
"""Membership ends after a year at the latest; then it is convened anew (consent.md, row `shien_kaigi`)."""

_TOKEN: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


class MeetingKind(StrEnum):
    """The two that are never confused: one rests on the person's consent, the other on the law's secrecy."""

    COORDINATION = "shien_chosei_kaigi"
    CONFERENCE = "shien_kaigi"


class ItemList(StrEnum):
    """The two lists of a meeting."""

    AGENDA = "agenda"
    DECISION = "decision"


def is_period(until: datetime, now: datetime) -> bool:
    """Tell whether a meeting may sit from now until then: it ends in the future and within a year."""
    return now < until <= add_months(now, LONGEST_MONTHS)


def is_membership(members: Collection[str], convenor: str) -> bool:
    """Tell whether these make a meeting with its convenor: somebody else, nobody twice."""
    return bool(members) and convenor not in members and len(set(members)) == len(members)


def is_code(text: str) -> bool:
    """Tell whether text is a code word and not a sentence: minutes stay with the agencies."""
    return _TOKEN.fullmatch(text) is not None


def actions(*, is_open: bool, has_accepted: bool, is_convenor: bool) -> tuple[str, ...]:
    """List what an agency that was invited may do with a meeting now (api: manners)."""
    if not is_open:
        return ()
    if not has_accepted:
        return ("accept",)
    return ("agenda", "decisions", "end") if is_convenor else ("agenda", "decisions")
