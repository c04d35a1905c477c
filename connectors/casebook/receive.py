# SPDX-License-Identifier: Apache-2.0
"""Take a message in: verify, decide once more, open, keep, and queue the signed receipt (protocol §2, "Opening").

Steps, each before the next:
1 the manifest's signature, with the sender's key from the directory; 2 the parts against the manifest, one by one;
3 this agency's own decision on each part; 4 keep what may be used; 5 the delivery receipt, with a result per part.
A named worker's first reading sends the read receipt, which is what moves a referral to *received*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import access, directory, outgoing, preview, tables
from connectors.casebook.statements import Pen
from consent import receipts, signing, wire
from consent.decisions import Permitted
from consent.envelope import manifest as manifests
from consent.envelope import opening
from consent.envelope.manifest import Manifest
from consent.jwk import PrivateKey
from consent.receipts import Delivery, PartReceipt, PartResult, ReceiptRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A message as the hub hands it over: its id there, its referral, when the hub took it, and what was sealed.

    Kept as evidence: `receipt`, the hub's signed word that it took the message; `log_entry` and `log_proof`, the
    disclosure's entry of the audit log and the proof that it is there. Nothing is opened without them (audit-log 4).
    """

    hub_id: str
    referral: str | None
    accepted_at: datetime
    manifest: str
    parts: Sequence[str] = field(repr=False)
    receipt: str
    log_entry: str
    log_proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPart:
    """One part in the clear, for the person who reads it. The body stays out of every repr."""

    n: int
    category: str
    media: str
    body: bytes = field(repr=False)


def take_in(
    connection: Connection, arrived: Arrived, pen: Pen, *, opening_keys: Sequence[PrivateKey]
) -> tuple[PartReceipt, ...]:
    """Verify, open and keep a message; queue its delivery receipt; give the result of each part.

    *Raises* `ConnectorError`: `proof-missing`, without the log's proof nothing is opened; `signer-unknown`,
    `agency-unknown`; `TsunagiError` for a manifest that cannot be believed. Nothing is kept then.
    """
    if not (arrived.receipt and arrived.log_entry and arrived.log_proof):
        raise ConnectorError("proof-missing")
    # 1
    kid, sender = manifests.peek(arrived.manifest)
    key = directory.signing_key(connection, sender, kid, at=pen.now)
    manifest = manifests.read_manifest(arrived.manifest, key)
    if manifest.recipient != pen.agency:
        raise ConnectorError("not-for-us")
    # 2
    opened = _open(manifest, arrived.parts, opening_keys)
    # 3
    allowed = _allowed(connection, manifest, sent_at=arrived.accepted_at, now=pen.now)
    # 4
    results = []
    for part in opened:
        result = _result(part, allowed)
        results.append(PartReceipt(n=part.n, result=result))
        if isinstance(part, opening.OpenedPart) and result is PartResult.OK:
            _keep_part(connection, manifest, part)
        else:
            access.record(
                connection, staff=pen.staff, action="part:refused", about=manifest.id, case=manifest.case, now=pen.now
            )
    _keep_message(connection, arrived, manifest, results)
    # 5
    record = _receipt(arrived.manifest, manifest, pen, kind=Delivery.DELIVERY, results=tuple(results), by=None)
    _queue(connection, arrived.hub_id, record, pen)
    return tuple(results)


def is_known(connection: Connection, message: str, sender: str) -> bool:
    """Say whether a message was taken in before, whatever came of its parts."""
    query = sa.select(tables.messages.c.id).where(tables.messages.c.id == message, tables.messages.c.sender == sender)
    return connection.execute(query).one_or_none() is not None


def read(connection: Connection, message: str, sender: str, pen: Pen) -> tuple[ReadPart, ...]:
    """Show a received message to the worker who holds the pen; the first reading queues the read receipt.

    Parts that were purged since are not among what is shown.

    *Raises* `ConnectorError("message-unknown")`.
    """
    row = connection.execute(
        sa.select(tables.messages).where(tables.messages.c.id == message, tables.messages.c.sender == sender)
    ).one_or_none()
    if row is None:
        raise ConnectorError("message-unknown")
    access.record(connection, staff=pen.staff, action="message:read", about=message, case=row.case, now=pen.now)
    if row.read_at is None and sender != pen.agency:
        # verified when it was taken in; the key may have ended since
        manifest = wire.read(Manifest, signing.peek_payload(row.manifest, typ=signing.Typ.MANIFEST))
        record = _receipt(row.manifest, manifest, pen, kind=Delivery.READ, results=(), by=pen.staff)
        _queue(connection, row.hub_id, record, pen)
        connection.execute(
            sa.update(tables.messages)
            .where(tables.messages.c.id == message, tables.messages.c.sender == sender)
            .values(read_at=pen.now, read_by=pen.staff)
        )
    rows = connection.execute(
        sa.select(tables.parts)
        .where(tables.parts.c.message == message, tables.parts.c.sender == sender, tables.parts.c.result == "ok")
        .order_by(tables.parts.c.n)
    )
    return tuple(ReadPart(n=part.n, category=part.category, media=part.media, body=part.body) for part in rows)


def _open(
    manifest: Manifest, parts: Sequence[str], opening_keys: Sequence[PrivateKey]
) -> tuple[opening.OpenedPart | opening.RefusedPart, ...]:
    """Open the parts; a key that this agency no longer has is told to the sender like any part that will not open."""
    own = next((held for held in opening_keys if held.kid == manifest.to_kid), None)
    if own is None:
        return tuple(
            opening.RefusedPart(n=part.n, category=part.category, code="undecryptable") for part in manifest.parts
        )
    return opening.open_parts(manifest, parts, own)


def _result(part: opening.OpenedPart | opening.RefusedPart, allowed: frozenset[str]) -> PartResult:
    if isinstance(part, opening.RefusedPart):
        return PartResult(part.result)
    return PartResult.OK if part.category in allowed else PartResult.REFUSED


def _allowed(connection: Connection, manifest: Manifest, *, sent_at: datetime, now: datetime) -> frozenset[str]:
    decided = preview.preview(
        connection,
        case=manifest.case,
        sender=manifest.sender,
        recipient=manifest.recipient,
        purpose=manifest.purpose,
        categories=[part.category for part in manifest.parts],
        basis=manifests.basis_of(manifest),
        now=now,
        sent_at=sent_at,
    )
    return frozenset(category for category, answer in decided if isinstance(answer, Permitted))


def _keep_message(connection: Connection, arrived: Arrived, manifest: Manifest, results: Sequence[PartReceipt]) -> None:
    fine = all(part.result is PartResult.OK for part in results)
    values = {
        "hub_id": arrived.hub_id,
        "referral": arrived.referral,
        "hub_receipt": arrived.receipt,
        "log_entry": arrived.log_entry,
        "log_proof": arrived.log_proof,
    }
    statement = insert(tables.messages).values(
        id=manifest.id,
        sender=manifest.sender,
        recipient=manifest.recipient,
        thread=manifest.thread,
        case=manifest.case,
        kind=manifest.kind.value,
        purpose=manifest.purpose,
        at=manifest.created_at,
        manifest=arrived.manifest,
        state="opened" if fine else "undecryptable",
        **values,
    )
    connection.execute(statement.on_conflict_do_update(index_elements=["id", "sender"], set_=values))


def _keep_part(connection: Connection, manifest: Manifest, part: opening.OpenedPart) -> None:
    statement = insert(tables.parts).values(
        message=manifest.id,
        sender=manifest.sender,
        n=part.n,
        category=part.category,
        media=part.media,
        body=part.body,
        result="ok",
    )
    connection.execute(statement.on_conflict_do_nothing())


def _receipt(
    token: str,
    manifest: Manifest,
    pen: Pen,
    *,
    kind: Delivery,
    results: tuple[PartReceipt, ...],
    by: str | None,
) -> ReceiptRecord:
    return ReceiptRecord(
        id=pen.new_id(),
        agency=pen.agency,
        sender=manifest.sender,
        message=manifest.id,
        manifest=manifests.manifest_hash(token),
        kind=kind,
        results=results,
        by=by,
        at=pen.now,
    )


def _queue(connection: Connection, hub_id: str, record: ReceiptRecord, pen: Pen) -> None:
    outgoing.put(
        connection,
        key=pen.new_id(),
        what="receipt",
        about=record.message,
        path=f"/v1/messages/{hub_id}/receipts",
        body={"receipt": receipts.sign_statement(record, pen.key)},
        now=pen.now,
    )
