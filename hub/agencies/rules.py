# SPDX-License-Identifier: Apache-2.0
"""When two names look alike, when two people have agreed, and where an agency stands: pure, no key is
checked here.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

APPROVAL_LASTS: Final = timedelta(days=7)
"""How long one person's word waits for the other's; an old one may rest on facts that changed since."""
COORDINATING_KIND: Final = "jiritsu"
"""Only a self-reliance counselling agency owns the root of a chain of referrals (referral-loop.md)."""


class AgencyState(StrEnum):
    """Where an agency stands. Only an active one may do anything at the hub."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Deed(StrEnum):
    """What an operator and a data protection officer must both order (security §2: `2p`)."""

    ACTIVATE = "activate"
    ALLOW_CONVENING = "allow_convening"
    FORBID_CONVENING = "forbid_convening"
    REVOKE_KEY = "revoke_key"
    RESUME = "resume"


OPERATOR: Final = "operator"
OFFICER: Final = "officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's word for a deed."""

    staff: str
    role: str
    at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Say whether the word still counts."""
        return now - self.at <= APPROVAL_LASTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """A person of the hub who has just signed in, and in which role."""

    staff: str
    role: str

    def word(self, now: datetime) -> Approval:
        """Give this person's word."""
        return Approval(staff=self.staff, role=self.role, at=now)


def both_agreed(approvals: Iterable[Approval], now: datetime) -> bool:
    """Say whether an operator and an officer, two different people, have given their word lately (protocol
    §3).
    """
    fresh = [word for word in approvals if word.is_fresh(now)]
    operators = {word.staff for word in fresh if word.role == OPERATOR}
    officers = {word.staff for word in fresh if word.role == OFFICER}
    return any(operator != officer for operator in operators for officer in officers)


def is_fingerprint(thumbprint: str, written: str) -> bool:
    """Say whether what a person typed is this RFC 7638 thumbprint: in hexadecimal, in whatever grouping."""
    plain = unicodedata.normalize("NFKC", written).casefold()
    digits = "".join(letter for letter in plain if letter not in ":-" and not letter.isspace())
    return digits == base64.urlsafe_b64decode(thumbprint + "=").hex()


def look_alike(name: str) -> str:
    """Give a search key that is equal for names which a reader takes for the same (security §4, JPN-12).

    NFKC and case folding take away widths and capitals, then each character becomes the first of those it
    can be mistaken for (Unicode UTS 39); spaces and invisible characters go. Only ever a search key: a name
    is stored as it was written, because NFC alone already turns 神 U+FA19 into another character.
    """
    return _folded("".join(_stand_in(letter) for letter in _folded(name)))


def _folded(text: str) -> str:
    """Fold until nothing changes: taking a space away may bring a letter and an accent together."""
    before = None
    while text != before:
        before, text = text, _seen(unicodedata.normalize("NFKC", _seen(text)).casefold())
    return text


def _seen(text: str) -> str:
    return "".join(letter for letter in text if unicodedata.category(letter) not in {"Zs", "Cf", "Cc"})


@cache
def _stand_in(letter: str) -> str:
    """Choose one text for everything that looks like *letter*: the longest (`rn` for `m`), then the first."""
    # late: the table is large, and only who registers an agency looks at it
    from confusable_homoglyphs.confusables import confusables_data

    alike, waiting = {letter}, [letter]
    while waiting:
        for glyph in confusables_data.get(waiting.pop(), ()):
            if glyph["c"] not in alike:
                alike.add(glyph["c"])
                waiting.append(glyph["c"])
    return min(alike, key=lambda text: (-len(text), text))


def may_be_shown(name: str) -> bool:
    """Say whether a name shows all that it holds: no control or invisible characters, and something to
    read.
    """
    return bool(name.strip()) and not any(unicodedata.category(letter) in _UNSHOWN for letter in name)


_UNSHOWN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
