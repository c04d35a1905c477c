# SPDX-License-Identifier: Apache-2.0
"""The dashboard: what was disclosed, what was refused and why, emergencies, and where the log stands (ux H1)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import Response, request
from werkzeug.wrappers import Response as Answer

from consent.calendar import day_of, end_of_day, start_of_day
from hub.agencies import reads as agencies
from hub.audit import checking, figures
from hub.audit import reads as log
from hub.audit.figures import Day, Span
from hub.audit.rules import AuditKind
from hub.base.db import Session
from hub.base.errors import MalformedError
from hub.base.ids import is_id
from hub.console import charts
from hub.console.pages import page
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.console.wording import label
from hub.intakes import overseen as consents
from hub.oversight.suppression import shown_alone, shown_table

PERIODS: Final = (7, 30, 90, 365)
USUAL: Final = 30
ENOUGH: Final = 30
"""Disclosures from which on a change against the time before is said; fewer make no trend."""
SOON: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The time and the agency that figures are about; both days are included."""

    days: int
    agency: str | None
    first: date
    last: date

    @property
    def span(self) -> Span:
        """Give the time from the first day's beginning to the last day's end."""
        return Span(since=start_of_day(self.first), until=end_of_day(self.last), agency=self.agency)

    @property
    def before(self) -> Span:
        """Give as many days right before."""
        return Span(
            since=start_of_day(self.first - timedelta(days=self.days)),
            until=start_of_day(self.first),
            agency=self.agency,
        )


@page("", permission="console.self")
def home(visit: Visit) -> tuple[str, int]:
    """Show the figures of a period, of all agencies or of one."""
    asked = _asked(visit)
    with visit.reading("home", days=asked.days, agency=asked.agency) as session:
        facts = _figures(session, asked, _now(visit))
        known = agencies.everybody(session)
    with visit.doing() as session:  # how the log stands is for everybody, whoever's rows they see
        facts["last"] = checking.newest(session)
    names = {one.id: one.name_ja if visit.language == "ja" else one.name_en for one in known}
    return render("home.html", asked=asked, periods=PERIODS, agencies=names, **facts)


@page("/figures.csv", permission="console.self")
def home_csv(visit: Visit) -> Answer:
    """Give the figures as CSV, with small numbers hidden so that they cannot be worked out (cells below five)."""
    asked = _asked(visit)
    with visit.reading(
        "figures-export", kind=AuditKind.EXPORT_MADE, days=asked.days, agency=asked.agency, form="csv"
    ) as session:
        facts = _figures(session, asked, _now(visit))
    written = _csv(visit, asked, facts)
    headers = {"Content-Disposition": 'attachment; filename="figures.csv"'}
    return Response(written.encode("utf-8"), content_type="text/csv; charset=utf-8", headers=headers)


def _figures(session: Session, asked: Asked, now: datetime) -> dict[str, Any]:
    days = figures.by_day(session, asked.span)
    total, past = _total(days), _total(figures.by_day(session, asked.before))
    reasons = sorted(figures.reasons(session, asked.span).items(), key=lambda one: (-one[1], one[0]))
    heat = figures.by_category_and_kind(session, asked.span)
    tried = total.disclosed + total.refused
    return {
        "days": days,
        "total": total,
        "change": _change(total.disclosed, past.disclosed),
        "is_early": tried < ENOUGH,
        "share": None if tried < ENOUGH else round(100 * total.refused / tried, 1),
        "ending": consents.ending(session, now=now, until=now + SOON),
        "stacks": charts.stacks(days, first=asked.first, last=asked.last),
        "reasons": reasons,
        "lengths": charts.lengths([n for _, n in reasons], longest=300),
        "heat": heat,
        "heat_rows": sorted({category for category, _ in heat}),
        "heat_columns": sorted({kind for _, kind in heat}),
        "highest": max(heat.values(), default=0),
        "shade": charts.shade,
        "newest": log.checkpoint(session),
    }


def _asked(visit: Visit) -> Asked:
    """Read the period and the agency of the figures.

    *Raises* MalformedError: bad-query.
    """
    days, agency = request.args.get("days", str(USUAL)), request.args.get("agency", "")
    if days not in {str(one) for one in PERIODS} or (agency and not is_id(agency)):
        raise MalformedError("bad-query")
    last = day_of(_now(visit))
    return Asked(days=int(days), agency=agency or None, first=last - timedelta(days=int(days) - 1), last=last)


def _now(visit: Visit) -> datetime:
    if visit.at is None:
        raise RuntimeError("visit-without-time")
    return visit.at


def _total(days: Mapping[date, Day]) -> Day:
    return Day(
        disclosed=sum(one.disclosed for one in days.values()),
        refused=sum(one.refused for one in days.values()),
        emergency=sum(one.emergency for one in days.values()),
    )


def _change(now: int, before: int) -> str | None:
    """Say by how many in a hundred a number changed, where both are large enough to say so."""
    if min(now, before) < ENOUGH:
        return None
    return f"{round(100 * (now - before) / before):+d}%"


def _csv(visit: Visit, asked: Asked, facts: dict[str, Any]) -> str:
    """Write three tables under each other; a hidden number is an empty cell."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")

    def said(number: int | None) -> str:
        return "" if number is None else str(number)

    writer.writerow(["from", str(asked.first), "to", str(asked.last), "agency", asked.agency or ""])
    kinds = ("disclosed", "refused", "emergency")
    # each day's numbers stand in sums: what is hidden of one is hidden so that the totals do not tell it
    bars = facts["stacks"].bars
    counts = {(str(bar.first), kind): getattr(bar.counts, kind) for bar in bars for kind in kinds}
    table = shown_table([str(bar.first) for bar in bars], kinds, counts)
    writer.writerow(["day", *kinds])
    for name, cells in zip(table.rows, table.cells, strict=True):
        writer.writerow([name, *map(said, cells)])
    writer.writerow(["total", *map(said, table.column_totals)])
    writer.writerow(["reason", "refused"])
    for reason, number in facts["reasons"]:
        writer.writerow([label(visit.language, "decision_reasons", reason), said(shown_alone(number))])
    columns = facts["heat_columns"]
    heat = shown_table(facts["heat_rows"], columns, facts["heat"])
    writer.writerow(["category", *(label(visit.language, "recipients", kind) for kind in columns)])
    for name, cells in zip(heat.rows, heat.cells, strict=True):
        writer.writerow([label(visit.language, "categories", name), *map(said, cells)])
    return out.getvalue()
