# SPDX-License-Identifier: Apache-2.0
"""The steps of an import as pages: choose a file, say what the columns are, look at what was found, add, take back."""

from __future__ import annotations

from typing import Any, Final

from flask import Response as FlaskResponse
from flask import make_response, request, url_for
from sqlalchemy import Connection
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.casebook import access
from connectors.desk.exchange import reads, rules, service, sheets, undoing, writing
from connectors.desk.exchange.blueprint import blueprint
from connectors.desk.exchange.reads import Job, RowLine
from connectors.desk.exchange.service import Hand
from connectors.desk.exchange.sheets import SheetError
from connectors.desk.staff import reads as staff
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit

_MOMENT: Final = 1.5
"""Seconds of work that one look at the page of an import does."""
_EVERY: Final = 1
"""Seconds after which the page of a long work is asked for again."""
_SAMPLES: Final = 3
_LONGEST_SAMPLE: Final = 60
_LONGEST_SHOWN: Final = 500
_MAIN: Final = (
    "number", "name", "family_name", "given_name", "kana", "family_kana", "given_kana", "born_on", "postal", "address",
    "phone_mobile", "phone_home", "email",
)  # fmt: skip
"""Which columns the check shows."""
_SHOWN: Final = ("faulty", "alike", "new", "known", "repeated")


@page(blueprint, "/exchange/imports/new", who=Access.CASEWORK)
def new_import(_: Visit) -> tuple[str, int]:
    """Ask for a file and what it is."""
    return render("exchange/new.html", **_form())


@page(blueprint, "/exchange/imports/new", who=Access.CASEWORK, methods=("POST",))
def take_file(visit: Visit) -> Response | tuple[str, int]:
    """Read a file; what cannot be taken is refused whole, with its reason, and nothing of it is kept."""
    filled = Filled.of_request()
    kind = filled.code("kind", sheets.KINDS, required=True)
    sent = filled.files.get("file")
    if sent is None or not sent.filename:
        filled.blame("file", "exchange.fault-file-none")
    if not filled.is_fine or kind is None or sent is None:
        return render_again("exchange/new.html", filled, **_form())
    name = sent.filename or ""
    try:
        lines = service.read_file(sent.stream.read(sheets.LARGEST + 1), name, kind)
        with visit.book() as connection:
            job = service.begin(connection, visit.pen(), name=name, kind=kind, lines=lines)
    except SheetError as error:
        with visit.book() as connection:
            access.record(connection, staff=visit.me.id, action="import:refused", about=error.code, now=visit.at)
        filled.blame("file", f"exchange.fault-file-{error.code}", **error.places)
        page_, _ = render_again("exchange/new.html", filled, **_form())
        return page_, error.status
    return see(url_for("exchange.import_", job=job))


@page(blueprint, "/exchange/imports/<job>", who=Access.CASEWORK)
def import_(visit: Visit, job: str) -> Response | tuple[str, int]:
    """Show an import where it stands; while it works, work on it for a moment and have the page asked for again."""
    found = service.work(
        visit.site.connector.casebook, _hand(visit), lambda inside: _job(inside, visit, job), seconds=_MOMENT
    )
    if found.is_working:
        answer: FlaskResponse = make_response(
            render("exchange/working.html", job=found, still=bool(request.args.get("still")))
        )
        if not request.args.get("still"):
            answer.headers["Refresh"] = str(_EVERY)
        return answer
    return _show(visit, found)


@page(blueprint, "/exchange/imports/<job>/columns", who=Access.CASEWORK, methods=("POST",))
def choose_columns(visit: Visit, job: str) -> Response | tuple[str, int]:
    """Take what each column is said to be."""
    filled = Filled.of_request()
    with visit.book() as connection:
        found = _job(connection, visit, job)
        chosen = [filled.code(f"column-{place}", rules.codes()) or "" for place in range(len(found.header))]
        named = [one for one in chosen if one]
        for place, code in enumerate(chosen):
            if code and code in chosen[:place]:
                filled.blame(f"column-{place}", "exchange.fault-column-twice")
        if filled.is_fine and not rules.is_usable(named):
            filled.blame("column-0", "exchange.fault-columns-nobody")
        if filled.is_fine:
            service.choose_columns(connection, visit.pen(), found, chosen)
    if not filled.is_fine:
        return render_again("exchange/columns.html", filled, **_columns(visit, found))
    return see(url_for("exchange.import_", job=job))


@page(blueprint, "/exchange/imports/<job>/choices", who=Access.CASEWORK, methods=("POST",))
def decide(visit: Visit, job: str) -> Response | tuple[str, int]:
    """Take what was said of rows that look like somebody; then add, if that was asked for."""
    filled = Filled.of_request()
    do = filled.code("do", ("save", "confirm", "leave-rest", "other-rest"), required=True)
    with visit.book() as connection:
        found = _job(connection, visit, job)
        alike = [row.n for row in reads.rows_of(connection, job, "alike", limit=sheets.MOST_ROWS)]
        said = {n: filled.code(f"row-{n}", service.CHOICES) for n in alike if filled.has(f"row-{n}")}
        if filled.is_fine:
            choices = {n: choice for n, choice in said.items() if choice is not None}
            rest = {"leave-rest": "leave", "other-rest": "other"}.get(do or "")
            service.decide(connection, visit.pen(), found, choices, rest=rest)
            found = _job(connection, visit, job)
        if filled.is_fine and do == "confirm":
            if found.undecided:
                filled.blame("alike", "exchange.fault-undecided", n=str(found.undecided))
            else:
                service.confirm(connection, visit.pen(), found)
    if not filled.is_fine:
        return _show(visit, found, filled)
    return see(url_for("exchange.import_", job=job), said=None if do == "confirm" else "exchange.decided")


@page(blueprint, "/exchange/imports/<job>/undo", who=Access.CASEWORK, methods=("POST",))
def undo(visit: Visit, job: str) -> Response:
    """Take back all that an import brought, if nobody has worked with it."""
    with visit.book() as connection:
        service.undo(connection, visit.pen(), _job(connection, visit, job))
    return see(url_for("exchange.import_", job=job))


@page(blueprint, "/exchange/imports/<job>/drop", who=Access.CASEWORK, methods=("POST",))
def drop(visit: Visit, job: str) -> Response:
    """Throw an import away that added nobody, or what is kept of the file of one that is over."""
    with visit.book() as connection:
        found = _job(connection, visit, job)
        service.drop(connection, visit.pen(), found)
    said = "exchange.put-away" if found.state in {"done", "undone"} else "exchange.dropped"
    return see(url_for("exchange.exchange"), said=said)


@page(blueprint, "/exchange/imports/<job>/report.csv", who=Access.CASEWORK)
def report(visit: Visit, job: str) -> Response:
    """Give a line per row: what it was found to be, why, what became of it; with its cells where it was left out."""
    with visit.book() as connection:
        found = _job(connection, visit, job)
        numbers = reads.numbers_of(connection, job)
        rows = [_reported(visit, row, numbers) + list(row.line.cells) for row in reads.all_rows(connection, job)]
        access.record(connection, staff=visit.me.id, action="import:exported", about=job, now=visit.at)
    head = [visit_text(visit, f"exchange.report-{one}") for one in ("row", "state", "outcome", "reason", "number")]
    body = writing.csv_of([head + list(found.header), *rows], sheets.CSV_UTF8)
    return writing.attachment(body, sheets.CSV_UTF8, f"import-{found.begun_at:%Y%m%d}-{job[-8:]}.csv")


@page(blueprint, "/exchange/template.<kind>", who=Access.CASEWORK)
def template(visit: Visit, kind: str) -> Response:
    """Give an empty table with the headers that are known, and one row to show how."""
    declared = {"csv": sheets.CSV_UTF8, "xlsx": sheets.XLSX}.get(kind)
    if declared is None:
        raise NotFound
    shown = [one for one in rules.columns() if one.sample is not None]
    rows = [[one.ja if visit.language == "ja" else one.en for one in shown], [one.sample or "" for one in shown]]
    return writing.attachment(writing.table_of(rows, declared), declared, f"tsunagi-people.{kind}")


def visit_text(visit: Visit, key: str, **places: str) -> str:
    """Give a text in the visitor's language."""
    return text(key, visit.language, **places)


def _form() -> dict[str, Any]:
    return {
        "kinds": sheets.KINDS,
        "known": rules.columns(),
        "most_rows": sheets.MOST_ROWS,
        "largest": sheets.LARGEST // (1024 * 1024),
    }


def _hand(visit: Visit) -> Hand:
    return Hand(pen=visit.pen(), language=visit.language)


def _job(connection: Connection, visit: Visit, job: str) -> Job:
    return reads.job_of(connection, visit, job)


def _show(visit: Visit, job: Job, filled: Filled | None = None) -> tuple[str, int]:
    if job.state == "mapping":
        return render("exchange/columns.html", **_columns(visit, job))
    template_ = "exchange/check.html" if job.state == "ready" else "exchange/result.html"
    facts = _rows(visit, job)
    if filled is not None:
        return render_again(template_, filled, **facts)
    return render(template_, **facts)


def _columns(visit: Visit, job: Job) -> dict[str, Any]:
    with visit.book() as connection:
        rows = reads.rows_of(connection, job.id, limit=_SAMPLES)
    options = list(_labels(visit).items())
    samples = [
        [rules.shortened(row.line.cells[place], _LONGEST_SAMPLE) if place < len(row.line.cells) else "" for row in rows]
        for place in range(len(job.header))
    ]
    return {"job": job, "options": options, "samples": samples}


def _rows(visit: Visit, job: Job) -> dict[str, Any]:
    """Give what the pages of the check and of the result show: rows of one state, page by page."""
    chosen = request.args.get("show", "")
    shown = chosen if chosen in _SHOWN else next((one for one in _SHOWN if job.counts.get(one)), "new")
    after = request.args.get("after", "")
    with visit.book() as connection:
        rows = reads.rows_of(connection, job.id, shown, after=int(after) if after.isascii() and after.isdigit() else 0)
        further = rows[reads.PAGE - 1].n if len(rows) > reads.PAGE else None
        rows = rows[: reads.PAGE]
        near = [one.looks_like for one in rows if one.looks_like and not one.looks_like.startswith(reads.ROW_ABOVE)]
        others = reads.beside(connection, [*near, *(one.person for one in rows if one.person)])
        numbers = reads.numbers_of(connection, job.id)
        touched = undoing.touched(connection, job.id) if job.state == "done" else []
        names = staff.names_of(connection, [job.staff])
        decided = reads.count_chosen(connection, job.id, ("same", "other"))
        access.record(connection, staff=visit.me.id, action="import:viewed", about=job.id, now=visit.at)
    return {
        "job": job,
        "shown": shown,
        "states": [one for one in _SHOWN if job.counts.get(one)],
        "rows": [(row, _cells(job, row)) for row in rows],
        "faults_of": {row.n: [_hand(visit).said_of(code, fault) for code, fault in row.faults.items()] for row in rows},
        "others": others,
        "numbers": numbers,
        "further": url_for("exchange.import_", job=job.id, show=shown, after=further) if further else None,
        "touched": touched,
        "columns": _labels(visit),
        "shown_columns": [one for one in _MAIN if one in job.columns],
        "adds": job.counts.get("new", 0) + decided,
        "choices": [(one, visit_text(visit, f"exchange.choice-{one}")) for one in service.CHOICES],
        "whose": names.get(job.staff, ""),
    }


def _labels(visit: Visit) -> dict[str, str]:
    """Give the names of the columns by code."""
    return rules.labels(visit.language)


def _cells(job: Job, row: RowLine) -> dict[str, str]:
    """Give a row's cells by the codes of their columns."""
    cells = zip(job.columns, row.line.cells, strict=False)
    return {code: rules.shortened(cell, _LONGEST_SHOWN) for code, cell in cells if code and cell}


def _reported(visit: Visit, row: RowLine, numbers: dict[str, str]) -> list[str]:
    reasons = [_hand(visit).said_of(code, fault) for code, fault in row.faults.items()]
    if row.looks_like and row.looks_like.startswith(reads.ROW_ABOVE):
        reasons.append(visit_text(visit, "exchange.like-row", n=row.looks_like.removeprefix(reads.ROW_ABOVE)))
    return [
        str(row.n),
        visit_text(visit, f"exchange.state-{row.state}"),
        visit_text(visit, f"exchange.outcome-{row.outcome or 'none'}"),
        " / ".join(reasons),
        numbers.get(row.case or "", ""),
    ]
