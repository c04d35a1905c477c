# SPDX-License-Identifier: Apache-2.0
"""Small rules of registering what people said, pure: one partner per record, when a withdrawal is nothing
new. Whether a scope holds is `consent.scopes`, whether something may be shared `consent.decisions`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from consent.scopes import ORAL, ORAL_TERM, VALID_SIGNATURES, Direction, Scope, Withdrawal, expand

CONSENT_CHANGED: Final = "consent:changed"
"""The outbox topic by which what stands on a consent hears that the answer may be another now; about: the
case's row.
"""

CONSENT_LAPSED: Final = "consent:lapsed"
"""The outbox topic by which a record's last moment is noticed; about: the record's row."""

CONSENT_ENDING: Final = "consent:ending"
"""The outbox topic by which somebody is asked to renew a record before its end; about: the record's row."""

ENDING_NOTICE: Final = timedelta(days=30)
"""How long before its end a record is asked after; one that runs for less than twice this, half its time before."""

CLOCK_AHEAD: Final = timedelta(minutes=5)
"""How far an agency's clock may run before the hub's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What a withdrawal takes back: for which agencies and which categories; empty means all."""

    to: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()


def one_partner(scope: Scope) -> str | None:
    """Give the record's one partner, or None if it names several: no partner learns of the others from its
    record.

    Source: consent.md "What is stored".
    """
    return next(iter(scope.partners)) if len(scope.partners) == 1 else None


def last_moment(scope: Scope) -> datetime:
    """Give the moment from which a record permits nothing more by itself: its end, or that of an oral word."""
    if scope.signature == ORAL:
        return min(scope.valid_until, scope.signed_at + ORAL_TERM)
    return scope.valid_until


def asked_after(scope: Scope, now: datetime) -> datetime | None:
    """Give when somebody is asked to renew a record; None for one whose signature does not count, or whose time is
    over. An oral word is not renewed but signed, and that is asked at once.
    """
    left = scope.valid_until - now
    if scope.signature not in VALID_SIGNATURES or left <= timedelta(0):
        return None
    return scope.valid_until - min(ENDING_NOTICE, left / 2)


def goes_on(old: Scope, new: Scope) -> bool:
    """Tell whether a signed record lets the same partner be told at least the same, and for longer."""
    return (
        new.signature in VALID_SIGNATURES
        and new.partners == old.partners
        and new.valid_until > last_moment(old)
        and new.purposes >= old.purposes
        and expand(new.categories) >= expand(old.categories)
        and new.direction in {old.direction, Direction.BOTH}
    )


def is_taken_already(taking: Taking, existing: Iterable[Withdrawal]) -> bool:
    """Tell whether one withdrawal in force already takes back all of this (bad-input CON-11)."""
    return any(
        _within(taking.to, earlier.to) and _within(taking.categories, earlier.categories) for earlier in existing
    )


def is_wholly_withdrawn(existing: Iterable[Withdrawal]) -> bool:
    """Tell whether nothing of the consent is left."""
    return is_taken_already(Taking(), existing)


def is_from_the_future(stated: datetime, now: datetime) -> bool:
    """Tell whether a signer's time lies further ahead of the hub's than clocks may differ."""
    return stated > now + CLOCK_AHEAD


def _within(part: Collection[str], whole: Collection[str]) -> bool:
    # an empty set means all
    return not whole or (bool(part) and set(part) <= set(whole))
