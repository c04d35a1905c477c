# SPDX-License-Identifier: Apache-2.0
"""Every move of a referral as one table: what it must say, in which fields, and how the fields become the hub's words.

A form shows the fields of its row and is read by the same row, so that no page knows a move by itself. Names of fields
begin with the move's, `accept-worker`, so that several moves fit on one page.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from connectors.base.labels import codes
from connectors.desk.referrals import rules
from connectors.desk.web.filling import Filled
from consent.calendar import Calendar
from consent.envelope.manifest import MessageKind

AHEAD: Final = 180
HOLD: Final = 30
"""Days; the hub's limits (`ahead_days`, `hold_days`)."""
NO_SHOW: Final = 3
"""Business days within which the next step after nobody came lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. `kind`: code, day, worker, agency, categories, text, follow_up, line; `codes` names its list."""

    name: str
    kind: str
    codes: str = ""
    required: bool = True
    known: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move: its fields, the kind of sealed message that may go with it, and whether it is asked for twice."""

    event: str
    fields: tuple[Field, ...] = ()
    words: MessageKind | None = None
    icon: str = "arrow"
    confirm: bool = False

    def name_of(self, field: Field) -> str:
        """Give the name of a field in the form."""
        return f"{self.event}-{field.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a form is read against: the day, who works here, who else there is, what may be told the other side."""

    today: date
    sent_on: date
    calendar: Calendar
    workers: Collection[str]
    agencies: Collection[str]
    permitted: Sequence[str]
    content_stopped: bool = False
    visited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a form says: the words of the move for the hub, and the text to be sealed with its category."""

    body: dict[str, Any]
    text: str = ""
    category: str = ""


def _code(name: str, codes: str, *, known: str = "", required: bool = True) -> Field:
    return Field(name=name, kind="code", codes=codes, known=known, required=required)


_TEXT: Final = Field(name="text", kind="text", required=False)
_ASKED: Final = Field(name="text", kind="text")
_REASON: Final = _code("reason", "unusual_move_reason")
_CANCEL: Final = _code("reason", "cancel_reason")
_OUTCOME: Final = _code("outcome", "outcome")
_WORKER: Final = (Field(name="worker", kind="worker", known="me"), _code("worker_role", "staff_role", known="role"))

MOVES: Final[Mapping[str, Move]] = {
    move.event: move
    for move in (
        Move(
            event="accept",
            fields=(*_WORKER, Field(name="next_on", kind="day", known="next"), _TEXT),
            words=MessageKind.REPLY,
            icon="check",
        ),
        Move(event="ask", fields=(_ASKED,), words=MessageKind.QUESTION, icon="q"),
        Move(
            event="decline",
            fields=(
                _code("decline_by", "decline_by", known="agency"),
                _code("reason", "decline_reason"),
                _code("suggestion", "suggestion", known="agency"),
                Field(name="other_agency", kind="agency", required=False),
                Field(name="missing", kind="categories", required=False),
                _TEXT,
            ),
            words=MessageKind.REPLY,
            confirm=True,
        ),
        Move(event="take-back", icon="home", confirm=True),
        Move(event="contest", fields=(_REASON,), icon="meet"),
        Move(event="uphold", fields=(_REASON,), icon="check"),
        Move(event="send-back", fields=(_REASON,), icon="loop"),
        Move(event="cancel", fields=(_CANCEL,), icon="cross"),
        Move(event="ask-to-cancel", fields=(_CANCEL,), icon="cross"),
        Move(event="confirm-cancel", icon="check", confirm=True),
        Move(event="already-served", fields=(_OUTCOME, _TEXT), words=MessageKind.OUTCOME, icon="flag"),
        Move(
            event="start",
            fields=(
                _code("what", "first_contact", known="contact_made"),
                Field(name="on", kind="day", known="today"),
            ),
            icon="walk",
        ),
        Move(
            event="hold",
            fields=(_code("reason", "hold_reason"), Field(name="review_on", kind="day", known="review")),
            icon="clock",
        ),
        Move(event="resume", icon="arrow", confirm=True),
        Move(
            event="note-progress",
            fields=(
                _code("what", "progress", known="visit_done"),
                Field(name="on", kind="day", known="today"),
                Field(name="next_step_on", kind="day", required=False),
            ),
            icon="pen",
        ),
        Move(event="report-outcome", fields=(_OUTCOME, _ASKED), words=MessageKind.OUTCOME, icon="flag"),
        Move(event="acknowledge", fields=(Field(name="follow_up", kind="follow_up", known="1m"),), icon="check"),
        Move(event="return", fields=(_REASON,), icon="loop"),
        Move(event="reopen", fields=(_REASON,), icon="loop"),
        Move(event="withdraw", icon="stop", confirm=True),
        Move(event="take-back-acceptance", icon="loop", confirm=True),
        Move(event="enter-in-error", icon="cross", confirm=True),
        Move(event="hand-over", fields=_WORKER, icon="people"),
    )
}
"""By the name that the hub gives in `actions[]`. Opening and sending on have pages of their own (`rules.ELSEWHERE`)."""


def read(move: Move, filled: Filled, setting: Setting) -> Said:
    """Read the form of a move; what does not hold is blamed on its field."""
    body: dict[str, Any] = {}
    text = ""
    for field in move.fields:
        name = move.name_of(field)
        if field.kind == "text":
            needed = field.required and not setting.content_stopped
            text = filled.text(name, required=needed)
            if text and setting.content_stopped:
                filled.blame(name, "referrals.problem-content-stopped")
            continue
        body |= {member: value for member, value in _READERS[field.kind](filled, name, field, setting).items() if value}
    check = _CHECKS.get(move.event)
    if check is not None:
        check(move, filled, body, text, setting)
    category = _category(move, filled, setting) if text else ""
    return Said(body=body, text=text, category=category)


def with_presets(filled: Filled, presets: Mapping[str, str], *, sent: str) -> Filled:
    """Fill the forms that were not sent with what they begin with, for a page that shows several of them."""
    values: MultiDict[str, str] = MultiDict(filled.values)
    for name, value in presets.items():
        if not name.startswith(f"{sent}-"):
            values.setdefault(name, value)
    return Filled(values=values, faults=filled.faults)


def _category(move: Move, filled: Filled, setting: Setting) -> str:
    name = f"{move.event}-category"
    if not setting.permitted:
        filled.blame(f"{move.event}-text", "referrals.fault-nothing-permitted")
        return ""
    return filled.code(name, setting.permitted) or setting.permitted[0]


def _coded(filled: Filled, name: str, field: Field, _: Setting) -> dict[str, Any]:
    allowed = rules.SUGGESTIONS if field.codes == "suggestion" else codes(field.codes)
    return {field.name: filled.code(name, allowed, required=field.required)}


def _day(filled: Filled, name: str, field: Field, setting: Setting) -> dict[str, Any]:
    first, last = setting.sent_on, setting.today + timedelta(days=AHEAD)
    if field.name == "next_on":
        first = setting.today
    if field.name == "review_on":
        first, last = setting.today + timedelta(days=1), setting.today + timedelta(days=HOLD)
    return {field.name: filled.day(name, required=field.required, first=first, last=last)}


def _worker(filled: Filled, name: str, field: Field, setting: Setting) -> dict[str, Any]:
    return {field.name: filled.code(name, setting.workers, required=True)}


def _agency(filled: Filled, name: str, field: Field, setting: Setting) -> dict[str, Any]:
    return {field.name: filled.code(name, setting.agencies)}


def _categories(filled: Filled, name: str, field: Field, _: Setting) -> dict[str, Any]:
    return {field.name: list(filled.several(name, "categories"))}


def _follow_up(filled: Filled, name: str, _: Field, setting: Setting) -> dict[str, Any]:
    choice = filled.code(name, (*codes("follow_up_preset"), "day", "none"), required=True)
    if choice == "day":
        on = filled.day(f"{name}_on", required=True, first=setting.today + timedelta(days=1))
        return {"follow_up": {"on": on}}
    if choice == "none":
        reason = filled.code(f"{name}_reason", "no_follow_up_reason", required=True)
        return {"follow_up": {"no_follow_up_reason": reason}}
    return {"follow_up": {"preset": choice}}


_READERS: Final[Mapping[str, Callable[[Filled, str, Field, Setting], dict[str, Any]]]] = {
    "code": _coded,
    "day": _day,
    "worker": _worker,
    "agency": _agency,
    "categories": _categories,
    "follow_up": _follow_up,
}


def _declined(move: Move, filled: Filled, body: dict[str, Any], text: str, setting: Setting) -> None:
    if body.get("suggestion") != "agency":
        body.pop("other_agency", None)
    if body.get("reason") != "insufficient_information" and body.get("reason") != "unable_to_act":
        body.pop("missing", None)
    said = rules.Declining(
        reason=body.get("reason"),
        suggestion=body.get("suggestion"),
        other_agency=body.get("other_agency"),
        missing=tuple(body.get("missing", ())),
        has_note=bool(text),
        visited=setting.visited,
    )
    for name, key in rules.decline_faults(said).items():
        filled.blame(f"{move.event}-{name}", key)


def _dated(move: Move, filled: Filled, body: dict[str, Any], _: str, setting: Setting) -> None:
    on, planned = body.get("on"), str(body.get("what", "")).startswith("appointment")
    if on is not None and (on < setting.today if planned else on > setting.today):
        filled.blame(f"{move.event}-on", f"referrals.fault-day-{'planned' if planned else 'past'}")
    if body.get("what") != "no_show":
        body.pop("next_step_on", None)
        return
    last = setting.today
    for _n in range(NO_SHOW):
        last = setting.calendar.next_business_day(last)
    step = body.get("next_step_on")
    if step is not None and not setting.today <= step <= last:
        filled.blame(f"{move.event}-next_step_on", "referrals.fault-next-step")


_CHECKS: Final[Mapping[str, Callable[[Move, Filled, dict[str, Any], str, Setting], None]]] = {
    "decline": _declined,
    "start": _dated,
    "note-progress": _dated,
}
