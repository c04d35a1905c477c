# SPDX-License-Identifier: Apache-2.0
"""Handing a sealed message to its recipient, deciding again at the hub's time; and destroying ciphertext. A message
that may not go any more is destroyed at this point and its sender told; its labels stay.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base import rounds
from hub.base.errors import ForbiddenError, GoneError
from hub.messages import reads, tables
from hub.messages.deciding import Asked, Decided, decide, review
from hub.messages.rules import ARRIVED, Delivery, Happening, basis_from, moved
from hub.outbox import service as outbox
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind

_HAND_OVER = rounds.Prepared(
    sa.update(tables.messages)
    .where(tables.messages.c.id == sa.bindparam("of_row", type_=tables.messages.c.id.type))
    .values(handed_over_at=sa.bindparam("at", type_=tables.messages.c.handed_over_at.type))
)
_NEVER_AGAIN = frozenset({Delivery.DESTROYED, Delivery.UNDELIVERABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """A message as it goes to its recipient; `parts` is None for the sender, who sees how it stands only."""

    labelled: reads.Labelled
    parts: tuple[str, ...] | None


def hand_over(session: Session, found: reads.Message, *, now: datetime) -> HandedOver:
    """Decide again on every kept label and give the sealed parts (consent.md, "How it is decided").

    `found` is held by this transaction. *Raises* GoneError: destroyed, or its time is over. ForbiddenError
    `consent-refused`: it may not go now; what was left of it is destroyed.
    """
    # 1 what was destroyed for other reasons, or waited too long, is gone whatever a decision would say
    if found.delivery in _NEVER_AGAIN or found.not_after <= now:
        raise GoneError
    # 2 decide again, the gate held against a withdrawal that is on its way
    labels = reads.labels(session, [found.id])[found.id]
    decided = decide(session, _asked(found, labels), now=now, lock=True)
    # 3 one refused part refuses all: destroy, log, tell the sender
    if not decided.permitted:
        raise _refused(session, found, decided, now=now)
    # 4 an earlier refusal or the end of its keeping has destroyed it
    parts = reads.sealed(session, found.id)
    if parts is None:
        raise GoneError
    # 5 write down that it went out, and on which consents: a later withdrawal reaches back to them
    _note(session, found, labels, decided, now=now)
    return HandedOver(labelled=reads.Labelled(message=found, labels=labels), parts=parts)


def empty(session: Session, found: reads.Message, *, happening: Happening | None, now: datetime) -> Delivery:
    """Destroy the ciphertext of a message and give its delivery state after `happening` (None: it only ages)."""
    state = found.delivery if happening is None else moved(found.delivery, happening)
    session.execute(sa.update(tables.parts).where(tables.parts.c.message_row == found.id).values(sealed=None))
    ended = {} if state == found.delivery else {"delivery": state.value, "ended_at": now}
    session.execute(sa.update(tables.messages).where(tables.messages.c.id == found.id).values(emptied_at=now, **ended))
    tasks.finish(session, agency=found.sender, kind=TaskKind.RECEIPT_MISSING, about=found.id, now=now)
    tasks.finish(session, agency=found.sender, kind=TaskKind.MESSAGE_GAP, about=found.id, now=now)
    return state


def destroyed_entry(found: reads.Message, *, kind: AuditKind, actor: str, cause: str) -> Entry:
    """Make the entry that says when and why ciphertext left the hub."""
    return Entry(
        kind=kind,
        actor=actor,
        parties=(found.sender, found.recipient),
        case=found.case_handle,
        subject=found.id,
        facts={"message": found.message, "manifest": found.manifest_hash, "cause": cause},
    )


def still_permitted(session: Session, one: reads.Labelled, *, now: datetime) -> Decided:
    """Decide on a kept message without holding anything, to tell its parties what has changed."""
    return review(session, _asked(one.message, one.labels), now=now)


def _asked(found: reads.Message, labels: tuple[reads.Label, ...]) -> Asked:
    return Asked(
        sender=found.sender,
        recipient=found.recipient,
        case=found.case_handle,
        purpose=found.purpose,
        basis=basis_from(found.basis),
        categories=[label.category for label in labels],
        case_row=found.case_row,
    )


def _refused(session: Session, found: reads.Message, decided: Decided, *, now: datetime) -> ForbiddenError:
    entry = Entry(
        kind=AuditKind.MESSAGE_REFUSED,
        actor=found.recipient,
        parties=(found.sender, found.recipient),
        case=found.case_handle,
        subject=found.id,
        facts={"phase": "hand_over", **_facts(found, decided)},
    )
    decision_id = audit.append(session, entry, now=now)
    if found.emptied_at is None:
        empty(session, found, happening=Happening.REFUSAL, now=now)
        outbox.tell(session, agency=found.sender, event="message:refused", about=found.id, now=now)
    if found.emptied_at is None and found.delivery not in ARRIVED:
        tasks.raise_task(
            session,
            agency=found.sender,
            kind=TaskKind.DELIVERY_REFUSED,
            about=found.id,
            case=found.case_handle,
            due=now,
            now=now,
        )
    return ForbiddenError(
        "consent-refused", keep=True, extra={"decision_id": decision_id, "decisions": decided.shown()}
    )


def _note(
    session: Session,
    found: reads.Message,
    labels: tuple[reads.Label, ...],
    decided: Decided,
    *,
    now: datetime,
) -> None:
    if found.handed_over_at is None:
        rounds.later(session, _HAND_OVER.of(of_row=found.id, at=now))
    for label, (_, decision) in zip(labels, decided.parts, strict=True):
        if decision.scope != label.scope:
            session.execute(
                sa.update(tables.parts)
                .where(tables.parts.c.message_row == found.id, tables.parts.c.n == label.n)
                .values(scope=decision.scope)
            )
    entry = Entry(
        kind=AuditKind.MESSAGE_HANDED_OVER,
        actor=found.recipient,
        parties=(found.sender, found.recipient),
        case=found.case_handle,
        subject=found.id,
        facts=_facts(found, decided),
    )
    audit.append(session, entry, now=now)


def _facts(found: reads.Message, decided: Decided) -> dict[str, Any]:
    return {
        "message": found.message,
        "manifest": found.manifest_hash,
        **decided.question(),
        "parts": decided.logged(),
    }
