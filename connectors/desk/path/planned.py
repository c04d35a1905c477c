# SPDX-License-Identifier: Apache-2.0
"""What the sheets say on the path: services of the plan that holds with their referrals and gaps (⑨), dates on which
it is looked at again (⑩), strengths and problems of the assessment (⑤).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import Connection

from connectors.casebook import sheets
from connectors.casebook.sheets import HOLDS, Sheet
from connectors.desk.referrals.reads import Row
from connectors.sheets import saying
from consent.vocabulary.codes import Language

PLAN: Final = "plan"
ASSESSMENT: Final = "assessment"
LOOKS: Final = frozenset({"monitoring", "review"})
EARLY: Final = timedelta(days=14)
"""How long before its date a look already counts for it."""
_TICKED: Final = ("services_law", "services_else")
_UNANSWERED: Final = frozenset({"declined", "cancelled", "withdrawn", "entered_in_error", "rerouted"})
"""States in which a referral serves nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service of the plan and its newest referral. `gap`: nobody gives it: never asked, turned down, or overdue."""

    purpose: str
    provider: str
    begins: date | None
    until: date | None
    row: Row | None
    gap: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A date on which the plan is looked at, by which indicator, and whether that was done."""

    on: date
    indicator: str
    is_done: bool
    is_overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What holds: the plan with its term, its services and dates; what the assessment says. Empty without sheets."""

    sheet: str | None
    first: date | None
    last: date | None
    services: tuple[Service, ...]
    looks: tuple[Look, ...]
    assessed: str | None
    strengths: tuple[str, ...]
    problems: tuple[str, ...]


def planned(connection: Connection, case: str, rows: Sequence[Row], *, today: date, language: Language) -> Planned:
    """Give what the sheets of a case say on its path."""
    all_of = sheets.sheets_of(connection, case)
    plan = sheets.holding(connection, case, PLAN)
    assessed = sheets.holding(connection, case, ASSESSMENT)
    body: Mapping[str, Any] = plan.answers if plan else {}
    looked = [day_of(one.answers.get("on")) for one in all_of if one.code in LOOKS and one.state in HOLDS]
    return Planned(
        sheet=plan.id if plan else None,
        first=day_of(body.get("term_from")),
        last=day_of(body.get("term_until")),
        services=services_of(body, rows),
        looks=looks_of(body, [one for one in looked if one is not None], today),
        assessed=assessed.id if assessed else None,
        strengths=_told(connection, assessed, "strengths", language),
        problems=_told(connection, assessed, "problems", language),
    )


@cache
def purposes_of() -> Mapping[str, tuple[str, ...]]:
    """Give for which purposes one refers to have a service that a plan can tick (`services.json`)."""
    text = files("connectors.desk.path").joinpath("services.json").read_text(encoding="utf-8")
    read: dict[str, list[str]] = json.loads(text)
    return {service: tuple(purposes) for service, purposes in read.items()}


def services_of(body: Mapping[str, Any], rows: Sequence[Row]) -> tuple[Service, ...]:
    """Tie each service of a plan, described or ticked, to the newest referral for it; say where nobody gives it.

    What the agency does by itself is ticked as well: no referral is a gap to look at, not a fault.
    """
    described = [said for said in saying.rows_of(body.get("services")) if said.get("purpose")]
    found = [_service((str(said["purpose"]),), said, rows) for said in described]
    named = {str(said["purpose"]) for said in described}
    ticked = [code for name in _TICKED for code in body.get(name) or () if code in purposes_of()]
    wanted = dict.fromkeys(purposes_of()[code] for code in ticked)
    return (*found, *(_service(purposes, {}, rows) for purposes in wanted if named.isdisjoint(purposes)))


def _service(purposes: tuple[str, ...], said: Mapping[str, Any], rows: Sequence[Row]) -> Service:
    own = [row for row in rows if row.purpose in purposes]
    newest = max(own, key=lambda row: (row.sent_at or row.updated_at, row.id), default=None)
    return Service(
        purpose=newest.purpose if newest else purposes[0],
        provider=str(said.get("provider") or ""),
        begins=day_of(said.get("begins")),
        until=day_of(said.get("until")),
        row=newest,
        gap=gap_of(newest),
    )


def gap_of(row: Row | None) -> str | None:
    """Name why nobody gives a service: `unasked`, `turned-down`, `overdue`; none where somebody does or may still."""
    if row is None:
        return "unasked"
    if row.state in _UNANSWERED:
        return "turned-down"
    return "overdue" if row.late else None


def looks_of(body: Mapping[str, Any], looked: Sequence[date], today: date) -> tuple[Look, ...]:
    """Give the dates on which a plan is to be looked at, in their order; done by a look since, or a little before."""
    asked = sorted(
        (day, str(row.get("indicator") or ""))
        for row in saying.rows_of(body.get("monitoring"))
        if (day := day_of(row.get("on"))) is not None
    )
    last = max(looked, default=None)
    return tuple(
        Look(on=day, indicator=indicator, is_done=is_done, is_overdue=not is_done and day < today)
        for day, indicator in asked
        for is_done in (last is not None and last >= day - EARLY,)
    )


def day_of(written: Any) -> date | None:
    """Read a day of a settled sheet; none where there is none, or a draft's words stand there."""
    try:
        return date.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None


def _told(connection: Connection, sheet: Sheet | None, tone: str, language: Language) -> tuple[str, ...]:
    """Give what the assessment says of strengths or problems, in words, line by line."""
    if sheet is None:
        return ()
    definition = sheets.definition_of(connection, sheet)
    said = [
        saying.said(one, sheet.answers, language)
        for section in definition.sections
        if section.tone == tone
        for one in section.fields
    ]
    return tuple(line for words in said for line in words.splitlines() if line.strip())
