# SPDX-License-Identifier: Apache-2.0
"""What is known of threads, messages and labels, and the questions that the busiest requests ask about them.

A question is compiled once and can be foreseen (`hub.base.rounds`); `reads` asks it and reads its rows.
Row-level security narrows each to what the caller sent or receives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from hub.base import rounds
from hub.base.rounds import Asked
from hub.messages import tables
from hub.messages.rules import Delivery, Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A thread between two agencies about one case; `thread` is the opener's id, `id` the hub's row."""

    id: str
    thread: str
    opener: str
    partner: str
    case_handle: str
    opener_seq: int
    opener_head: str | None
    partner_seq: int
    partner_head: str | None

    def head(self, sender: str) -> Head:
        """Give the end of the chain of the messages that `sender` sends."""
        if sender == self.opener:
            return Head(seq=self.opener_seq, own=self.opener_head)
        return Head(seq=self.partner_seq, own=self.partner_head)

    def other(self, agency: str) -> str:
        """Give the other party."""
        return self.partner if agency == self.opener else self.opener


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One accepted message as the hub knows it; `id` is the hub's row, `message` the sender's id."""

    id: str
    message: str
    thread_row: str
    thread: str
    seq: int
    sender: str
    recipient: str
    case_handle: str
    case_row: str | None
    manifest: str
    manifest_hash: str
    kind: str
    purpose: str
    urgency: str
    request_kind: str | None
    basis: dict[str, Any]
    not_after: datetime
    accepted_at: datetime
    receipt: str
    waiting_since: datetime | None
    delivery: Delivery
    offered_at: datetime | None
    handed_over_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    ended_at: datetime | None
    emptied_at: datetime | None
    stopped_told_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the hub may know of one part: its place, category, padded size and what became of it."""

    n: int
    category: str
    media: str
    size_bucket: int
    scope: str | None
    result: str | None


Position = tuple[datetime, int, str]
"""Where an inbox page ended: waiting since, number in its thread, row."""

MESSAGE_COLUMNS = [tables.messages.c[name] for name in Message.__dataclass_fields__]
_thread_columns = [tables.threads.c[name] for name in Thread.__dataclass_fields__]

_UUID, _NUMBER, _TIME = sa.Uuid(as_uuid=False), sa.Integer, tables.messages.c.waiting_since.type
_of_row, _of_sender, _of_recipient, _of_thread = (
    sa.bindparam(name, type_=_UUID) for name in ("of_row", "of_sender", "of_recipient", "of_thread")
)
_one_message = sa.select(*MESSAGE_COLUMNS).where(tables.messages.c.id == _of_row)
_MESSAGE, _MESSAGE_HELD = rounds.Prepared(_one_message), rounds.Prepared(_one_message.with_for_update())
_SENT = rounds.Prepared(
    sa.select(*MESSAGE_COLUMNS).where(
        tables.messages.c.sender == _of_sender, tables.messages.c.message == sa.bindparam("of_message", type_=_UUID)
    )
)
_between = sa.or_(
    sa.and_(tables.threads.c.opener == _of_sender, tables.threads.c.partner == _of_recipient),
    sa.and_(tables.threads.c.opener == _of_recipient, tables.threads.c.partner == _of_sender),
)
_one_thread = (
    sa.select(*_thread_columns)
    .where(
        tables.threads.c.thread == _of_thread,
        _between,
    )
    .order_by(tables.threads.c.id)
    .limit(1)
)
_THREAD, _THREAD_HELD = rounds.Prepared(_one_thread), rounds.Prepared(_one_thread.with_for_update())
_label_columns = [tables.parts.c[name] for name in Label.__dataclass_fields__]
_LABELS = rounds.Prepared(
    sa.select(tables.parts.c.message_row, *_label_columns)
    .where(tables.parts.c.message_row == sa.any_(sa.bindparam("of_rows", type_=ARRAY(_UUID))))
    .order_by(tables.parts.c.message_row, tables.parts.c.n)
)
# as text: the driver would have to unfold twice as many hexadecimal digits
_SEALED = rounds.Prepared(
    sa.select(sa.func.convert_from(tables.parts.c.sealed, "UTF8").label("sealed"))
    .where(tables.parts.c.message_row == _of_row)
    .order_by(tables.parts.c.n)
)
_waiting_key = (tables.messages.c.waiting_since, tables.messages.c.seq, tables.messages.c.id)
# the condition word for word as the index has it: a plan made once for all values must see that it fits
_first_page = (
    sa.select(*MESSAGE_COLUMNS)
    .where(tables.messages.c.recipient == _of_recipient, sa.text(tables.WAITS))
    .order_by(*_waiting_key)
    .limit(sa.bindparam("most", type_=_NUMBER))
)
_WAITING_PAGE = rounds.Prepared(_first_page)
_WAITING_AFTER = rounds.Prepared(
    _first_page.where(
        sa.tuple_(*_waiting_key)
        > sa.tuple_(
            sa.bindparam("after_time", type_=_TIME),
            sa.bindparam("after_seq", type_=_NUMBER),
            sa.bindparam("after_row", type_=_UUID),
        )
    )
)
# by way of the thread's row: messages have no index of their own on the opener's id
_in_thread = sa.and_(
    tables.messages.c.thread_row.in_(
        sa.select(tables.threads.c.id).where(tables.threads.c.thread == _of_thread, _between)
    ),
    sa.or_(
        sa.and_(tables.messages.c.sender == _of_sender, tables.messages.c.recipient == _of_recipient),
        sa.and_(
            tables.messages.c.sender == _of_recipient,
            tables.messages.c.recipient == _of_sender,
            tables.messages.c.waiting_since.is_not(None),
        ),
    ),
)
_OF_THREAD = rounds.Prepared(
    sa.select(*MESSAGE_COLUMNS)
    .where(_in_thread)
    .order_by(tables.messages.c.accepted_at, tables.messages.c.seq, tables.messages.c.id)
)
_LABELS_OF_THREAD = rounds.Prepared(
    sa.select(tables.parts.c.message_row, *_label_columns)
    .join(tables.messages, tables.messages.c.id == tables.parts.c.message_row)
    .where(_in_thread)
    .order_by(tables.parts.c.message_row, tables.parts.c.n)
)
_RECEIPT = rounds.Prepared(
    sa.select(tables.receipts.c.token).where(
        tables.receipts.c.recipient == _of_recipient,
        tables.receipts.c.receipt == sa.bindparam("of_receipt", type_=_UUID),
    )
)


def ask_message(row: str, *, lock: bool = False) -> Asked:
    """Make the question that `message` asks, for whoever foresees it."""
    return (_MESSAGE_HELD if lock else _MESSAGE).of(of_row=row)


def ask_sent(*, sender: str, message: str) -> Asked:
    """Make the question that `sent` asks, for whoever foresees it."""
    return _SENT.of(of_sender=sender, of_message=message)


def ask_thread(*, agency: str, other: str, thread: str, lock: bool = False) -> Asked:
    """Make the question that `thread` asks, for whoever foresees it."""
    return (_THREAD_HELD if lock else _THREAD).of(of_sender=agency, of_recipient=other, of_thread=thread)


def ask_labels(rows: Sequence[str]) -> Asked:
    """Make the question that `labels` asks, for whoever foresees it."""
    return _LABELS.of(of_rows=list(rows))


def ask_sealed(row: str) -> Asked:
    """Make the question that `sealed` asks, for whoever foresees it."""
    return _SEALED.of(of_row=row)


def ask_waiting(*, recipient: str, after: Position | None, limit: int) -> Asked:
    """Make the question that `waiting` asks, for whoever foresees it."""
    if after is None:
        return _WAITING_PAGE.of(of_recipient=recipient, most=limit)
    time, seq, row = after
    return _WAITING_AFTER.of(of_recipient=recipient, most=limit, after_time=time, after_seq=seq, after_row=row)


def ask_of_thread(*, agency: str, other: str, thread: str) -> tuple[Asked, Asked]:
    """Make the two questions that `of_thread` asks, for whoever foresees them."""
    named = {"of_sender": agency, "of_recipient": other, "of_thread": thread}
    return _OF_THREAD.of(**named), _LABELS_OF_THREAD.of(**named)


def ask_receipt(*, recipient: str, receipt: str) -> Asked:
    """Make the question that `receipt_stored` asks, for whoever foresees it."""
    return _RECEIPT.of(of_recipient=recipient, of_receipt=receipt)
