# SPDX-License-Identifier: Apache-2.0
"""By when: the time limits of each state as settings of a network, and the moments of their steps.

Pure: the calendar and every time are arguments. What a step then does is in `timers`; the defaults are in
`limits.json`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from consent.calendar import Calendar, Limit
from hub.referrals.lifecycle import OPEN, State


class Anchor(StrEnum):
    """From which moment a limit runs."""

    SENT = "sent"
    SINCE = "since"
    WORD = "word"
    REVIEW = "review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of a state's ladder: when it is reached, whose task it raises, what the hub does by itself."""

    anchor: Anchor
    urgent: Limit | None
    normal: Limit | None
    tasks: Mapping[str, str]
    """Kind of task by who gets it: `awaiting`, `ball`, `S`, `R` or `Co`."""
    act: str | None
    digest: bool
    """True: the step belongs into the data protection officer's digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The network's settings (referral-loop, the column of limits)."""

    version: int
    urgent: frozenset[str]
    """Urgencies that use the urgent column."""
    called: frozenset[str]
    """Urgencies that need a telephone call as well."""
    pause: Limit
    no_show: Limit
    stop_answer: Limit
    take_back_acceptance: Limit
    hold_days: int
    reopen_days: int
    ahead_days: int
    unowned_days: int
    declines: int
    returns: int
    ladders: Mapping[State, tuple[Rung, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The moments that a referral's limits run from."""

    state: State
    urgency: str
    sent_at: datetime
    since: datetime
    word_at: datetime | None = None
    review_at: datetime | None = None
    next_step_by: datetime | None = None
    """After a no-show: by when the next step must be known (row 17)."""
    paused: timedelta = timedelta(0)
    """How long a question stopped the clock (row 4)."""


def _rung(raw: Mapping[str, Any]) -> Rung:
    urgent, normal = (Limit.read(raw[name]) if raw[name] else None for name in ("urgent", "normal"))
    return Rung(
        anchor=Anchor(raw["from"]),
        urgent=urgent,
        normal=normal,
        tasks=dict(raw["tasks"]),
        act=raw.get("act"),
        digest=raw.get("digest", False),
    )


def read_limits(raw: Mapping[str, Any]) -> Limits:
    """Build the limits from a parsed settings file.

    Raises:
        ValueError, KeyError: a member is missing or cannot be read, or an open state has no ladder.
    """
    ladders = {State(state): tuple(map(_rung, rungs)) for state, rungs in raw["ladders"].items()}
    if not all(ladders.get(state) for state in OPEN):
        raise ValueError("every open state needs a time by which")
    return Limits(
        urgent=frozenset(raw["urgent"]),
        called=frozenset(raw["called"]),
        ladders=ladders,
        version=int(raw["version"]),
        pause=Limit.read(raw["pause"]),
        no_show=Limit.read(raw["no_show"]),
        stop_answer=Limit.read(raw["stop_answer"]),
        take_back_acceptance=Limit.read(raw["take_back_acceptance"]),
        hold_days=int(raw["hold_days"]),
        reopen_days=int(raw["reopen_days"]),
        ahead_days=int(raw["ahead_days"]),
        unowned_days=int(raw["unowned_days"]),
        declines=int(raw["declines"]),
        returns=int(raw["returns"]),
    )


def steps(clock: Clock, limits: Limits, calendar: Calendar) -> tuple[tuple[datetime, Rung], ...]:
    """Give the ladder of the clock's state as moments; () at the end. The first is the time by which."""
    urgent = clock.urgency in limits.urgent
    moments = [
        (_reached(_anchor(rung.anchor, clock), rung.urgent if urgent else rung.normal, calendar), rung)
        for rung in limits.ladders.get(clock.state, ())
    ]
    if moments and clock.next_step_by is not None:
        moments[0] = (min(moments[0][0], clock.next_step_by), moments[0][1])
    return tuple(moments)


def _reached(start: datetime, limit: Limit | None, calendar: Calendar) -> datetime:
    return start if limit is None else calendar.due(start, limit)


def _anchor(anchor: Anchor, clock: Clock) -> datetime:
    moments = {
        Anchor.SENT: clock.sent_at + clock.paused,
        Anchor.SINCE: clock.since,
        Anchor.WORD: clock.word_at,
        Anchor.REVIEW: clock.review_at,
    }
    return moments[anchor] or clock.since
