# SPDX-License-Identifier: Apache-2.0
"""The month in figures: a page to read and print, the same as CSV and Excel, with small numbers hidden if wished."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.desk.exchange import sheets, writing
from connectors.desk.reports import reads, rules
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render
from connectors.desk.web.visits import Access, Visit

blueprint: Final = Blueprint("reports", __name__)
_KINDS: Final = {"csv": sheets.CSV_UTF8, "xlsx": sheets.XLSX}


@page(blueprint, "/reports", who=Access.CASEWORK)
def month(visit: Visit) -> tuple[str, int]:
    """Show a month in figures; a month that is none, or has not begun, is said and this one shown."""
    asked = request.args.get("month", "")
    found = rules.month_of(asked, visit.today)
    span = found or rules.this_month(visit.today)
    shared = request.args.get("shared") == "1"
    with visit.book() as connection:
        tables = reads.month(connection, visit, span, shared=shared)
    before, after = rules.beside(span, visit.today)
    return render(
        "reports/month.html",
        status=200 if found else 422,
        span=span,
        tables=tables,
        shared=shared,
        before=before,
        after=after,
        is_odd=found is None,
        is_running=span.last >= visit.today,
        formats=list(_KINDS),
        month=f"{span.first:%Y-%m}",
    )


@page(blueprint, "/reports/<month>.<kind>", who=Access.CASEWORK)
def export(visit: Visit, month: str, kind: str) -> Response:
    """Give a month as a file; that somebody took it is logged."""
    span = rules.month_of(month, visit.today)
    if span is None or kind not in _KINDS:
        raise NotFound
    shared = request.args.get("shared") == "1"
    with visit.book() as connection:
        rows = reads.rows_of(reads.month(connection, visit, span, shared=shared), span, visit.language)
        reads.note_taken(connection, visit, span, kind)
    name = f"tsunagi-{month}{'-shared' if shared else ''}.{kind}"
    return writing.attachment(writing.table_of(rows, _KINDS[kind]), _KINDS[kind], name)
