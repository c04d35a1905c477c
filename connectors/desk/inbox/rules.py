# SPDX-License-Identifier: Apache-2.0
"""What the inbox decides by itself: which filters there are, why something cannot be opened. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from connectors.desk.referrals import rules as machine

ANSWERS: Final = ("accept", "ask", "decline")
"""The three answers, always in this order."""
STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("requested", "received"),
    "serving": ("accepted", "in_progress", "on_hold", "cancel_requested"),
    "all": (),
}
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "state": tuple(STATES),
    "who": ("", "mine", "none"),
    "due": ("", "late"),
}
_GONE: Final = frozenset({"refused", "destroyed", "undeliverable"})


def trouble(*, is_here: bool, kinds: Collection[str], delivery: str | None) -> str | None:
    """Say why something of a message cannot be opened, or nothing: the first that a person can do something about.

    `locked`: no key of ours fits; `refused`: consent does not reach it; `purged`: its use was stopped; `gone`: the hub
    destroyed it before it came; `not-yet`: it has not come.
    """
    if not is_here:
        return "gone" if delivery in _GONE else "not-yet"
    return next((why for why in ("locked", "refused", "purged") if why in kinds), None)


def is_waiting(state: str) -> bool:
    """Say whether a referral still waits for one of the three answers."""
    return state in machine.WAITING
