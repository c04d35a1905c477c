# SPDX-License-Identifier: Apache-2.0
"""Go through the entries of a log in their order and check what each says against all that was said before it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from consent.errors import TsunagiError
from consent.evidence import cases, replay
from consent.evidence.bundle import EVERYTHING, Head, Told
from consent.evidence.cases import CaseFile, Conferences
from consent.evidence.documents import Checker
from consent.evidence.entries import Entry
from consent.evidence.findings import Code, Findings
from consent.evidence.keyring import Keyring
from consent.evidence.statement import Statement
from consent.jwk import KeyUse, PublicKey
from consent.scopes import Registered

_Act = Callable[[Entry, Mapping[str, str]], None]
EVERYBODYS: Final = frozenset({"agency:registered", "key:published", "key:rotated", "key:revoked"})
"""Kinds that every holder may read: a key is taken on its entry in the log alone (protocol §3)."""
_KEPT: Final = 200
"""Open receipts and notices that are named one by one."""


@dataclass(slots=True)
class _Way:
    """How far an accepted message came."""

    index: int
    manifest: str
    handed_over: bool = False
    settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """What waits for an answer at the end of the log: how many, and the first of them by index of their entry."""

    count: int
    first: tuple[int, ...]


@dataclass(slots=True)
class Counts:
    """What was looked at."""

    entries: int = 0
    documents: int = 0
    decisions: int = 0
    disclosures: int = 0
    unseen: int = 0
    """Decisions that rest on entries which the bundle's holder may not read."""


class Ledger:
    """The log as read so far."""

    def __init__(self, head: Head, found: Findings, *, case: str | None = None) -> None:
        """Begin before the first entry. `case`: the handle to gather a disclosure statement for.

        *Raises* SignatureRefusedError: the head's receipt key is none.
        """
        self.found = found
        self.counts = Counts()
        self.statement = Statement(case)
        self._holder = head.holder
        self._keyring = Keyring()
        whole = head.holder == EVERYTHING
        self._checker = Checker(self._keyring, PublicKey.from_jwk(head.receipt, KeyUse.SIG), whole=whole)
        self._cases: dict[tuple[str, str], CaseFile] = {}
        self._conferences = Conferences()
        self._ways: dict[str, _Way] = {}
        self._purges: dict[str, int] = {}
        self._overdue: set[str] = set()
        self._acts = self._table()

    def told(self, told: Told) -> None:
        """Take what the bundle says of an agency."""
        try:
            self._keyring.told(told)
        except TsunagiError:
            self.found.add(Code.BUNDLE_MALFORMED, 0, about=told.id)

    def take(self, entry: Entry, documents: Mapping[str, str]) -> None:
        """Take the next entry with its documents.

        *Raises* DocumentRefusedError, ValueError: its facts are not those of its kind.
        """
        self.counts.entries += 1
        if self._holder not in {EVERYTHING, *entry.parties} and entry.kind not in EVERYBODYS:
            self.found.add(Code.BUNDLE_MALFORMED, entry.index, about="holder")
        act = self._acts.get(entry.kind)
        if act is not None:
            act(entry, documents)
        self._checker.check(entry, documents, self.found)
        self.counts.documents = self._checker.checked
        self.statement.take(entry)

    def open_receipts(self) -> Open:
        """Give the messages that were handed over and never acknowledged."""
        return _open(way.index for way in self._ways.values() if way.handed_over and not way.settled)

    def open_purges(self) -> Open:
        """Give the stop-use notices that nobody has answered."""
        return _open(self._purges.values())

    def overdue_purges(self) -> Open:
        """Give those of them that were reported as overdue."""
        return _open(self._purges[notice] for notice in self._overdue if notice in self._purges)

    def _table(self) -> Mapping[str, _Act]:
        return {
            "agency:registered": self._agency,
            "key:published": self._key,
            "key:rotated": self._key,
            "key:revoked": self._key,
            "meeting:convened": self._meeting,
            "meeting:accepted": self._meeting,
            "meeting:ended": self._meeting,
            "case:opened": self._case_opened,
            "case:closed": self._case_closed,
            "consent:registered": self._consent,
            "exclusion:registered": self._excluded,
            "exclusion:revoked": self._included,
            "withdrawal:registered": self._withdrawn,
            "message:accepted": self._accepted,
            "message:handed_over": self._handed_over,
            "message:refused": self._refused,
            "message:destroyed": self._settle,
            "message:expired": self._settle,
            "receipt:delivered": self._settle,
            "receipt:read": self._settle,
            "decision:asked": self._asked,
            "purge:asked": self._purge_asked,
            "purge:overdue": self._purge_overdue,
            "purge:answered": self._purge_answered,
        }

    # ── agencies ──

    def _agency(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        try:
            self._keyring.registered(entry)
        except TsunagiError:
            self.found.add(Code.KEY_NOT_VALID, entry.index, about="root")

    def _key(self, entry: Entry, documents: Mapping[str, str]) -> None:
        if entry.facts.text("by") == "staff":
            self._keyring.ended(entry.subject or "", entry.facts.text("kid"), entry.at)
            return
        if not documents:
            self.found.add(Code.DOCUMENT_MISSING, entry.index, about="key")
            return
        try:
            self._keyring.published(entry, documents)
        except (TsunagiError, TypeError) as error:
            about = error.code if isinstance(error, TsunagiError) else "key"
            self.found.add(Code.SIGNATURE_BAD, entry.index, about=f"key:{about}")
        self.counts.documents += 1

    def _meeting(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        self._conferences.take(entry)

    # ── the person's word ──

    def _case(self, owner: str, handle: str | None) -> CaseFile:
        return self._cases.setdefault((owner, handle or ""), CaseFile(owner, handle or ""))

    def _case_opened(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        self._case(entry.actor, entry.case)

    def _case_closed(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        case = self._case(entry.actor, entry.case)
        case.closed_at = case.closed_at or entry.at

    def _consent(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        case = self._case(entry.facts.text("owner"), entry.case)
        case.scopes.append(Registered(scope=cases.scope_of(entry), registered_at=entry.at))

    def _excluded(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        made = cases.exclusion_of(entry)
        self._case(entry.facts.text("owner"), entry.case).exclusions[made.id] = made

    def _included(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        self._case(entry.facts.text("owner"), entry.case).revoke(entry.subject or "", entry.at)

    def _withdrawn(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        self._case(entry.facts.text("owner"), entry.case).withdrawals.append(cases.withdrawal_of(entry))

    # ── messages ──

    def _accepted(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        self._ways[entry.subject or ""] = _Way(entry.index, entry.facts.text("manifest"))
        self.counts.disclosures += 1
        self._decided(entry)

    def _handed_over(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        way = self._way(entry)
        if way is not None:
            way.handed_over = True
        self._decided(entry)

    def _refused(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        if entry.facts.text("phase") == "hand_over":
            self._settle(entry, _documents)
        self._decided(entry)

    def _asked(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        self._decided(entry)

    def _settle(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        way = self._way(entry)
        if way is not None:
            way.settled = True

    def _way(self, entry: Entry) -> _Way | None:
        way = self._ways.get(entry.subject or "")
        if way is None:
            self.found.add(Code.UNKNOWN_MESSAGE, entry.index)
        elif entry.facts.text("manifest") != way.manifest:
            self.found.add(Code.DOCUMENT_DIFFERS, entry.index, about="manifest")
        return way

    def _purge_asked(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        self._purges[entry.subject or ""] = entry.index

    def _purge_overdue(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        self._overdue.add(entry.subject or "")

    def _purge_answered(self, entry: Entry, _documents: Mapping[str, str]) -> None:
        self._purges.pop(entry.subject or "", None)

    # ── decisions ──

    def _decided(self, entry: Entry) -> None:
        said = entry.facts
        owner = said.text_or_none("owner")
        self.counts.decisions += 1
        for side in ("from", "to"):
            party = said.inner(side)
            known = self._keyring.kind(party.text("agency"))
            if known is not None and known != party.text("kind"):
                self.found.add(Code.KIND_DIFFERS, entry.index, about=party.text("kind"))
        case = CaseFile("", "") if owner is None else self._case(owner, entry.case)
        conference = replay.conference_of(said)
        sitting = () if owner is None else self._conferences.of(conference, (owner, entry.case or ""))
        differing = list(replay.differences(said, case.facts(said.moment("at"), sitting)))
        if not differing:
            return
        if self._holder not in {EVERYTHING, owner}:
            # exclusions and the consents of others are not this holder's to read, but a withdrawal that names it is
            differing = [one for one in differing if one.code is Code.AFTER_WITHDRAWAL]
            self.counts.unseen += not differing
        for one in differing:
            self.found.add(one.code, entry.index, about=one.about)


def _open(indexes: Iterable[int]) -> Open:
    found = sorted(indexes)
    return Open(count=len(found), first=tuple(found[:_KEPT]))
