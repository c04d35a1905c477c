# SPDX-License-Identifier: Apache-2.0
"""What the worker does for referrals: what a changed consent means for those under way, and what the clock brings.
`hub/station.py` names these in its tables of topics and timers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from consent.decisions import decide_parts
from consent.questions import ConsentBasis, Permitted, Question
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base import db
from hub.messages.deciding import Decided, review
from hub.outbox import service as outbox
from hub.outbox.rules import Work
from hub.referrals import followups, meter, moves, reads, timers
from hub.referrals.facts import asked_of, facts_of
from hub.referrals.lifecycle import Allowed, Event, Role, decide
from hub.referrals.reads import Referral


def run_timers(session: Session, now: datetime | None = None) -> int:
    """Do all that has come due by *now* (the transaction's time): limits, follow-ups, the meter."""
    at = now or db.now(session)
    return (
        timers.take_steps(session, now=at)
        + followups.tell_due(session, now=at)
        + timers.remind_of_accompaniments(session, now=at)
        + meter.ask_for_unowned(session, now=at)
    )


def consent_changed(session: Session, work: Work) -> None:
    """End or silence the open referrals of a case whose consent no longer carries any of what they need (row 22).

    `work.about` is the case's row. It comes with every registration, withdrawal and exclusion, and again when a
    period ends. One that consent carries again may take content again.
    """
    at = db.now(session)
    for referral in reads.open_of_case(session, work.about):
        if referral.basis == ConsentBasis.kind:
            _look_again(session, referral, now=at)


def _look_again(session: Session, referral: Referral, *, now: datetime) -> None:
    # whatever state the two are in: that an agency is suspended is no word of the person, and what ends meanwhile is
    # looked at now or never
    decided = review(session, asked_of(referral), now=now)
    carried = _carried(decided, referral)
    if not carried and referral.content_stopped_at is None:
        answer = decide(Event.WITHDRAW, referral.state, {Role.H}, facts_of(referral, now))
        if isinstance(answer, Allowed):
            moves.make(session, referral, answer, actor=moves.THE_HUB, now=now)
    if carried and referral.content_stopped_at is not None:
        _resume(session, referral, now=now)


def _carried(decided: Decided, referral: Referral) -> bool:
    """Tell whether consent carries any part of the need. A closed case takes nothing back: its referrals stay open."""
    question = Question(
        sender=decided.sender,
        recipient=decided.recipient,
        purpose=referral.purpose,
        category=referral.needs[0],
        basis=ConsentBasis(),
        at=decided.at,
    )
    parts = decide_parts(question, replace(decided.facts, closed_at=None), referral.needs)
    return any(isinstance(decision, Permitted) for _, decision in parts)


def _resume(session: Session, referral: Referral, *, now: datetime) -> None:
    moves.mark(session, referral, content_stopped_at=None, updated_at=now)
    entry = Entry(
        kind=AuditKind.REFERRAL_CONTENT_RESUMED,
        actor=HUB,
        parties=referral.parties,
        case=referral.case_handle,
        subject=referral.id,
    )
    audit.append(session, entry, now=now)
    for agency in (referral.sender, referral.recipient):
        outbox.tell(session, agency=agency, event=AuditKind.REFERRAL_CONTENT_RESUMED.value, about=referral.id, now=now)


HANDLERS: Final[Mapping[str, Callable[[Session, Work], None]]] = {"consent:changed": consent_changed}
TIMERS: Final[Sequence[Callable[[Session], object]]] = (run_timers,)
