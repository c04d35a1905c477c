# SPDX-License-Identifier: Apache-2.0
"""What the hub answers about referrals and the messages in their threads, as frozen dataclasses; never content."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import AwareDatetime as Moment

from connectors.sdk.problems import PartDecision

# ── messages ──


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What would be allowed now; `decision_id` is the log entry of the question."""

    decision_id: str
    decisions: tuple[PartDecision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the hub knows of one part."""

    n: int
    category: str
    media: str = ""
    size_bucket: int = 0
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One message in our inbox; `id` is the hub's, `message` the sender's."""

    id: str
    message: str
    thread: str
    seq: int
    sender: str
    kind: str
    urgency: str
    size: int = 0
    accepted_at: Moment
    not_after: Moment
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """A message as it is handed over to us; `parts` is None for one that we sent ourselves.

    `receipt` is the hub's signed word with the log entry of the disclosure.
    """

    id: str
    message: str
    thread: str
    seq: int
    sender: str
    recipient: str
    case: str
    kind: str
    purpose: str
    accepted_at: Moment
    not_after: Moment
    delivery: str
    delivered_at: Moment | None = None
    opened_at: Moment | None = None
    labels: tuple[Label, ...] = ()
    manifest: str
    receipt: str
    parts: tuple[str, ...] | None = field(default=None, repr=False)
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeItem:
    """One message, by its sender's id, and the categories of it to stop using."""

    message: str
    sender: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A request to stop using what came before its consent was taken back; answered by a signed word."""

    id: str
    case: str
    withdrawal: str
    items: tuple[NoticeItem, ...]
    raised_at: Moment
    due_at: Moment
    answer: str | None = None
    answered_at: Moment | None = None
    actions: tuple[str, ...] = ()


# ── referrals ──


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """Where a referral stands: state, whose turn it is, by when, and what we may do now (`actions`)."""

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
    request_kind: str | None = None
    basis: str
    categories: tuple[str, ...] = ()
    state: str
    version: int
    ball: str | None = None
    awaiting: str | None = None
    due_at: Moment | None = None
    overdue: bool = False
    actions: tuple[str, ...] = ()
    content_stopped: bool = False
    sent_at: Moment
    updated_at: Moment
    worker: str | None = None
    worker_role: str | None = None
    next_on: date | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Referral):
    """A referral that the hub took in, with its signed receipt and the decision on each part."""

    receipt: str
    decisions: tuple[PartDecision, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerouted:
    """A referral that was referred on, and the next one."""

    referral: Referral
    next: Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAccepted:
    """A further message that the hub took in; `held`: an earlier one of the thread is missing."""

    message: str
    thread: str
    receipt: str
    accepted_at: Moment
    held: bool = False
    decisions: tuple[PartDecision, ...] = ()
    referral: Referral


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptTaken:
    """What a receipt did: the delivery's state, and the referral where it was about its first message."""

    message: str
    delivery: str
    referral: Referral | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of a referral's history."""

    version: int
    event: str
    frm: str
    to: str
    agency: str | None = None
    role: str
    at: Moment
    facts: dict[str, Any] = field(default_factory=dict)
    entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message of the thread and how far it got."""

    id: str
    message: str
    kind: str
    sender: str
    recipient: str
    seq: int
    purpose: str
    delivery: str
    accepted_at: Moment
    offered_at: Moment | None = None
    delivered_at: Moment | None = None
    opened_at: Moment | None = None
    ended_at: Moment | None = None
    parts: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accompaniment:
    """An accompaniment (同行支援) as it stands."""

    n: int
    version: int
    agency: str
    state: str
    on: date
    minutes: int | None = None
    role: str
    destination: str
    purpose: str
    result: str | None = None
    next_step_on: date | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """A follow-up as it stands."""

    n: int
    agency: str
    due_on: date
    done_at: Moment | None = None
    channel: str | None = None
    asked: tuple[str, ...] | None = None
    result: str | None = None
    next_due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One referral of the same need."""

    id: str
    hop: int
    recipient: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The meter against passing people round."""

    hops: int
    declines: int
    unowned_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralDetail(Referral):
    """A referral with all that went on around it."""

    history: tuple[Move, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    accompaniments: tuple[Accompaniment, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    hops: tuple[Hop, ...] = ()
    meter: Meter | None = None
