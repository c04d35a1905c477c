# SPDX-License-Identifier: Apache-2.0
"""What each page of the wizard asks: the fields that a draft keeps as they were typed, and what is wrong with them.

A draft holds what was typed, so that it can be saved at any moment; it is read again, whole, before anything goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from connectors.desk.sending import rules
from connectors.desk.web.filling import Filled
from connectors.desk.web.when import counts_as_call
from consent.calendar import Calendar
from consent.vocabulary.codes import CATEGORIES

YES_NO: Final = ("yes", "no")
_ONE: Final[Mapping[str, tuple[str, ...]]] = {
    "purpose": ("purpose", "urgency", "request_kind", "accompany", "conference", "move_reason"),
    "recipient": ("recipient",),
    "categories": tuple(f"why_{code}" for code in sorted(CATEGORIES)),
    "content": tuple(f"text_{code}" for code in sorted(CATEGORIES)),
    "dates": (
        "answer_on", "called_on", "called_at", "call_result", "going_on", "going_at", "going_with", "going_place",
    ),
}  # fmt: skip
_SEVERAL: Final[Mapping[str, tuple[str, ...]]] = {"purpose": ("troubles",), "categories": ("categories",)}
STEPS_WITH_FIELDS: Final = tuple(_ONE)
_LONGEST_PLAN: Final = timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the fields are held against: the day and the moment, who works here, what may be chosen."""

    now: datetime
    calendar: Calendar
    recipients: frozenset[str]
    colleagues: frozenset[str]
    permitted: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()
    with_files: frozenset[str] = frozenset()


def collect(step: str, form: MultiDict[str, str]) -> dict[str, Any]:
    """Take the fields of a page out of a form, as they were typed; line ends as one sign."""
    said: dict[str, Any] = {name: form.get(name, "").replace("\r\n", "\n") for name in _ONE[step] if name in form}
    for name in _SEVERAL.get(step, ()):
        said[name] = list(dict.fromkeys(form.getlist(name)))
    return said


def keepable(step: str, form: MultiDict[str, str]) -> dict[str, Any]:
    """Take out of a form what can be kept at any moment, finished or not; what cannot be stored is left out."""
    filled = Filled(values=form)
    for name in _ONE[step]:
        filled.text(name)
    said = collect(step, form)
    if step == "categories":
        said["categories"] = [one for one in said["categories"] if one in CATEGORIES]
    return {name: value for name, value in said.items() if name not in filled.faults}


def as_form(fields: Mapping[str, Any]) -> MultiDict[str, str]:
    """Give what a draft holds in the shape of a form."""
    made: MultiDict[str, str] = MultiDict()
    for name, value in fields.items():
        if isinstance(value, str):
            made[name] = value
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            made.setlist(name, value)
    return made


def check(step: str, filled: Filled, around: Surroundings) -> None:
    """Read a page's fields and note what is wrong with them."""
    _CHECKS[step](filled, around)


def chosen(filled: Filled) -> list[str]:
    """Give the categories that are ticked, in the vocabulary's order."""
    return rules.in_order(filled.values.getlist("categories"))


def text_of(filled: Filled, category: str) -> str:
    """Give the text of a category, as it was written."""
    return filled.values.get(f"text_{category}", "").replace("\r\n", "\n").strip()


def with_content(filled: Filled, with_files: Iterable[str]) -> list[str]:
    """Give the ticked categories of which there is something to send."""
    files = frozenset(with_files)
    return [code for code in chosen(filled) if text_of(filled, code) or code in files]


def answer_on(filled: Filled) -> date | None:
    """Give the day by which an answer is wished for."""
    return filled.day("answer_on")


def called(filled: Filled) -> datetime | None:
    """Give the moment of the telephone call, where one was written down."""
    return filled.moment("called_on", "called_at", required=filled.has("called_on"))


def going(filled: Filled) -> datetime | date | None:
    """Give when somebody goes along: a moment, or the day alone."""
    if not filled.has("going_at"):
        return filled.day("going_on")
    return filled.moment("going_on", "going_at")


def _purpose(filled: Filled, _: Surroundings) -> None:
    filled.code("purpose", rules.purposes(), required=True)
    filled.several("troubles", "trouble")
    filled.code("urgency", "urgency", required=True)
    filled.code("request_kind", "request_kind", required=True)
    filled.code("accompany", YES_NO, required=True)
    by_conference = filled.code("conference", YES_NO) == "yes"
    filled.code("move_reason", "unusual_move_reason", required=by_conference)


def _recipient(filled: Filled, around: Surroundings) -> None:
    filled.code("recipient", around.recipients, required=True)


def _categories(filled: Filled, around: Surroundings) -> None:
    ticked = filled.several("categories", CATEGORIES, required=True)
    for category in rules.in_order(ticked):
        if category not in around.permitted:
            filled.blame("categories", "sending.fault-refused")
        elif category not in around.needed:
            filled.line(f"why_{category}", required=True)


def _content(filled: Filled, around: Surroundings) -> None:
    for category in chosen(filled):
        filled.text(f"text_{category}")
    if not with_content(filled, around.with_files):
        first = next(iter(chosen(filled)), "identity")
        filled.blame(f"text_{first}", "sending.fault-nothing")


def _dates(filled: Filled, around: Surroundings) -> None:
    today = rules.today_of(around.now)
    day = filled.day("answer_on", required=True, first=today, last=today + rules.LATEST_ANSWER)
    if day is not None and not around.calendar.is_business_day(day) and filled.values.get("urgency") != "immediate":
        filled.blame("answer_on", "sending.fault-holiday")
    if filled.values.get("urgency") == "immediate" or filled.has("called_on"):
        filled.code("call_result", "call_result", required=True)
        at = filled.moment("called_on", "called_at", required=True)
        if at is not None and not counts_as_call(at, around.now):
            filled.blame("called_on", "sending.fault-call")
    filled.code("going_with", around.colleagues)
    filled.line("going_place")
    if filled.has("going_on"):
        filled.day("going_on", first=today, last=today + _LONGEST_PLAN)
        if filled.has("going_at"):
            filled.moment("going_on", "going_at")
    elif filled.has("going_at"):
        filled.blame("going_on", "web.fault-day-required")


_CHECKS: Final = {
    "purpose": _purpose,
    "recipient": _recipient,
    "categories": _categories,
    "content": _content,
    "dates": _dates,
}
