# SPDX-License-Identifier: Apache-2.0
"""The path drawn from a case's history, pure: what is done, where it stands, what was passed over, which plan it is.

Also what is said about lost contact before the hub is asked. Nothing here says which move is possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from connectors.sdk.answers import Note, Step

STEPS: Final = tuple(str(n) for n in range(1, 14))
LOOP: Final = frozenset(STEPS[4:12])
"""⑤ to ⑫ come again with every plan."""
URGENT: Final = "4"
PLAN: Final = "6"
DECISION: Final = "8"
REPLAN: Final = "12"
CLOSING: Final = "13"
SUSPENDED: Final = "suspended"
CLOSED: Final = frozenset({"closed", "follow_up", "ended"})
MUNICIPAL: Final = frozenset({"jichitai", "fukushi_jimusho", "zeimu"})
"""Kinds of agencies that stand in the left column; the others are 社会資源."""
_BEGINS_ANEW: Final = frozenset({"5", "6", "7"})
LOST_ATTEMPTS: Final = 3
LOST_SPAN: Final = timedelta(days=14)
LOST_CHANNELS: Final = 2
_ATTEMPT: Final = "contact_attempt"
_MADE: Final = "contact_made"


class Standing(StrEnum):
    """How a step stands on the path."""

    DONE = "done"
    NOW = "now"
    AHEAD = "ahead"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the path in one term: `since` when it was first reached, `reasons` of moves beside the order."""

    step: str
    standing: Standing
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What was tried since the person was last reached, and whether it is enough to call contact lost."""

    attempts: int
    days: int
    channels: int

    @property
    def is_enough(self) -> bool:
        """Say whether the hub will take it: three attempts, over fourteen days, by two channels."""
        enough = self.attempts >= LOST_ATTEMPTS and self.channels >= LOST_CHANNELS
        return enough and self.days >= LOST_SPAN.days


def terms(history: Sequence[Step]) -> tuple[int, ...]:
    """Number the plan's term to which each move belongs; a new one begins where a re-plan leads on to ⑤, ⑥ or ⑦."""
    numbers: list[int] = []
    term, replanning = 1, False
    for move in history:
        if replanning and move.step in _BEGINS_ANEW:
            term, replanning = term + 1, False
        elif move.step == REPLAN:
            replanning = True
        elif move.step != URGENT:
            replanning = False
        numbers.append(term)
    return tuple(numbers)


def stages(history: Sequence[Step], term: int | None = None) -> tuple[Stage, ...]:
    """Draw the path of a term, the present one if none is said. Steps before ⑤ and ⑬ are the case's, not a term's."""
    numbers = terms(history)
    last = numbers[-1] if numbers else 1
    wanted = last if term is None else term
    here = [
        (place, move)
        for place, (number, move) in enumerate(zip(numbers, history, strict=True))
        if (number == wanted if move.step in LOOP else number <= wanted)
    ]
    now = history[-1] if wanted == last and history else None
    reached = max((int(move.step) for _, move in here if move.step != URGENT), default=1)
    return tuple(_stage(step, here, history, now, reached, is_past=wanted < last) for step in STEPS)


def term_at(history: Sequence[Step], at: datetime) -> int:
    """Give the term in which something happened."""
    before = [number for number, move in zip(terms(history), history, strict=True) if move.at <= at]
    return before[-1] if before else 1


def step_at(history: Sequence[Step], at: datetime) -> str:
    """Give the step at which the case stood when something happened; the first before there was any."""
    before = [move.step for move in history if move.at <= at]
    return before[-1] if before else STEPS[0]


def step_before_urgent(history: Sequence[Step]) -> str | None:
    """Name the step from which urgency called the case away, where it stands at ④ now."""
    if not history or history[-1].step != URGENT:
        return None
    return next((move.step for move in reversed(history) if move.step != URGENT), None)


def state_before_pause(history: Sequence[Step]) -> str | None:
    """Give the state in which a suspended case stood before it was, so that it is taken up where it was left."""
    return next((move.state for move in reversed(history) if move.state != SUSPENDED), None)


def effort(notes: Sequence[Note]) -> Effort:
    """Count what was tried since the person was last reached, as the hub has it."""
    reached = max((one.at for one in notes if one.kind == _MADE), default=None)
    tried = [one for one in notes if one.kind == _ATTEMPT and (reached is None or one.at > reached)]
    times = [one.at for one in tried]
    days = (max(times) - min(times)).days if times else 0
    return Effort(attempts=len(tried), days=days, channels=len({one.channel for one in tried}))


def _stage(
    step: str,
    here: Sequence[tuple[int, Step]],
    history: Sequence[Step],
    now: Step | None,
    reached: int,
    *,
    is_past: bool,
) -> Stage:
    visits = [(place, move) for place, move in here if move.step == step]
    if not visits:
        is_over = int(step) < reached or (is_past and step in LOOP)
        return Stage(step=step, standing=Standing.SKIPPED if is_over else Standing.AHEAD)
    place, latest = visits[-1]
    following = history[place + 1].at if place + 1 < len(history) else None
    is_now = now is not None and now.step == step
    is_ended = is_now and now is not None and now.state in CLOSED
    return Stage(
        step=step,
        standing=Standing.NOW if is_now and not is_ended else Standing.DONE,
        state=latest.state,
        since=visits[0][1].at,
        until=following,
        reasons=tuple(move.reason for _, move in visits if move.reason),
    )
