# SPDX-License-Identifier: Apache-2.0
"""What the words of a move must say: the guards about a body, and the rules of accompaniments and follow-ups.

Pure: today, the calendar and the limits are arguments. Which move is possible at all is in `lifecycle`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from consent.calendar import Calendar, add_months, day_of
from hub.referrals.lifecycle import Guard, Move
from hub.referrals.limits import Limits

PRESETS: Final[Mapping[str, tuple[int, int]]] = {
    "3d": (3, 0),
    "2w": (14, 0),
    "1m": (0, 1),
    "3m": (0, 3),
    "6m": (0, 6),
}
"""Follow-up presets as days and months (referral-loop, Follow-up)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What the body of a move says: codes, ids and dates, never text; None where a move has no such."""

    worker: str | None = None
    worker_role: str | None = None
    next_on: date | None = None
    reason: str | None = None
    decline_by: str | None = None
    suggestion: str | None = None
    other_agency: str | None = None
    missing: tuple[str, ...] = ()
    what: str | None = None
    on: date | None = None
    next_step_on: date | None = None
    review_on: date | None = None
    outcome: str | None = None
    follow_up_on: date | None = None
    follow_up_preset: str | None = None
    no_follow_up_reason: str | None = None
    message: str | None = None
    """The sender's id of an ordinary sealed message of the same thread: the question, the summary, the note."""
    submission: str | None = None
    """SHA-256 of the manifest that a move brings with it, so that the same move sent again is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a body is measured against."""

    now: datetime
    sent_at: datetime
    limits: Limits
    calendar: Calendar
    visited: bool = False
    content_stopped: bool = False

    @property
    def today(self) -> date:
        """The Japanese calendar day."""
        return day_of(self.now)

    @property
    def furthest(self) -> date:
        """The last day that a plan may name (REF-11)."""
        return self.today + timedelta(days=self.limits.ahead_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that does not hold: a code and where. `conflict`: its state is in the way, not the body."""

    code: str
    pointer: str
    conflict: bool = False


def _named_worker(details: Details, _: Setting) -> Fault | None:
    named = details.worker and details.worker_role
    return None if named else Fault(code="worker-required", pointer="/worker")


def _next_date(details: Details, setting: Setting) -> Fault | None:
    fits = details.next_on is not None and setting.today <= details.next_on <= setting.furthest
    return None if fits else Fault(code="bad-date", pointer="/next_on")


def _decline_reasoned(details: Details, _: Setting) -> Fault | None:
    if details.reason == "other_agency_better" and details.other_agency is None:
        return Fault(code="other-agency-required", pointer="/other_agency")
    if details.reason == "insufficient_information" and not (details.missing or details.message):
        return Fault(code="missing-required", pointer="/missing")
    # lawyers may not say why: any hint would tell of a conflict of interests (domain README §5)
    if details.reason == "unable_to_act" and (details.message or details.missing or details.other_agency):
        return Fault(code="must-not-say-why", pointer="/reason")
    return _reason(details, _)


def _note_after_visit(details: Details, setting: Setting) -> Fault | None:
    if not setting.visited or details.message or details.reason == "unable_to_act":
        return None
    return Fault(code="note-required", pointer="/message")


def _reason(details: Details, _: Setting) -> Fault | None:
    return None if details.reason else Fault(code="reason-required", pointer="/reason")


def _review_date(details: Details, setting: Setting) -> Fault | None:
    last = setting.today + timedelta(days=setting.limits.hold_days)
    fits = details.review_on is not None and setting.today < details.review_on <= last
    return None if fits else Fault(code="bad-date", pointer="/review_on")


def _dated(details: Details, setting: Setting) -> Fault | None:
    if details.on is None:
        return Fault(code="bad-date", pointer="/on")
    planned = details.what in {"appointment_set", "appointment_moved"}
    first, last = (setting.today, setting.furthest) if planned else (day_of(setting.sent_at), setting.today)
    if not first <= details.on <= last:
        return Fault(code="bad-date", pointer="/on")
    return next_step_fault(details.next_step_on, setting) if details.what == "no_show" else None


def _outcome_code(details: Details, _: Setting) -> Fault | None:
    return None if details.outcome else Fault(code="outcome-required", pointer="/outcome")


def _follow_up_decided(details: Details, setting: Setting) -> Fault | None:
    said = [details.follow_up_on, details.follow_up_preset, details.no_follow_up_reason]
    if sum(word is not None for word in said) != 1:
        return Fault(code="follow-up-required", pointer="/follow_up")
    if details.follow_up_on is not None and details.follow_up_on <= setting.today:
        return Fault(code="bad-date", pointer="/follow_up/on")
    return None


def _no_content(details: Details, setting: Setting) -> Fault | None:
    stopped = setting.content_stopped and details.message
    return Fault(code="content-stopped", pointer="/message", conflict=True) if stopped else None


BODY_GUARDS: Final[Mapping[Guard, Callable[[Details, Setting], Fault | None]]] = {
    Guard.NAMED_WORKER: _named_worker,
    Guard.NEXT_DATE: _next_date,
    Guard.DECLINE_REASONED: _decline_reasoned,
    Guard.NOTE_AFTER_VISIT: _note_after_visit,
    Guard.REASON: _reason,
    Guard.REVIEW_DATE: _review_date,
    Guard.DATED: _dated,
    Guard.OUTCOME_CODE: _outcome_code,
    Guard.FOLLOW_UP_DECIDED: _follow_up_decided,
    Guard.NO_CONTENT: _no_content,
}


def body_fault(move: Move, details: Details, setting: Setting) -> Fault | None:
    """Name the first thing in the body that the move's guards do not accept, or None."""
    faults = (BODY_GUARDS[guard](details, setting) for guard in move.guards if guard in BODY_GUARDS)
    return next((fault for fault in faults if fault), None)


def next_step_fault(day: date | None, setting: Setting) -> Fault | None:
    """Check the next step after a no-show: it may be open still; once known, it lies within the limit."""
    if day is None:
        return None
    last = setting.calendar.due(setting.now, setting.limits.no_show)
    fits = setting.today <= day < day_of(last)
    return None if fits else Fault(code="bad-date", pointer="/next_step_on")


ACCOMPANIMENT_MOVES: Final[Mapping[str, frozenset[str]]] = {
    "proposed": frozenset({"proposed", "agreed", "done", "called_off"}),
    "agreed": frozenset({"agreed", "done", "no_show", "called_off"}),
    "done": frozenset(),
    "no_show": frozenset(),
    "called_off": frozenset(),
}
"""What an accompaniment may become; it may begin in any state, since much is written down afterwards."""


def accompaniment_fault(
    *, state: str, on: date, result: str | None, next_step_on: date | None, setting: Setting
) -> Fault | None:
    """Check an accompaniment's dates, and that what happened has a result (REF-11, row 17)."""
    over = state in {"done", "no_show"}
    if over and not day_of(setting.sent_at) <= on <= setting.today:
        return Fault(code="bad-date", pointer="/on")
    if state in {"proposed", "agreed"} and not setting.today <= on <= setting.furthest:
        return Fault(code="bad-date", pointer="/on")
    if (state == "done") != (result is not None):
        return Fault(code="result-mismatch", pointer="/result")
    if state == "no_show" and next_step_on is None:
        return Fault(code="next-step-required", pointer="/next_step_on")
    return next_step_fault(next_step_on, setting) if state == "no_show" else None


def preset_date(preset: str, now: datetime) -> date:
    """Give the day that a follow-up preset names, counted from today in Japan."""
    days, months = PRESETS[preset]
    return day_of(add_months(now, months) + timedelta(days=days))
