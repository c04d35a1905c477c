# SPDX-License-Identifier: Apache-2.0
"""What a referral's page decides by itself: its seven steps, what to do next, what a decline must say. Pure.

Which move is possible the hub says (`actions[]`); here is only which of them is the one to show first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

FINAL: Final = frozenset({"closed", "cancelled", "rerouted", "withdrawn", "entered_in_error"})
OPEN: Final = (
    "requested", "received", "accepted", "on_hold", "in_progress", "cancel_requested", "outcome_reported", "declined",
    "reroute_review",
)  # fmt: skip
WAITING: Final = frozenset({"requested", "received"})
SENDER: Final = "sender"
RECIPIENT: Final = "recipient"
COORDINATOR: Final = "coordinator"
STEPS: Final = ("written", "sent", "arrived", "accepted", "accompanied", "followed", "finished")
ELSEWHERE: Final = frozenset({"receive", "refer-on", "conference-result"})
"""What the hub offers and another page does: opening, sending on."""

When = datetime | date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One of the seven steps: `state` is done, now or open; `planned`: `at` is a day that is still to come."""

    key: str
    state: str
    at: When = None
    planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What to do next: the key of its words, the move to show first (none: nothing to do here), whether it is ours."""

    key: str
    action: str | None
    ours: bool


def steps(reached: Mapping[str, When], planned: Mapping[str, When], *, is_over: bool) -> tuple[Step, ...]:
    """Give the seven steps: those with a moment are done, the first without one is where the referral stands.

    Nobody has to be accompanied: what was passed over stays open and is not where it stands.
    """
    done = [key in reached for key in STEPS]
    furthest = max((n for n, is_done in enumerate(done) if is_done), default=-1)
    here = None if is_over else next((n for n in range(furthest + 1, len(STEPS))), None)
    return tuple(
        Step(
            key=key,
            state="done" if done[n] else "now" if n == here else "open",
            at=reached.get(key) or planned.get(key),
            planned=not done[n] and key in planned,
        )
        for n, key in enumerate(STEPS)
    )


_FIRST: Final[Mapping[tuple[str, str], tuple[str, str | None]]] = {
    ("requested", RECIPIENT): ("answer", "accept"),
    ("received", RECIPIENT): ("answer", "accept"),
    ("requested", SENDER): ("wait-answer", None),
    ("received", SENDER): ("wait-answer", None),
    ("accepted", RECIPIENT): ("start", "start"),
    ("accepted", SENDER): ("wait-start", None),
    ("in_progress", RECIPIENT): ("serve", "note-progress"),
    ("in_progress", SENDER): ("wait-outcome", None),
    ("on_hold", RECIPIENT): ("resume", "resume"),
    ("on_hold", SENDER): ("wait-hold", None),
    ("cancel_requested", RECIPIENT): ("confirm-cancel", "confirm-cancel"),
    ("cancel_requested", SENDER): ("wait-cancel", None),
    ("outcome_reported", SENDER): ("acknowledge", "acknowledge"),
    ("outcome_reported", RECIPIENT): ("wait-acknowledge", None),
    ("declined", SENDER): ("declined", "refer-on"),
    ("declined", RECIPIENT): ("wait-declined", None),
    ("reroute_review", COORDINATOR): ("review", "uphold"),
    ("reroute_review", SENDER): ("wait-review", None),
    ("reroute_review", RECIPIENT): ("wait-review", None),
}


def next_step(state: str, sides: Collection[str], *, asked: bool, actions: Collection[str]) -> Next:
    """Say what to do next. `asked`: a question stops the clock and waits for the sender's answer."""
    if asked and state == "received":
        return (
            Next(key="reply", action="reply", ours=True)
            if SENDER in sides
            else Next(key="wait-reply", action="accept" if "accept" in actions else None, ours=False)
        )
    for side in (COORDINATOR, RECIPIENT, SENDER):
        found = _FIRST.get((state, side)) if side in sides else None
        if found is not None:
            key, action = found
            return Next(key=key, action=action if action in actions else None, ours=action is not None)
    return Next(key="over" if state in FINAL else "wait", action=None, ours=False)


def side_of(sender: str, recipient: str, agency: str) -> str:
    """Give what we are to a referral, in one word: sender, recipient, else coordinator."""
    return SENDER if agency == sender else RECIPIENT if agency == recipient else COORDINATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Declining:
    """What a decline says; `visited`: the person has been here already."""

    reason: str | None
    suggestion: str | None
    other_agency: str | None
    missing: tuple[str, ...]
    has_note: bool
    visited: bool


SUGGESTIONS: Final = ("agency", "think_together")
"""What a decline may suggest here. "Later" alone would send the person away empty-handed (ux §0.4)."""


def decline_faults(said: Declining) -> dict[str, str]:
    """Name what a decline lacks, field by field, by the key of the sentence (referral-loop, row 5)."""
    faults: dict[str, str] = {}
    names_one = said.suggestion == "agency"
    if said.reason == "unable_to_act":
        # any hint would tell of a conflict of interests
        if said.has_note:
            faults["text"] = "referrals.fault-no-why"
        if said.missing:
            faults["missing"] = "referrals.fault-no-why"
        if names_one:
            faults["suggestion"] = "referrals.fault-no-agency"
        return faults
    if said.reason == "other_agency_better" and not names_one:
        faults["suggestion"] = "referrals.fault-name-agency"
    if names_one and said.other_agency is None:
        faults["other_agency"] = "referrals.fault-name-agency"
    if said.reason == "insufficient_information" and not said.missing:
        faults["missing"] = "referrals.fault-missing"
    if said.visited and not said.has_note:
        faults["text"] = "referrals.fault-note-after-visit"
    return faults
