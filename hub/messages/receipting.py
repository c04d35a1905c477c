# SPDX-License-Identifier: Apache-2.0
"""A recipient's signed receipts: that all parts were opened, with the result of each, and that a named worker read
them first. What a receipt means for the referral is the referral's to say.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from consent import signing, wire
from consent.errors import TsunagiError
from consent.receipts import Delivery as ReceiptKind
from consent.receipts import PartResult, ReceiptRecord, peek_statement, read_statement, statement_hash
from consent.signing import Typ
from hub.agencies import reads as agencies
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base import rounds
from hub.base.errors import ConflictError, ForbiddenError, InvalidError
from hub.base.ids import new_id
from hub.messages import known, reads, tables
from hub.messages.accepting import reading
from hub.messages.rules import Happening, moved
from hub.outbox import service as outbox
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What a receipt said, for the referral: which message, of which kind, whether every part was good.

    `first`: this read receipt is the first for the message. `by`: the worker who read it, an opaque staff id.
    `again`: the same receipt was here before and changed nothing now.
    """

    message: str
    thread: str
    sender: str
    recipient: str
    kind: ReceiptKind
    ok: bool
    first: bool
    by: str | None
    at: datetime
    again: bool


_WRITE = rounds.Prepared(
    sa.insert(tables.receipts),
    *("id", "message_row", "sender", "recipient", "receipt", "kind", "token", "received_at"),
)
_said = (
    sa.func.unnest(sa.bindparam("numbers", type_=ARRAY(sa.Integer)), sa.bindparam("results", type_=ARRAY(sa.Text)))
    .table_valued(sa.column("n", sa.Integer), sa.column("result", sa.Text), name="said")
    .render_derived()
)
_of_row = sa.bindparam("of_row", type_=tables.messages.c.id.type)
_RESULTS = rounds.Prepared(
    sa.update(tables.parts)
    .where(tables.parts.c.message_row == _of_row, tables.parts.c.n == _said.c.n)
    .values(result=_said.c.result)
)
_moving = sa.update(tables.messages).where(tables.messages.c.id == _of_row)
_DELIVERED = rounds.Prepared(_moving.values({n: sa.bindparam(n) for n in ("delivery", "delivered_at")}))
_OPENED = rounds.Prepared(_moving.values({n: sa.bindparam(n) for n in ("delivery", "delivered_at", "opened_at")}))


def ask_ahead(token: str) -> tuple[rounds.Asked, ...]:
    """Make the questions that reading a receipt asks, from what it says unverified; none of one that cannot be read."""
    try:
        kid, signer = peek_statement(token, ReceiptRecord)
        said = wire.parse(signing.peek_payload(token, typ=Typ.RECEIPT)).get("id")
    except TsunagiError:
        return ()
    if not isinstance(said, str) or not wire.is_id(said):
        return ()
    return agencies.ask_sig_key(signer, kid), known.ask_receipt(recipient=signer, receipt=said)


def read(session: Session, token: str, *, agency: str, now: datetime) -> ReceiptRecord:
    """Verify and read a receipt with the key that its signer, the caller, has now."""
    with reading("/receipt"):
        kid, signer = peek_statement(token, ReceiptRecord)
        key = agencies.sig_key(session, signer, kid, now)
        record = read_statement(token, ReceiptRecord, key)
    if record.agency != agency:
        raise ForbiddenError("wrong-party", pointer="/receipt/agency")
    return record


def require_match(session: Session, found: reads.Message, record: ReceiptRecord, *, now: datetime) -> None:
    """Require that a receipt speaks of this very message; if not, the sender is alarmed (bad-input REF-10)."""
    if found.handed_over_at is None:
        raise ConflictError("not-handed-over")
    named = (record.sender, record.message, record.manifest)
    if named == (found.sender, found.message, found.manifest_hash):
        return
    entry = Entry(
        kind=AuditKind.RECEIPT_MISMATCHED,
        actor=found.recipient,
        parties=(found.sender, found.recipient),
        case=found.case_handle,
        subject=found.id,
        facts={"receipt": record.id, "expected": found.manifest_hash, "named": record.manifest},
    )
    audit.append(session, entry, now=now)
    _alarm(session, found, now=now)
    raise ConflictError("receipt-mismatch", pointer="/receipt/manifest", keep=True)


def again(session: Session, found: reads.Message, record: ReceiptRecord, token: str) -> Acknowledged | None:
    """Give the answer to a receipt that was here before.

    *Raises* ConflictError `receipt-id-reused`: under this id the caller signed something else.
    """
    stored = reads.receipt_stored(session, recipient=found.recipient, receipt=record.id)
    if stored is None:
        return None
    if stored != token:
        raise ConflictError("receipt-id-reused", pointer="/receipt/id")
    ok = record.is_ok() and _all_good(reads.labels(session, [found.id])[found.id])
    return _acknowledged(found, record, ok=ok, first=False, again=True)


def take(session: Session, found: reads.Message, record: ReceiptRecord, token: str, *, now: datetime) -> Acknowledged:
    """Store a receipt, move the delivery if every part was good, else ask the sender to look into it (protocol §5)."""
    labels = reads.labels(session, [found.id])[found.id]
    if record.kind is ReceiptKind.DELIVERY and len(record.results) != len(labels):
        raise InvalidError("results-incomplete", pointer="/receipt/results")
    _write(session, found, record, token, now=now)
    ok = record.is_ok() if record.kind is ReceiptKind.DELIVERY else _all_good(labels)
    if ok:
        _move(session, found, record, now=now)
    else:
        _alarm(session, found, now=now)
    first = record.kind is ReceiptKind.READ and found.opened_at is None and ok
    return _acknowledged(found, record, ok=ok, first=first, again=False)


def _write(session: Session, found: reads.Message, record: ReceiptRecord, token: str, *, now: datetime) -> None:
    row = {"id": new_id(now), "message_row": found.id, "sender": found.sender, "recipient": found.recipient}
    said = {"receipt": record.id, "kind": record.kind.value, "token": token, "received_at": now}
    rounds.later(session, _WRITE.of(**row, **said))
    if record.results:
        numbers, results = [part.n for part in record.results], [part.result.value for part in record.results]
        rounds.later(session, _RESULTS.of(of_row=found.id, numbers=numbers, results=results))
    read = record.kind is ReceiptKind.READ
    entry = Entry(
        kind=AuditKind.RECEIPT_READ if read else AuditKind.RECEIPT_DELIVERED,
        actor=found.recipient,
        parties=(found.sender, found.recipient),
        case=found.case_handle,
        subject=found.id,
        facts={
            "receipt": record.id,
            "hash": statement_hash(token),
            "manifest": record.manifest,
            "results": [part.result.value for part in record.results],
            **({"by": record.by} if read else {}),
        },
    )
    audit.append(session, entry, now=now)


def _move(session: Session, found: reads.Message, record: ReceiptRecord, *, now: datetime) -> None:
    read = record.kind is ReceiptKind.READ
    state = moved(found.delivery, Happening.READ_RECEIPT if read else Happening.DELIVERY_RECEIPT)
    # a read receipt whose delivery receipt was lost starts the clock of the ciphertext as well
    values = {"delivery": state.value, "delivered_at": found.delivered_at or now}
    if read:
        values["opened_at"] = found.opened_at or now
    rounds.later(session, (_OPENED if read else _DELIVERED).of(of_row=found.id, **values))
    for kind in (TaskKind.RECEIPT_MISSING, TaskKind.DELIVERY_FAILED):
        tasks.finish(session, agency=found.sender, kind=kind, about=found.id, now=now)
    event = "message:opened" if read else "message:delivered"
    outbox.tell(session, agency=found.sender, event=event, about=found.id, now=now)


def _alarm(session: Session, found: reads.Message, *, now: datetime) -> None:
    tasks.raise_task(
        session,
        agency=found.sender,
        kind=TaskKind.DELIVERY_FAILED,
        about=found.id,
        case=found.case_handle,
        due=now,
        now=now,
    )
    outbox.tell(session, agency=found.sender, event="message:failed", about=found.id, now=now)


def _all_good(labels: tuple[reads.Label, ...]) -> bool:
    return all(label.result in {None, PartResult.OK.value} for label in labels)


def _acknowledged(found: reads.Message, record: ReceiptRecord, *, ok: bool, first: bool, again: bool) -> Acknowledged:
    return Acknowledged(
        message=found.id,
        thread=found.thread,
        sender=found.sender,
        recipient=found.recipient,
        kind=record.kind,
        ok=ok,
        first=first,
        by=record.by,
        at=record.at,
        again=again,
    )
