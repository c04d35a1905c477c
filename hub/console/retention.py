# SPDX-License-Identifier: Apache-2.0
"""What will be erased, what is kept by law, and the monthly report (H9)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from flask import Response, request

from consent.calendar import day_of
from hub.base.db import now
from hub.base.errors import InvalidError
from hub.console import naming
from hub.console.pages import page
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.oversight import figures, keeping, report, service
from hub.oversight.figures import Month

MONTH: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)


@page("/retention", permission="console.retention")
def retention(visit: Visit) -> tuple[str, int]:
    """Show what goes within a week, what is held back, and where the month's report is made."""
    with visit.reading("retention") as session:
        at = now(session)
        removals, holds = keeping.removals(session, now=at), keeping.holds(session, now=at)
        known = naming.directory(session)
    last_month = day_of(at).replace(day=1) - timedelta(days=1)
    name = naming.named(known, visit.language)
    return render("retention.html", removals=removals, holds=holds, name=name, month=f"{last_month:%Y-%m}")


@page("/report.csv", permission="console.report")
def report_csv(visit: Visit) -> Response:
    """Give a month's figures as CSV, small numbers hidden.

    *Raises* InvalidError: bad-month.
    """
    month = _month(visit, "csv")
    head, *rows = report.rows(month, report.language_of(visit.language))
    return naming.as_csv(f"report-{month.first_day:%Y-%m}.csv", head, rows)


@page("/report.pdf", permission="console.report")
def report_pdf(visit: Visit) -> Response:
    """Give a month's figures as PDF on A4, small numbers hidden.

    *Raises* InvalidError: bad-month.
    """
    month = _month(visit, "pdf")
    body = report.pdf(month, report.language_of(visit.language))
    return naming.as_file(f"report-{month.first_day:%Y-%m}.pdf", body, "application/pdf")


def _month(visit: Visit, form: str) -> Month:
    wish = MONTH.fullmatch(request.args.get("month", ""))
    if wish is None:
        raise InvalidError("bad-month")
    year, number = int(wish[1]), int(wish[2])
    with visit.reading(f"report.{form}", month=wish[0]) as session:
        found = figures.month(session, year, number, now=now(session))
    with visit.doing() as session:
        service.note_export(session, by=visit.me.id, what="report", form=form, now=now(session))
    return found
