# SPDX-License-Identifier: Apache-2.0
"""How a referral begins: a sealed message is accepted part by part, and somebody begins to wait for an answer.

The broker checks and decides the message; here it becomes a need with a ball, an awaited agency and a time by which.
Referring on is the same with a parent: a new message, decided anew for the new recipient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from consent.envelope.manifest import MessageKind
from hub.agencies import reads as agencies
from hub.audit.rules import Json
from hub.base.errors import ConflictError, InvalidError
from hub.base.ids import new_id
from hub.base.rounds import Asked
from hub.cases import reads as cases
from hub.messages import accepting
from hub.messages import reads as messages
from hub.messages import service as broker
from hub.referrals import meter, moves, reads
from hub.referrals.lifecycle import Allowed, Event, Facts, Role, State, decide
from hub.referrals.network import current
from hub.referrals.reads import Referral

CLOCKS_DIFFER = timedelta(minutes=5)
CALL_COUNTS_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephone:
    """The call that goes with an immediate referral: when, and whether anybody answered."""

    at: datetime
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a sender submits: the signed manifest, the sealed parts, and the call where one is needed."""

    manifest: str
    parts: Sequence[str]
    telephone: Telephone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A referral that has begun, and what the broker said about its message."""

    referral: Referral
    accepted: broker.Accepted


def ask_ahead(envelope: Envelope) -> tuple[Asked, ...]:
    """Make the questions that opening a referral asks first, from what its manifest says unverified."""
    named = accepting.named(envelope.manifest)
    if named is None:
        return ()
    return (
        *accepting.ask_ahead(named),
        reads.ask_open_need(sender=named.sender, case=named.case, recipient=named.recipient, purpose=named.purpose),
        meter.ask_declines(case=named.case, purpose=named.purpose),
        agencies.ask_agency(named.sender),
    )


def open_referral(
    session: Session, envelope: Envelope, *, agency: str, now: datetime, parent: Referral | None = None
) -> Opened:
    """Accept a message that asks another agency to take a person on; the same message again is the same referral.

    Needs `Duty.DECIDE`. With a *parent* it is the next hop of the same need.

    Raises:
        What `messages.service.accept` raises: `consent-refused` with every part's reason, `same-agency`, …
        InvalidError: `wrong-kind`; `telephone-required`, `bad-date` of the call.
        ConflictError: `duplicate-need`, with the referral that is open.
    """
    accepted = broker.accept(
        session, agency=agency, manifest=envelope.manifest, parts=envelope.parts, thread=None, now=now
    )
    if accepted.manifest.kind is not MessageKind.REFERRAL:
        raise InvalidError("wrong-kind", pointer="/manifest/kind")
    known = reads.opened_by(session, accepted.message) if accepted.again else None
    if known is not None:
        return Opened(referral=known, accepted=accepted)
    message = accepted.stored
    _check_call(message.urgency, envelope.telephone, now)
    same = reads.open_need(
        session, sender=agency, case=message.case_handle, recipient=message.recipient, purpose=message.purpose
    )
    if same is not None:
        raise ConflictError("duplicate-need", extra={"referral": same})
    referral = _new(session, accepted, envelope.telephone, parent, now)
    allowed = decide(Event.SEND, State.DRAFT, {Role.S}, Facts())
    if not isinstance(allowed, Allowed):  # pragma: no cover - row 1 of the table
        raise ConflictError("bad-transition")
    return Opened(
        referral=moves.open_with(session, referral, allowed, also=_facts(referral), now=now), accepted=accepted
    )


def _check_call(urgency: str, call: Telephone | None, now: datetime) -> None:
    """An immediate need is told by telephone first, the system second (domain README §5)."""
    if call is None:
        if urgency in current().limits.called:
            raise InvalidError("telephone-required", pointer="/telephone")
        return
    if not now - CALL_COUNTS_FOR <= call.at <= now + CLOCKS_DIFFER:
        raise InvalidError("bad-date", pointer="/telephone/at")


def _new(
    session: Session, accepted: broker.Accepted, call: Telephone | None, parent: Referral | None, now: datetime
) -> Referral:
    own, message = new_id(now), accepted.stored
    return Referral(
        id=own,
        root=parent.root if parent else own,
        parent=parent.id if parent else None,
        hop=parent.hop + 1 if parent else 0,
        prior_declines=_prior_declines(session, message, parent),
        case_handle=message.case_handle,
        case_row=message.case_row,
        sender=message.sender,
        recipient=message.recipient,
        coordinator=parent.coordinator if parent else coordinator(session, message),
        thread=message.thread,
        opening=message.id,
        purpose=message.purpose,
        urgency=message.urgency,
        request_kind=message.request_kind,
        basis=str(message.basis["kind"]),
        needs=tuple(dict.fromkeys(label.category for label in accepted.manifest.parts)),
        telephone_at=call.at if call else None,
        telephone_result=call.result if call else None,
        sent_at=now,
        state=State.REQUESTED,
        version=1,
        ball=None,
        awaiting=None,
        due_at=None,
        step=0,
        step_at=None,
        clock_at=now,
        since=now,
        word_at=None,
        review_at=None,
        next_step_by=None,
        asked_at=None,
        pause_until=None,
        paused_seconds=0,
        opened_at=None,
        accepted_at=None,
        closed_at=None,
        returned=0,
        worker=None,
        worker_role=None,
        sender_worker=None,
        sender_worker_role=None,
        next_on=None,
        outcome=None,
        content_stopped_at=None,
        unowned_since=(parent.unowned_since if parent else None) or now,
        conference_asked_at=None,
        updated_at=now,
    )


def _prior_declines(session: Session, message: messages.Message, parent: Referral | None) -> int:
    seen = meter.declines(session, case=message.case_handle, purpose=message.purpose)
    return max(seen, parent.prior_declines + 1 if parent else 0)


def coordinator(session: Session, message: messages.Message) -> str:
    """Name who coordinates a new need: the 自立相談支援機関 that owns it (referral-loop).

    The sender if it coordinates, else the owner of the case, else the recipient if one of them does; where no party
    coordinates it is whoever owns the case, else the sender.
    """
    found = agencies.agency(session, message.sender)
    if found is not None and found.coordinates:
        return message.sender
    case = cases.by_id(session, message.case_row) if message.case_row else None
    owner = case.owner if case else message.sender
    for candidate in (owner, message.recipient):
        found = agencies.agency(session, candidate)
        if found is not None and found.coordinates:
            return candidate
    return owner


def _facts(referral: Referral) -> dict[str, Json]:
    facts: dict[str, Json] = {
        "opening": referral.opening,
        "purpose": referral.purpose,
        "urgency": referral.urgency,
        "root": referral.root,
        "hop": referral.hop,
        "coordinator": referral.coordinator,
    }
    return facts | ({"telephone": referral.telephone_result} if referral.telephone_result else {})


def add_message(
    session: Session, referral: Referral, envelope: Envelope, *, agency: str, now: datetime
) -> broker.Accepted:
    """Accept a further message in the referral's thread, either way, in any state: consent alone decides.

    An answer to a question lets the clock run again; a word of the receiver counts as news of the person. A notice is
    neither: that something said earlier was wrong answers no question.

    Raises:
        What `messages.service.accept` raises.
    """
    accepted = broker.accept(
        session,
        agency=agency,
        manifest=envelope.manifest,
        parts=envelope.parts,
        thread=referral.thread,
        to=referral.recipient if agency == referral.sender else referral.sender,
        now=now,
    )
    if accepted.manifest.kind is MessageKind.NOTICE:
        return accepted
    if agency == referral.sender:
        moves.answered(session, referral, now=now)
    elif referral.state is State.IN_PROGRESS:
        moves.heard(session, referral, now=now)
    return accepted
