# SPDX-License-Identifier: Apache-2.0
"""What is written down in a story: accompaniment, follow-up, closure, and every other kind as a note (api.md).

`RECORDED` is said when the log has the entry, `TASK` when the agency that must act has the task.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from connectors.sdk.problems import ProblemError
from consent.calendar import JST
from deploy.play.company import Actor, Company, OpenedReferral
from deploy.play.report import ACCEPTED, REFUSED
from deploy.play.story import Event

RECORDED: Final = "RECORDED"
TASK: Final = "TASK"
NOTHING: Final = "NOTHING"

Said = tuple[str, str]
_LONGEST_KIND: Final = 40
_PATIENCE: Final = 10.0
"""Seconds of real time."""
_CONTACT_ATTEMPT: Final = "contact_attempt"


def accompany(company: Company, event: Event) -> Said:
    """Write an accompaniment into the newest referral; without one, a note."""
    if not company.referrals:
        return note(company, event)
    referral = company.referrals[-1]
    hub = company.side_of(referral).connector.hub
    going = {
        "state": "done",
        "on": event.at.astimezone(JST).date(),
        "role": "counsellor",
        "destination": company.named(referral.recipient),
        "purpose": "apply",
        "minutes": 60 + len(hub.referral(referral.id).accompaniments),  # the same words again are the same record
        "result": "application_accepted",
    }
    before = _entries(company)
    hub.record_accompaniment(referral.id, going)
    return _recorded(company, before)


def follow_up_due(company: Company, event: Event) -> Said:
    """Let a follow-up of the newest referral fall due; the hub's timer raises the task for the agency awaited."""
    if not company.referrals:
        return note(company, event)
    referral = company.referrals[-1]
    hub = company.side_of(referral).connector.hub
    if not any(one.done_at is None for one in hub.referral(referral.id).follow_ups):
        hub.set_follow_up(referral.id, due=event.at.astimezone(JST).date())

    def is_raised() -> bool:
        company.stage.settle()
        raised = [task for actor in _concerned(company, referral) for task in actor.connector.hub.tasks()]
        return any(task.kind.startswith("follow_up") and task.case == company.case for task in raised)

    return (TASK, ACCEPTED) if _in_time(is_raised) else (NOTHING, REFUSED)


def follow_up_done(company: Company, event: Event) -> Said:
    """Write down what came of the newest referral's follow-up, set for today when none was."""
    if not company.referrals:
        return note(company, event)
    referral = company.referrals[-1]
    hub = company.side_of(referral).connector.hub
    waiting = [one.n for one in hub.referral(referral.id).follow_ups if one.done_at is None]
    if not waiting:
        waiting = [hub.set_follow_up(referral.id, due=event.at.astimezone(JST).date()).n]
    before = _entries(company)
    hub.finish_follow_up(referral.id, waiting[0], {"channel": "telephone", "asked": ["person"], "result": "connected"})
    return _recorded(company, before)


def close(company: Company, event: Event) -> Said:
    """Close the case: step ⑬ with its ground and the decision on follow-up; open referrals stay open."""
    hub = company.hub_party.connector.hub
    seen = hub.case(company.case)
    follow_up = (event.at + timedelta(days=90)).astimezone(JST).date()
    move = {
        "step": "13",
        "reason": "already_done",
        "closure": {"ground": "improved", "follow_up": {"date": follow_up}},
    }
    before = _entries(company)
    try:
        hub.move_case(company.case, move, version=seen.version)
    except ProblemError as problem:
        return f"REFUSED:{problem.code}", REFUSED
    return _recorded(company, before)


def note(company: Company, event: Event) -> Said:
    """Note that something of this kind happened; where a task is expected, ask for one."""
    hub = company.hub_party.connector.hub
    kind = _kind(event.type)
    wanted = _for_whom(company)
    body: dict[str, Any] = {"kind": kind}
    if kind == _CONTACT_ATTEMPT:
        body["channel"] = "telephone"
    if event.expect_record == TASK:
        body["task"] = {"agency": wanted.agency}
    before = _entries(company)
    try:
        noted = hub.note(company.case, body)
    except ProblemError as problem:
        return f"REFUSED:{problem.code}", REFUSED
    if noted.task is None:
        return _recorded(company, before)
    found = any(task.id == noted.task for task in wanted.connector.hub.tasks())
    return (TASK, ACCEPTED) if found else (NOTHING, REFUSED)


def _for_whom(company: Company) -> Actor:
    """Give the agency whose move is awaited in the newest referral, else the hub party."""
    if not company.referrals:
        return company.hub_party
    referral = company.referrals[-1]
    awaiting = company.side_of(referral).connector.hub.referral(referral.id).awaiting
    return next((actor for actor in company.actors.values() if actor.agency == awaiting), company.hub_party)


def _concerned(company: Company, referral: OpenedReferral) -> list[Actor]:
    return [company.actors[referral.sender], company.actors[referral.recipient], company.hub_party]


def _entries(company: Company) -> int:
    company.stage.settle()
    return sum(1 for _ in company.hub_party.connector.hub.log_entries(case=company.case))


def _recorded(company: Company, before: int) -> Said:
    """Say RECORDED when the log has an entry more about this case."""
    return (RECORDED, ACCEPTED) if _in_time(lambda: _entries(company) > before) else (NOTHING, REFUSED)


def _in_time(holds: Callable[[], bool]) -> bool:
    """Say whether something comes to hold soon; the hub's own worker may be at it in this moment."""
    until = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _kind(event_type: str) -> str:
    """Make a note's kind of an event's type: lower-case letters, digits and underscores."""
    made = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in event_type.lower())
    return (made if made[:1].isalpha() else f"n_{made}")[:_LONGEST_KIND]
