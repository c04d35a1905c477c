# SPDX-License-Identifier: Apache-2.0
"""What can be read of messages: labels, states and, for the recipient alone, the sealed bytes.

Row-level security already narrows every query to what the caller sent or receives; the questions here narrow
further where the two differ. Content is in nothing that is returned, except sealed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.messages import tables
from hub.messages.rules import KEPT_AFTER_DELIVERY, UNDELIVERED, Delivery, Head, Link

_WAITING = tables.messages.c.delivery.in_(sorted(UNDELIVERED))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A message and the labels of its parts, in the order of the manifest."""

    message: Message
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeItem:
    """One message that a notice is about, by its sender's id, and the categories to stop using."""

    message: str
    sender: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A request to stop using what was handed over before its consent was taken back (consent.md)."""

    id: str
    agency: str
    case_row: str
    case_handle: str
    withdrawal: str
    items: tuple[NoticeItem, ...]
    raised_at: datetime
    due_at: datetime
    answer: str | None
    answered_at: datetime | None
    record: str | None


Position = tuple[datetime, int, str]
"""Where an inbox page ended: waiting since, number in its thread, row."""

MESSAGE_COLUMNS = [tables.messages.c[name] for name in Message.__dataclass_fields__]
_thread_columns = [tables.threads.c[name] for name in Thread.__dataclass_fields__]
_notice_columns = [tables.notices.c[name] for name in Notice.__dataclass_fields__]


def as_message(row: sa.Row[Any]) -> Message:
    """Make a message of a row that holds `MESSAGE_COLUMNS`."""
    values = row._asdict()
    return Message(**values | {"delivery": Delivery(values["delivery"])})


def _as_notice(row: sa.Row[Any]) -> Notice:
    values = row._asdict()
    items = tuple(
        NoticeItem(message=one["message"], sender=one["sender"], categories=tuple(one["categories"]))
        for one in values["items"]
    )
    return Notice(**values | {"items": items})


def _messages(session: Session, statement: sa.Select[Any]) -> tuple[Message, ...]:
    return tuple(as_message(row) for row in session.execute(statement))


def message(session: Session, row: str, *, lock: bool = False) -> Message | None:
    """Give the message of that row that the caller is a party of; `lock` holds it until we commit."""
    found = sa.select(*MESSAGE_COLUMNS).where(tables.messages.c.id == row)
    return next(iter(_messages(session, found.with_for_update() if lock else found)), None)


def sent(session: Session, *, sender: str, message: str) -> Message | None:
    """Give the message that `sender` sent under its own id `message`."""
    found = sa.select(*MESSAGE_COLUMNS).where(tables.messages.c.sender == sender, tables.messages.c.message == message)
    return next(iter(_messages(session, found)), None)


def thread(session: Session, *, agency: str, other: str, thread: str, lock: bool = False) -> Thread | None:
    """Give the thread of that (opener's) id between these two.

    The id alone is not enough: a third agency that learnt it may open a thread of its own under it.
    """
    found = sa.select(*_thread_columns).where(
        tables.threads.c.thread == thread,
        sa.or_(
            sa.and_(tables.threads.c.opener == agency, tables.threads.c.partner == other),
            sa.and_(tables.threads.c.opener == other, tables.threads.c.partner == agency),
        ),
    )
    found = found.order_by(tables.threads.c.id).limit(1)
    row = session.execute(found.with_for_update() if lock else found).one_or_none()
    return None if row is None else Thread(**row._asdict())


def held(session: Session, *, thread_row: str, sender: str) -> dict[int, Link]:
    """Give the links of one direction that wait because an earlier message is missing, by number."""
    found = sa.select(
        tables.messages.c.seq, tables.messages.c.prev, tables.messages.c.manifest_hash.label("own")
    ).where(
        tables.messages.c.thread_row == thread_row,
        tables.messages.c.sender == sender,
        tables.messages.c.waiting_since.is_(None),
    )
    return {row.seq: Link(**row._asdict()) for row in session.execute(found)}


def labels(session: Session, rows: Sequence[str]) -> dict[str, tuple[Label, ...]]:
    """Give the labels of each message's parts in order."""
    columns = [tables.parts.c[name] for name in Label.__dataclass_fields__]
    found = (
        sa.select(tables.parts.c.message_row, *columns)
        .where(tables.parts.c.message_row.in_(rows))
        .order_by(tables.parts.c.message_row, tables.parts.c.n)
    )
    gathered: dict[str, tuple[Label, ...]] = dict.fromkeys(rows, ())
    for row in session.execute(found):
        values = row._asdict()
        gathered[values.pop("message_row")] += (Label(**values),)
    return gathered


def labelled(session: Session, found: Sequence[Message]) -> tuple[Labelled, ...]:
    """Join messages with the labels of their parts."""
    by_row = labels(session, [one.id for one in found]) if found else {}
    return tuple(Labelled(message=one, labels=by_row[one.id]) for one in found)


def sealed(session: Session, row: str) -> tuple[str, ...] | None:
    """Give the sealed parts byte for byte as they came, or None once they are destroyed."""
    found = sa.select(tables.parts.c.sealed).where(tables.parts.c.message_row == row).order_by(tables.parts.c.n)
    stored = session.execute(found).scalars().all()
    if any(part is None for part in stored):
        return None
    return tuple(part.decode("utf-8") for part in stored if part is not None)


def waiting(session: Session, *, recipient: str, after: Position | None, limit: int) -> tuple[Message, ...]:
    """Give a page of what waits for `recipient`, oldest first, a thread in its own order."""
    key = (tables.messages.c.waiting_since, tables.messages.c.seq, tables.messages.c.id)
    found = (
        sa.select(*MESSAGE_COLUMNS)
        .where(tables.messages.c.recipient == recipient, _WAITING, tables.messages.c.waiting_since.is_not(None))
        .order_by(*key)
        .limit(limit)
    )
    if after is not None:
        found = found.where(
            sa.tuple_(*key) > sa.tuple_(*(sa.literal(v, c.type) for v, c in zip(after, key, strict=True)))
        )
    return _messages(session, found)


def of_thread(session: Session, *, agency: str, other: str, thread: str) -> tuple[Labelled, ...]:
    """Give the messages between two agencies in a thread with their labels: codes, sizes, states, never content.

    One that is held because an earlier one is missing is shown to its sender only.
    """
    found = (
        sa.select(*MESSAGE_COLUMNS)
        .where(
            tables.messages.c.thread == thread,
            sa.or_(
                sa.and_(tables.messages.c.sender == agency, tables.messages.c.recipient == other),
                sa.and_(
                    tables.messages.c.sender == other,
                    tables.messages.c.recipient == agency,
                    tables.messages.c.waiting_since.is_not(None),
                ),
            ),
        )
        .order_by(tables.messages.c.accepted_at, tables.messages.c.seq, tables.messages.c.id)
    )
    return labelled(session, _messages(session, found))


def undelivered_of_thread(session: Session, *, agency: str, other: str, thread: str) -> tuple[Message, ...]:
    """Give what `agency` sent to `other` in a thread and nobody has confirmed to have."""
    found = sa.select(*MESSAGE_COLUMNS).where(
        tables.messages.c.thread == thread,
        tables.messages.c.sender == agency,
        tables.messages.c.recipient == other,
        _WAITING,
    )
    return _messages(session, found.order_by(tables.messages.c.id).with_for_update())


def of_case(session: Session, case_row: str) -> tuple[Labelled, ...]:
    """Give the messages of a case that are still waiting or were ever handed over."""
    found = sa.select(*MESSAGE_COLUMNS).where(
        tables.messages.c.case_row == case_row,
        sa.or_(_WAITING, tables.messages.c.handed_over_at.is_not(None)),
    )
    return labelled(session, _messages(session, found.order_by(tables.messages.c.id)))


def agencies_of_case(session: Session, case_row: str) -> tuple[str, ...]:
    """Name the agencies that sent or were sent a message of a case, in the order of their ids."""
    m = tables.messages.c
    named = (sa.select(side).where(m.case_row == case_row) for side in (m.sender, m.recipient))
    return tuple(sorted(session.scalars(sa.union(*named))))


def unanswered(session: Session, *, before: datetime, limit: int) -> tuple[Message, ...]:
    """Give the messages offered before a moment for which no receipt came and nobody was told yet."""
    found = sa.select(*MESSAGE_COLUMNS).where(
        tables.messages.c.delivery == Delivery.OFFERED,
        tables.messages.c.overdue_told_at.is_(None),
        tables.messages.c.offered_at <= before,
        # a receipt that says what went wrong is an answer too
        ~sa.exists().where(tables.receipts.c.message_row == tables.messages.c.id),
    )
    ordered = found.order_by(tables.messages.c.offered_at).limit(limit)
    return _messages(session, ordered.with_for_update(skip_locked=True))


def waited_out(session: Session, *, now: datetime, limit: int) -> tuple[Message, ...]:
    """Give the messages whose ciphertext is still here though its time is over (protocol §2)."""
    found = sa.select(*MESSAGE_COLUMNS).where(
        tables.messages.c.emptied_at.is_(None),
        sa.or_(
            tables.messages.c.not_after <= now,
            tables.messages.c.delivered_at <= now - KEPT_AFTER_DELIVERY,
        ),
    )
    return _messages(session, found.limit(limit).with_for_update(skip_locked=True))


def receipt_stored(session: Session, *, recipient: str, receipt: str) -> str | None:
    """Give the stored token of the receipt that `recipient` signed under its id `receipt`."""
    found = sa.select(tables.receipts.c.token).where(
        tables.receipts.c.recipient == recipient, tables.receipts.c.receipt == receipt
    )
    return session.execute(found).scalar_one_or_none()


def overrides(session: Session, *, agency: str, requester: str, day: date) -> int:
    """Count a requester's emergency uses on one Japanese calendar day."""
    found = (
        sa.select(sa.func.count())
        .select_from(tables.overrides)
        .where(
            tables.overrides.c.agency == agency,
            tables.overrides.c.requester == requester,
            tables.overrides.c.day == day,
        )
    )
    return session.execute(found).scalar_one()


def notice(session: Session, notice: str, *, lock: bool = False) -> Notice | None:
    """Give one stop-use notice of the caller."""
    found = sa.select(*_notice_columns).where(tables.notices.c.id == notice)
    row = session.execute(found.with_for_update() if lock else found).one_or_none()
    return None if row is None else _as_notice(row)


def notices(session: Session, *, agency: str, open_only: bool, after: str | None, limit: int) -> tuple[Notice, ...]:
    """Give a page of the notices that `agency` must answer, oldest first."""
    found = sa.select(*_notice_columns).where(tables.notices.c.agency == agency)
    if open_only:
        found = found.where(tables.notices.c.answered_at.is_(None))
    if after is not None:
        found = found.where(tables.notices.c.id > after)
    return tuple(_as_notice(row) for row in session.execute(found.order_by(tables.notices.c.id).limit(limit)))


def notices_of_case(session: Session, case_row: str) -> tuple[Notice, ...]:
    """Give every notice of a case."""
    found = sa.select(*_notice_columns).where(tables.notices.c.case_row == case_row)
    return tuple(_as_notice(one) for one in session.execute(found))


def notices_overdue(session: Session, *, now: datetime, limit: int) -> tuple[Notice, ...]:
    """Give the notices whose answer is overdue and not yet on the officer's list."""
    found = sa.select(*_notice_columns).where(
        tables.notices.c.answered_at.is_(None),
        tables.notices.c.overdue_told_at.is_(None),
        tables.notices.c.due_at <= now,
    )
    ordered = found.order_by(tables.notices.c.due_at).limit(limit).with_for_update(skip_locked=True)
    return tuple(_as_notice(row) for row in session.execute(ordered))
