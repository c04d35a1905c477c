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

from hub.base import rounds
from hub.base.rounds import Row, Told
from hub.messages import known, tables
from hub.messages.known import MESSAGE_COLUMNS
from hub.messages.known import Label as Label  # noqa: PLC0414 - part of what is read
from hub.messages.known import Message as Message  # noqa: PLC0414 - part of what is read
from hub.messages.known import Position as Position  # noqa: PLC0414 - part of what is read
from hub.messages.known import Thread as Thread  # noqa: PLC0414 - part of what is read
from hub.messages.rules import KEPT_AFTER_DELIVERY, UNDELIVERED, Delivery, Link

_WAITING = tables.messages.c.delivery.in_(sorted(UNDELIVERED))


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


_notice_columns = [tables.notices.c[name] for name in Notice.__dataclass_fields__]


def as_message(row: Row) -> Message:
    """Make a message of a row that holds `MESSAGE_COLUMNS`."""
    return Message(**{**row, "delivery": Delivery(row["delivery"])})


def _message_of(told: Told) -> Message | None:
    return as_message(told.rows[0]) if told.rows else None


def as_notice(row: sa.Row[Any]) -> Notice:
    """Make a notice of a row that holds its columns."""
    values = row._asdict()
    items = tuple(
        NoticeItem(message=one["message"], sender=one["sender"], categories=tuple(one["categories"]))
        for one in values["items"]
    )
    return Notice(**values | {"items": items})


def _messages(session: Session, statement: sa.Select[Any]) -> tuple[Message, ...]:
    return tuple(as_message(row._asdict()) for row in session.execute(statement))


def message(session: Session, row: str, *, lock: bool = False) -> Message | None:
    """Give the message of that row that the caller is a party of; `lock` holds it until we commit."""
    return _message_of(rounds.ask(session, known.ask_message(row, lock=lock))[0])


def sent(session: Session, *, sender: str, message: str) -> Message | None:
    """Give the message that `sender` sent under its own id `message`."""
    return _message_of(rounds.ask(session, known.ask_sent(sender=sender, message=message))[0])


def thread(session: Session, *, agency: str, other: str, thread: str, lock: bool = False) -> Thread | None:
    """Give the thread of that (opener's) id between these two.

    The id alone is not enough: a third agency that learnt it may open a thread of its own under it.
    """
    (told,) = rounds.ask(session, known.ask_thread(agency=agency, other=other, thread=thread, lock=lock))
    return Thread(**told.rows[0]) if told.rows else None


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
    return _gathered(rows, rounds.ask(session, known.ask_labels(rows))[0])


def _gathered(rows: Sequence[str], told: Told) -> dict[str, tuple[Label, ...]]:
    gathered: dict[str, tuple[Label, ...]] = dict.fromkeys(rows, ())
    for row in told.rows:
        gathered[row["message_row"]] += (Label(**{name: row[name] for name in Label.__dataclass_fields__}),)
    return gathered


def labelled(session: Session, found: Sequence[Message]) -> tuple[Labelled, ...]:
    """Join messages with the labels of their parts."""
    by_row = labels(session, [one.id for one in found]) if found else {}
    return tuple(Labelled(message=one, labels=by_row[one.id]) for one in found)


def sealed(session: Session, row: str) -> tuple[str, ...] | None:
    """Give the sealed parts byte for byte as they came, or None once they are destroyed."""
    (told,) = rounds.ask(session, known.ask_sealed(row))
    stored = tuple(one["sealed"] for one in told.rows)
    return None if None in stored else stored


def waiting(session: Session, *, recipient: str, after: Position | None, limit: int) -> tuple[Message, ...]:
    """Give a page of what waits for `recipient`, oldest first, a thread in its own order."""
    (told,) = rounds.ask(session, known.ask_waiting(recipient=recipient, after=after, limit=limit))
    return tuple(as_message(row) for row in told.rows)


def of_thread(session: Session, *, agency: str, other: str, thread: str) -> tuple[Labelled, ...]:
    """Give the messages between two agencies in a thread with their labels: codes, sizes, states, never content.

    One that is held because an earlier one is missing is shown to its sender only.
    """
    found, labelling = rounds.ask(session, *known.ask_of_thread(agency=agency, other=other, thread=thread))
    messages = tuple(as_message(row) for row in found.rows)
    by_row = _gathered([one.id for one in messages], labelling)
    return tuple(Labelled(message=one, labels=by_row[one.id]) for one in messages)


def undelivered_of_thread(session: Session, *, agency: str, other: str, thread: str) -> tuple[Message, ...]:
    """Give what `agency` sent to `other` in a thread and nobody has confirmed to have."""
    # by way of the thread's row: messages have no index of their own on the opener's id
    rows = sa.select(tables.threads.c.id).where(
        tables.threads.c.thread == thread,
        sa.or_(
            sa.and_(tables.threads.c.opener == agency, tables.threads.c.partner == other),
            sa.and_(tables.threads.c.opener == other, tables.threads.c.partner == agency),
        ),
    )
    found = sa.select(*MESSAGE_COLUMNS).where(
        tables.messages.c.thread_row.in_(rows),
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
    (told,) = rounds.ask(session, known.ask_receipt(recipient=recipient, receipt=receipt))
    return str(told.rows[0]["token"]) if told.rows else None


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
    return None if row is None else as_notice(row)


def notices(session: Session, *, agency: str, open_only: bool, after: str | None, limit: int) -> tuple[Notice, ...]:
    """Give a page of the notices that `agency` must answer, oldest first."""
    found = sa.select(*_notice_columns).where(tables.notices.c.agency == agency)
    if open_only:
        found = found.where(tables.notices.c.answered_at.is_(None))
    if after is not None:
        found = found.where(tables.notices.c.id > after)
    return tuple(as_notice(row) for row in session.execute(found.order_by(tables.notices.c.id).limit(limit)))


def notices_of_case(session: Session, case_row: str) -> tuple[Notice, ...]:
    """Give every notice of a case."""
    found = sa.select(*_notice_columns).where(tables.notices.c.case_row == case_row)
    return tuple(as_notice(one) for one in session.execute(found))


def notices_overdue(session: Session, *, now: datetime, limit: int) -> tuple[Notice, ...]:
    """Give the notices whose answer is overdue and not yet on the officer's list."""
    found = sa.select(*_notice_columns).where(
        tables.notices.c.answered_at.is_(None),
        tables.notices.c.overdue_told_at.is_(None),
        tables.notices.c.due_at <= now,
    )
    ordered = found.order_by(tables.notices.c.due_at).limit(limit).with_for_update(skip_locked=True)
    return tuple(as_notice(row) for row in session.execute(ordered))
