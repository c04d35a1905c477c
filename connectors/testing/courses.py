# SPDX-License-Identifier: Apache-2.0
"""The thirteen steps of a case in the hub in memory: the table of the real one, so that pages work with either.

A test holds both tables together, pair by pair (`tests/connectors/test_memory_courses.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from connectors.sdk import answers
from connectors.testing.memory import MemoryHub, refuse
from consent.calendar import day_of, start_of_day

START: Final = ("1", "found")
_AT_FOUR: Final = (
    "consulting", "screened", "referred_out", "seeking_consent", "applied", "assessing", "planning", "conference",
    "decided", "supporting", "evaluating", "replanning",
)  # fmt: skip
STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "1": ("found",), "2": ("consulting", "screened", "referred_out", "seeking_consent"),
    "3": ("applied", "seeking_consent"), "4": _AT_FOUR, "5": ("assessing",), "6": ("planning",), "7": ("conference",),
    "8": ("decided",), "9": ("supporting",), "10": ("supporting",), "11": ("evaluating",), "12": ("replanning",),
    "13": ("closing", "closed", "follow_up", "ended"),
}  # fmt: skip
USUAL: Final[Mapping[str, str]] = {
    "1": "2 3", "2": "3 4 13", "3": "2 4 5", "4": "2 3 5 6 7 8 9 10 11 12", "5": "4 6", "6": "4 5 7",
    "7": "4 5 6 8 11 12 13", "8": "4 9", "9": "4 10 11", "10": "4 9 11", "11": "4 7 9 12 13", "12": "4 5 6 7",
    "13": "9 11 12",
}  # fmt: skip
_AFTER: Final[Mapping[str, str]] = {"closed": "follow_up ended", "follow_up": "ended"}
_FINAL: Final = ("closed", "follow_up", "ended")
_ATTEMPTS: Final = 3
_SPAN: Final = timedelta(days=14)
_CHANNELS: Final = 2


def course_of(step: str, state: str, to_step: str, to_state: str | None) -> tuple[str, str]:
    """Judge one move: `usual`, `unusual` or `unchanged` and the state it leads to, or an obstacle and no state."""
    if to_step not in STATES:
        meant = to_state or ""
    elif to_step == "4" and state in STATES["4"]:
        meant = to_state or state
    else:
        meant = to_state or STATES[to_step][0]
    if (to_step, meant) == (step, state):
        return "unchanged", meant
    obstacle = _obstacle(step, state, to_step, meant)
    if obstacle:
        return obstacle, ""
    return ("usual" if to_step == step or to_step in USUAL[step].split() else "unusual"), meant


def next_steps(step: str, state: str) -> tuple[str, ...]:
    """List the steps that the guideline expects next."""
    return () if state in _FINAL else tuple(USUAL[step].split())


def actions(step: str, state: str, *, is_owner: bool) -> tuple[str, ...]:
    """List what an agency may do with a case now."""
    if not is_owner:
        return ("note",)
    if state in _FINAL:
        return (*(() if state == "ended" else ("move",)), "note", "exclude")
    pausing = () if step == "13" else ("resume" if state == "suspended" else "suspend",)
    return ("move", *pausing, "close", "note", "register-consent", "exclude")


def shown_to(hub: MemoryHub, agency: str, known: answers.Case) -> answers.CaseDetail:
    """Show a case: its history is its owner's alone, notes its owner's and their author's."""
    is_owner = known.owner == agency
    members = {name: getattr(known, name) for name in answers.Case.__dataclass_fields__}
    members |= {
        "next_steps": next_steps(known.step, known.state) if is_owner else (),
        "actions": actions(known.step, known.state, is_owner=is_owner),
    }
    notes = tuple(one for one in hub.case_notes.get(known.case, ()) if is_owner or one.author == agency)
    history = tuple(hub.case_steps.get(known.case, ())) if is_owner else ()
    return answers.CaseDetail(**members, history=history, notes=notes)


def opened(hub: MemoryHub, agency: str, case: str) -> answers.Case:
    """Open a case at the first step; the same handle again is the same case."""
    now = hub.clock()
    made = answers.Case(
        id=hub.new_id(), case=case, owner=agency, step=START[0], state=START[1], version=1, opened_at=now, moved_at=now
    )
    if case not in hub.cases:
        hub.cases[case] = made
        hub.case_steps[case] = [answers.Step(step=made.step, state=made.state, at=now)]
    return shown_to(hub, agency, hub.cases[case])


def moved(hub: MemoryHub, agency: str, known: answers.Case, move: Mapping[str, Any], *, version: int) -> answers.Case:
    """Move a case as the hub does, in the order of its checks."""
    if known.owner != agency:
        refuse(403, "not-yours")
    closure = move.get("closure")
    wanted = move.get("state") or ("closed" if closure is not None else None)
    course, state = course_of(known.step, known.state, str(move["step"]), wanted)
    if course == "unchanged":
        return shown_to(hub, agency, known)
    if version != known.version:
        refuse(412, "stale")
    if not state:
        refuse(422 if course == "state-not-of-step" else 409, course)
    now = hub.clock()
    ending = _ending(closure, state, hub.case_notes.get(known.case, ()), day_of(now))
    if course == "unusual" and not move.get("reason") and closure is None:
        refuse(422, "reason-needed")
    step = str(move["step"])
    if (step, state) == ("8", "decided") and known.step != "8" and not _may_decide(hub, known):
        refuse(409, "decision-needs-municipality")
    closed = now if state == "closed" else known.closed_at
    made = replace(known, step=step, state=state, version=version + 1, moved_at=now, closed_at=closed)
    hub.cases[known.case] = made
    said = answers.Step(step=step, state=state, reason=move.get("reason"), at=now, **ending)
    hub.case_steps.setdefault(known.case, []).append(said)
    if ending.get("follow_up_on") is not None:
        hub.tasks.append((agency, _follow_up_task(hub, known.case, ending["follow_up_on"])))
    return shown_to(hub, agency, made)


def noted(hub: MemoryHub, agency: str, known: answers.Case, note: Mapping[str, Any]) -> answers.Noted:
    """Note that something of a kind happened; a contact attempt needs its channel."""
    kind, channel = str(note["kind"]), note.get("channel")
    if kind == "contact_attempt" and channel is None:
        refuse(422, "channel-needed")
    if kind != "contact_attempt" and channel is not None:
        refuse(422, "channel-not-here")
    made = answers.Note(
        id=hub.new_id(), author=agency, kind=kind, channel=channel, digest=note.get("digest"), at=hub.clock()
    )
    hub.case_notes.setdefault(known.case, []).append(made)
    wanted, task = note.get("task"), None
    if wanted is not None:
        task = hub.new_id()
        raised = answers.Task(
            id=task, kind="case_note", label="case_note", about=made.id, case=known.case, raised_at=hub.clock()
        )
        hub.tasks.append((str(wanted["agency"]), raised))
    return answers.Noted(id=made.id, entry=hub.write("case:noted", (agency,), {"kind": kind}), task=task)


def _obstacle(step: str, state: str, to_step: str, meant: str) -> str | None:
    if state in _FINAL:
        return None if to_step == "13" and meant in _AFTER.get(state, "").split() else "case-closed"
    if meant == "suspended":
        return None if to_step == step and to_step != "13" else "state-not-of-step"
    if meant not in STATES.get(to_step, ()):
        return "state-not-of-step"
    return "move-not-possible" if meant in {"follow_up", "ended"} else None


def _ending(
    closure: Mapping[str, Any] | None, state: str, notes: Sequence[answers.Note], today: date
) -> dict[str, Any]:
    if state != "closed":
        return {} if closure is None else refuse(422, "closure-not-here")
    if closure is None:
        refuse(422, "closure-incomplete")
    follow = closure.get("follow_up") or {}
    said, reason = follow.get("date"), follow.get("no_follow_up_reason")
    on = date.fromisoformat(said) if said else None
    if (on is None) == (reason is None):
        refuse(422, "closure-incomplete")
    if on is not None and on < today:
        refuse(422, "bad-date")
    if closure["ground"] == "lost_contact" and not _is_lost(notes):
        refuse(409, "contact-attempts-missing")
    return {"closure_ground": closure["ground"], "follow_up_on": on, "no_follow_up_reason": reason}


def _is_lost(notes: Sequence[answers.Note]) -> bool:
    made = max((one.at for one in notes if one.kind == "contact_made"), default=None)
    tried = [one for one in notes if one.kind == "contact_attempt" and (made is None or one.at > made)]
    if len(tried) < _ATTEMPTS:
        return False
    times: list[datetime] = [one.at for one in tried]
    return max(times) - min(times) >= _SPAN and len({one.channel for one in tried}) >= _CHANNELS


def _may_decide(hub: MemoryHub, known: answers.Case) -> bool:
    def kind(agency: str) -> str:
        return hub.members[agency].agency.kind

    if kind(known.owner) == "jichitai":
        return True
    decided = max((one.at for one in hub.case_steps.get(known.case, ()) if one.state == "decided"), default=None)
    return any(
        one.kind == "decision_confirmed"
        and (one.author == known.owner or kind(one.author) == "jichitai")
        and (decided is None or one.at > decided)
        for one in hub.case_notes.get(known.case, ())
    )


def _follow_up_task(hub: MemoryHub, case: str, on: date) -> answers.Task:
    return answers.Task(
        id=hub.new_id(), kind="follow_up_due", label="follow_up_due", about=hub.cases[case].id, case=case,
        due_at=start_of_day(on), raised_at=hub.clock(),
    )  # fmt: skip
