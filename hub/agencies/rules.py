# SPDX-License-Identifier: Apache-2.0
"""What a registration says, when two names look alike, and when two people have agreed: pure, no key is checked here."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from confusable_homoglyphs.confusables import confusables_data

from consent.vocabulary.codes import is_known

DOCUMENT_VERSION: Final = 1
APPROVAL_LASTS: Final = timedelta(days=7)
"""How long one person's word waits for the other's; an old one may rest on facts that changed since."""
COORDINATING_KIND: Final = "jiritsu"
"""Only a self-reliance counselling agency owns the root of a chain of referrals (referral-loop.md)."""
LONGEST_NAME: Final = 120
LONGEST_TEXT: Final = 400
MOST_TEXTS: Final = 64
LONGEST_ANSWER: Final = 90


class AgencyState(StrEnum):
    """Where an agency stands. Only an active one may do anything at the hub."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Capacity(StrEnum):
    """Whether an agency can take more people now."""

    OPEN = "open"
    LIMITED = "limited"
    FULL = "full"


class Deed(StrEnum):
    """What an operator and a data protection officer must both order (security §2: `2p`)."""

    ACTIVATE = "activate"
    ALLOW_CONVENING = "allow_convening"
    FORBID_CONVENING = "forbid_convening"
    REVOKE_KEY = "revoke_key"


OPERATOR: Final = "operator"
OFFICER: Final = "officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """A person of the hub who has just signed in, and in which role."""

    staff: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's word for a deed."""

    staff: str
    role: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEntry:
    """One key entry as it travels: compact JWS over the same bytes (protocol §3).

    `by_self` proves possession (absent for an enc key, which cannot sign); `by_previous` is the previous key of the
    chain, for an enc key the current sig key; `by_root` stands in its place for the first.
    """

    by_self: str | None = None
    by_previous: str | None = None
    by_root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The document by which an agency asks to join; its connector writes it (protocol §3)."""

    v: int
    agency: str
    kind: str
    name_ja: str
    name_en: str
    root: Mapping[str, str]
    entries: tuple[SignedEntry, ...]
    services: tuple[str, ...] = ()
    area: tuple[str, ...] = ()
    hours: str = ""
    answer_days: int | None = None
    capacity: str = Capacity.OPEN.value
    categories: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    coordinates: bool = False


def both_agreed(approvals: Iterable[Approval], now: datetime) -> bool:
    """Say whether an operator and an officer, two different people, have both given their word lately (protocol §3)."""
    fresh = [word for word in approvals if now - word.at <= APPROVAL_LASTS]
    operators = {word.staff for word in fresh if word.role == OPERATOR}
    officers = {word.staff for word in fresh if word.role == OFFICER}
    return any(operator != officer for operator in operators for officer in officers)


def look_alike(name: str) -> str:
    """Give a search key that is equal for names which a reader takes for the same (security §4, JPN-12).

    NFKC and case folding take away widths and capitals, then each character becomes the first of those it can be
    mistaken for (Unicode UTS 39); spaces and invisible characters go. Only ever a search key: a name is stored as
    it was written, because NFC alone already turns 神 U+FA19 into another character.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    seen = "".join(_stand_in(letter) for letter in folded if not _is_unseen(letter))
    return unicodedata.normalize("NFKC", seen).casefold()


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter) in {"Zs", "Cf", "Cc"}


@cache
def _stand_in(letter: str) -> str:
    """Choose one text for everything that looks like *letter*: the longest (`rn` for `m`), then the first."""
    alike, waiting = {letter}, [letter]
    while waiting:
        for glyph in confusables_data.get(waiting.pop(), ()):
            if glyph["c"] not in alike:
                alike.add(glyph["c"])
                waiting.append(glyph["c"])
    return min(alike, key=lambda text: (-len(text), text))


def normal_words(text: str) -> str:
    """Fold a fingerprint as a person types it: widths, capitals, dashes and spaces do not matter."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.replace("-", " ").replace(":", " ").split())


def registration_fault(document: Registration) -> tuple[str, str] | None:
    """Give the code and the JSON pointer of the first thing wrong with a registration, or None.

    An unknown kind, category or purpose is a fault, never ignored (consent.md: codes are a closed set).
    """
    return next(_faults(document), None)


def _faults(document: Registration) -> Iterator[tuple[str, str]]:
    if document.v != DOCUMENT_VERSION:
        yield "unknown-version", "/v"
    for member, name in (("name_ja", document.name_ja), ("name_en", document.name_en)):
        if not name.strip() or len(name) > LONGEST_NAME or any(map(_is_control, name)):
            yield "bad-name", f"/{member}"
    for code_list, member, codes in (
        ("recipients", "kind", (document.kind,)),
        ("categories", "categories", document.categories),
        ("purposes", "purposes", document.purposes),
    ):
        if not all(is_known(code_list, code) for code in codes):
            yield "unknown-code", f"/{member}"
    if document.capacity not in {capacity.value for capacity in Capacity}:
        yield "unknown-code", "/capacity"
    if document.coordinates and document.kind != COORDINATING_KIND:
        yield "coordinates-not-allowed", "/coordinates"
    if document.answer_days is not None and not 0 <= document.answer_days <= LONGEST_ANSWER:
        yield "out-of-range", "/answer_days"
    texts = (*document.services, *document.area, document.hours)
    if len(texts) > MOST_TEXTS or any(len(text) > LONGEST_TEXT or any(map(_is_control, text)) for text in texts):
        yield "too-large", ""


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cs"}
