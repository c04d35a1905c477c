# SPDX-License-Identifier: Apache-2.0
"""What the worker does for messages: tell people what a changed consent means for what is on its way or arrived,
and what the clock brings. `hub/station.py` names these functions in its tables of topics and timers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.agencies import reads as agencies
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base.db import now
from hub.intakes import telling as intakes
from hub.messages import handing_over, noticing, reads, service, tables
from hub.messages.rules import RECEIPT_DUE, UNDELIVERED
from hub.messages.storing import GAP_TOPIC
from hub.outbox import service as outbox
from hub.outbox.rules import Work
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind

BATCH: Final = 500
"""How many rows one round of a timer takes; the next round takes the rest."""


def consent_changed(session: Session, work: Work) -> None:
    """Tell who must know when a case's consents changed; `work.about` is the case's row.

    What still waits and may not go any more stays until somebody asks for it: the hand-over refuses and destroys
    it. What was handed over on a consent that is taken back gets a stop-use notice (consent.md, Withdrawal).
    """
    at = now(session)
    found = reads.of_case(session, work.about)
    for one in found:
        if one.message.delivery in UNDELIVERED:
            _tell_stopped(session, one)
    handed_over = [one for one in found if one.message.handed_over_at is not None]
    noticing.raise_notices(session, handed_over, now=at)


def tell_named_by_kind(session: Session, work: Work) -> None:
    """Tell those agencies of a change that it names by their kind and that sent or received something in the case."""
    told = intakes.news(session, work)
    if told is None:
        return
    for agency in reads.agencies_of_case(session, told.case_row):
        party = agencies.party(session, agency)
        if party is not None and told.means(party):
            outbox.tell(session, agency=agency, event=told.event, about=told.about, now=now(session))


def report_gap(session: Session, work: Work) -> None:
    """Ask the sender for the missing message, ten minutes after a later one came (bad-input REF-06)."""
    found = reads.message(session, work.about)
    if found is None or found.waiting_since is not None or found.delivery not in UNDELIVERED:
        return
    _ask_sender(session, found, TaskKind.MESSAGE_GAP)
    entry = _entry(found, AuditKind.MESSAGE_HELD, {"seq": found.seq})
    audit.append(session, entry, now=now(session))


def report_missing_receipts(session: Session) -> None:
    """Put on the sender's board what was offered half an hour ago and never acknowledged (protocol §5)."""
    at = now(session)
    for found in reads.unanswered(session, before=at - RECEIPT_DUE, limit=BATCH):
        session.execute(sa.update(tables.messages).where(tables.messages.c.id == found.id).values(overdue_told_at=at))
        _ask_sender(session, found, TaskKind.RECEIPT_MISSING)
        audit.append(session, _entry(found, AuditKind.RECEIPT_OVERDUE, {}), now=at)


def destroy_old_ciphertext(session: Session) -> None:
    """Destroy ciphertext seven days after its delivery or at its end of wait (protocol §2)."""
    at = now(session)
    for found in reads.waited_out(session, now=at, limit=BATCH):
        service.age(session, found, now=at)
        if found.delivery in UNDELIVERED:
            _ask_sender(session, found, TaskKind.MESSAGE_UNDELIVERABLE)


def report_overdue_notices(session: Session) -> None:
    """Put stop-use notices that nobody answered in three business days on the officer's list."""
    at = now(session)
    for found in reads.notices_overdue(session, now=at, limit=BATCH):
        noticing.tell_overdue(session, found, now=at)


HANDLERS: Final[Mapping[str, Callable[[Session, Work], None]]] = {
    "consent:changed": consent_changed,
    GAP_TOPIC: report_gap,
    **dict.fromkeys(intakes.TOPICS, tell_named_by_kind),
}
TIMERS: Final[Sequence[Callable[[Session], None]]] = (
    report_missing_receipts,
    destroy_old_ciphertext,
    report_overdue_notices,
)


def _tell_stopped(session: Session, one: reads.Labelled) -> None:
    """Tell the sender once that consent does not carry a waiting message any more (bad-input CON-09)."""
    at = now(session)
    permitted = handing_over.still_permitted(session, one, now=at).permitted
    if permitted is (one.message.stopped_told_at is None):
        return
    session.execute(
        sa.update(tables.messages)
        .where(tables.messages.c.id == one.message.id)
        .values(stopped_told_at=None if permitted else at)
    )
    if not permitted:
        event = "message:withdrawn-before-delivery"
        outbox.tell(session, agency=one.message.sender, event=event, about=one.message.id, now=at)


def _ask_sender(session: Session, found: reads.Message, kind: TaskKind) -> None:
    at = now(session)
    tasks.raise_task(session, agency=found.sender, kind=kind, about=found.id, case=found.case_handle, due=at, now=at)
    outbox.tell(session, agency=found.sender, event="message:overdue", about=found.id, now=at)


def _entry(found: reads.Message, kind: AuditKind, facts: Mapping[str, Any]) -> Entry:
    return Entry(
        kind=kind,
        actor=HUB,
        parties=(found.sender, found.recipient),
        case=found.case_handle,
        subject=found.id,
        facts={"message": found.message, **facts},
    )
