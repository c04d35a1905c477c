# SPDX-License-Identifier: Apache-2.0
"""Read the forms of follow-ups: when to ask, and what came of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from connectors.desk.followups import rules
from connectors.desk.followups.reads import Done, Thread
from connectors.desk.followups.service import Answer
from connectors.desk.web.filling import Filled
from connectors.desk.web.visits import Visit

OWN_DAY: Final = "day"
NONE: Final = "none"
_FURTHEST: Final = timedelta(days=366 * 3)


def read_due(filled: Filled, visit: Visit, thread: Thread, *, may_be_none: bool = False) -> date | None:
    """Read when to ask: a preset or a day of one's own; a preset after closure only of what is closed."""
    choices = (*rules.PRESETS, rules.AFTER_CLOSURE, OWN_DAY, *((NONE,) if may_be_none else ()))
    when = filled.code("when", choices, required=True)
    if when == rules.AFTER_CLOSURE and not thread.is_closed:
        filled.blame("when", "followups.fault-not-closed")
        return None
    if when == OWN_DAY:
        first = visit.today + timedelta(days=1) if may_be_none else visit.today
        return filled.day("due", required=True, first=first, last=visit.today + _FURTHEST)
    return None if when in {None, NONE} else rules.day_of_preset(str(when), visit.at)


def read_answer(filled: Filled, visit: Visit, thread: Thread, one: Done) -> Answer | None:
    """Read what came of a follow-up; none where something is missing or wrong."""
    channel = filled.code("channel", "channel", required=True)
    asked = filled.several("asked", "asked", required=True)
    result = filled.code("result", "follow_up_result", required=True)
    next_due = read_due(filled, visit, thread, may_be_none=True)
    note, reason = filled.text("note"), filled.line("reason")
    before = [other.result for other in thread.ours if other.is_done and other.due_on <= one.due_on]
    if rules.needs_reason(before, result or "", is_set_anew=next_due is not None) and not reason:
        filled.blame("reason", "followups.fault-reason")
    if not filled.is_fine or channel is None or result is None:
        return None
    return Answer(channel=channel, asked=asked, result=result, next_due=next_due, note=note, reason=reason)
