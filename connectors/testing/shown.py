# SPDX-License-Identifier: Apache-2.0
"""What the hub in memory shows beside a referral: its thread's deliveries, the hops of its need, the meter."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.sdk import threads
from connectors.testing.memory import MemoryHub


def deliveries_of(hub: MemoryHub, found: threads.ReferralDetail) -> Iterator[threads.Delivery]:
    """Give the messages of a thread between its two sides, each with how far it got."""
    between = {found.sender, found.recipient}
    for one in hub.messages.values():
        if one.thread == found.thread and {one.sender, one.recipient} == between:
            yield threads.Delivery(
                id=one.id, message=one.message, kind=one.kind, sender=one.sender, recipient=one.recipient, seq=one.seq,
                purpose=one.purpose, delivery=one.delivery, accepted_at=one.accepted_at,
                delivered_at=one.delivered_at, opened_at=one.opened_at, parts=one.labels,
            )  # fmt: skip


def hops_of(hub: MemoryHub, found: threads.ReferralDetail, agency: str) -> Iterator[threads.Hop]:
    """Give the referrals of the same need that an agency is a party of, as they followed each other."""
    for one in sorted(hub.referrals.values(), key=lambda one: one.hop):
        if one.root == found.root and agency in {one.sender, one.recipient, one.coordinator}:
            yield threads.Hop(id=one.id, hop=one.hop, recipient=one.recipient, state=one.state)


def meter_of(hub: MemoryHub, found: threads.ReferralDetail) -> threads.Meter:
    """Count the hops and declines of a need; the days without an owner are of this referral."""
    same = [one for one in hub.referrals.values() if one.root == found.root]
    declines = sum(move.event == "decline" for one in same for move in one.history)
    accepted = any(move.event == "accept" for move in found.history)
    days = 0 if accepted else (hub.clock() - found.sent_at).days
    return threads.Meter(hops=max((one.hop for one in same), default=0), declines=declines, unowned_days=days)
