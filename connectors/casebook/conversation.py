# SPDX-License-Identifier: Apache-2.0
"""The thread of a referral as this agency holds it: which messages with which parts, what may be said, saying it.

Nothing here opens or sends by itself: `receive.read` shows parts, `compose.send` seals and queues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import compose, corrected, preview, tables
from connectors.casebook.compose import Letter
from connectors.casebook.statements import Pen
from connectors.sdk.threads import Referral
from consent import signing, wire
from consent.decisions import ConsentBasis, Permitted, Refused
from consent.envelope.manifest import Manifest, MessageKind
from consent.envelope.sealing import PlainPart
from consent.errors import SealRefusedError
from consent.jwk import PublicKey
from consent.vocabulary.codes import CATEGORIES

MY_NUMBER: Final = "my-number"
_LONGEST_QUOTE: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPart:
    """A part that a message announced; `here`: it is kept and can be read. `size` in bytes, 0 where it is not here."""

    n: int
    category: str
    media: str
    here: bool
    purged: bool
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message of the thread, ours or theirs; `to_kid` is the key to which it was sealed."""

    id: str
    sender: str
    recipient: str
    case: str
    kind: str
    purpose: str
    urgency: str
    request_kind: str
    at: datetime
    state: str
    read_at: datetime | None
    read_by: str | None
    hub_id: str | None
    to_kid: str
    basis: str
    parts: tuple[HeldPart, ...]

    @property
    def is_whole(self) -> bool:
        """Say whether every part that was announced can be read."""
        return all(part.here for part in self.parts)

    @property
    def is_correction(self) -> bool:
        """Say whether it corrects what its sender said earlier."""
        return any(part.media == corrected.MEDIA for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A short text of a message, for a timeline; `marks` are its sender's later words that correct it."""

    message: str
    sender: str
    category: str
    text: str = field(repr=False)
    marks: tuple[corrected.Mark, ...] = ()


def messages_of(connection: Connection, referral: Referral) -> Sequence[Held]:
    """Give the messages of a referral's thread between its two sides, oldest first, each with its parts."""
    table, between = tables.messages.c, (referral.sender, referral.recipient)
    rows = connection.execute(
        sa.select(tables.messages)
        .where(table.thread == referral.thread, table.sender.in_(between), table.recipient.in_(between))
        .order_by(table.at, table.id)
    ).all()
    kept = _parts(connection, [row.id for row in rows])
    return [_held(row, kept) for row in rows]


def quotes_of(connection: Connection, referral: Referral, agency: str) -> dict[tuple[str, str], tuple[Quote, ...]]:
    """Give the short texts of messages that we wrote or that somebody here has opened; the page logs the look."""
    messages, parts = tables.messages.c, tables.parts.c
    rows = connection.execute(
        sa.select(parts.message, parts.sender, parts.n, parts.category, parts.body)
        .join(tables.messages, sa.and_(messages.id == parts.message, messages.sender == parts.sender))
        .where(
            messages.thread == referral.thread,
            messages.kind != MessageKind.REFERRAL.value,
            sa.or_(messages.sender == agency, messages.read_at.is_not(None)),
            parts.media == "text/plain",
            parts.result == "ok",
            sa.func.length(parts.body) <= _LONGEST_QUOTE,
        )
        .order_by(parts.n)
    )
    found: dict[tuple[str, str], tuple[Quote, ...]] = {}
    marks = corrected.marks_of(connection, referral.case, agency)
    for row in rows:
        quote = Quote(
            message=row.message,
            sender=row.sender,
            category=row.category,
            text=row.body.decode("utf-8", "replace"),
            marks=corrected.on(marks, (row.message, row.sender, row.n), row.category),
        )
        found[row.message, row.sender] = (*found.get((row.message, row.sender), ()), quote)
    return found


def may_say(
    connection: Connection, referral: Referral, *, agency: str, now: datetime
) -> tuple[tuple[str, Permitted | Refused], ...]:
    """Decide for every category whether we may tell the other side of a referral something of it now.

    *Raises* `ConnectorError("agency-unknown")`.
    """
    return preview.preview(
        connection,
        case=referral.case,
        sender=agency,
        recipient=other_side(referral, agency),
        purpose=referral.purpose,
        categories=list(CATEGORIES),
        basis=ConsentBasis(),
        now=now,
    )


def say(
    connection: Connection,
    pen: Pen,
    referral: Referral,
    kind: MessageKind,
    parts: Sequence[tuple[str, str, bytes]],
    *,
    own: PublicKey,
    acknowledged: bool = False,
) -> str:
    """Seal parts `(category, media, body)` for the other side, in the referral's thread, and queue them; give the id.

    *Raises* `RefusedHereError` and `ConnectorError` as `compose.send`; `ConnectorError("my-number")` for a text that
    looks like one, unless somebody has looked at it (`acknowledged`).
    """
    letter = Letter(
        case=referral.case,
        recipient=other_side(referral, pen.agency),
        purpose=referral.purpose,
        parts=tuple(PlainPart(category=category, media=media, body=body) for category, media, body in parts),
        kind=kind,
        urgency=referral.urgency,
        request_kind=referral.request_kind or "service",
        referral=referral.id,
        thread=referral.thread,
        acknowledged=acknowledged,
    )
    try:
        return compose.send(connection, letter, pen, own=own)
    except SealRefusedError as refused:
        if refused.code != MY_NUMBER:
            raise
        raise ConnectorError(MY_NUMBER) from None


def other_side(referral: Referral, agency: str) -> str:
    """Name whom we speak with in a referral: the receiver, or the sender where the receiver is us."""
    return referral.sender if agency == referral.recipient else referral.recipient


def unread(connection: Connection, agency: str, *, limit: int = 100) -> Sequence[tuple[str, str, str, datetime]]:
    """Give what came into threads and nobody has opened: referral, sender, kind, when; newest first."""
    table = tables.messages.c
    rows = connection.execute(
        sa.select(table.referral, table.sender, table.kind, table.at)
        .where(
            table.recipient == agency,
            table.read_at.is_(None),
            table.kind != MessageKind.REFERRAL.value,
            table.referral.is_not(None),
        )
        .order_by(table.at.desc(), table.id)
        .limit(limit)
    )
    return [(row.referral, row.sender, row.kind, row.at) for row in rows]


def _parts(connection: Connection, messages: Sequence[str]) -> dict[tuple[str, str, int], Any]:
    parts = tables.parts.c
    rows = connection.execute(
        sa.select(parts.message, parts.sender, parts.n, parts.result, sa.func.length(parts.body).label("size")).where(
            parts.message.in_(messages)
        )
    )
    return {(row.message, row.sender, row.n): row for row in rows}


def _held(row: sa.Row[Any], kept: dict[tuple[str, str, int], Any]) -> Held:
    said = wire.read(Manifest, signing.peek_payload(row.manifest, typ=signing.Typ.MANIFEST))
    parts = []
    for label in said.parts:
        part = kept.get((row.id, row.sender, label.n))
        here = part is not None and part.result == "ok"
        parts.append(
            HeldPart(
                n=label.n,
                category=label.category,
                media=label.media,
                here=here,
                purged=part is not None and not here,
                size=part.size if part is not None and here else 0,
            )
        )
    same = ("id", "sender", "recipient", "case", "kind", "purpose", "at", "state", "read_at", "read_by", "hub_id")
    return Held(
        **{name: getattr(row, name) for name in same},
        urgency=said.urgency,
        request_kind=said.request_kind,
        to_kid=said.to_kid,
        basis=said.basis.kind,
        parts=tuple(parts),
    )
