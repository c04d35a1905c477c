# SPDX-License-Identifier: Apache-2.0
"""What the log says of a case up to a place: the facts that a decision rested on, gathered entry by entry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from consent.evidence.entries import Entry
from consent.questions import Facts
from consent.scopes import VALID_SIGNATURES, Conference, Direction, Exclusion, Registered, Scope, Withdrawal

CONFERENCE: Final = "shien_kaigi"
_SHARED: Final[dict[frozenset[str], frozenset[str]]] = {}


def shared(texts: Iterable[str]) -> frozenset[str]:
    """Give one object for equal sets: a log names the same few agencies and codes a hundred thousand times."""
    made = frozenset(texts)
    if len(_SHARED) > 1 << 16:
        _SHARED.clear()
    return _SHARED.setdefault(made, made)


@dataclass(slots=True)
class CaseFile:
    """One case of one owner."""

    owner: str
    handle: str
    closed_at: datetime | None = None
    scopes: list[Registered] = field(default_factory=list)
    exclusions: dict[str, Exclusion] = field(default_factory=dict)
    withdrawals: list[Withdrawal] = field(default_factory=list)

    def revoke(self, exclusion: str, at: datetime) -> None:
        """End an exclusion at the person's word."""
        known = self.exclusions.get(exclusion)
        if known is not None:
            self.exclusions[exclusion] = replace(known, revoked_at=at)

    def facts(self, at: datetime, conferences: Sequence[Conference]) -> Facts:
        """Give what was known when something was decided at `at`.

        What stands before in the log counts, though its time may be later: its transaction began later and was first.
        """
        scopes = sorted(self.scopes, key=lambda one: (one.registered_at, one.scope.id))
        signed = (one.scope for one in scopes if one.scope.signature in VALID_SIGNATURES)
        return Facts(
            intake_side=frozenset({self.owner}).union(*(scope.hub_parties for scope in signed)),
            closed_at=None if self.closed_at is None else min(self.closed_at, at),
            scopes=tuple(one if one.registered_at <= at else replace(one, registered_at=at) for one in scopes),
            exclusions=tuple(_not_later(one, at) for one in self.exclusions.values()),
            withdrawals=tuple(one if one.at <= at else replace(one, at=at) for one in self.withdrawals),
            conferences=tuple(conferences),
        )


@dataclass(slots=True)
class _Meeting:
    convenor: str
    case: tuple[str | None, str | None]
    until: datetime
    sitting: set[str]
    ended_at: datetime | None = None


class Conferences:
    """The 支援会議 of the log."""

    def __init__(self) -> None:
        """Begin with none."""
        self._meetings: dict[str, _Meeting] = {}

    def take(self, entry: Entry) -> None:
        """Take what an entry says of a meeting; other meetings rest on consent and are nothing to a decision."""
        if entry.facts.text("kind") != CONFERENCE:
            return
        meeting = entry.subject or ""
        if entry.kind == "meeting:convened":
            case = (entry.facts.text_or_none("owner"), entry.case)
            self._meetings[meeting] = _Meeting(entry.actor, case, entry.facts.moment("until"), {entry.actor})
        elif meeting in self._meetings:
            known = self._meetings[meeting]
            if entry.kind == "meeting:accepted":
                known.sitting.add(entry.actor)
            elif entry.kind == "meeting:ended":
                known.ended_at = entry.at

    def of(self, conference: str | None, case: tuple[str, str]) -> tuple[Conference, ...]:
        """Give the conference that a message names, if it sits for this case or for any."""
        known = self._meetings.get(conference or "")
        if known is None or known.case not in {(None, None), case}:
            return ()
        until = known.until if known.ended_at is None else min(known.until, known.ended_at)
        return (Conference(id=conference or "", members=frozenset(known.sitting), until=until),)


def scope_of(entry: Entry) -> Scope:
    """Make the scope of a registered consent from the terms in the log; what no decision asks for is left empty.

    *Raises* DocumentRefusedError, ValueError: the terms are none.
    """
    facts = entry.facts
    return Scope(
        id=entry.subject or "",
        case=entry.case or "",
        form=facts.text("form"),
        kind="",
        hub_parties=shared(facts.texts("hub_parties")),
        partners=shared(facts.texts("partners")),
        purposes=shared(facts.texts("purposes")),
        categories=shared(facts.texts("categories")),
        direction=Direction(facts.text("direction")),
        valid_from=facts.moment("valid_from"),
        valid_until=facts.moment("valid_until"),
        signature=facts.text("signature"),
        signed_at=facts.moment("signed_at"),
        written_by="",
        form_version="",
        template="",
        evidence="",
        supersedes=shared(facts.texts("supersedes")),
    )


def exclusion_of(entry: Entry) -> Exclusion:
    """Make the exclusion that an entry registered."""
    return Exclusion(
        id=entry.subject or "",
        case=entry.case or "",
        to=shared(entry.facts.texts("to")),
        categories=shared(entry.facts.texts("categories")),
        from_time=entry.facts.moment("from"),
    )


def withdrawal_of(entry: Entry) -> Withdrawal:
    """Make the withdrawal that an entry registered: of the one record it is about."""
    return Withdrawal(
        id=entry.facts.text("withdrawal"),
        scopes=shared((entry.subject or "",)),
        to=shared(entry.facts.texts("to")),
        categories=shared(entry.facts.texts("categories")),
        at=entry.at,
    )


def _not_later(exclusion: Exclusion, at: datetime) -> Exclusion:
    revoked = exclusion.revoked_at
    return exclusion if revoked is None or revoked <= at else replace(exclusion, revoked_at=at)
