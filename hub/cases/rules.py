# SPDX-License-Identifier: Apache-2.0
"""What must be shown before a case is moved, pure: the few hard guards of the process, the form of a handle
and of a note's kind. The order of steps is `process`; who calls and what is stored is not here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from hub.cases import process
from hub.cases.process import Position

LOST_CONTACT: Final = "lost_contact"
LOST_CONTACT_ATTEMPTS: Final = 3
LOST_CONTACT_SPAN: Final = timedelta(days=14)
LOST_CONTACT_CHANNELS: Final = 2

CONTACT_ATTEMPT: Final = "contact_attempt"
CONTACT_MADE: Final = "contact_made"
DECISION_CONFIRMED: Final = "decision_confirmed"
MUNICIPALITY: Final = "jichitai"

_UUID4: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TOKEN: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """How a case ends: the ground, and the follow-up decided with the person (a date, or none and why
    not).
    """

    ground: str
    follow_up_on: date | None
    no_follow_up_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One logged attempt to reach the person, with the channel's code."""

    at: datetime
    channel: str


def is_handle(text: str) -> bool:
    """Tell whether text is a case handle: a canonical lower-case UUIDv4, so that no time hides in it
    (consent.md).
    """
    return _UUID4.fullmatch(text) is not None


def is_token(text: str) -> bool:
    """Tell whether text is a code word and not a sentence: the hub keeps no free text (consent.md "Free
    text").
    """
    return _TOKEN.fullmatch(text) is not None


def is_contact_lost(attempts: Sequence[Attempt]) -> bool:
    """Tell whether contact may be called lost: three attempts, over fourteen days, by two channels.

    Source: domain README §1, lost-contact rule (中断 ≠ 終結).
    """
    if len(attempts) < LOST_CONTACT_ATTEMPTS:
        return False
    times = [attempt.at for attempt in attempts]
    is_long_enough = max(times) - min(times) >= LOST_CONTACT_SPAN
    return is_long_enough and len({attempt.channel for attempt in attempts}) >= LOST_CONTACT_CHANNELS


def closure_fault(closure: Closure, attempts: Sequence[Attempt], today: date) -> str | None:
    """Name what a closure lacks, or None: exactly one follow-up decision, not in the past, and lost contact
    shown.

    Source: guideline step ⑬, architecture "Hard guards are few".
    """
    if (closure.follow_up_on is None) == (closure.no_follow_up_reason is None):
        return "closure-incomplete"
    if closure.follow_up_on is not None and closure.follow_up_on < today:
        return "bad-date"
    if closure.ground == LOST_CONTACT and not is_contact_lost(attempts):
        return "contact-attempts-missing"
    return None


def actions(position: Position, *, is_owner: bool) -> tuple[str, ...]:
    """List what an agency may do with a case now, so that no client knows the machine (api: manners)."""
    if not is_owner:
        return ("note",)
    if process.is_closed(position.state):
        last = () if position.state == "ended" else ("move",)
        return (*last, "note", "exclude")
    pausing = "resume" if position.state == process.SUSPENDED else "suspend"
    may_pause = () if position.step == process.CLOSING_STEP else (pausing,)
    return ("move", *may_pause, "close", "note", "register-consent", "exclude")
