# SPDX-License-Identifier: Apache-2.0
"""The referral machine of the hub in memory: the hub's own table of moves, its guards, and whose turn each leaves.

A test holds the table to `hub/referrals/lifecycle.py`. Timers and the meetings that settle a review are not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from connectors.sdk import threads
from consent.calendar import Calendar, Limit, day_of

SENDER: Final = "sender"
RECIPIENT: Final = "recipient"
COORDINATOR: Final = "coordinator"
FINAL: Final = frozenset({"closed", "cancelled", "rerouted", "withdrawn", "entered_in_error"})
_RETURNS: Final = 2
_REOPENS: Final = timedelta(days=90)
_HOLD: Final = timedelta(days=30)
_AHEAD: Final = timedelta(days=180)
_PAUSE: Final = Limit.read("2bd")
_TAKE_BACK: Final = Limit.read("1bd")
_ANSWER: Final = Limit.read("1bd")
CALENDAR: Final = Calendar()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row: which sides make it, from which states, to which (none: the state stays), on which conditions."""

    sides: frozenset[str]
    frm: frozenset[str]
    to: str | None
    event: str
    guards: tuple[str, ...] = ()
    after_consent: bool = False


def _row(event: str, sides: str, frm: str, to: str | None, *guards: str, after_consent: bool = False) -> Step:
    return Step(
        event=event,
        sides=frozenset(sides.split()),
        frm=frozenset(frm.split()),
        to=to,
        guards=guards,
        after_consent=after_consent,
    )


_WAITING: Final = "requested received"
_SERVING: Final = "accepted in_progress"
_UNDER_WAY: Final = "accepted in_progress on_hold cancel_requested outcome_reported"
_EARLY: Final = "requested received declined reroute_review"
_ENDED: Final = "closed cancelled rerouted withdrawn"

TABLE: Final = (
    _row("receive", RECIPIENT, "requested", "received"),
    _row("accept", RECIPIENT, _WAITING, "accepted", "worker", "next-date"),
    _row("ask", RECIPIENT, _WAITING, "received"),
    _row("decline", RECIPIENT, f"{_WAITING} {_SERVING} on_hold", "declined", "declined-for", "note-after-visit"),
    _row("take-back", SENDER, "declined", "closed"),
    _row("refer-on", "sender coordinator", "declined", "rerouted", "first-refer-on"),
    _row("contest", "sender coordinator", "declined", "reroute_review", "reason"),
    _row("contest", "sender coordinator", "outcome_reported", "reroute_review", "returns-used-up", "reason"),
    _row("uphold", COORDINATOR, "reroute_review", "declined", "reason"),
    _row("send-back", COORDINATOR, "reroute_review", "requested", "reason"),
    _row("conference-result", COORDINATOR, "reroute_review", "rerouted", "reason"),
    _row("cancel", SENDER, _WAITING, "cancelled", "reason"),
    _row("ask-to-cancel", SENDER, f"{_SERVING} on_hold", "cancel_requested", "reason", after_consent=True),
    _row("confirm-cancel", RECIPIENT, "cancel_requested", "cancelled", after_consent=True),
    _row("already-served", RECIPIENT, "cancel_requested", "outcome_reported", "outcome", after_consent=True),
    _row("start", RECIPIENT, "accepted", "in_progress", "dated"),
    _row("hold", RECIPIENT, _SERVING, "on_hold", "reason", "review-date"),
    _row("resume", RECIPIENT, "on_hold", "in_progress", after_consent=True),
    _row("note-progress", RECIPIENT, "in_progress", "in_progress", "dated"),
    _row("report-outcome", RECIPIENT, _SERVING, "outcome_reported", "outcome", after_consent=True),
    _row("acknowledge", SENDER, "outcome_reported", "closed", "follow-up", after_consent=True),
    _row("return", SENDER, "outcome_reported", "in_progress", "returns-left", "reason"),
    _row("reopen", "sender recipient", "closed", "in_progress", "was-served", "closed-recently", "reason"),
    _row("withdraw", SENDER, _EARLY, "withdrawn", after_consent=True),
    _row("withdraw", SENDER, _UNDER_WAY, None),
    _row("take-back-acceptance", RECIPIENT, "accepted", "received", "accepted-just-now", "nothing-more-opened"),
    _row("enter-in-error", SENDER, f"{_EARLY} {_UNDER_WAY} {_ENDED}", "entered_in_error", "not-yet-opened",
         after_consent=True),
    _row("hand-over", "sender recipient", f"{_EARLY} {_UNDER_WAY}", None, "worker", after_consent=True),
)  # fmt: skip
"""The moves that an agency makes, row by row as the hub has them; a referral is sent by a call of its own."""
_TURNS: Final = {
    **dict.fromkeys(_WAITING.split(), (SENDER, RECIPIENT)),
    **dict.fromkeys(("accepted", "in_progress", "on_hold", "cancel_requested"), (RECIPIENT, RECIPIENT)),
    **dict.fromkeys(("outcome_reported", "declined"), (SENDER, SENDER)),
    "reroute_review": (COORDINATOR, COORDINATOR),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the conditions of a move need to know besides the referral itself."""

    now: datetime
    more_opened: bool = False


def step_of(event: str, state: str) -> Step | None:
    """Give the row of an event from a state."""
    return next((row for row in TABLE if row.event == event and state in row.frm), None)


def sides_of(referral: threads.Referral, agency: str) -> frozenset[str]:
    """Give what an agency is to a referral."""
    return frozenset(side for side in (SENDER, RECIPIENT, COORDINATOR) if getattr(referral, side) == agency)


def turn(referral: threads.ReferralDetail) -> dict[str, Any]:
    """Give `ball`, `awaiting` and `due_at` of a referral; a final state has none, a question waits for the sender."""
    if referral.state not in _TURNS:
        return {"ball": None, "awaiting": None, "due_at": None}
    ball, awaiting = (getattr(referral, side) for side in _TURNS[referral.state])
    asked = _asked(referral)
    if asked is not None:
        return {"ball": ball, "awaiting": referral.sender, "due_at": CALENDAR.due(asked.at, _PAUSE)}
    return {"ball": ball, "awaiting": awaiting, "due_at": CALENDAR.due(referral.updated_at, _ANSWER)}


def refusal(event: str, referral: threads.ReferralDetail, agency: str, known: Known) -> tuple[int, str] | None:
    """Say why an agency may not make a move now, by status and code, or nothing; what it must say comes after."""
    sides = sides_of(referral, agency)
    if not any(row.sides & sides for row in TABLE if row.event == event):
        return 403, "wrong-party"
    row = step_of(event, referral.state)
    if row is None:
        return 409, "bad-transition"
    if referral.content_stopped and referral.state not in FINAL and not row.after_consent:
        return 409, "content-stopped"
    codes = (FACTS[guard](referral, known) for guard in row.guards if guard in FACTS)
    failed = next((code for code in codes if code), None)
    return None if failed is None else (409, failed)


def actions_of(referral: threads.ReferralDetail, agency: str, known: Known) -> tuple[str, ...]:
    """Give what an agency may do now."""
    events = dict.fromkeys(row.event for row in TABLE)
    return tuple(event for event in events if refusal(event, referral, agency, known) is None)


def fault(event: str, referral: threads.ReferralDetail, said: Mapping[str, Any], now: datetime) -> str | None:
    """Name what the words of a move lack, as the hub's rules do."""
    row = step_of(event, referral.state)
    if row is None:
        return None
    if referral.content_stopped and event in {"already-served", "report-outcome"} and said.get("message"):
        return "content-stopped"
    codes = (BODIES[guard](referral, said, now) for guard in row.guards if guard in BODIES)
    return next((code for code in codes if code), None)


def _asked(referral: threads.ReferralDetail) -> threads.Move | None:
    """Give the question that stops the clock: the first one, while it is not answered."""
    first = next((move for move in referral.history if move.event == "ask"), None)
    if first is None or referral.state != "received":
        return None
    words = (one for one in referral.deliveries if one.sender == referral.sender and one.kind != "notice")
    return None if any(one.accepted_at > first.at for one in words) else first


def _last(referral: threads.ReferralDetail, to: str) -> datetime | None:
    times = [move.at for move in referral.history if move.to == to]
    return times[-1] if times else None


def _returned(referral: threads.ReferralDetail) -> int:
    return sum(move.event == "return" for move in referral.history)


def _opened(referral: threads.ReferralDetail) -> bool:
    return any(move.event in {"receive", "ask", "accept"} for move in referral.history)


def _accepted_just_now(referral: threads.ReferralDetail, known: Known) -> str | None:
    at = _last(referral, "accepted")
    return None if at and known.now < CALENDAR.due(at, _TAKE_BACK) else "too-late"


def _closed_recently(referral: threads.ReferralDetail, known: Known) -> str | None:
    at = _last(referral, "closed")
    return None if at and known.now <= at + _REOPENS else "too-late"


FACTS: Final[Mapping[str, Callable[[threads.ReferralDetail, Known], str | None]]] = {
    "first-refer-on": lambda one, _: "conference-needed" if one.hop else None,
    "returns-left": lambda one, _: None if _returned(one) < _RETURNS else "conference-needed",
    "returns-used-up": lambda one, _: None if _returned(one) >= _RETURNS else "return-first",
    "closed-recently": _closed_recently,
    "was-served": lambda one, _: None if _last(one, "accepted") else "never-accepted",
    "accepted-just-now": _accepted_just_now,
    "nothing-more-opened": lambda _, known: "already-opened" if known.more_opened else None,
    "not-yet-opened": lambda one, _: "already-opened" if _opened(one) else None,
}


def _day(said: Mapping[str, Any], name: str) -> date | None:
    value = said.get(name)
    return None if value is None else date.fromisoformat(str(value))


def _within(day: date | None, first: date, last: date) -> str | None:
    return None if day is not None and first <= day <= last else "bad-date"


def _next_date(_: threads.ReferralDetail, said: Mapping[str, Any], now: datetime) -> str | None:
    return _within(_day(said, "next_on"), day_of(now), day_of(now) + _AHEAD)


def _review_date(_: threads.ReferralDetail, said: Mapping[str, Any], now: datetime) -> str | None:
    return _within(_day(said, "review_on"), day_of(now) + timedelta(days=1), day_of(now) + _HOLD)


def _dated(referral: threads.ReferralDetail, said: Mapping[str, Any], now: datetime) -> str | None:
    today = day_of(now)
    if said.get("what") in {"appointment_set", "appointment_moved"}:
        return _within(_day(said, "on"), today, today + _AHEAD)
    return _within(_day(said, "on"), day_of(referral.sent_at), today)


def _declined_for(_: threads.ReferralDetail, said: Mapping[str, Any], __: datetime) -> str | None:
    reason, told = said.get("reason"), (said.get("message"), said.get("missing"), said.get("other_agency"))
    if reason is None:
        return "reason-required"
    if reason == "other_agency_better" and not said.get("other_agency"):
        return "other-agency-required"
    if reason == "insufficient_information" and not (said.get("missing") or said.get("message")):
        return "missing-required"
    return "must-not-say-why" if reason == "unable_to_act" and any(told) else None


def _note_after_visit(referral: threads.ReferralDetail, said: Mapping[str, Any], _: datetime) -> str | None:
    visited = any(move.facts.get("what") == "visit_done" for move in referral.history)
    visited = visited or any(one.state == "done" for one in referral.accompaniments)
    owed = visited and not said.get("message") and said.get("reason") != "unable_to_act"
    return "note-required" if owed else None


def _follow_up(_: threads.ReferralDetail, said: Mapping[str, Any], now: datetime) -> str | None:
    decided = {name: value for name, value in dict(said.get("follow_up") or {}).items() if value is not None}
    if len(decided) != 1:
        return "follow-up-required"
    day = _day(decided, "on")
    return "bad-date" if day is not None and day <= day_of(now) else None


def _needs(code: str, *names: str) -> Callable[[threads.ReferralDetail, Mapping[str, Any], datetime], str | None]:
    return lambda _, said, __: None if all(said.get(name) for name in names) else code


BODIES: Final[Mapping[str, Callable[[threads.ReferralDetail, Mapping[str, Any], datetime], str | None]]] = {
    "worker": _needs("worker-required", "worker", "worker_role"),
    "next-date": _next_date,
    "reason": _needs("reason-required", "reason"),
    "review-date": _review_date,
    "dated": _dated,
    "declined-for": _declined_for,
    "note-after-visit": _note_after_visit,
    "outcome": _needs("outcome-required", "outcome"),
    "follow-up": _follow_up,
}
