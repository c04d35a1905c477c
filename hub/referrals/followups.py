# SPDX-License-Identifier: Apache-2.0
"""確認・フォロー: asking again, of the person and of the agency, whether the tie has held; also long after closure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.calendar import day_of, start_of_day
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry, Json
from hub.base.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from hub.outbox import service as outbox
from hub.referrals import moves, reads, tables
from hub.referrals.facts import require_side
from hub.referrals.lifecycle import Event
from hub.referrals.reads import FollowUp, Referral
from hub.referrals.rules import preset_date
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of a follow-up: by which channel, who was asked (the person, the agency), the result, when next."""

    channel: str
    asked: tuple[str, ...]
    result: str
    next_due_on: date | None = None

    def facts(self) -> dict[str, Json]:
        """Give what was said as audit facts."""
        said: dict[str, Json] = {"channel": self.channel, "asked": sorted(self.asked), "result": self.result}
        return said | ({"next_due_on": self.next_due_on.isoformat()} if self.next_due_on else {})


def set_due(
    session: Session, referral: Referral, *, due_on: date | None, preset: str | None, agency: str, now: datetime
) -> FollowUp:
    """Set a follow-up for a day or one of the presets, in any state of the referral, also after closure.

    Raises:
        ForbiddenError: `wrong-party`. InvalidError: `follow-up-required` (one of the two), `bad-date` (a day past).
    """
    require_side(referral, agency)
    if (due_on is None) == (preset is None):
        raise InvalidError("follow-up-required", pointer="/due")
    day = due_on or preset_date(preset or "", now)
    if day < day_of(now):
        raise InvalidError("bad-date", pointer="/due")
    known = reads.follow_ups(session, referral.id)
    same = (one for one in known if (one.agency, one.due_on, one.done_at) == (agency, day, None))
    one = next(same, None) or _insert(session, referral, day, n=len(known) + 1, agency=agency, now=now)
    if day == day_of(now):
        # due as it is written: nobody should have to wait for the timer
        owed = referral.awaiting or agency
        _task(session, one, referral, agency=owed, kind=TaskKind.FOLLOW_UP_DUE, now=now)
    return one


def finish(
    session: Session, referral: Referral, n: int, asked: Asked, *, agency: str, now: datetime
) -> Sequence[FollowUp]:
    """Write down what came of a follow-up; a next day sets the next one. Gives the one done and, after it, the next.

    Raises:
        NotFoundError: no such number. ForbiddenError: `wrong-party`: who set it asks (REF-04).
        ConflictError: `follow-up-done`: other words were written before. InvalidError: `bad-date`.
    """
    one = next((one for one in reads.follow_ups(session, referral.id) if one.n == n), None)
    if one is None:
        raise NotFoundError
    if one.agency != agency:
        raise ForbiddenError("wrong-party")
    digest = moves.digest(Event.ACKNOWLEDGE, asked.facts())
    if one.done_at is not None:
        if one.body_digest != digest:
            raise ConflictError("follow-up-done")
        return (one,)
    if asked.next_due_on is not None and asked.next_due_on <= day_of(now):
        raise InvalidError("bad-date", pointer="/next_due")
    c = tables.follow_ups.c
    values = {"done_at": now, "channel": asked.channel, "asked": sorted(asked.asked), "result": asked.result}
    values |= {"next_due_on": asked.next_due_on, "body_digest": digest}
    session.execute(sa.update(tables.follow_ups).where(c.referral == referral.id, c.n == n).values(values))
    _end_tasks(session, referral, one, now=now)
    _noted(session, referral, AuditKind.FOLLOW_UP_DONE, agency=agency, facts={"n": n, **asked.facts()}, now=now)
    done = reads.follow_ups(session, referral.id)
    if asked.next_due_on is None:
        return (done[n - 1],)
    following = _insert(session, referral, asked.next_due_on, n=len(done) + 1, agency=agency, now=now)
    return (done[n - 1], following)


def _insert(session: Session, referral: Referral, day: date, *, n: int, agency: str, now: datetime) -> FollowUp:
    row = {"referral": referral.id, "n": n, "agency": agency, "due_on": day, "set_at": now, "body_digest": ""}
    session.execute(sa.insert(tables.follow_ups).values(row))
    facts: dict[str, Json] = {"n": n, "due_on": day.isoformat()}
    _noted(session, referral, AuditKind.FOLLOW_UP_SET, agency=agency, facts=facts, now=now)
    return reads.follow_ups(session, referral.id)[n - 1]


def tell_due(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Raise a task for each follow-up whose day has come, and another once it has passed (tsn_job); give their number.

    The task is the agency's that is awaited, else of whoever set the follow-up.
    """
    today = day_of(now)
    due = reads.follow_ups_due(session, by=today, limit=limit)
    for one, referral in due:
        agency = referral.awaiting or one.agency
        _task(session, one, referral, agency=agency, kind=TaskKind.FOLLOW_UP_DUE, now=now)
        _mark(session, one, tasked=agency, due_told_at=now)
    late = reads.follow_ups_overdue(session, before=today, limit=limit)
    for one, referral in late:
        _task(session, one, referral, agency=one.agency, kind=TaskKind.FOLLOW_UP_OVERDUE, now=now)
        facts: dict[str, Json] = {"n": one.n}
        _noted(session, referral, AuditKind.FOLLOW_UP_OVERDUE, agency=None, facts=facts, now=now)
        _mark(session, one, overdue_told_at=now)
    return len(due) + len(late)


def _task(session: Session, one: FollowUp, referral: Referral, *, agency: str, kind: TaskKind, now: datetime) -> None:
    due = start_of_day(one.due_on)
    case = referral.case_handle
    tasks.raise_task(session, agency=agency, kind=kind, about=referral.id, case=case, due=due, now=now)


def _mark(session: Session, one: FollowUp, **values: object) -> None:
    c = tables.follow_ups.c
    session.execute(sa.update(tables.follow_ups).where(c.referral == one.referral, c.n == one.n).values(values))


def _end_tasks(session: Session, referral: Referral, one: FollowUp, *, now: datetime) -> None:
    for agency in {one.agency, one.tasked or one.agency}:
        for kind in (TaskKind.FOLLOW_UP_DUE, TaskKind.FOLLOW_UP_OVERDUE):
            tasks.finish(session, agency=agency, kind=kind, about=referral.id, now=now)


def _noted(
    session: Session,
    referral: Referral,
    kind: AuditKind,
    *,
    agency: str | None,
    facts: dict[str, Json],
    now: datetime,
) -> None:
    actor = moves.by(agency) if agency else moves.THE_HUB
    entry = Entry(
        kind=kind,
        actor=actor.name,
        parties=referral.parties,
        case=referral.case_handle,
        subject=referral.id,
        facts=facts,
    )
    audit.append(session, entry, now=now)
    for other in {referral.sender, referral.recipient} - {agency}:
        outbox.tell(session, agency=other, event=kind.value, about=referral.id, now=now)
