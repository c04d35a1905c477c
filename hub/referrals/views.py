# SPDX-License-Identifier: Apache-2.0
"""What the API gives about referrals: where they stand, what happened, what the caller may do. Never content.

What it takes is in `shapes`.
"""

from datetime import date, datetime
from typing import Any, Self

from hub.messages.reads import Labelled
from hub.messages.service import Accepted
from hub.referrals import reads
from hub.referrals.lifecycle import Event, Role, State
from hub.referrals.meter import Meter
from hub.referrals.opening import Opened
from hub.referrals.reads import Moved, Referral
from hub.web.paging import Page
from hub.web.shapes import Shape

Day = date
"""A bare date; under another name, because a member is called `on` or `due_on`."""


class ReferralShape(Shape):
    """Where a referral stands, and what the caller may do now."""

    id: str
    root: str
    hop: int
    thread: str
    message: str
    case: str
    sender: str
    recipient: str
    coordinator: str
    purpose: str
    urgency: str
    request_kind: str | None
    basis: str
    categories: tuple[str, ...]
    state: State
    version: int
    ball: str | None
    awaiting: str | None
    due_at: datetime | None
    overdue: bool
    actions: tuple[Event, ...]
    content_stopped: bool
    sent_at: datetime
    updated_at: datetime
    worker: str | None
    worker_role: str | None
    next_on: Day | None
    outcome: str | None

    @classmethod
    def of(cls, referral: Referral, actions: tuple[Event, ...], now: datetime) -> Self:
        """Show a referral to a caller who may do *actions*."""
        return cls(**_shown(referral, actions, now))


def _shown(referral: Referral, actions: tuple[Event, ...], now: datetime) -> dict[str, Any]:
    same = set(ReferralShape.model_fields) & set(Referral.__dataclass_fields__)
    return {name: getattr(referral, name) for name in same} | {
        "message": referral.opening,
        "case": referral.case_handle,
        "categories": referral.needs,
        "overdue": referral.due_at is not None and referral.due_at <= now,
        "actions": actions,
        "content_stopped": referral.content_stopped_at is not None,
    }


class OpenedShape(ReferralShape):
    """A referral that was taken in: with the hub's signed receipt and the decision on each part."""

    receipt: str
    decisions: tuple[dict[str, Any], ...]

    @classmethod
    def opened(cls, opened: Opened, actions: tuple[Event, ...], now: datetime) -> Self:
        """Show a new referral to its sender."""
        accepted = opened.accepted
        shown = _shown(opened.referral, actions, now)
        return cls(**shown, receipt=accepted.receipt, decisions=accepted.decisions)


class ReroutedShape(Shape):
    """A referral that was referred on, and the next one."""

    referral: ReferralShape
    next: OpenedShape


class AcceptedShape(Shape):
    """A further message that was taken in; `held`: an earlier one of the thread is missing."""

    message: str
    thread: str
    receipt: str
    accepted_at: datetime
    held: bool
    decisions: tuple[dict[str, Any], ...]
    referral: ReferralShape

    @classmethod
    def of(cls, accepted: Accepted, referral: ReferralShape) -> Self:
        """Show what became of a message."""
        same = ("message", "thread", "receipt", "accepted_at", "held", "decisions")
        return cls(**{name: getattr(accepted, name) for name in same}, referral=referral)


class ReceiptShape(Shape):
    """What a receipt did: the delivery's state, and the referral's where the receipt was about its first message."""

    message: str
    delivery: str
    referral: ReferralShape | None


class MoveShape(Shape):
    """One move of the history: codes and ids of what was said."""

    version: int
    event: Event
    frm: State
    to: State
    agency: str | None
    role: Role
    at: datetime
    facts: dict[str, Any]
    entry: str

    @classmethod
    def of(cls, moved: Moved) -> Self:
        """Show a move."""
        return cls(**{name: getattr(moved, name) for name in cls.model_fields})


class PartShape(Shape):
    """The label of a sealed part."""

    n: int
    category: str
    size_bucket: int
    result: str | None


class DeliveryShape(Shape):
    """A message of the thread: its labels and how far it got. Never content."""

    id: str
    message: str
    kind: str
    sender: str
    recipient: str
    seq: int
    purpose: str
    delivery: str
    accepted_at: datetime
    offered_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    ended_at: datetime | None
    parts: tuple[PartShape, ...]

    @classmethod
    def of(cls, labelled: Labelled) -> Self:
        """Show a message by its labels."""
        parts = tuple(
            PartShape(n=one.n, category=one.category, size_bucket=one.size_bucket, result=one.result)
            for one in labelled.labels
        )
        found = labelled.message
        same = set(cls.model_fields) - {"parts", "delivery"}
        return cls(**{name: getattr(found, name) for name in same}, delivery=found.delivery.value, parts=parts)


class AccompanimentShape(Shape):
    """An accompaniment as it stands."""

    n: int
    version: int
    agency: str
    state: str
    on: Day
    minutes: int | None
    role: str
    destination: str
    purpose: str
    result: str | None
    next_step_on: Day | None
    message: str | None

    @classmethod
    def of(cls, one: reads.Accompaniment) -> Self:
        """Show an accompaniment."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class FollowUpShape(Shape):
    """A follow-up as it stands."""

    n: int
    agency: str
    due_on: Day
    done_at: datetime | None
    channel: str | None
    asked: tuple[str, ...] | None
    result: str | None
    next_due_on: Day | None

    @classmethod
    def of(cls, one: reads.FollowUp) -> Self:
        """Show a follow-up."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class FollowUpsShape(Shape):
    """The follow-up that was written down, and the next one if a day was named."""

    items: tuple[FollowUpShape, ...]


class HopShape(Shape):
    """One referral of the same need that the caller is a party of."""

    id: str
    hop: int
    recipient: str
    state: State


class MeterShape(Shape):
    """The meter against passing round."""

    hops: int
    declines: int
    unowned_days: int

    @classmethod
    def of(cls, meter: Meter) -> Self:
        """Show the meter."""
        return cls(hops=meter.hops, declines=meter.declines, unowned_days=meter.unowned_days)


class CallShape(Shape):
    """The call that went with an immediate referral."""

    at: datetime
    result: str


class ReferralDetail(ReferralShape):
    """A referral with all that went on around it; no content."""

    history: tuple[MoveShape, ...]
    deliveries: tuple[DeliveryShape, ...]
    accompaniments: tuple[AccompanimentShape, ...]
    follow_ups: tuple[FollowUpShape, ...]
    hops: tuple[HopShape, ...]
    meter: MeterShape
    telephone: CallShape | None


ReferralPage = Page[ReferralShape]
