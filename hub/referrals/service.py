# SPDX-License-Identifier: Apache-2.0
"""The moves of the referral loop as verbs, in the order of checks that the design names.

1. visibility 2. the same move already made by the same party with the same body 3. the version the caller saw
4. consent, where a move needs it anew 5. state and party, then what the body must say. Idempotency keys and
authentication come before (hub/web). Each move is one audit entry in the caller's transaction.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from sqlalchemy.orm import Session

from consent.receipts import Delivery as ReceiptKind
from hub.agencies import reads as agencies
from hub.agencies import service as directory
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry, Json
from hub.base import rounds
from hub.base.errors import ConflictError, ForbiddenError, HubError, InvalidError, NotFoundError, StaleError
from hub.messages import known
from hub.messages import reads as messages
from hub.messages import service as broker
from hub.messages.receipting import Acknowledged
from hub.referrals import followups, meter, moves, opening, reads, rules
from hub.referrals.facts import consent_now, facts_of, more_opened, require_side, setting_of, visited
from hub.referrals.lifecycle import FINAL, Allowed, Event, Facts, Refusal, Role, State, actions, decide, has_row
from hub.referrals.moves import Actor, by
from hub.referrals.opening import Envelope, Opened
from hub.referrals.reads import Moved, Referral
from hub.referrals.rules import Details

STOPS_DELIVERY = frozenset({Event.CANCEL, Event.WITHDRAW, Event.ENTER_IN_ERROR})
"""Moves after which what was not delivered yet must not be."""
NO_CAPACITY, FULL = "no_capacity", "full"
"""A decline for want of room, and what the directory then shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A move as a caller asks for it; `seen` is the version the caller saw (If-Match)."""

    referral: str
    event: Event
    details: Details = moves.NO_WORDS
    seen: str | None = None


def open_referral(session: Session, envelope: Envelope, *, agency: str, now: datetime) -> Opened:
    """Send a referral; see `opening.open_referral`."""
    return opening.open_referral(session, envelope, agency=agency, now=now)


def open_ahead(envelope: Envelope) -> Sequence[rounds.Asked]:
    """Make the questions that `open_referral` asks first, for whoever foresees them."""
    return opening.ask_ahead(envelope)


def move_ahead(referral: str) -> Sequence[rounds.Asked]:
    """Make the questions that every move asks first, for whoever foresees them."""
    return reads.ask_referral(referral, lock=True), reads.ask_history(referral)


def acknowledge_ahead(message: str, receipt: str) -> Sequence[rounds.Asked]:
    """Make the questions that `acknowledge` asks first, for whoever foresees them."""
    return *broker.acknowledge_ahead(message, receipt), reads.ask_opened_by(message, lock=True)


def show_ahead(referral: str) -> Sequence[rounds.Asked]:
    """Make the questions that showing a referral asks first, for whoever foresees them."""
    return reads.ask_referral(referral), reads.ask_history(referral), *reads.ask_beside(referral)


def foresee_detail(session: Session, referral: Referral, *, agency: str) -> None:
    """Ask in one round trip what showing a referral asks of others, once it is known."""
    rounds.foresee(
        session,
        *known.ask_of_thread(agency=agency, other=other_side(referral, agency), thread=referral.thread),
        reads.ask_hops(referral.root),
        meter.ask_declines(case=referral.case_handle, purpose=referral.purpose),
    )


def other_side(referral: Referral, agency: str) -> str:
    """Give whom `agency` exchanges messages with in a referral; the coordinator sees none of them."""
    return referral.recipient if agency == referral.sender else referral.sender


def add_message(
    session: Session, referral: str, envelope: Envelope, *, agency: str, now: datetime
) -> tuple[Referral, broker.Accepted]:
    """Send a further message in a referral's thread.

    Raises:
        NotFoundError: not the caller's. ForbiddenError: `wrong-party`, the coordinator has no thread of its own here.
        What `messages.service.accept` raises.
    """
    found = _visible(session, referral)
    require_side(found, agency)
    accepted = opening.add_message(session, found, envelope, agency=agency, now=now)
    return _visible(session, referral), accepted


def move(session: Session, asked: Asked, *, agency: str, now: datetime) -> Referral:
    """Make a move of an agency and give the referral as it stands; the same move again changes nothing.

    Reopening needs `Duty.DECIDE`, declining `Duty.DIRECTORY`.

    Raises:
        NotFoundError: not the caller's referral. StaleError: another version was seen.
        ForbiddenError: `wrong-party`; `consent-refused` where consent is decided anew.
        ConflictError: `bad-transition`, `already-accepted`, `content-stopped`, `conference-needed` (and the referral
            is in review from then on), `too-late`, `already-opened`, `never-accepted`, `return-first`.
        InvalidError: what the body lacks, by the guards of the move.
    """
    referral = _visible(session, asked.referral)  # 1
    history = reads.history(session, referral.id)
    if _made_before(referral, history, asked, agency=agency):  # 2
        return referral
    _require_version(referral, asked.seen)  # 3
    if asked.event is Event.REOPEN:
        _decide_anew(session, referral, agency=agency, now=now)  # 4
    allowed = _allow(session, referral, asked, agency=agency, history=history, now=now)  # 5
    moved = moves.make(session, referral, allowed, actor=by(agency), details=asked.details, now=now)
    return _after(session, moved, asked, agency=agency, now=now)


def refer_on(
    session: Session, asked: Asked, envelope: Envelope, *, agency: str, now: datetime
) -> tuple[Referral, Opened]:
    """Send the need on to another agency: after a decline, or as the result of a conference.

    Gives the old referral, now rerouted, and the new one: same root, one hop more, every part decided anew. A second
    refer-on of one need is refused, and the need goes to the coordinator and a conference (REF-13).

    Raises:
        What `move` and `opening.open_referral` raise.
    """
    submission = hashlib.sha256(envelope.manifest.encode()).hexdigest()
    asked = replace(asked, details=replace(asked.details, submission=submission))
    referral = _visible(session, asked.referral)
    history = reads.history(session, referral.id)
    if _made_before(referral, history, asked, agency=agency):
        return referral, opening.open_referral(session, envelope, agency=agency, now=now)
    _require_version(referral, asked.seen)
    # consent is decided before the state is looked at, and what it wrote must go again if the state says no
    trial = session.begin_nested()
    try:
        opened = opening.open_referral(session, envelope, agency=agency, now=now, parent=referral)
    except HubError as refused:
        if refused.keep:
            trial.commit()
        raise
    allowed = _allow(session, referral, asked, agency=agency, history=history, now=now, undo=trial.rollback)
    trial.commit()
    also: dict[str, Json] = {"next": opened.referral.id}
    moved = moves.make(session, referral, allowed, actor=by(agency), details=asked.details, also=also, now=now)
    return moved, opened


def enter_in_error(session: Session, referral: str, *, officer: str, now: datetime) -> Referral:
    """Mark an opened referral as entered in error: the data protection officer's move (row 24).

    Raises:
        NotFoundError: no such referral. ConflictError: `bad-transition`, it is marked already.
    """
    found = _visible(session, referral)
    answer = decide(Event.ENTER_IN_ERROR, found.state, {Role.D}, facts_of(found, now))
    if isinstance(answer, Refusal):
        raise ConflictError(answer.code)
    return moves.make(session, found, answer, actor=Actor(agency=None, name=officer), now=now)


def acknowledge(
    session: Session, message: str, receipt: str, *, agency: str, now: datetime
) -> tuple[Acknowledged, Referral | None]:
    """Take a recipient's signed receipt; the read receipt of what opened a referral moves it to received (row 2).

    A receipt that is not good leaves the referral where it was.

    Raises:
        What `messages.service.acknowledge` raises.
    """
    taken = broker.acknowledge(session, agency=agency, message=message, receipt=receipt, now=now)
    referral = reads.opened_by(session, taken.message, lock=True)
    if referral is None or referral.recipient != agency or taken.kind is not ReceiptKind.READ or not taken.ok:
        return taken, referral
    answer = decide(Event.RECEIVE, referral.state, {Role.R}, facts_of(referral, now))
    if isinstance(answer, Refusal):
        return taken, referral
    facts: dict[str, Json] = {"worker": taken.by} if taken.by else {}
    return taken, moves.make(session, referral, answer, actor=by(agency), also=facts, now=now)


def receive(session: Session, asked: Asked, receipt: str, *, agency: str, now: datetime) -> Referral:
    """Move a referral to received by its receiver's signed read receipt; the same as sending that receipt.

    Raises:
        What `move` and `acknowledge` raise; InvalidError `read-receipt-required`.
    """
    referral = _visible(session, asked.referral)
    if agency != referral.recipient:
        raise ForbiddenError("wrong-party")
    again = referral.state is not State.REQUESTED and referral.opened_at is not None
    if not again:
        _require_version(referral, asked.seen)
    taken, moved = acknowledge(session, referral.opening, receipt, agency=agency, now=now)
    if taken.kind is not ReceiptKind.READ or not taken.ok:
        raise InvalidError("read-receipt-required", pointer="/receipt")
    return moved or referral


def actions_of(session: Session, referral: Referral, *, agency: str, now: datetime) -> tuple[Event, ...]:
    """List what an agency may do with a referral now (api.md: `actions[]`)."""
    known = _facts(session, referral, Event.TAKE_BACK_ACCEPTANCE, now)
    return actions(referral.state, referral.roles(agency), known)


def _visible(session: Session, referral: str) -> Referral:
    found = reads.referral(session, referral, lock=True)
    if found is None:
        raise NotFoundError
    return found


def _facts(session: Session, referral: Referral, event: Event, now: datetime) -> Facts:
    asked = event is Event.TAKE_BACK_ACCEPTANCE and referral.state is State.ACCEPTED
    return facts_of(referral, now, more_opened=asked and more_opened(session, referral))


def _made_before(referral: Referral, history: Sequence[Moved], asked: Asked, *, agency: str) -> bool:
    """Tell whether this party made this very move already, so that a double click is one move (REF-01, REF-16).

    Raises:
        ConflictError: `already-accepted`, by another worker of the same agency.
    """
    digest = moves.digest(asked.event, moves.said(asked.details))
    own = [move for move in history if move.agency == agency and move.event is asked.event]
    same = [move for move in own if move.body_digest == digest]
    # the same words are a new move where the state calls for it again, e.g. a second hold
    if same and (same[-1] is history[-1] or not has_row(asked.event, referral.state)):
        return True
    if own and asked.event is Event.ACCEPT and referral.state is State.ACCEPTED:
        raise ConflictError("already-accepted")
    return False


def _require_version(referral: Referral, seen: str | None) -> None:
    # the tag is "version" or "version.view"; only the version concerns a move
    if seen is None or seen.partition(".")[0] != str(referral.version):
        raise StaleError


def _decide_anew(session: Session, referral: Referral, *, agency: str, now: datetime) -> None:
    decided = consent_now(session, referral, now=now, lock=True)
    if decided.permitted:
        return
    entry = Entry(
        kind=AuditKind.DECISION_ASKED,
        actor=agency,
        parties=referral.parties,
        case=referral.case_handle,
        subject=referral.id,
        facts={"event": Event.REOPEN.value, **decided.question(), "parts": decided.logged()},
    )
    decision = audit.append(session, entry, now=now)
    shown = {"decisions": decided.shown(), "decision_id": decision}
    raise ForbiddenError("consent-refused", keep=True, extra=shown)


def _allow(
    session: Session,
    referral: Referral,
    asked: Asked,
    *,
    agency: str,
    history: Sequence[Moved],
    now: datetime,
    undo: Callable[[], None] = lambda: None,
) -> Allowed:
    known = _facts(session, referral, asked.event, now)
    answer = decide(asked.event, referral.state, referral.roles(agency), known)
    if isinstance(answer, Refusal):
        undo()
        _refuse(session, referral, answer, known, now=now)
    seen = asked.event is Event.DECLINE and visited(session, referral, history)
    fault = rules.body_fault(answer.move, asked.details, setting_of(referral, now, visited=seen))
    if fault is not None:
        raise (ConflictError if fault.conflict else InvalidError)(fault.code, pointer=fault.pointer)
    _require_named(session, referral, asked.details, agency=agency)
    if asked.event is Event.REOPEN:
        _require_no_other(session, referral)
    return answer


def _refuse(session: Session, referral: Referral, refusal: Refusal, known: Facts, *, now: datetime) -> NoReturn:
    if refusal.code == "wrong-party":
        raise ForbiddenError(refusal.code)
    if not refusal.to_review:
        raise ConflictError(refusal.code)
    review = decide(Event.CONTEST, referral.state, {Role.H}, known)
    if isinstance(review, Allowed):
        moved = moves.make(session, referral, review, actor=moves.THE_HUB, now=now)
        meter.ask_conference(session, moved, now=now)
    raise ConflictError(refusal.code, keep=True, extra={"state": State.REROUTE_REVIEW.value})


def _require_named(session: Session, referral: Referral, details: Details, *, agency: str) -> None:
    """Require that the agency and the message that a body names are there and fit."""
    if details.other_agency is not None:
        named = agencies.party(session, details.other_agency)
        if named is None or named.agency == agency:
            raise InvalidError("unknown-agency", pointer="/other_agency")
    if details.message is not None:
        sent = messages.sent(session, sender=agency, message=details.message)
        sides = {referral.sender, referral.recipient}
        if sent is None or sent.thread != referral.thread or {sent.sender, sent.recipient} != sides:
            raise InvalidError("unknown-message", pointer="/message")


def _require_no_other(session: Session, referral: Referral) -> None:
    other = reads.open_need(
        session,
        sender=referral.sender,
        case=referral.case_handle,
        recipient=referral.recipient,
        purpose=referral.purpose,
    )
    if other is not None:
        raise ConflictError("duplicate-need", extra={"referral": other})


def _after(session: Session, moved: Referral, asked: Asked, *, agency: str, now: datetime) -> Referral:
    """Do what a move brings with it: follow-ups, the meter, what was not delivered."""
    details = asked.details
    if asked.event is Event.ACKNOWLEDGE and details.no_follow_up_reason is None:
        day, preset = details.follow_up_on, details.follow_up_preset
        followups.set_due(session, moved, due_on=day, preset=preset, agency=agency, now=now)
    if asked.event is Event.DECLINE:
        if details.reason == NO_CAPACITY:
            directory.set_capacity(session, agency, FULL, now=now)
        return meter.after_decline(session, moved, now=now)
    if moved.state is State.REROUTE_REVIEW and asked.event is Event.CONTEST:
        return meter.ask_conference(session, moved, now=now)
    if moved.state in FINAL and agency == moved.sender and asked.event in STOPS_DELIVERY:
        broker.destroy_undelivered(session, agency=agency, other=moved.recipient, thread=moved.thread, now=now)
    return moved
