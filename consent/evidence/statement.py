# SPDX-License-Identifier: Apache-2.0
"""Who received what of one case, when, why, on which basis, and what became of it: read from the log's entries."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from consent.evidence.entries import Entry

_ENDS: Final = {"message:refused": "refused", "message:destroyed": "destroyed", "message:expired": "expired"}


@dataclass(slots=True, kw_only=True)
class Disclosure:
    """One message of the case that was let through; times are the hub's."""

    index: int
    entry: str
    message: str
    at: datetime
    sender: str
    recipient: str
    purpose: str
    basis: str
    categories: tuple[str, ...]
    consents: tuple[str, ...]
    """The records that carried it, by the signer's id, as decided last."""
    against_exclusion: bool
    handed_over_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    ended: str | None = None
    """How it ended undelivered: refused at hand-over, destroyed, expired."""
    notices: list[str] = field(default_factory=list)
    """What its recipient was asked after a withdrawal, and answered: `asked`, `overdue`, `purged` …"""


class Statement:
    """Gathers the disclosures of one case, or nothing where no case was asked for."""

    def __init__(self, case: str | None) -> None:
        """Take the handle."""
        self._case = case
        self._found: dict[str, Disclosure] = {}
        self._notices: dict[str, tuple[str, ...]] = {}

    def __iter__(self) -> Iterator[Disclosure]:
        """Give the disclosures in the order of the log."""
        return iter(self._found.values())

    def take(self, entry: Entry) -> None:
        """Take an entry, if it is about the case."""
        if self._case is None or entry.case != self._case:
            return
        if entry.kind == "message:accepted":
            self._found[entry.subject or ""] = _disclosure(entry)
        elif entry.kind.startswith("purge:"):
            self._notice(entry)
        elif (known := self._found.get(entry.subject or "")) is not None:
            _went_on(known, entry)

    def _notice(self, entry: Entry) -> None:
        notice = entry.subject or ""
        if entry.kind == "purge:asked":
            self._notices[notice] = tuple(entry.facts.texts("messages"))
        said = entry.facts.text("answer") if entry.kind == "purge:answered" else entry.kind.partition(":")[2]
        for one in self._found.values():
            if one.message in self._notices.get(notice, ()):
                one.notices.append(said)


def _disclosure(entry: Entry) -> Disclosure:
    facts = entry.facts
    parts = facts.inners("parts")
    return Disclosure(
        index=entry.index,
        entry=entry.id,
        message=facts.text("message"),
        at=entry.at,
        sender=facts.inner("from").text("agency"),
        recipient=facts.inner("to").text("agency"),
        purpose=facts.text("purpose"),
        basis=facts.inner("basis").text("kind"),
        categories=tuple(part.text("category") for part in parts),
        consents=tuple(sorted({scope for part in parts if (scope := part.text_or_none("scope"))})),
        against_exclusion=facts.plain().get("against_exclusion") is True,
    )


def _went_on(known: Disclosure, entry: Entry) -> None:
    match entry.kind:
        case "message:handed_over":
            known.handed_over_at = known.handed_over_at or entry.at
            parts = entry.facts.inners("parts")
            known.consents = tuple(sorted({scope for part in parts if (scope := part.text_or_none("scope"))}))
        case "receipt:delivered":
            known.delivered_at = known.delivered_at or entry.at
        case "receipt:read":
            known.read_at = known.read_at or entry.at
        case kind if kind in _ENDS and known.delivered_at is None:
            known.ended = _ENDS[kind]
