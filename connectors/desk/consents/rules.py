# SPDX-License-Identifier: Apache-2.0
"""How a consent stands in one word, what is left of it, and which records of provision the law asks for.

Pure: for people to read. Whether a part may go is decided in `consent.decisions` alone; a property test holds both to
the same answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from consent.calendar import day_of
from consent.scopes import ANY, ORAL, ORAL_TERM, Exclusion, Scope, Withdrawal, expand, signature_valid
from consent.vocabulary.codes import CATEGORIES, CODE_LISTS

ENDING_SOON: Final = timedelta(days=30)
"""From when on a consent is shown as about to end: long enough for one meeting with the person."""
CHECK_SIGNS: Final = 16


class Standing(StrEnum):
    """How one record stands. The value is the end of its text's key, `standing-…`."""

    LIVE = "live"
    ENDING = "ending"
    PENDING = "pending"
    """Said by mouth, signature awaited."""
    WAITING = "waiting"
    """Signed here, not registered at the hub yet."""
    NOT_YET = "not-yet"
    UNSIGNED = "unsigned"
    ENDED = "ended"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    """The hub did not register it."""


PERMITS: Final = frozenset({Standing.LIVE, Standing.ENDING, Standing.PENDING, Standing.WAITING})
"""In these something may be told; as to WAITING once the hub has registered it."""


class CaseConsent(StrEnum):
    """How a person's consents stand, in one word. The value is the end of its text's key, `case-…`."""

    LIVE = "live"
    ENDING = "ending"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    NONE = "none"


class Duty(StrEnum):
    """Whether the law asks for a record of a provision (domain §4.1, §4.4); it is kept in any case."""

    REQUIRED = "required"
    VOLUNTARY = "voluntary"
    DEPENDS = "depends"
    """On whose data a contractor of a public body handles."""


_PUBLIC: Final = frozenset({"admin", "admin_same_body", "incorporated_admin", "public"})
_PRIVATE: Final = "private"
_BY_CONSENT: Final = "consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was taken back in a case, and the kinds of the agencies that may be named in it."""

    words: Sequence[Withdrawal] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)

    def means_all(self, to: Collection[str], scope: Scope) -> bool:
        """Say whether the agencies and kinds of a word are all whom a record names, on one of its two sides."""
        if not to or ANY in to:
            return True
        sides = (scope.partners, scope.hub_parties)
        return any(all(one in to or self.kinds.get(one) in to for one in side) for side in sides)


def takes_back(word: Withdrawal, scope: Scope, at: datetime) -> bool:
    """Say whether a word is about a record: it names it, or it is about all that was signed until then."""
    named = scope.id in word.scopes if word.scopes else scope.signed_at <= word.at
    return named and word.at <= at


def left(scope: Scope, taken: Taken, at: datetime) -> frozenset[str]:
    """Give the categories of a record that were not taken back for all whom it names."""
    remaining = expand(scope.categories)
    for word in taken.words:
        if takes_back(word, scope, at) and taken.means_all(word.to, scope):
            remaining -= word.categories if word.categories and ANY not in word.categories else remaining
    return remaining


def apart(scope: Scope, taken: Taken, at: datetime) -> frozenset[str]:
    """Give the single agencies for which a record of a kind was taken back, wholly or for some categories."""
    words = [word for word in taken.words if takes_back(word, scope, at) and not taken.means_all(word.to, scope)]
    concerned = (one for word in words for one in word.to)
    return frozenset(one for one in concerned if taken.kinds.get(one) in scope.partners)


def standing(scope: Scope, *, registered: bool, superseded: bool, taken: Taken, now: datetime) -> Standing:
    """Say how a record stands; the most telling word, in the order of the decision (consent.md, step 8)."""
    flaws = (
        (not left(scope, taken, now), Standing.WITHDRAWN),
        (not signature_valid(scope, now), Standing.UNSIGNED),
        (superseded, Standing.SUPERSEDED),
        (scope.valid_until <= now, Standing.ENDED),
        (now < scope.valid_from, Standing.NOT_YET),
        (scope.signature == ORAL, Standing.PENDING),
        (not registered, Standing.WAITING),
        (scope.valid_until - now <= ENDING_SOON, Standing.ENDING),
    )
    return next((word for holds, word in flaws if holds), Standing.LIVE)


def days_for_signature(scope: Scope, now: datetime) -> int:
    """Count the days that are left to sign what was said by mouth; 0 on the last."""
    last = day_of(scope.signed_at + ORAL_TERM - timedelta(microseconds=1))
    return max(0, (last - day_of(now)).days)


def case_consent(standings: Iterable[Standing]) -> CaseConsent:
    """Say in one word how a person's consents stand: what permits comes first, and of that what needs somebody."""
    found = set(standings)
    order = (
        (Standing.ENDING, CaseConsent.ENDING),
        (Standing.LIVE, CaseConsent.LIVE),
        (Standing.WAITING, CaseConsent.LIVE),
        (Standing.PENDING, CaseConsent.PENDING),
        (Standing.WITHDRAWN, CaseConsent.WITHDRAWN),
        (Standing.ENDED, CaseConsent.ENDED),
    )
    return next((word for one, word in order if one in found), CaseConsent.NONE)


def withheld(exclusions: Iterable[Exclusion], partner: str, kind: str, at: datetime) -> frozenset[str]:
    """Give the categories that the person never wants told to a partner, an agency or a kind."""
    kept: set[str] = set()
    for one in exclusions:
        in_force = one.from_time <= at and (one.revoked_at is None or at < one.revoked_at)
        if in_force and one.to & {ANY, partner, kind}:
            kept |= set(CATEGORIES) if ANY in one.categories else one.categories
    return frozenset(kept)


def check_code(record_hash: str) -> str:
    """Give the check code of a person's copy: the first 16 hexadecimal digits of the record's hash (protocol §4)."""
    return record_hash[:CHECK_SIGNS]


def grouped(code: str) -> str:
    """Write a code in groups of four, as people read it aloud."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def duty(giver: str, receiver: str, basis: str) -> Duty:
    """Say whether the law asks for the record, by the kinds of both sides and the ground (domain §4.1, §4.4).

    A provision without consent (art. 27(1), art. 9 of the support law) and one to or from a public body need none.
    """
    regimes = {CODE_LISTS["recipients"][kind]["regime"] for kind in (giver, receiver)}
    if basis != _BY_CONSENT or regimes & _PUBLIC:
        return Duty.VOLUNTARY
    return Duty.REQUIRED if regimes == {_PRIVATE} else Duty.DEPENDS


def without_formula(cell: str) -> str:
    """Guard a cell against being read as a formula by a spreadsheet."""
    return "'" + cell if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def unwritable(text: str, encoding: str) -> tuple[str, ...]:
    """Name the characters of a text that an encoding does not have, each once."""
    return tuple(dict.fromkeys(sign for sign in text if not _is_in(sign, encoding)))


def _is_in(sign: str, encoding: str) -> bool:
    try:
        sign.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
