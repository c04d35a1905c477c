# SPDX-License-Identifier: Apache-2.0
"""Search the log by qualifiers, prove a line, take lines out as CSV or JSON lines (ux H5)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from consent.calendar import day_of
from consent.tlog import tree
from consent.tlog.proofs import LogProof, write_proof
from hub.audit import proving, searching
from hub.audit import reads as log
from hub.audit.proving import Inclusion
from hub.audit.reads import LoggedEntry
from hub.audit.rules import AuditKind
from hub.base.errors import MalformedError, NotFoundError
from hub.console import lines, queries
from hub.console.pages import SEE_OTHER, page
from hub.console.queries import QueryError
from hub.console.rendering import render
from hub.console.visits import Visit

PAGE: Final = 50
LARGEST_INDEX: Final = 2**62
REFUSED: Final = 422
COLUMNS: Final = (
    "index", "id", "logged_at", "kind", "actor", "parties", "case", "subject", "from", "to", "purpose", "basis",
    "permitted", "refused", "facts",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@page("/audit", permission="console.audit")
def audit(visit: Visit) -> tuple[str, int]:
    """Search; newest first, fifty to a page."""
    written = request.args.get("q", "")
    try:
        query, before = queries.parse(written, today=_today(visit)), _before()
    except QueryError as error:
        return _asking(visit, error)
    with visit.reading("audit", case=query.case, query=query.text, before=before) as session:
        found = searching.search(session, query.wanted, before=before, limit=PAGE + 1)
        names = lines.Names(session, visit.language)
        newest = log.checkpoint(session)
    shown = [lines.line_of(entry, names) for entry in found[:PAGE]]
    older = shown[-1].index if len(found) > PAGE else None
    return _shown(visit, names.agencies, lines=shown, older=older, query=query, before=before, newest=newest)


@page("/audit/build", permission="console.audit")
def audit_build(visit: Visit) -> Answer:
    """Turn the fields of the form beside the search into a search, in words."""
    said = {name: request.args.get(name, "").strip() for name in (*queries.QUALIFIERS, "since", "until")}
    since, until = said.pop("since"), said.pop("until")
    if since or until:
        said["created"] = f"{since}..{until}" if since and until else f">={since}" if since else f"<={until}"
    words = " ".join(f"{name}:{said[name]}" for name in queries.QUALIFIERS if said.get(name))
    try:
        words = queries.parse(words, today=_today(visit)).text
    except QueryError as error:
        # the code goes on, what was typed stays behind
        return redirect(url_for("console.audit", q="", fault=error.code), SEE_OTHER)
    return redirect(url_for("console.audit", q=words), SEE_OTHER)


@page("/audit/<int:index>", permission="console.audit")
def audit_entry(visit: Visit, index: int) -> tuple[str, int]:
    """Show one entry with its bytes and the proof that it is in the log."""
    entry, proof, names = _proved(visit, index)
    return render(
        "audit_entry.html",
        line=lines.line_of(entry, names),
        body=json.dumps(json.loads(entry.body), ensure_ascii=False, indent=2, sort_keys=True),
        leaf=tree.leaf_hash(entry.body).hex(),
        proof=proof,
    )


@page("/audit/<int:index>/proof", permission="console.audit")
def audit_proof(visit: Visit, index: int) -> Answer:
    """Give the proof as a file that others check without the hub (C2SP tlog-proof)."""
    _, proof, _ = _proved(visit, index)
    if proof is None:
        raise NotFoundError
    written = write_proof(LogProof(index=proof.index, hashes=proof.path, checkpoint=proof.checkpoint.note))
    return _file(written, f"entry-{index}.tlog-proof", "text/plain; charset=utf-8")


@page("/audit/export.csv", permission="console.audit")
def audit_csv(visit: Visit) -> Answer:
    """Give what a search finds as CSV."""
    found, names = _exported(visit, "csv")
    return _file(_csv(found, names), "audit.csv", "text/csv; charset=utf-8", whole=len(found) < searching.MOST)


@page("/audit/export.jsonl", permission="console.audit")
def audit_jsonl(visit: Visit) -> Answer:
    """Give what a search finds as JSON lines: each entry as it was hashed, with its place."""
    found, _ = _exported(visit, "jsonl")
    written = "".join(
        f'{{"index":{one.index},"logged_at":"{one.logged_at.isoformat()}","entry":{one.body.decode("ascii")}}}\n'
        for one in found
    )
    return _file(written, "audit.jsonl", "application/jsonl", whole=len(found) < searching.MOST)


def _asking(visit: Visit, error: QueryError | None) -> tuple[str, int]:
    """Show the search without results: what is wrong with it, never what was typed."""
    with visit.reading("audit-form") as session:
        names = lines.Names(session, visit.language)
    return _shown(visit, names.agencies, status=REFUSED, error=error)


def _shown(visit: Visit, known: dict[str, str], *, status: int = 200, **facts: Any) -> tuple[str, int]:
    fault = request.args.get("fault", "")
    given: dict[str, Any] = {
        "lines": None,
        "older": None,
        "query": None,
        "before": None,
        "newest": None,
        "error": None,
    } | facts
    if given["error"] is None and fault in FAULTS:
        given["error"] = QueryError(fault)
    if given["error"] is not None:
        given["way_back"] = url_for("console.audit")  # what was typed goes nowhere, in no link either
    kinds = [kind.value for kind in AuditKind]
    decisions = list(queries.DECISIONS)
    first = f"{_today(visit).year}-01-01"
    return render(
        "audit.html", status=status, agencies=known, kinds=kinds, decisions=decisions, example_day=first, **given
    )


FAULTS: Final = frozenset(
    {
        "query-too-long", "qualifier-missing", "qualifier-unknown", "qualifier-twice", "value-missing", "value-not-id",
        "value-not-actor", "value-not-action", "value-not-decision", "value-not-day", "range-backwards",
        "action-against-decision", "bad-place",
    }
)  # fmt: skip
"""Why a search cannot be read."""


def _exported(visit: Visit, form: str) -> tuple[tuple[LoggedEntry, ...], lines.Names]:
    """Read everything that a search finds, up to the most that one file holds.

    *Raises* MalformedError: the search cannot be read.
    """
    try:
        query = queries.parse(request.args.get("q", ""), today=_today(visit))
    except QueryError:
        raise MalformedError("bad-query") from None
    with visit.reading(
        "audit-export", kind=AuditKind.EXPORT_MADE, case=query.case, query=query.text, form=form
    ) as session:
        return searching.search(session, query.wanted, limit=searching.MOST), lines.Names(session, visit.language)


def _proved(visit: Visit, index: int) -> tuple[LoggedEntry, Inclusion | None, lines.Names]:
    if index >= LARGEST_INDEX:
        raise NotFoundError
    with visit.reading("audit-entry", index=index) as session:
        entry = searching.at_index(session, index)
        if entry is None:
            raise NotFoundError
        return entry, proving.inclusion(session, index), lines.Names(session, visit.language)


def _csv(found: Iterable[LoggedEntry], names: lines.Names) -> str:
    out = io.StringIO()
    out.write("\ufeff")  # spreadsheets take it for UTF-8 by this
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in found:
        line, said = lines.line_of(entry, names), json.loads(entry.body)
        route = line.route or ("", "")
        cells = [
            str(line.index), line.id, line.at.isoformat(), line.kind, line.actor, " ".join(said["parties"]),
            line.case or "", line.subject or "", *route, line.purpose, line.basis,
            "; ".join(part.category for part in line.parts if part.permitted),
            "; ".join(f"{part.category} ({part.reason})" for part in line.parts if not part.permitted),
            json.dumps(said["facts"], ensure_ascii=False, separators=(",", ":")),
        ]  # fmt: skip
        writer.writerow([guarded(cell) for cell in cells])
    return out.getvalue()


def guarded(cell: str) -> str:
    """Keep a spreadsheet from taking a cell for a formula (OWASP: CSV injection)."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _file(written: str, name: str, kind: str, *, whole: bool = True) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Tsunagi-Whole": "yes" if whole else "no"}
    return Response(written.encode("utf-8"), content_type=kind, headers=headers)


def _today(visit: Visit) -> date:
    if visit.at is None:
        raise RuntimeError("visit-without-time")
    return day_of(visit.at)


def _before() -> int | None:
    """Read where a page begins.

    *Raises* QueryError: bad-place.
    """
    written = request.args.get("before")
    if written is None:
        return None
    if not (written.isascii() and written.isdigit() and len(written) <= len(str(LARGEST_INDEX))):
        raise QueryError("bad-place")
    return min(int(written), LARGEST_INDEX)
