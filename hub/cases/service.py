# SPDX-License-Identifier: Apache-2.0
"""Open cases, move them through the thirteen steps, note what happened. The order of steps is `process`, what
must be shown `rules`; each change commits together with its audit entry, by the caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.calendar import day_of, start_of_day
from hub.agencies import reads as agencies
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry, Json
from hub.base.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, StaleError
from hub.base.ids import new_id
from hub.cases import process, reads
from hub.cases.process import Course, Obstacle, Position
from hub.cases.reads import Case
from hub.cases.rules import CONTACT_ATTEMPT, MUNICIPALITY, Closure, closure_fault, is_handle, is_token
from hub.cases.tables import case_notes, case_parties, case_steps, cases
from hub.outbox import service as outbox
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind

CONSENT_CHANGED = "consent:changed"
"""The topic by which what stands on consent hears that the answer may be another now; a closure is such a
change.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A move asked for: where to, why if it is unusual, how the case ends if it does, and the version it
    saw.
    """

    step: str
    state: str | None = None
    reason: str | None = None
    closure: Closure | None = None
    seen_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWanted:
    """A task that a note asks for: for which agency, by when."""

    agency: str
    due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNote:
    """A note of a kind, with the channel of a contact attempt and the digest of a text kept elsewhere."""

    kind: str
    channel: str | None = None
    digest: str | None = None
    task: TaskWanted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What a note became: its id, its audit entry, the task raised."""

    id: str
    entry: str
    task: str | None


def open_case(session: Session, *, agency: str, handle: str, now: datetime) -> tuple[Case, bool]:
    """Open a case under the agency's own handle and say whether it is new; the same handle again is the same
    case.

    Raises:
        InvalidError: `bad-handle`, the handle is not a canonical UUIDv4 (consent.md "What is stored").
    """
    if not is_handle(handle):
        raise InvalidError("bad-handle", pointer="/case")
    made = session.execute(_insert_case(agency, handle, now)).scalar_one_or_none()
    case = reads.own(session, handle, owner=agency)
    if case is None:
        raise RuntimeError("case-not-visible")
    if made is None:
        return case, False
    _append_step(session, case, reason=None, closure=None, now=now)
    _log(
        session,
        AuditKind.CASE_OPENED,
        case,
        actor=agency,
        now=now,
        facts={"step": case.step, "state": case.state},
    )
    return case, True


def move_case(session: Session, case: Case, move: Move, *, agency: str, now: datetime) -> Case:
    """Move an agency's own case; a move already made answers the same again and is not logged twice.

    Raises:
        ForbiddenError: `not-yours`, the case is named to this agency but not its own.
        StaleError: the case was moved since the caller saw it.
        ConflictError: `case-closed`, `move-not-possible`, `decision-needs-municipality`,
        `contact-attempts-missing`.
        InvalidError: `state-not-of-step`, `reason-needed`, `closure-incomplete`, `closure-not-here`,
        `bad-date`.
    """
    if case.owner != agency:
        raise ForbiddenError("not-yours")
    current = reads.held(session, case.id, exclusive=True)
    if current is None:
        raise NotFoundError
    advised = process.advise(current.position, move.step, move.state)
    if isinstance(advised, process.Advised) and advised.course is Course.UNCHANGED:
        return _unchanged(session, current, move)
    if move.seen_version is not None and move.seen_version != current.version:
        raise StaleError
    if isinstance(advised, Obstacle):
        raise _refusal(advised)
    _check_closure(session, current, advised.to, move.closure, now)
    if advised.course is Course.UNUSUAL and move.reason is None and move.closure is None:
        # a closure brings its own ground; asking for a second reason would only be answered with "other"
        raise InvalidError("reason-needed", pointer="/reason")
    _check_decision(session, current, advised.to)
    moved = _write_move(session, current, advised.to, now)
    _append_step(session, moved, reason=move.reason, closure=move.closure, now=now)
    _log_move(session, moved, advised, move, now)
    return moved


def add_note(session: Session, case: Case, note: NewNote, *, agency: str, now: datetime) -> Noted:
    """Note that something of a kind happened, for the owner or an agency named in a record of the case.

    Raises:
        InvalidError: `bad-kind` (a sentence is no code), `channel-needed`, `channel-not-here`,
        `unknown-agency`.
    """
    _check_note(session, case, note, agency)
    party = agencies.party(session, agency)
    note_id = new_id(now)
    session.execute(
        sa.insert(case_notes).values(
            id=note_id,
            case_id=case.id,
            owner=case.owner,
            author=agency,
            author_kind="" if party is None else party.kind,
            kind=note.kind,
            channel=note.channel,
            digest=note.digest,
            at=now,
        )
    )
    facts: dict[str, Json] = {"kind": note.kind, "channel": note.channel, "digest": note.digest}
    if note.task is not None:
        facts["task_for"] = note.task.agency
    entry = _log(session, AuditKind.CASE_NOTED, case, actor=agency, subject=note_id, now=now, facts=facts)
    return Noted(id=note_id, entry=entry, task=_raise_task(session, case, note_id, note.task, now))


def name_party(session: Session, case: Case, *, agency: str, now: datetime) -> None:
    """Let an agency see that the case exists, because a record or a message of the case names it."""
    if agency == case.owner:
        return
    statement = sa.dialects.postgresql.insert(case_parties).values(
        case_id=case.id, agency=agency, owner=case.owner, named_at=now
    )
    session.execute(statement.on_conflict_do_nothing())


def _insert_case(agency: str, handle: str, now: datetime) -> sa.Executable:
    values = {
        "id": new_id(now),
        "handle": handle,
        "owner": agency,
        "step": process.START.step,
        "state": process.START.state,
        "version": 1,
        "opened_at": now,
        "moved_at": now,
    }
    statement = sa.dialects.postgresql.insert(cases).values(**values)
    return statement.on_conflict_do_nothing(index_elements=["owner", "handle"]).returning(cases.c.id)


def _unchanged(session: Session, current: Case, move: Move) -> Case:
    if move.closure is None:
        return current
    last = reads.history(session, current.id)[-1]
    kept = Closure(
        ground=last.closure_ground or "",
        follow_up_on=last.follow_up_on,
        no_follow_up_reason=last.no_follow_up_reason,
    )
    if kept != move.closure:
        raise ConflictError("case-closed")
    return current


def _refusal(obstacle: Obstacle) -> ConflictError | InvalidError:
    if obstacle is Obstacle.STATE_NOT_OF_STEP:
        return InvalidError(obstacle.value, pointer="/state")
    return ConflictError(obstacle.value)


def _check_closure(session: Session, case: Case, to: Position, closure: Closure | None, now: datetime) -> None:
    if to.state != process.CLOSED:
        if closure is not None:
            raise InvalidError("closure-not-here", pointer="/closure")
        return
    if closure is None:
        raise InvalidError("closure-incomplete", pointer="/closure")
    fault = closure_fault(closure, reads.attempts(session, case.id), day_of(now))
    if fault == "contact-attempts-missing":
        raise ConflictError(fault, pointer="/closure/ground")
    if fault is not None:
        raise InvalidError(fault, pointer="/closure/follow_up")


def _check_decision(session: Session, case: Case, to: Position) -> None:
    is_decision = to.step == process.DECISION_STEP and to.state == "decided"
    if not is_decision or case.step == process.DECISION_STEP:
        return
    party = agencies.party(session, case.owner)
    if party is not None and party.kind == MUNICIPALITY:
        return
    if not reads.is_decision_confirmed(session, case.id):
        raise ConflictError("decision-needs-municipality", pointer="/step")


def _write_move(session: Session, case: Case, to: Position, now: datetime) -> Case:
    is_closing = to.state == process.CLOSED
    statement = (
        sa.update(cases)
        .where(cases.c.id == case.id)
        .values(
            step=to.step,
            state=to.state,
            version=case.version + 1,
            moved_at=now,
            closed_at=now if is_closing else case.closed_at,
        )
        .returning(cases)
    )
    return Case(**session.execute(statement).mappings().one())


def _append_step(session: Session, case: Case, *, reason: str | None, closure: Closure | None, now: datetime) -> None:
    session.execute(
        sa.insert(case_steps).values(
            case_id=case.id,
            version=case.version,
            owner=case.owner,
            step=case.step,
            state=case.state,
            reason=reason,
            at=now,
            closure_ground=None if closure is None else closure.ground,
            follow_up_on=None if closure is None else closure.follow_up_on,
            no_follow_up_reason=None if closure is None else closure.no_follow_up_reason,
        )
    )


def _log_move(session: Session, case: Case, advised: process.Advised, move: Move, now: datetime) -> None:
    facts: dict[str, Json] = {
        "step": case.step,
        "state": case.state,
        "course": advised.course.value,
        "reason": move.reason,
    }
    if move.closure is None:
        _log(session, AuditKind.CASE_MOVED, case, actor=case.owner, now=now, facts=facts)
        return
    due = move.closure.follow_up_on
    facts |= {
        "ground": move.closure.ground,
        "follow_up_on": None if due is None else due.isoformat(),
        "no_follow_up_reason": move.closure.no_follow_up_reason,
    }
    _log(session, AuditKind.CASE_CLOSED, case, actor=case.owner, now=now, facts=facts)
    outbox.put(session, topic=CONSENT_CHANGED, about=case.id, order_key=f"case:{case.id}", now=now)
    if due is not None:
        tasks.raise_task(
            session,
            agency=case.owner,
            kind=TaskKind.FOLLOW_UP_DUE,
            about=case.id,
            case=case.handle,
            due=start_of_day(due),
            now=now,
        )


def _check_note(session: Session, case: Case, note: NewNote, agency: str) -> None:
    if not is_token(note.kind):
        raise InvalidError("bad-kind", pointer="/kind")
    if note.kind == CONTACT_ATTEMPT and note.channel is None:
        raise InvalidError("channel-needed", pointer="/channel")
    if note.kind != CONTACT_ATTEMPT and note.channel is not None:
        raise InvalidError("channel-not-here", pointer="/channel")
    if note.task is not None and not _may_task(session, case, note.task.agency, agency):
        raise InvalidError("unknown-agency", pointer="/task/agency")


def _may_task(session: Session, case: Case, wanted: str, author: str) -> bool:
    # a partner asks only the owner or itself: it does not learn who else is named
    if wanted in {author, case.owner}:
        return True
    return author == case.owner and agencies.party(session, wanted) is not None


def _raise_task(session: Session, case: Case, note_id: str, wanted: TaskWanted | None, now: datetime) -> str | None:
    if wanted is None:
        return None
    return tasks.raise_task(
        session,
        agency=wanted.agency,
        kind=TaskKind.CASE_NOTE,
        about=note_id,
        case=case.handle,
        due=wanted.due,
        now=now,
    )


def _log(
    session: Session,
    kind: AuditKind,
    case: Case,
    *,
    actor: str,
    now: datetime,
    facts: Mapping[str, Json],
    subject: str | None = None,
) -> str:
    parties = (case.owner,) if actor == case.owner else (case.owner, actor)
    entry = Entry(kind=kind, actor=actor, parties=parties, case=case.handle, subject=subject or case.id, facts=facts)
    return audit.append(session, entry, now=now)
