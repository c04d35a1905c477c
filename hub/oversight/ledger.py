# SPDX-License-Identifier: Apache-2.0
"""Who received what about one case: every disclosure as the hub stored it, held against what the log says.

The store and the log are two records of the same thing. A row that the log does not know, an entry without a row, and
two that disagree are all shown: a list that leaves something out says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.orm import Session

from consent import wire
from consent.receipts import AcceptedRecord
from consent.signing import Typ, peek_payload
from hub.audit import overseen as log
from hub.audit import reads as audit
from hub.audit.overseen import Fact
from hub.audit.rules import AuditKind
from hub.messages import overseen as messages
from hub.messages.reads import Labelled

SEQUENCED_WITHIN: Final = timedelta(seconds=60)
"""What the hub promises of the log (protocol §2); an entry younger than this may still be on its way."""


class Held(StrEnum):
    """What came of holding a stored disclosure against the log."""

    AGREES = "agrees"
    ON_ITS_WAY = "on_its_way"
    NOT_IN_LOG = "not_in_log"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One category that went, and the consent it rested on (none for the other bases)."""

    category: str
    consent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One disclosure; `decision` is the log entry that holds the decision, `id` the hub's row of the message."""

    id: str
    at: datetime
    sender: str
    recipient: str
    purpose: str
    kind: str
    basis: str
    shared: tuple[Shared, ...]
    decision: str
    state: str
    handed_over_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    ended_at: datetime | None

    @property
    def categories(self) -> tuple[str, ...]:
        """Give the categories, each once, in the order of the message."""
        return tuple(dict.fromkeys(one.category for one in self.shared))

    @property
    def consents(self) -> tuple[str, ...]:
        """Give the consents it rested on, each once."""
        return tuple(dict.fromkeys(one.consent for one in self.shared if one.consent is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One disclosure in the ledger and what the log says to it."""

    disclosure: Disclosure
    held: Held
    index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All disclosures of a case. `lost` are entries of the log whose disclosure is not stored; `log_size` is the size
    of the newest checkpoint's tree.
    """

    case: str
    made_at: datetime
    lines: tuple[Line, ...]
    lost: tuple[Fact, ...]
    refused: int
    log_size: int

    @property
    def is_complete(self) -> bool:
        """Say whether store and log agree about everything that can be in the log by now."""
        return not self.lost and all(one.held in {Held.AGREES, Held.ON_ITS_WAY} for one in self.lines)


def ledger(session: Session, case: str, *, now: datetime) -> Ledger:
    """Give the ledger of a case handle; needs a role that sees every row and entry."""
    stored = messages.of_handle(session, case)
    entries = log.of_case(session, case, [AuditKind.MESSAGE_ACCEPTED, AuditKind.MESSAGE_REFUSED])
    said = {one.subject: one for one in entries if one.kind == AuditKind.MESSAGE_ACCEPTED}
    known = {one.message.id for one in stored}
    newest = audit.checkpoint(session)
    return Ledger(
        case=case,
        made_at=now,
        lines=tuple(_line(one, said.get(one.message.id), now) for one in stored),
        lost=tuple(fact for row, fact in said.items() if row not in known),
        refused=sum(1 for one in entries if one.kind == AuditKind.MESSAGE_REFUSED),
        log_size=0 if newest is None else newest.size,
    )


def statement(session: Session, case_row: str) -> tuple[Disclosure, ...]:
    """Give every disclosure of one case of the hub to its owner, who asks with the duty of a statement."""
    return tuple(_disclosure(one) for one in messages.of_case_row(session, case_row))


def _line(one: Labelled, fact: Fact | None, now: datetime) -> Line:
    disclosure = _disclosure(one)
    if fact is None:
        young = now - one.message.accepted_at < SEQUENCED_WITHIN
        return Line(disclosure=disclosure, held=Held.ON_ITS_WAY if young else Held.NOT_IN_LOG, index=None)
    held = Held.AGREES if _agree(one, disclosure, fact) else Held.DIFFERS
    return Line(disclosure=disclosure, held=held, index=fact.index)


def _agree(one: Labelled, disclosure: Disclosure, fact: Fact) -> bool:
    said: Mapping[str, Any] = fact.facts
    parts: Sequence[Mapping[str, Any]] = said["parts"]
    logged = (
        fact.id,
        said["manifest"],
        said["from"]["agency"],
        said["to"]["agency"],
        said["purpose"],
        [(part["n"], part["category"]) for part in parts],
    )
    message = one.message
    return logged == (
        disclosure.decision,
        message.manifest_hash,
        message.sender,
        message.recipient,
        message.purpose,
        [(label.n, label.category) for label in one.labels],
    )


def _disclosure(one: Labelled) -> Disclosure:
    message = one.message
    promise = wire.read(AcceptedRecord, peek_payload(message.receipt, typ=Typ.ACCEPTED))
    return Disclosure(
        id=message.id,
        at=message.accepted_at,
        sender=message.sender,
        recipient=message.recipient,
        purpose=message.purpose,
        kind=message.kind,
        basis=message.basis["kind"],
        shared=tuple(Shared(category=label.category, consent=label.scope) for label in one.labels),
        decision=promise.entry,
        state=message.delivery.value,
        handed_over_at=message.handed_over_at,
        delivered_at=message.delivered_at,
        opened_at=message.opened_at,
        ended_at=message.ended_at,
    )
