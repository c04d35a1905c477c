# SPDX-License-Identifier: Apache-2.0
"""The wizard's pure decisions: what a purpose needs, in which order recipients are offered, which words give away more.

None of them permits anything: what may be shared is decided by the one engine (`casebook.preview`). They choose what is
ticked first, what stands on top, what a person is asked to look at once more.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from consent.calendar import Calendar, day_of
from consent.vocabulary.codes import CATEGORIES, CODE_LISTS, MATRIX, TYPICAL_RECIPIENTS

STEPS: Final = ("person", "purpose", "recipient", "categories", "content", "dates", "check")
"""The seven pages in their order; the last one shows what will be seen."""
NOT_BY_REFERRAL: Final = frozenset({"emergency_response", "shien_kaigi", "case_conference"})
"""Purposes that have doors of their own."""
ALWAYS_ASKED: Final = frozenset({"identity", "contact", "consultation"})
"""All that is needed of somebody who is sent where the purpose is not usually met."""
ANSWER_WITHIN: Final[Mapping[str, int]] = {"immediate": 0, "same_day": 0, "soon": 1, "normal": 3}
"""Business days until an answer is wished for, by urgency, where the recipient names no usual time."""
LATEST_ANSWER: Final = timedelta(days=180)
NO_ROOM: Final = "full"
_ANY: Final = "*"
_SLOWEST: Final = 99


def purposes() -> list[str]:
    """Give the purposes of a referral in the vocabulary's order."""
    return [code for code in CODE_LISTS["purposes"] if code not in NOT_BY_REFERRAL]


def in_order(categories: Iterable[str]) -> list[str]:
    """Put categories into the vocabulary's order."""
    wanted = frozenset(categories)
    return [code for code in CODE_LISTS["categories"] if code in wanted]


def is_typical(kind: str, purpose: str) -> bool:
    """Say whether this kind of agency is usually asked for this purpose."""
    usual = TYPICAL_RECIPIENTS.get(purpose, frozenset())
    return kind in usual or _ANY in usual


def needed(kind: str, purpose: str) -> frozenset[str]:
    """Give the least that a kind of agency needs for a purpose: what the matrix marks R, for what it usually does."""
    usual = frozenset(category for category, mark in MATRIX.get(kind, {}).items() if mark == "R")
    return usual if is_typical(kind, purpose) else usual & ALWAYS_ASKED


def unused(kind: str) -> frozenset[str]:
    """Give the categories that a kind of agency does not work with (the matrix's X): there is no box for them."""
    marks = MATRIX.get(kind, {})
    return frozenset(category for category in CATEGORIES if marks.get(category, "O") == "X")


# ── recipients ──


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An agency as the ranking sees it. `permitted` of `wanted`: how many of the needed categories consent carries.

    `in_area` is none where one of the two names no area. `reachable`: it is active and has a key to seal to.
    """

    agency: str
    name: str
    typical: bool
    offers: bool
    in_area: bool | None
    answer_days: int | None
    has_room: bool
    permitted: int
    wanted: int
    reachable: bool = True
    suggested: bool = False

    @property
    def fits(self) -> bool:
        """Whether it is asked for this purpose, by its kind or by its own word."""
        return self.typical or self.offers

    @property
    def consented(self) -> bool:
        """Whether something of what is needed may go there now."""
        return self.permitted > 0


def suggested(one: Candidate) -> Candidate:
    """Mark a recipient as the one that a declining agency named."""
    return replace(one, suggested=True)


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Put recipients into the order in which they are offered; the same whatever order they came in.

    One that can be reached > one that a declining agency named > one that does this > one that consent reaches > by
    how much of what is needed > near > with room > quick to answer; then by name and id.
    """

    def place(one: Candidate) -> tuple[object, ...]:
        share = one.permitted / one.wanted if one.wanted else 0.0
        return (
            not one.reachable,
            not one.suggested,
            not one.fits,
            not one.consented,
            -share,
            one.in_area is not True,
            not one.has_room,
            _SLOWEST if one.answer_days is None else one.answer_days,
            one.name,
            one.agency,
        )

    return sorted(candidates, key=place)


def first_choice(offered: Sequence[Candidate]) -> str | None:
    """Give the agency that is chosen at first: the topmost that fits and that consent reaches, or none."""
    fine = (one for one in offered if one.reachable and one.consented and (one.fits or one.suggested))
    found = next(fine, None)
    return found.agency if found else None


# ── days ──


def answer_by(today: date, urgency: str, answer_days: int | None, calendar: Calendar) -> date:
    """Give the business day by which an answer is wished for: at once where it is urgent, else as they usually do."""
    count = ANSWER_WITHIN.get(urgency, ANSWER_WITHIN["normal"])
    if urgency == "normal" and answer_days is not None:
        count = max(1, answer_days)
    day = today if calendar.is_business_day(today) else calendar.next_business_day(today)
    for _ in range(count):
        day = calendar.next_business_day(day)
    return day


def today_of(now: datetime) -> date:
    """Give the day in Japan."""
    return day_of(now)


# ── words ──


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """A word of a category that is not to go, found in the text of another: to be looked at, no more."""

    where: str
    word: str
    category: str


def noticed(
    texts: Mapping[str, str], barred: Iterable[str], lexicon: Mapping[str, Sequence[str]]
) -> tuple[Noticed, ...]:
    """Find words of categories that are not to go in the texts of those that are; each word once per text."""
    kept_back = in_order(frozenset(barred) - frozenset(texts))
    return tuple(
        Noticed(where=where, word=word, category=category)
        for where in in_order(texts)
        for category in kept_back
        for word in lexicon.get(category, ())
        if _folded(word) in _folded(texts[where])
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
