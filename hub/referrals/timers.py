# SPDX-License-Identifier: Apache-2.0
"""What happens when a limit passes: a task for whoever is awaited, a notice to the other side, then higher up.

A timer never moves the ball; the one move it makes is the confirmation of a cancellation that nobody answered
(row 12). Each step of a ladder is taken once: the referral remembers which comes next.
"""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.calendar import day_of, start_of_day
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.outbox import service as outbox
from hub.referrals import moves, reads, tables
from hub.referrals.facts import facts_of
from hub.referrals.lifecycle import Allowed, Event, Role, decide
from hub.referrals.limits import Rung, steps
from hub.referrals.network import current
from hub.referrals.reads import Referral
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind

BATCH: Final = 500
OVERDUE: Final = "referral:overdue"


def take_steps(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Take every step of a ladder that has been reached by *now*; give the number of referrals it concerned."""
    found = reads.step_reached(session, now=now, limit=limit)
    for referral in found:
        if referral.pause_until is not None:
            _end_pause(session, referral, now=now)
        else:
            _climb(session, referral, now=now)
    return len(found)


def _end_pause(session: Session, referral: Referral, *, now: datetime) -> None:
    """Let the clock run again although nobody answered the question, and ask the sender for the answer."""
    due = referral.pause_until
    moves.go_on(session, referral, now=now)
    _task(session, referral, referral.sender, TaskKind.QUESTION_ANSWER, due=due, now=now)
    outbox.tell(session, agency=referral.recipient, event=OVERDUE, about=referral.id, now=now)


def _climb(session: Session, referral: Referral, *, now: datetime) -> None:
    network = current()
    ladder = steps(referral.clock, network.limits, network.calendar)
    step = referral.step
    while step < len(ladder) and ladder[step][0] <= now:
        rung = ladder[step][1]
        step += 1
        if rung.act is not None:
            _act(session, referral, Event(rung.act), now=now)
            return
        _take(session, referral, rung, step=step, now=now)
    upcoming = ladder[step][0] if step < len(ladder) else None
    moves.mark(session, referral, step=step, step_at=upcoming)


def _act(session: Session, referral: Referral, event: Event, *, now: datetime) -> None:
    allowed = decide(event, referral.state, {Role.H}, facts_of(referral, now))
    if isinstance(allowed, Allowed):
        moves.make(session, referral, allowed, actor=moves.THE_HUB, now=now)


def _take(session: Session, referral: Referral, rung: Rung, *, step: int, now: datetime) -> None:
    for who, kind in rung.tasks.items():
        agency = _agency(referral, who)
        if agency is not None:
            _task(session, referral, agency, TaskKind(kind), due=referral.due_at, now=now)
    entry = Entry(
        kind=AuditKind.REFERRAL_OVERDUE,
        actor=HUB,
        parties=referral.parties,
        case=referral.case_handle,
        subject=referral.id,
        facts={"state": referral.state.value, "step": step, "digest": rung.digest},
    )
    audit.append(session, entry, now=now)
    for other in {referral.sender, referral.recipient} - {referral.awaiting}:
        outbox.tell(session, agency=other, event=OVERDUE, about=referral.id, now=now)


def _agency(referral: Referral, who: str) -> str | None:
    if who == "awaiting":
        return referral.awaiting
    return referral.ball if who == "ball" else referral.agency(Role(who))


def _task(
    session: Session, referral: Referral, agency: str, kind: TaskKind, *, due: datetime | None, now: datetime
) -> None:
    case = referral.case_handle
    tasks.raise_task(session, agency=agency, kind=kind, about=referral.id, case=case, due=due, now=now)


def remind_of_accompaniments(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Ask for the result of each accompaniment whose day has passed; give their number."""
    late = reads.accompaniments_past(session, before=day_of(now), limit=limit)
    for one in late:
        referral = reads.referral(session, one.referral)
        if referral is not None:
            due = start_of_day(one.on)
            _task(session, referral, one.agency, TaskKind.ACCOMPANIMENT_DUE, due=due, now=now)
        c = tables.accompaniments.c
        mine = (c.referral == one.referral, c.n == one.n)
        session.execute(sa.update(tables.accompaniments).where(*mine).values(reminded_at=now))
    return len(late)
