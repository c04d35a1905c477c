# SPDX-License-Identifier: Apache-2.0
"""What may happen to a message on its way: the delivery machine, the chain of one direction of a thread,
the limits of time and number, and when a withdrawal reaches back to what was handed over. Pure: whoever
calls brings the time and the facts. Whether a part may go at all is decided in `consent.decisions`, not here.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from consent.questions import (
    Basis,
    ConferenceBasis,
    ConsentBasis,
    EmergencyBasis,
    Facts,
    Permitted,
    Refused,
    StatuteBasis,
)
from consent.scopes import ANY, Party, Withdrawal, names

OVERRIDES_PER_DAY = 5
"""Emergency uses of one requester on one Japanese calendar day (security §2)."""
CLOCK_AHEAD = timedelta(minutes=5)
"""How far an agency's clock may run before the hub's."""
RECEIPT_DUE = timedelta(minutes=30)
"""After an offer without a receipt the sender's board says so (protocol §5)."""
KEPT_AFTER_DELIVERY = timedelta(days=7)
"""Ciphertext leaves the hub this long after the delivery receipt (protocol §2)."""
GAP_ALARM = timedelta(minutes=10)
"""A message held because an earlier one is missing is reported after this."""
NOTICE_BUSINESS_DAYS = 3
"""Days an agency has to answer a stop-use notice before the officer's list shows it (consent.md)."""
REACH_FORWARD = 256
"""How many numbers ahead of the chain a message may be held; further is not a gap but a mistake."""


class Delivery(StrEnum):
    """Where a sealed message stands (vocabulary `delivery_state`)."""

    QUEUED = "queued"
    OFFERED = "offered"
    DELIVERED = "delivered"
    OPENED = "opened"
    REFUSED = "refused"
    DESTROYED = "destroyed"
    UNDELIVERABLE = "undeliverable"


class Happening(StrEnum):
    """What can happen to a message after it was accepted."""

    OFFER = "offer"
    DELIVERY_RECEIPT = "delivery_receipt"
    READ_RECEIPT = "read_receipt"
    REFUSAL = "refusal"
    CANCEL = "cancel"
    END_OF_WAIT = "end_of_wait"


UNDELIVERED = frozenset({Delivery.QUEUED, Delivery.OFFERED})
ARRIVED = frozenset({Delivery.DELIVERED, Delivery.OPENED})

_MOVES: Mapping[tuple[Delivery, Happening], Delivery] = {
    (Delivery.QUEUED, Happening.OFFER): Delivery.OFFERED,
    # a receiver may collect by an id that the event feed told it, before any inbox answer listed it
    (Delivery.QUEUED, Happening.DELIVERY_RECEIPT): Delivery.DELIVERED,
    (Delivery.OFFERED, Happening.DELIVERY_RECEIPT): Delivery.DELIVERED,
    # a lost delivery receipt must not hide that a worker read it
    (Delivery.OFFERED, Happening.READ_RECEIPT): Delivery.OPENED,
    (Delivery.QUEUED, Happening.READ_RECEIPT): Delivery.OPENED,
    (Delivery.DELIVERED, Happening.READ_RECEIPT): Delivery.OPENED,
    # the recipient had it before it was refused or its time ran out: its signed word is the truth
    **{
        (state, receipt): arrived
        for state in (Delivery.REFUSED, Delivery.UNDELIVERABLE)
        for receipt, arrived in (
            (Happening.DELIVERY_RECEIPT, Delivery.DELIVERED),
            (Happening.READ_RECEIPT, Delivery.OPENED),
        )
    },
    **{(state, Happening.REFUSAL): Delivery.REFUSED for state in UNDELIVERED},
    **{(state, Happening.CANCEL): Delivery.DESTROYED for state in UNDELIVERED},
    **{(state, Happening.END_OF_WAIT): Delivery.UNDELIVERABLE for state in UNDELIVERED},
}


def moved(state: Delivery, happening: Happening) -> Delivery:
    """Give the delivery state after `happening`; what does not move a state leaves it (protocol §5)."""
    return _MOVES.get((state, happening), state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One message's place in its sender's chain: its number, the hash it names before it, its own hash."""

    seq: int
    prev: str | None
    own: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last message of one direction that stands in an unbroken chain; (0, None) before the first."""

    seq: int
    own: str | None


class Place(StrEnum):
    """Where a new message falls."""

    NEXT = "next"
    HELD = "held"
    BROKEN = "broken"


def place(head: Head, link: Link, held: Mapping[int, Link]) -> Place:
    """Say whether `link` continues the chain, waits for an earlier one, or contradicts it (protocol §2).

    A held neighbour is its sender's own signed word: whoever contradicts it has two histories.
    """
    later, earlier = held.get(link.seq + 1), held.get(link.seq - 1)
    if link.seq <= head.seq or link.seq in held or link.seq > head.seq + REACH_FORWARD:
        return Place.BROKEN
    if later is not None and later.prev != link.own:
        return Place.BROKEN
    if link.seq == head.seq + 1:
        return Place.NEXT if link.prev == head.own else Place.BROKEN
    if link.prev is None or (earlier is not None and earlier.own != link.prev):
        return Place.BROKEN
    return Place.HELD


def released(after: int, held: Collection[int]) -> tuple[int, ...]:
    """Give the held numbers that follow `after` without a gap."""
    run: list[int] = []
    while after + 1 in held:
        after += 1
        run.append(after)
    return tuple(run)


def window_fault(*, created_at: datetime, not_after: datetime, now: datetime) -> str | None:
    """Give the code of what is wrong with a manifest's times at the hub's time, or None (protocol §2).

    That it waits no longer than 30 days is already refused by the parser.
    """
    if created_at > now + CLOCK_AHEAD:
        return "created-in-future"
    if not_after <= now:
        return "message-expired"
    return None


def taken_back(
    *,
    scope: str,
    sender: Party,
    recipient: Party,
    category: str,
    facts: Facts,
    at: datetime,
) -> Withdrawal | None:
    """Give the first withdrawal that takes back the scope on which something was handed over (consent.md).

    Whatever is found came after the hand-over: with it the hand-over would have been refused.
    """
    signed_at = next((one.scope.signed_at for one in facts.scopes if one.scope.id == scope), at)
    reaching = (
        one
        for one in facts.withdrawals
        if one.at <= at
        and (scope in one.scopes if one.scopes else signed_at <= one.at)
        and (not one.categories or category in one.categories or ANY in one.categories)
        and (not one.to or names(one.to, recipient, facts.intake_side) or names(one.to, sender, facts.intake_side))
    )
    return min(reaching, key=lambda one: (one.at, one.id), default=None)


def basis_kept(basis: Basis, *, sent_at: datetime) -> dict[str, str | None]:
    """Put a basis down so that hand-over decides on the same claim.

    An approval without a time counts from the moment of sending (consent.md); kept open it would never end.
    """
    if isinstance(basis, EmergencyBasis):
        basis = replace(basis, approved_at=basis.approved_at or sent_at)
    members = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(basis).items()
    }
    return {"kind": basis.kind, **members}


def basis_from(kept: Mapping[str, Any]) -> Basis:
    """Read back what `basis_kept` put down."""
    members = {name: value for name, value in kept.items() if name != "kind"}
    match kept["kind"]:
        case "consent":
            return ConsentBasis()
        case "emergency":
            times = {
                name: datetime.fromisoformat(members[name])
                for name in ("approved_at", "valid_until")
                if members[name] is not None
            }
            return EmergencyBasis(**members | times)
        case "shien_kaigi":
            return ConferenceBasis(**members)
        case _:
            return StatuteBasis(**members)


def decision_shown(category: str, decision: Permitted | Refused, *, version: str | None) -> dict[str, Any]:
    """Put one part's decision as the API shows it; `version` is that of the form behind the consent (api.md)."""
    if isinstance(decision, Permitted):
        return {
            "category": category,
            "outcome": "permitted",
            "basis": decision.basis,
            "reason": None,
            "remedy": None,
            "consent": decision.scope,
            "version": version,
        }
    return {
        "category": category,
        "outcome": "refused",
        "basis": None,
        "reason": decision.reason.value,
        "remedy": decision.remedy.value,
        "consent": decision.scope,
        "version": version,
    }


def decision_logged(category: str, decision: Permitted | Refused) -> dict[str, Any]:
    """Put one part's decision as an audit fact, with the rule path for its replay (audit-log 2)."""
    shown: dict[str, Any] = {
        "category": category,
        "scope": decision.scope,
        "path": list(decision.path),
    }
    if isinstance(decision, Permitted):
        return shown | {"outcome": "permitted", "against_exclusion": decision.against_exclusion}
    return shown | {"outcome": "refused", "reason": decision.reason.value}
