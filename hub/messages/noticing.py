# SPDX-License-Identifier: Apache-2.0
"""Stop-use notices: raised when a consent is taken back after something was handed over on it, answered by the
agency's signed word. The hub knows that word and nothing more: never that something is gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from consent.calendar import Calendar
from consent.questions import Permitted
from consent.receipts import PurgeRecord, peek_statement, read_statement, statement_hash
from hub.agencies import reads as agencies
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base.errors import ConflictError, ForbiddenError, NotFoundError
from hub.base.ids import new_id
from hub.messages import reads, tables
from hub.messages.accepting import reading
from hub.messages.handing_over import still_permitted
from hub.messages.rules import NOTICE_BUSINESS_DAYS, taken_back
from hub.outbox import service as outbox
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One category of one message that a withdrawal reaches back to."""

    withdrawal: str
    message: reads.Message
    category: str


def raise_notices(session: Session, handed_over: Iterable[reads.Labelled], *, now: datetime) -> None:
    """Ask every agency that holds what may not be used any more to stop and to answer (consent.md, Withdrawal).

    What an earlier notice already names is not asked for twice.
    """
    grouped: dict[tuple[str, str], list[Reach]] = {}
    for one in handed_over:
        named = _named_before(session, one.message)
        for reach in _reaches(session, one, now=now):
            if reach.category not in named:
                grouped.setdefault((one.message.recipient, reach.withdrawal), []).append(reach)
    for (agency, withdrawal), reaches in grouped.items():
        _raise(session, agency=agency, withdrawal=withdrawal, reaches=reaches, now=now)


def answer(session: Session, *, agency: str, notice: str, record: str, now: datetime) -> reads.Notice:
    """Take an agency's signed answer to a notice: purged, returned, or kept by law until when (protocol §5).

    The same answer again is the same answer. *Raises* NotFoundError. ForbiddenError `wrong-party`.
    ConflictError `receipt-mismatch`: it answers another withdrawal; `already-answered`: with another word.
    """
    found = reads.notice(session, notice, lock=True)
    if found is None:
        raise NotFoundError
    with reading("/record"):
        kid, signer = peek_statement(record, PurgeRecord)
        said = read_statement(record, PurgeRecord, agencies.sig_key(session, signer, kid, now))
    if said.agency != agency:
        raise ForbiddenError("wrong-party", pointer="/record/agency")
    if (said.withdrawal, said.case) != (found.withdrawal, found.case_handle):
        raise ConflictError("receipt-mismatch", pointer="/record/withdrawal")
    if found.answered_at is not None:
        if found.record != record:
            raise ConflictError("already-answered")
        return found
    _write_answer(session, found, said, record, now=now)
    return reads.notice(session, notice) or found


def tell_overdue(session: Session, found: reads.Notice, *, now: datetime) -> None:
    """Put an unanswered notice on the officer's list (consent.md: after three business days)."""
    session.execute(sa.update(tables.notices).where(tables.notices.c.id == found.id).values(overdue_told_at=now))
    entry = Entry(
        kind=AuditKind.PURGE_OVERDUE,
        actor=HUB,
        parties=_parties(found),
        case=found.case_handle,
        subject=found.id,
        facts={"withdrawal": found.withdrawal},
    )
    audit.append(session, entry, now=now)
    tasks.raise_task(
        session,
        agency=None,
        kind=TaskKind.PURGE_OVERDUE,
        about=found.id,
        case=found.case_handle,
        due=now,
        now=now,
    )


def _reaches(session: Session, one: reads.Labelled, *, now: datetime) -> list[Reach]:
    """Find what a withdrawal took back of a message and no other live consent carries."""
    if all(label.scope is None for label in one.labels):
        return []
    decided = still_permitted(session, one, now=now)
    found: list[Reach] = []
    for label, (category, decision) in zip(one.labels, decided.parts, strict=True):
        if label.scope is None or isinstance(decision, Permitted):
            continue
        withdrawal = taken_back(
            scope=label.scope,
            sender=decided.sender,
            recipient=decided.recipient,
            category=category,
            facts=decided.facts,
            at=now,
        )
        if withdrawal is not None:
            found.append(Reach(withdrawal=withdrawal.id, message=one.message, category=category))
    return found


def _named_before(session: Session, message: reads.Message) -> set[str]:
    earlier = () if message.case_row is None else reads.notices_of_case(session, message.case_row)
    return {
        category
        for notice in earlier
        for item in notice.items
        if notice.agency == message.recipient and (item.sender, item.message) == (message.sender, message.message)
        for category in item.categories
    }


def _raise(session: Session, *, agency: str, withdrawal: str, reaches: list[Reach], now: datetime) -> None:
    items = _items(reaches)
    first = reaches[0].message
    due = Calendar().add_business_days(now, NOTICE_BUSINESS_DAYS)
    raised = session.execute(
        insert(tables.notices)
        .values(
            id=new_id(now),
            agency=agency,
            case_row=first.case_row,
            case_handle=first.case_handle,
            withdrawal=withdrawal,
            items=items,
            raised_at=now,
            due_at=due,
        )
        .on_conflict_do_nothing()
        .returning(tables.notices.c.id)
    ).scalar_one_or_none()
    if raised is None:
        return
    entry = Entry(
        kind=AuditKind.PURGE_ASKED,
        actor=HUB,
        parties=(agency, *{reach.message.sender for reach in reaches}),
        case=first.case_handle,
        subject=raised,
        facts={"withdrawal": withdrawal, "agency": agency, "messages": [str(item["message"]) for item in items]},
    )
    audit.append(session, entry, now=now)
    outbox.tell(session, agency=agency, event="notice:raised", about=raised, now=now)
    tasks.raise_task(
        session,
        agency=agency,
        kind=TaskKind.PURGE_ANSWER,
        about=raised,
        case=first.case_handle,
        due=due,
        now=now,
    )


def _items(reaches: list[Reach]) -> list[dict[str, object]]:
    categories: dict[tuple[str, str], list[str]] = {}
    for reach in reaches:
        named = categories.setdefault((reach.message.sender, reach.message.message), [])
        if reach.category not in named:
            named.append(reach.category)
    return [
        {"message": message, "sender": sender, "categories": named} for (sender, message), named in categories.items()
    ]


def _write_answer(session: Session, found: reads.Notice, said: PurgeRecord, record: str, *, now: datetime) -> None:
    session.execute(
        sa.update(tables.notices)
        .where(tables.notices.c.id == found.id)
        .values(answer=said.answer.value, answered_at=now, record=record)
    )
    entry = Entry(
        kind=AuditKind.PURGE_ANSWERED,
        actor=found.agency,
        parties=_parties(found),
        case=found.case_handle,
        subject=found.id,
        facts={
            "withdrawal": found.withdrawal,
            "hash": statement_hash(record),
            "answer": said.answer.value,
            "ground": said.ground,
        },
    )
    audit.append(session, entry, now=now)
    tasks.finish(session, agency=found.agency, kind=TaskKind.PURGE_ANSWER, about=found.id, now=now)
    tasks.finish(session, agency=None, kind=TaskKind.PURGE_OVERDUE, about=found.id, now=now)
    for sender in {item.sender for item in found.items}:
        outbox.tell(session, agency=sender, event="notice:answered", about=found.id, now=now)


def _parties(found: reads.Notice) -> tuple[str, ...]:
    return (found.agency, *{item.sender for item in found.items})
