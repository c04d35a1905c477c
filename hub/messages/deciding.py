# SPDX-License-Identifier: Apache-2.0
"""Put one question to the consent engine with all that the hub knows of a case at its own time.

The same question is asked when a message is accepted, when it is handed over and when an agency only wants to
know. The transaction needs `Duty.DECIDE`, because the facts of a case belong to the agencies that wrote them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from consent.decisions import decide_parts
from consent.questions import Basis, ConferenceBasis, Facts, Permitted, Question, Refused
from consent.scopes import Party
from hub.agencies import reads as agencies
from hub.audit.rules import timestamp
from hub.base import rounds
from hub.base.errors import ConflictError
from hub.cases import reads as cases
from hub.intakes import reads as intakes
from hub.meetings import reads as meetings
from hub.messages.rules import basis_kept, decision_logged, decision_shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked: from whom to whom, about which case, for what, on what basis, which categories."""

    sender: str
    recipient: str
    case: str
    purpose: str
    basis: Basis
    categories: Sequence[str]
    case_row: str | None = None
    """The hub's row, once a first decision has found it: a namesake registered since changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The decision on every part, with the facts it rests on and the moment it was made."""

    sender: Party
    recipient: Party
    purpose: str
    basis: Basis
    case_row: str | None
    owner: str | None
    """The agency whose case it is; None for a case that nobody registered."""
    facts: Facts
    at: datetime
    parts: tuple[tuple[str, Permitted | Refused], ...]

    @property
    def permitted(self) -> bool:
        """Say whether every part may go: one refused part refuses the whole message (consent.md)."""
        return all(isinstance(decision, Permitted) for _, decision in self.parts)

    def shown(self) -> list[dict[str, Any]]:
        """Give the decisions as the API shows them."""
        versions = {known.scope.id: known.scope.form_version for known in self.facts.scopes}
        return [
            decision_shown(category, decision, version=versions.get(decision.scope or ""))
            for category, decision in self.parts
        ]

    def logged(self) -> list[dict[str, Any]]:
        """Give the decisions as audit facts."""
        return [decision_logged(category, decision) for category, decision in self.parts]

    def question(self) -> dict[str, Any]:
        """Give what was asked as audit facts: with the entries before it, all that a replay needs (consent.md, Limits).

        A handle is unique to its owner alone, so the owner stands here: another agency may have the same handle.
        """
        return {
            "from": {"agency": self.sender.agency, "kind": self.sender.kind},
            "to": {"agency": self.recipient.agency, "kind": self.recipient.kind},
            "owner": self.owner,
            "purpose": self.purpose,
            "basis": basis_kept(self.basis, sent_at=self.at),
            "at": timestamp(self.at),
        }


def decide(session: Session, asked: Asked, *, now: datetime, lock: bool) -> Decided:
    """Decide every category of `asked` at the hub's time; `lock` holds the case's consent gate to the end.

    With the lock a withdrawal that races comes wholly before or wholly after: its commit waits for ours, or
    ours sees what it wrote (consent.md, CON-08).

    *Raises* ConflictError `sender-inactive`, `recipient-inactive`: nothing goes from or to it now.
    """
    known = () if asked.case_row is None else intakes.ask_facts(asked.case_row, lock=lock)
    rounds.foresee(session, *ask_ahead(asked), *known)
    sender = agencies.party(session, asked.sender)
    if sender is None:
        raise ConflictError("sender-inactive")
    recipient = agencies.party(session, asked.recipient)
    if recipient is None:
        raise ConflictError("recipient-inactive", pointer="/to")
    return _decide(session, asked, sender, recipient, now=now, lock=lock)


def ask_ahead(asked: Asked) -> tuple[rounds.Asked, ...]:
    """Make the questions about parties and case that `decide` asks first, for whoever foresees them."""
    return (
        agencies.ask_party(asked.sender),
        agencies.ask_party(asked.recipient),
        cases.ask_resolve(asked.case, sender=asked.sender, recipient=asked.recipient)
        if asked.case_row is None
        else cases.ask_by_id(asked.case_row),
    )


def review(session: Session, asked: Asked, *, now: datetime) -> Decided:
    """Decide as things stand, holding nothing and whatever state the parties are in: to tell, not to hand over."""
    kinds = {name: agencies.agency(session, name) for name in (asked.sender, asked.recipient)}
    sender, recipient = (Party(agency=name, kind="" if found is None else found.kind) for name, found in kinds.items())
    return _decide(session, asked, sender, recipient, now=now, lock=False)


def _decide(session: Session, asked: Asked, sender: Party, recipient: Party, *, now: datetime, lock: bool) -> Decided:
    case = _case(session, asked)
    facts = _facts(session, case, asked.basis, lock=lock)
    question = Question(
        sender=sender,
        recipient=recipient,
        purpose=asked.purpose,
        category=asked.categories[0],
        basis=asked.basis,
        at=now,
    )
    return Decided(
        sender=sender,
        recipient=recipient,
        purpose=asked.purpose,
        basis=asked.basis,
        case_row=None if case is None else case.id,
        owner=None if case is None else case.owner,
        facts=facts,
        at=now,
        parts=decide_parts(question, facts, asked.categories),
    )


def _case(session: Session, asked: Asked) -> cases.Case | None:
    """Give the case that was decided on before, or find the one that the handle means between these two."""
    if asked.case_row is not None:
        return cases.by_id(session, asked.case_row)
    return cases.resolve(session, asked.case, sender=asked.sender, recipient=asked.recipient)


def _facts(session: Session, case: cases.Case | None, basis: Basis, *, lock: bool) -> Facts:
    """Gather what is known; of a case that nobody registered no consent is known."""
    if case is None:
        return Facts(intake_side=frozenset())
    known = intakes.facts(session, case, lock=lock)
    if not isinstance(basis, ConferenceBasis):
        return known
    sitting = meetings.conferences(session, case, conference=basis.conference, hold=lock)
    return replace(known, conferences=sitting)
