# SPDX-License-Identifier: Apache-2.0
"""Entries of the log as lines that a person reads: who, whom, what, from the codes of the entry's bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hub.agencies import reads as agencies
from hub.audit.reads import LoggedEntry
from hub.audit.rules import HUB
from hub.base.db import Session
from hub.console.wording import label, text

_HIDDEN: Final = frozenset({"from", "to", "purpose", "basis", "parts", "page", "query"})
"""Facts that a line says in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One category of a disclosure, and what was decided on it."""

    category: str
    permitted: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry; `route` is who gave to whom, `facts` what else it says, as (name, value)."""

    index: int
    id: str
    at: datetime
    kind: str
    actor: str
    actor_name: str
    parties: tuple[str, ...]
    case: str | None
    subject: str | None
    route: tuple[str, str] | None
    purpose: str
    basis: str
    parts: tuple[Part, ...]
    facts: tuple[tuple[str, str], ...]


class Names:
    """What agencies are called, asked once for a page."""

    def __init__(self, session: Session, language: str) -> None:
        """Read the directory."""
        everybody = agencies.everybody(session)
        self.language = language
        self.agencies = {one.id: one.name_ja if language == "ja" else one.name_en for one in everybody}

    def of(self, actor: str) -> str:
        """Name an agency, the hub itself, or somebody of the hub, who is a number."""
        if actor == HUB:
            return text(self.language, "audit.the-hub")
        return self.agencies.get(actor) or text(self.language, "audit.staff", id=actor[:8])


def line_of(entry: LoggedEntry, names: Names) -> Line:
    """Read an entry's bytes as a line."""
    said: dict[str, Any] = json.loads(entry.body)
    facts: Mapping[str, Any] = said.get("facts") or {}
    language = names.language
    basis = facts.get("basis")
    basis_kind = basis.get("kind", "") if isinstance(basis, Mapping) else str(basis or "")
    return Line(
        index=entry.index,
        id=entry.id,
        at=entry.logged_at,
        kind=said["kind"],
        actor=said["actor"],
        actor_name=names.of(said["actor"]),
        parties=tuple(names.of(one) for one in said["parties"]),
        case=said["case"],
        subject=said["subject"],
        route=_route(facts, names),
        purpose=label(language, "purposes", facts["purpose"]) if isinstance(facts.get("purpose"), str) else "",
        basis=text(language, f"audit.basis-{basis_kind}") if basis_kind in _BASES else basis_kind,
        parts=_parts(facts.get("parts"), language),
        facts=tuple((name, _plain(value)) for name, value in sorted(facts.items()) if name not in _HIDDEN),
    )


_BASES: Final = frozenset({"consent", "emergency", "conference", "statute"})


def _route(facts: Mapping[str, Any], names: Names) -> tuple[str, str] | None:
    sender, recipient = facts.get("from"), facts.get("to")
    if isinstance(sender, Mapping) and isinstance(recipient, Mapping):
        return names.of(str(sender.get("agency"))), names.of(str(recipient.get("agency")))
    return None


def _parts(parts: object, language: str) -> tuple[Part, ...]:
    if not isinstance(parts, Sequence) or isinstance(parts, str):
        return ()
    return tuple(
        Part(
            category=label(language, "categories", str(one["category"])),
            permitted=one.get("outcome") == "permitted",
            reason=label(language, "decision_reasons", str(one["reason"])) if one.get("reason") else "",
        )
        for one in parts
        if isinstance(one, Mapping) and "category" in one
    )


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
