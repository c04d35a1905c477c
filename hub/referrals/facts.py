# SPDX-License-Identifier: Apache-2.0
"""What the machine and the guards need to know of a stored referral, gathered with the times already compared."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from consent.questions import ConsentBasis
from hub.base.errors import ForbiddenError
from hub.messages import reads as messages
from hub.messages.deciding import Asked, Decided, decide
from hub.referrals import reads
from hub.referrals.lifecycle import Event, Facts
from hub.referrals.network import current
from hub.referrals.reads import Referral
from hub.referrals.rules import Setting


def facts_of(referral: Referral, now: datetime, *, more_opened: bool = False) -> Facts:
    """Give what the machine asks of a referral; whether more than its first message was opened is asked apart."""
    network = current()
    fresh = referral.accepted_at is not None and now < network.calendar.due(
        referral.accepted_at, network.limits.take_back_acceptance
    )
    reopens = timedelta(days=network.limits.reopen_days)
    return Facts(
        hop=referral.hop,
        returned=referral.returned,
        returns_allowed=network.limits.returns,
        content_stopped=referral.content_stopped_at is not None,
        opened=referral.opened_at is not None,
        more_opened=more_opened,
        was_accepted=referral.accepted_at is not None,
        accepted_just_now=fresh,
        closed_recently=referral.closed_at is not None and now <= referral.closed_at + reopens,
    )


def more_opened(session: Session, referral: Referral) -> bool:
    """Tell whether the receiver opened more of the thread than what the referral began with (row 23)."""
    thread = messages.of_thread(session, agency=referral.recipient, other=referral.sender, thread=referral.thread)
    return any(
        one.message.opened_at is not None
        for one in thread
        if one.message.recipient == referral.recipient and one.message.id != referral.opening
    )


def visited(session: Session, referral: Referral, history: Sequence[reads.Moved]) -> bool:
    """Tell whether the person has already been there (row 5: then a decline owes a note)."""
    if any(one.event is Event.NOTE_PROGRESS and one.facts.get("what") == "visit_done" for one in history):
        return True
    return any(one.state == "done" for one in reads.accompaniments(session, referral.id))


def setting_of(referral: Referral, now: datetime, *, visited: bool = False) -> Setting:
    """Give what the words of a body are measured against."""
    network = current()
    return Setting(
        now=now,
        sent_at=referral.sent_at,
        limits=network.limits,
        calendar=network.calendar,
        visited=visited,
        content_stopped=referral.content_stopped_at is not None,
    )


def require_side(referral: Referral, agency: str) -> None:
    """Require one of the two sides.

    Raises:
        ForbiddenError: `wrong-party`, the coordinator reads and does not write.
    """
    if agency not in {referral.sender, referral.recipient}:
        raise ForbiddenError("wrong-party")


def consent_now(session: Session, referral: Referral, *, now: datetime, lock: bool) -> Decided:
    """Decide anew, on the person's consent, all that the referral was opened with; `lock` holds the case's gate.

    Raises:
        ConflictError: `recipient-inactive`, one of the two is not in the directory now.
    """
    return decide(session, asked_of(referral), now=now, lock=lock)


def asked_of(referral: Referral) -> Asked:
    """Put the question whether the person's consent carries what the referral was opened with."""
    return Asked(
        sender=referral.sender,
        recipient=referral.recipient,
        case=referral.case_handle,
        purpose=referral.purpose,
        basis=ConsentBasis(),
        categories=referral.needs,
    )
