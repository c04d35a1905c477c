# SPDX-License-Identifier: Apache-2.0
"""The broker's verbs: accept a sealed message, offer it, hand it over, take its receipts, answer "may I?".

Each verb is a numbered list of steps; the steps are in `accepting`, `storing`, `handing_over`, `receipting` and
`noticing`. Nothing here can read what is sealed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from consent.envelope.manifest import Manifest, basis_of
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base import rounds
from hub.base.errors import NotFoundError
from hub.messages import accepting, handing_over, known, noticing, reads, receipting, storing, tables
from hub.messages.accepting import Signed, reading
from hub.messages.deciding import Asked, decide
from hub.messages.handing_over import HandedOver
from hub.messages.receipting import Acknowledged
from hub.messages.rules import UNDELIVERED, Delivery, Happening
from hub.outbox import service as outbox

_row_type = tables.messages.c.id.type
_OFFER = rounds.Prepared(
    sa.update(tables.messages)
    .where(
        tables.messages.c.id == sa.any_(sa.bindparam("of_rows", type_=ARRAY(_row_type))),
        tables.messages.c.delivery == Delivery.QUEUED.value,
    )
    .values(delivery=Delivery.OFFERED.value, offered_at=sa.bindparam("at", type_=tables.messages.c.offered_at.type))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message that the hub has taken.

    `stored` is it as the hub keeps it; `message` is the hub's row id, `receipt` the hub's signed word, `decisions` as
    the API shows them. `held`: an
    earlier message of the thread is missing, so this one waits (202). `again`: these bytes were taken before and
    nothing changed now; `decisions` is then empty.
    """

    stored: reads.Message
    message: str
    thread: str
    manifest: Manifest
    manifest_hash: str
    receipt: str
    decisions: tuple[dict[str, Any], ...]
    accepted_at: datetime
    held: bool
    again: bool


def accept(
    session: Session,
    *,
    agency: str,
    manifest: str,
    parts: Sequence[str],
    thread: str | None,
    now: datetime,
    to: str | None = None,
) -> Accepted:
    """Take a sealed message in: verify, decide every part, store, log, promise (protocol §2, "Accepting").

    `thread` is the opener's id of the thread that the message must continue, `to` the other side of it; None: it
    must open one. Needs `Duty.DECIDE`. The same bytes again give the same answer.

    *Raises* MalformedError: signature, header, hash or label. InvalidError: document, codes, times, same-agency.
    TooLargeError. NotFoundError: no such thread. ConflictError: recipient-inactive, key-not-current,
    message-id-reused, thread-exists, chain-broken, consent-mismatch. ForbiddenError: wrong-party, override-limit,
    `consent-refused` with `decisions` and `decision_id`.
    """
    # 1 whose word it is: the header, the sender's key good now, the signature, the strict document
    accepting.require_count(parts)
    signed = accepting.read(session, manifest, now=now)
    # 2 the caller sends in its own name, to another, and where it was posted to
    accepting.require_parties(signed.manifest, agency=agency)
    accepting.require_address(signed.manifest, thread=thread, to=to)
    # 3 these are the manifest's parts: number, hashes, headers, labels, sizes
    accepting.require_parts(signed.manifest, parts)
    # 4 the same id: the same bytes are the same message, others are two histories
    known = accepting.seen(session, signed, now=now)
    if known is not None:
        return _accepted(signed, known, decisions=(), again=True)
    # 5 sealed to the recipient's current key, the times hold at the hub's
    accepting.require_deliverable(session, signed.manifest, now=now)
    # 6 where it falls in its thread, which is held from here on
    spot = accepting.find_spot(session, signed, opens=thread is None, now=now)
    if spot is None:
        return accept(session, agency=agency, manifest=manifest, parts=parts, thread=thread, to=to, now=now)
    # 7 both parties active, each part decided at the hub's time; the consent gate is held from here on
    decided = decide(session, _asked(signed.manifest), now=now, lock=True)
    # 8 the consents named as evidence are registered ones
    accepting.require_named_consents(session, signed.manifest, decided.case_row)
    # 9 one refused part refuses the whole message
    if not decided.permitted:
        raise storing.refusal(session, signed, decided, now=now)
    # 10 an emergency use is counted per requester and day
    storing.require_override_left(session, signed, now=now)
    # 11 store, log the disclosure, sign the receipt, tell the recipient
    stored = storing.store(session, signed, parts, decided, spot, now=now)
    return _accepted(signed, stored, decisions=tuple(decided.shown()), again=False)


def ask(session: Session, asked: Asked, *, now: datetime) -> tuple[str, list[dict[str, Any]]]:
    """Say what would be allowed now, and log that it was asked; gives the log entry's id and the decisions.

    Needs `Duty.DECIDE`. *Raises* DocumentRefusedError as InvalidError `unknown-code`.
    """
    with reading(""):
        # held like a send: an answer that stands in the log before a change must not know of the change
        decided = decide(session, asked, now=now, lock=True)
    entry = Entry(
        kind=AuditKind.DECISION_ASKED,
        actor=asked.sender,
        parties=(asked.sender,),
        case=asked.case,
        facts={**decided.question(), "parts": decided.logged()},
    )
    return audit.append(session, entry, now=now), decided.shown()


def offer(
    session: Session, *, agency: str, after: reads.Position | None, limit: int, now: datetime
) -> tuple[reads.Labelled, ...]:
    """Give a page of what waits for `agency` and mark it as offered (protocol §5: queued → offered)."""
    found = reads.waiting(session, recipient=agency, after=after, limit=limit)
    queued = [one.id for one in found if one.delivery is Delivery.QUEUED]
    if queued:
        rounds.later(session, _OFFER.of(of_rows=queued, at=now))
    return reads.labelled(session, found)


def offer_ahead(*, agency: str, after: reads.Position | None, limit: int) -> tuple[rounds.Asked, ...]:
    """Make the question that `offer` asks first, for whoever foresees it."""
    return (known.ask_waiting(recipient=agency, after=after, limit=limit),)


def collect(session: Session, *, agency: str, message: str, now: datetime) -> HandedOver:
    """Hand a message over to its recipient, deciding again; show its sender how it stands. Needs `Duty.DECIDE`.

    *Raises* NotFoundError: not the caller's, or still held. GoneError. ForbiddenError `consent-refused`.
    """
    found = _party_to(session, agency=agency, message=message)
    if found.sender == agency:
        return HandedOver(labelled=reads.labelled(session, [found])[0], parts=None)
    return handing_over.hand_over(session, found, now=now)


def collect_ahead(message: str) -> tuple[rounds.Asked, ...]:
    """Make the questions that `collect` asks first, for whoever foresees them."""
    return known.ask_message(message, lock=True), known.ask_labels([message]), known.ask_sealed(message)


def acknowledge_ahead(message: str, receipt: str) -> tuple[rounds.Asked, ...]:
    """Make the questions that `acknowledge` asks first, for whoever foresees them."""
    return (known.ask_message(message, lock=True), known.ask_labels([message]), *receipting.ask_ahead(receipt))


def acknowledge(session: Session, *, agency: str, message: str, receipt: str, now: datetime) -> Acknowledged:
    """Take the recipient's signed receipt (protocol §5). `message` is the hub's row id.

    A receipt that says that a part was not good raises a task for the sender and moves nothing.

    *Raises* NotFoundError. MalformedError, InvalidError: the receipt. ForbiddenError `wrong-party`. ConflictError:
    not-handed-over, receipt-mismatch (the sender is alarmed), receipt-id-reused.
    """
    # 1 only its recipient acknowledges a message
    found = _party_to(session, agency=agency, message=message)
    if found.sender == agency:
        raise NotFoundError
    # 2 the caller's own signed word
    record = receipting.read(session, receipt, agency=agency, now=now)
    # 3 about this very message
    receipting.require_match(session, found, record, now=now)
    # 4 the same receipt again changes nothing
    known = receipting.again(session, found, record, receipt)
    if known is not None:
        return known
    # 5 store it, and move the delivery if all is well
    return receipting.take(session, found, record, receipt, now=now)


def answer_notice(session: Session, *, agency: str, notice: str, record: str, now: datetime) -> reads.Notice:
    """Take an agency's signed answer to a stop-use notice; see `noticing.answer` for what is refused."""
    return noticing.answer(session, agency=agency, notice=notice, record=record, now=now)


def destroy_undelivered(session: Session, *, agency: str, other: str, thread: str, now: datetime) -> int:
    """Destroy what `agency` sent to `other` in a thread and nobody has confirmed to have; say how many (move 10)."""
    found = reads.undelivered_of_thread(session, agency=agency, other=other, thread=thread)
    for one in found:
        handing_over.empty(session, one, happening=Happening.CANCEL, now=now)
        entry = handing_over.destroyed_entry(one, kind=AuditKind.MESSAGE_DESTROYED, actor=agency, cause="cancelled")
        audit.append(session, entry, now=now)
        outbox.tell(session, agency=one.recipient, event="message:destroyed", about=one.id, now=now)
    return len(found)


def age(session: Session, found: reads.Message, *, now: datetime) -> None:
    """Destroy the ciphertext of a message whose time is over; one that nobody collected is undeliverable."""
    waiting = found.delivery in UNDELIVERED
    handing_over.empty(session, found, happening=Happening.END_OF_WAIT if waiting else None, now=now)
    entry = handing_over.destroyed_entry(
        found,
        kind=AuditKind.MESSAGE_EXPIRED if waiting else AuditKind.MESSAGE_DESTROYED,
        actor=HUB,
        cause="not_collected" if waiting else "kept_long_enough",
    )
    audit.append(session, entry, now=now)


def _asked(manifest: Manifest) -> Asked:
    return Asked(
        sender=manifest.sender,
        recipient=manifest.recipient,
        case=manifest.case,
        purpose=manifest.purpose,
        basis=basis_of(manifest),
        categories=[label.category for label in manifest.parts],
    )


def _party_to(session: Session, *, agency: str, message: str) -> reads.Message:
    """Give and hold a message of the caller's; a held one does not exist yet for its recipient (REF-06)."""
    found = reads.message(session, message, lock=True)
    if found is None or (found.recipient == agency and found.waiting_since is None):
        raise NotFoundError
    return found


def _accepted(signed: Signed, stored: reads.Message, *, decisions: tuple[dict[str, Any], ...], again: bool) -> Accepted:
    return Accepted(
        stored=stored,
        message=stored.id,
        thread=stored.thread,
        manifest=signed.manifest,
        manifest_hash=signed.own,
        receipt=stored.receipt,
        decisions=decisions,
        accepted_at=stored.accepted_at,
        held=stored.waiting_since is None,
        again=again,
    )
