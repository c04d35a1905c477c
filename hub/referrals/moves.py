# SPDX-License-Identifier: Apache-2.0
"""Write a move down: the referral's new standing, its history, the log, the news to others, ended tasks.

Everything in the caller's transaction. Whether the move may be made was settled before; nothing here refuses.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from consent.calendar import end_of_day, start_of_day
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry, Json
from hub.base import rounds
from hub.base.errors import ConflictError
from hub.outbox import service as outbox
from hub.referrals import tables
from hub.referrals.lifecycle import FINAL, Allowed, Event, Role, State, standing
from hub.referrals.limits import steps
from hub.referrals.network import current
from hub.referrals.reads import Referral
from hub.referrals.rules import Details
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind

_OPEN: Final = rounds.Prepared(
    insert(tables.referrals)
    .on_conflict_do_nothing(
        index_elements=["sender", "case_handle", "recipient", "purpose"], index_where=sa.text(tables.STILL_OPEN)
    )
    .returning(tables.referrals.c.id),
    *Referral.__dataclass_fields__,
)
_WRITE_MOVE: Final = rounds.Prepared(
    sa.insert(tables.moves),
    *("referral", "version", "event", "frm", "to", "agency", "role", "at", "body_digest", "facts", "entry"),
)
TOLD_AS: Final[Mapping[Event, str]] = {
    Event.SEND: "referral:requested",
    Event.RECEIVE: "referral:received",
    Event.ACCEPT: "referral:accepted",
    Event.ASK: "referral:asked",
    Event.DECLINE: "referral:declined",
    Event.TAKE_BACK: "referral:taken_back",
    Event.REFER_ON: "referral:referred_on",
    Event.CONTEST: "referral:contested",
    Event.UPHOLD: "referral:decline_upheld",
    Event.SEND_BACK: "referral:sent_back",
    Event.CONFERENCE_RESULT: "referral:rerouted",
    Event.CANCEL: "referral:cancelled",
    Event.ASK_TO_CANCEL: "referral:cancel_asked",
    Event.CONFIRM_CANCEL: "referral:cancelled",
    Event.ALREADY_SERVED: "referral:outcome_reported",
    Event.START: "referral:started",
    Event.HOLD: "referral:held",
    Event.RESUME: "referral:resumed",
    Event.NOTE_PROGRESS: "referral:progress_noted",
    Event.ACCOMPANY: "referral:accompanied",
    Event.REPORT_OUTCOME: "referral:outcome_reported",
    Event.ACKNOWLEDGE: "referral:closed",
    Event.RETURN: "referral:returned",
    Event.REOPEN: "referral:reopened",
    Event.WITHDRAW: "referral:withdrawn",
    Event.TAKE_BACK_ACCEPTANCE: "referral:acceptance_taken_back",
    Event.ENTER_IN_ERROR: "referral:entered_in_error",
    Event.HAND_OVER: "referral:handed_over",
}
"""What the others are told that happened (`GET /v1/events`)."""

NO_WORDS: Final = Details()


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who makes a move: an agency, or the hub or an officer (no agency); `name` is what the log says."""

    agency: str | None
    name: str


THE_HUB: Final = Actor(agency=None, name=HUB)


def by(agency: str) -> Actor:
    """Give the actor that an agency is."""
    return Actor(agency=agency, name=agency)


def said(details: Details) -> dict[str, Json]:
    """Give the codes, ids and dates of a body, without what was not said."""
    members = {name: value for name, value in asdict(details).items() if value not in {None, ()}}
    return {
        n: v.isoformat() if hasattr(v, "isoformat") else list(v) if isinstance(v, tuple) else v
        for n, v in members.items()
    }


def digest(event: Event, facts: Mapping[str, Json]) -> str:
    """Hash what was asked, so that the same move sent again is recognised."""
    text = json.dumps([event.value, facts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def make(
    session: Session,
    referral: Referral,
    allowed: Allowed,
    *,
    actor: Actor,
    details: Details = NO_WORDS,
    also: Mapping[str, Json] | None = None,
    now: datetime,
) -> Referral:
    """Make an allowed move and give the referral as it stands after it."""
    event = allowed.move.event
    moved = after(referral, allowed, details, now)
    _store(session, referral, moved)
    facts = {**said(details), **(also or {})}
    _write_history(session, referral, moved, allowed=allowed, actor=actor, facts=facts, said=said(details), now=now)
    _tell(session, referral, moved, event=event, actor=actor, now=now)
    if moved.state is not referral.state:
        _finish_tasks(session, referral, to=moved.state, now=now)
    return moved


def after(referral: Referral, allowed: Allowed, details: Details, now: datetime) -> Referral:
    """Give the referral as it stands after a move; nothing is stored."""
    moved = replace(referral, **_effects(referral, allowed, details, now))
    moved = replace(moved, version=referral.version + 1, updated_at=now)
    if allowed.move.to is None:
        return moved
    return placed(moved, fresh=_starts_anew(referral, allowed.move.event))


def open_with(
    session: Session, referral: Referral, allowed: Allowed, *, also: Mapping[str, Json], now: datetime
) -> Referral:
    """Store a new referral with its first move, *send*, and tell the receiver.

    Raises:
        ConflictError: `duplicate-need`, when the same sender opened the same need meanwhile.
    """
    referral = placed(referral)
    (told,) = rounds.ask(session, _OPEN.of(**{**asdict(referral), "needs": list(referral.needs)}))
    if not told.rows:
        raise ConflictError("duplicate-need")
    actor = by(referral.sender)
    _write_history(session, referral, referral, allowed=allowed, actor=actor, facts=also, said={}, now=now)
    _tell(session, referral, referral, event=Event.SEND, actor=actor, now=now)
    return referral


def _starts_anew(referral: Referral, event: Event) -> bool:
    # a second question neither stops the clock nor winds it back
    return not (event is Event.ASK and referral.asked_at is not None and referral.state is State.RECEIVED)


def _effects(referral: Referral, allowed: Allowed, details: Details, now: datetime) -> dict[str, Any]:
    event, to = allowed.move.event, allowed.to
    changes: dict[str, Any] = {"state": to}
    if to is not referral.state:
        changes |= {"since": now, "review_at": None, "next_step_by": None, "pause_until": None}
    if to is State.IN_PROGRESS:
        changes |= {"word_at": now}
    if to in FINAL:
        changes |= {"unowned_since": None}
    special = _SPECIAL.get(event)
    return changes | (special(referral, allowed, details, now) if special else {})


def _opened(referral: Referral, _: Allowed, __: Details, now: datetime) -> dict[str, Any]:
    return {"opened_at": referral.opened_at or now}


def _accepted(referral: Referral, _: Allowed, details: Details, now: datetime) -> dict[str, Any]:
    return {
        "opened_at": referral.opened_at or now,
        "accepted_at": now,
        "worker": details.worker,
        "worker_role": details.worker_role,
        "next_on": details.next_on,
        "unowned_since": None,
    }


def _asked(referral: Referral, _: Allowed, __: Details, now: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {"opened_at": referral.opened_at or now}
    if referral.asked_at is None:
        network = current()
        changes |= {"asked_at": now, "pause_until": network.calendar.due(now, network.limits.pause)}
    return changes


def _declined(referral: Referral, _: Allowed, __: Details, now: datetime) -> dict[str, Any]:
    return {"unowned_since": referral.unowned_since or now}


def _sent_back(_: Referral, __: Allowed, ___: Details, now: datetime) -> dict[str, Any]:
    return {"clock_at": now, "paused_seconds": 0, "asked_at": None, "accepted_at": None}


def _held(_: Referral, __: Allowed, details: Details, ___: datetime) -> dict[str, Any]:
    return {"review_at": None if details.review_on is None else start_of_day(details.review_on)}


def _progressed(_: Referral, __: Allowed, details: Details, now: datetime) -> dict[str, Any]:
    if details.what != "no_show":
        planned = details.what in {"appointment_set", "appointment_moved"}
        return {"next_step_by": None} | ({"next_on": details.on} if planned else {})
    if details.next_step_on is not None:
        return {"next_step_by": end_of_day(details.next_step_on), "next_on": details.next_step_on}
    network = current()
    return {"next_step_by": network.calendar.due(now, network.limits.no_show)}


def _outcome(_: Referral, __: Allowed, details: Details, ___: datetime) -> dict[str, Any]:
    return {"outcome": details.outcome}


def _closed(_: Referral, __: Allowed, ___: Details, now: datetime) -> dict[str, Any]:
    return {"closed_at": now}


def _returned(referral: Referral, _: Allowed, __: Details, ___: datetime) -> dict[str, Any]:
    return {"returned": referral.returned + 1}


def _reopened(_: Referral, __: Allowed, ___: Details, ____: datetime) -> dict[str, Any]:
    return {"closed_at": None, "content_stopped_at": None}


def _withdrawn(_: Referral, allowed: Allowed, __: Details, now: datetime) -> dict[str, Any]:
    return {} if allowed.move.to else {"content_stopped_at": now}


def _unaccepted(referral: Referral, _: Allowed, __: Details, ___: datetime) -> dict[str, Any]:
    nobody = dict.fromkeys(("accepted_at", "worker", "worker_role", "next_on"))
    return nobody | {"unowned_since": referral.clock_at}


def _handed_over(_: Referral, allowed: Allowed, details: Details, __: datetime) -> dict[str, Any]:
    prefix = "" if allowed.role is Role.R else "sender_"
    return {f"{prefix}worker": details.worker, f"{prefix}worker_role": details.worker_role}


_Effect = Callable[[Referral, Allowed, Details, datetime], dict[str, Any]]
_SPECIAL: Final[Mapping[Event, _Effect]] = {
    Event.RECEIVE: _opened,
    Event.ACCEPT: _accepted,
    Event.ASK: _asked,
    Event.DECLINE: _declined,
    Event.TAKE_BACK: _closed,
    Event.SEND_BACK: _sent_back,
    Event.HOLD: _held,
    Event.START: _progressed,
    Event.NOTE_PROGRESS: _progressed,
    Event.ACCOMPANY: _progressed,
    Event.REPORT_OUTCOME: _outcome,
    Event.ALREADY_SERVED: _outcome,
    Event.ACKNOWLEDGE: _closed,
    Event.RETURN: _returned,
    Event.REOPEN: _reopened,
    Event.WITHDRAW: _withdrawn,
    Event.TAKE_BACK_ACCEPTANCE: _unaccepted,
    Event.HAND_OVER: _handed_over,
}


def placed(referral: Referral, *, fresh: bool = True) -> Referral:
    """Say who answers, who is awaited and by when, from the state and its clock."""
    answers = standing(referral.state)
    if answers is None:
        return replace(referral, ball=None, awaiting=None, due_at=None, step=0, step_at=None)
    ball, awaiting = referral.agency(answers.ball), referral.agency(answers.awaiting)
    if referral.pause_until is not None:
        # while a question stops the clock, the answer is due from whoever was asked
        until = referral.pause_until
        return replace(referral, ball=ball, awaiting=referral.sender, due_at=until, step=0, step_at=until)
    if not fresh:
        return replace(referral, ball=ball, awaiting=awaiting)
    network = current()
    ladder = steps(referral.clock, network.limits, network.calendar)
    due = ladder[0][0]
    return replace(referral, ball=ball, awaiting=awaiting, due_at=due, step=0, step_at=due)


def answered(session: Session, referral: Referral, *, now: datetime) -> Referral:
    """Take a word of the sender as the answer to a question, if one was asked, and let the clock run again (row 4)."""
    if referral.asked_at is None:
        return referral
    tasks.finish(session, agency=referral.sender, kind=TaskKind.QUESTION_ANSWER, about=referral.id, now=now)
    return go_on(session, referral, now=now)


def go_on(session: Session, referral: Referral, *, now: datetime) -> Referral:
    """Let the clock run again after a question: it was answered, or the pause is over. No move is made."""
    _store(session, referral, going := running(referral, now))
    return going


def running(referral: Referral, now: datetime) -> Referral:
    """Give the referral with its clock running again; the time a question took counts for nobody."""
    if referral.pause_until is None or referral.asked_at is None:
        return referral
    stopped = min(now, referral.pause_until) - referral.asked_at
    seconds = referral.paused_seconds + int(stopped / timedelta(seconds=1))
    return placed(replace(referral, pause_until=None, paused_seconds=seconds, updated_at=now))


def heard(session: Session, referral: Referral, *, now: datetime) -> Referral:
    """Count a word of the receiver as news of the person: the limit of silence begins anew (row 17)."""
    _store(session, referral, heard_of := placed(replace(referral, word_at=now, updated_at=now)))
    return heard_of


def mark(session: Session, referral: Referral, **changes: Any) -> Referral:
    """Change what is not a move: the step reached, that a conference was asked for."""
    marked = replace(referral, **changes)
    _store(session, referral, marked)
    return marked


def _store(session: Session, before: Referral, after: Referral) -> None:
    old, new = asdict(before), asdict(after)
    changed = {name: value for name, value in new.items() if value != old[name]}
    if changed:
        rounds.later(session, _changing(tuple(changed)).of(of_referral=before.id, **changed))


@cache  # some dozens of them
def _changing(names: tuple[str, ...]) -> rounds.Prepared:
    own = tables.referrals.c.id == sa.bindparam("of_referral", type_=tables.referrals.c.id.type)
    return rounds.Prepared(sa.update(tables.referrals).where(own).values({name: sa.bindparam(name) for name in names}))


def _write_history(
    session: Session,
    before: Referral,
    after: Referral,
    *,
    allowed: Allowed,
    actor: Actor,
    facts: Mapping[str, Json],
    said: Mapping[str, Json],
    now: datetime,
) -> None:
    event = allowed.move.event
    frm = State.DRAFT if event is Event.SEND else before.state
    told = {"event": event.value, "frm": frm.value, "to": after.state.value, "role": allowed.role.value}
    entry = audit.append(
        session,
        Entry(
            kind=_kind(event, allowed),
            actor=actor.name,
            parties=after.parties,
            case=after.case_handle,
            subject=after.id,
            facts={**told, "version": after.version, **facts},
        ),
        now=now,
    )
    row = {"referral": after.id, "version": after.version, "agency": actor.agency, "at": now, "entry": entry}
    row |= {**told, "body_digest": digest(event, said), "facts": dict(facts)}
    rounds.later(session, _WRITE_MOVE.of(**row))


def _kind(event: Event, allowed: Allowed) -> AuditKind:
    if event is Event.SEND:
        return AuditKind.REFERRAL_REQUESTED
    if event is Event.WITHDRAW and allowed.move.to is None:
        return AuditKind.REFERRAL_CONTENT_STOPPED
    return AuditKind.REFERRAL_MOVED


def _tell(session: Session, before: Referral, after: Referral, *, event: Event, actor: Actor, now: datetime) -> None:
    """Tell both sides but the one that moved; the coordinator only while it is asked for something."""
    concerned = [after.sender, after.recipient, before.ball, after.ball]
    for agency in dict.fromkeys(one for one in concerned if one is not None and one != actor.agency):
        outbox.tell(session, agency=agency, event=TOLD_AS[event], about=after.id, now=now)


def _finish_tasks(session: Session, referral: Referral, *, to: State, now: datetime) -> None:
    """End the tasks of the state left behind: those its limits have raised, the question, the conference."""
    climbed = current().limits.ladders.get(referral.state, ())[: referral.step]
    ended = {(agency, kind) for rung in climbed for kind in rung.tasks.values() for agency in referral.parties}
    if referral.asked_at is not None:
        ended.add((referral.sender, TaskKind.QUESTION_ANSWER.value))
    settled = referral.state is State.REROUTE_REVIEW or to in FINAL or to is State.ACCEPTED
    if referral.conference_asked_at is not None and settled:
        ended.add((referral.coordinator, TaskKind.CONFERENCE_NEEDED.value))
    for agency, kind in sorted(ended):
        tasks.finish(session, agency=agency, kind=TaskKind(kind), about=referral.id, now=now)
