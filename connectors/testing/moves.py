# SPDX-License-Identifier: Apache-2.0
"""The referral machine of the hub in memory: the moves that stories need, and whose turn each leaves.

A real hub knows more (limits, guards, coordinators); its own table and tests stand in `hub/referrals`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from connectors.sdk import threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move: which side makes it, from which states, to which."""

    side: str
    frm: frozenset[str]
    to: str


def _step(side: str, frm: str, to: str) -> Step:
    return Step(side=side, frm=frozenset(frm.split()), to=to)


MOVES: Final = {
    "accept": _step("recipient", "requested received", "accepted"),
    "ask": _step("recipient", "requested received", "received"),
    "decline": _step("recipient", "requested received accepted in_progress on_hold", "declined"),
    "take-back": _step("sender", "declined", "closed"),
    "refer-on": _step("sender", "declined", "rerouted"),
    "cancel": _step("sender", "requested received", "cancelled"),
    "ask-to-cancel": _step("sender", "accepted in_progress on_hold", "cancel_requested"),
    "confirm-cancel": _step("recipient", "cancel_requested", "cancelled"),
    "start": _step("recipient", "accepted", "in_progress"),
    "progress": _step("recipient", "in_progress", "in_progress"),
    "hold": _step("recipient", "accepted in_progress", "on_hold"),
    "resume": _step("recipient", "on_hold", "in_progress"),
    "report-outcome": _step("recipient", "accepted in_progress", "outcome_reported"),
    "acknowledge": _step("sender", "outcome_reported", "closed"),
    "return": _step("sender", "outcome_reported", "in_progress"),
}
_TURNS: Final = {
    **dict.fromkeys(("requested", "received"), ("sender", "recipient")),
    **dict.fromkeys(("accepted", "in_progress", "on_hold"), ("recipient", "recipient")),
    "cancel_requested": ("recipient", "recipient"),
    **dict.fromkeys(("outcome_reported", "declined"), ("sender", "sender")),
}
_ANSWER_WITHIN: Final = timedelta(days=1)


def turn(referral: threads.ReferralDetail) -> dict[str, Any]:
    """Give `ball`, `awaiting` and `due_at` of a referral in its state; a final state has none."""
    if referral.state not in _TURNS:
        return {"ball": None, "awaiting": None, "due_at": None}
    ball, awaiting = _TURNS[referral.state]
    sides = {"sender": referral.sender, "recipient": referral.recipient}
    return {"ball": sides[ball], "awaiting": sides[awaiting], "due_at": referral.updated_at + _ANSWER_WITHIN}


def actions_of(referral: threads.Referral, agency: str) -> tuple[str, ...]:
    """Give what an agency may do now."""
    sides = {"sender": referral.sender, "recipient": referral.recipient}
    return tuple(event for event, step in MOVES.items() if referral.state in step.frm and sides[step.side] == agency)
