# SPDX-License-Identifier: Apache-2.0
"""Pages of a case's sheets: the list, filling one in (it saves itself), looking at it, the paper, the file."""

from __future__ import annotations

from typing import Any, Final

from flask import redirect, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import access, sheets
from connectors.casebook.sheet_definitions import catalogue_of
from connectors.casebook.sheets import SheetFaultyError
from connectors.desk.exchange import writing
from connectors.desk.exchange.sheets import CSV_UTF8, ENDINGS, XLSX
from connectors.desk.sheets import adopting, asking, bringing, reads, rules, service, sharing
from connectors.desk.sheets.blueprint import blueprint
from connectors.desk.sheets.reads import Opened
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit
from connectors.desk.web.when import clock_of
from connectors.sheets.answers import WHY_UNASKED, Fault

__all__ = ["adopting", "asking", "blueprint", "bringing", "sharing"]

_COLUMNS: Final = ("code", "section", "question", "answer", "category", "category-label")
_KINDS: Final = {"csv": CSV_UTF8, "xlsx": XLSX}

View = Response | tuple[str, int]


@page(blueprint, "/cases/<case>/sheets", who=Access.CASEWORK)
def case_sheets(visit: Visit, case: str) -> View:
    """List the sheets of a case by kind, with what can be begun."""
    with visit.book() as connection:
        bar, shelves, names = reads.shelves(connection, visit, case)
    return render("sheets/list.html", bar=bar, shelves=shelves, names=names)


@page(blueprint, "/cases/<case>/sheets/new", who=Access.CASEWORK, methods=("POST",))
def begin(visit: Visit, case: str) -> View:
    """Begin a sheet."""
    with visit.book() as connection:
        made = service.begin(connection, visit, case, request.form.get("code", ""))
    return redirect(url_for("sheets.edit", sheet=made.id), 303)


@page(blueprint, "/sheets/paper/<code>", who=Access.CASEWORK)
def blank(visit: Visit, code: str) -> View:
    """Show an empty sheet, to print and write on."""
    with visit.book() as connection:
        definition = catalogue_of(connection).newest(code)
    return render("sheets/paper.html", definition=definition, answers={}, shown=None)


@page(blueprint, "/sheets/<sheet>", who=Access.CASEWORK)
def sheet(visit: Visit, sheet: str) -> View:
    """Show a sheet: problems and strengths beside one another, then the rest; what can be done with it."""
    with visit.book() as connection:
        shown = reads.opened(connection, visit, sheet)
    return render(
        "sheets/sheet.html",
        shown=shown,
        bar=shown.bar,
        steps=rules.steps_to_adoption(shown.sheet, renewed=shown.renewed),
        answered=answered,
    )


def answered(shown: Opened, section: Any) -> Any:
    """Give the fields of a section that have something to show."""
    return reads.answered(section.fields, shown.sheet)


@page(blueprint, "/sheets/<sheet>/edit", who=Access.CASEWORK, methods=("GET", "POST"))
def edit(visit: Visit, sheet: str) -> View:
    """Fill a sheet in: every button keeps what was written first; nothing is settled that is not whole."""
    do = request.form.get("do", "")
    faults: tuple[Fault, ...] = ()
    with visit.book() as connection:
        if request.method == "POST":
            service.keep(connection, visit, sheet, request.form)
        shown = reads.opened(connection, visit, sheet)
        if not shown.may.edit:
            raise ConnectorError("sheet-settled")
        if do == "settle":
            try:
                sheets.settle(connection, visit.pen(), sheet)
            except SheetFaultyError as refused:
                faults = refused.faults
    if do == "settle" and not faults:
        return see(url_for("sheets.sheet", sheet=sheet), said="sheets.said-settled")
    if do.startswith("rows:") and shown.definition.field(do[5:]) is not None:
        return redirect(url_for("sheets.edit", sheet=sheet, _anchor=f"f-{do[5:]}"), 303)
    if do == "stop":
        return see(url_for("sheets.case_sheets", case=shown.sheet.case), said="sheets.said-kept")
    filled = Filled(values=rules.form_of(shown.definition.asked, shown.sheet.body))
    for fault in faults:
        filled.blame(fault.field or "sheet", f"sheets.fault-{fault.code}", **_places(shown, fault, visit))
    facts: dict[str, Any] = {
        "shown": shown,
        "bar": shown.bar,
        "rows": {one.code: rules.rows_shown(one, shown.sheet.body) for one in shown.definition.asked},
        "cell": rules.cell_name,
        "why": [(one, text(f"sheets.why-{one}", visit.language)) for one in WHY_UNASKED],
    }
    if faults:
        return render_again("sheets/edit.html", filled, **facts)
    return render("sheets/edit.html", filled=filled, **facts)


@page(blueprint, "/sheets/<sheet>/save", who=Access.CASEWORK, methods=("POST",))
def save(visit: Visit, sheet: str) -> Response:
    """Keep a page as it stands, finished or not; the answer is the sentence that the page shows."""
    with visit.book() as connection:
        service.keep(connection, visit, sheet, request.form)
    return Response(text("sheets.saved", visit.language, at=clock_of(visit.at)), mimetype="text/plain")


@page(blueprint, "/sheets/<sheet>/next", who=Access.CASEWORK, methods=("POST",))
def next_version(visit: Visit, sheet: str) -> View:
    """Begin the next version: written anew, amended (変更), or plan n + 1 (再プラン)."""
    with visit.book() as connection:
        reads.opened(connection, visit, sheet)
        made = sheets.begin_from(connection, visit.pen(), sheet, change=request.form.get("change", sheets.NEW_VERSION))
    return redirect(url_for("sheets.edit", sheet=made.id), 303)


@page(blueprint, "/sheets/<sheet>/drop", who=Access.CASEWORK, methods=("POST",))
def drop(visit: Visit, sheet: str) -> View:
    """Throw a draft away."""
    with visit.book() as connection:
        shown = reads.opened(connection, visit, sheet)
        sheets.drop(connection, visit.pen(), sheet)
    return see(url_for("sheets.case_sheets", case=shown.sheet.case), said="sheets.said-dropped")


@page(blueprint, "/sheets/<sheet>/paper", who=Access.CASEWORK)
def paper(visit: Visit, sheet: str) -> View:
    """Show a sheet as the paper that is printed, A4."""
    with visit.book() as connection:
        shown = reads.opened(connection, visit, sheet)
    return render(
        "sheets/paper.html", definition=shown.definition, answers=shown.sheet.answers, shown=shown, bar=shown.bar
    )


@page(blueprint, "/sheets/<sheet>/file.<kind>", who=Access.CASEWORK)
def export(visit: Visit, sheet: str, kind: str) -> View:
    """Give a sheet as CSV or Excel; nothing in it is taken for a formula, and that somebody took it is logged."""
    if kind not in _KINDS:
        raise NotFound
    head = [text(f"sheets.column-{one}", visit.language) for one in _COLUMNS]
    with visit.book() as connection:
        shown = reads.opened(connection, visit, sheet)
        table = reads.table_of(shown, visit, head)
        is_too_long = kind == "xlsx" and writing.is_too_long_for_excel(table)
        if not is_too_long:
            about = f"{shown.sheet.id}:{kind}"
            access.record(
                connection, staff=visit.me.id, action="sheet:exported", about=about, case=shown.sheet.case, now=visit.at
            )
    if is_too_long:
        return see(url_for("sheets.sheet", sheet=sheet), said="sheets.said-too-long", tone="bad")
    number = shown.bar.file.number if shown.bar.file else shown.sheet.case[:8]
    name = f"{shown.sheet.code}-{number}{ENDINGS[_KINDS[kind]]}"
    return writing.attachment(writing.table_of(table, _KINDS[kind]), _KINDS[kind], name)


def _places(shown: Opened, fault: Fault, visit: Visit) -> dict[str, str]:
    field = shown.definition.field(fault.field)
    return {**fault.places, "field": field.words.said(visit.language) if field else ""}
