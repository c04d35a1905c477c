# SPDX-License-Identifier: Apache-2.0
"""Pages of a plan after it was settled: the person's signature, the meeting's date, what the municipality decided."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, Final

from flask import request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import plans, scans
from connectors.casebook.sheets import SheetFaultyError
from connectors.desk.intakes.signing import read_strokes
from connectors.desk.sheets import reads, rules, service
from connectors.desk.sheets.blueprint import blueprint
from connectors.desk.sheets.reads import Opened
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit
from consent.calendar import JST

_NOON: Final = time(12)
_BLAMED: Final = {"plan-no-meeting": "meeting_on", "plan-returned": "decision"}
"""Which field a refusal of the casebook is about."""

View = Response | tuple[str, int]


@page(blueprint, "/sheets/<sheet>/sign", who=Access.CASEWORK, methods=("GET", "POST"))
def sign(visit: Visit, sheet: str) -> View:
    """Take the person's signature: drawn here, or the paper that was signed."""
    with visit.book() as connection:
        shown = reads.opened(connection, visit, sheet)
    facts: dict[str, Any] = {"shown": shown, "bar": shown.bar, "signers": plans.SIGNERS, "methods": plans.METHODS}
    if request.method == "GET":
        return render("sheets/sign.html", **facts)
    filled = Filled.of_request()
    method = filled.code("method", plans.METHODS, required=True)
    signer = filled.code("signer", plans.SIGNERS, required=True)
    strokes = read_strokes(filled) if method == "pad" else ()
    scan = filled.paper("scan") if method == "paper" else None
    signed_on = filled.day("signed_on", required=True, last=visit.today) if method == "paper" else None
    if method == "pad" and not strokes:
        filled.blame("strokes", "intakes.fault-not-signed")
    if method == "paper" and scan is None:
        filled.blame("scan", "intakes.fault-no-scan")
    if not filled.is_fine or signer is None:
        return render_again("sheets/sign.html", filled, **facts)
    at = visit.at if signed_on is None else datetime.combine(signed_on, _NOON, tzinfo=JST)
    paper = scan[0] if scan else None
    with visit.book() as connection:
        service.sign(connection, visit, sheet, signer=signer, signed_at=at, strokes=strokes, paper=paper)
    return see(url_for("sheets.sheet", sheet=sheet), said="sheets.said-signed")


@page(blueprint, "/sheets/<sheet>/signature", who=Access.CASEWORK)
def signature(visit: Visit, sheet: str) -> View:
    """Give the signature: the drawn one, or the paper; that somebody looked is logged."""
    with visit.book() as connection:
        shown = reads.opened(connection, visit, sheet)
        found = scans.scans_of_form(connection, sheet) if shown.sheet.signature else ()
        if not found:
            raise NotFound
        scans.seen(connection, visit.pen(), found[-1])
    answer = Response(found[-1].body, mimetype=found[-1].media)
    answer.headers["Content-Disposition"] = "inline"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@page(blueprint, "/sheets/<sheet>/adopt", who=Access.CASEWORK, methods=("GET", "POST"))
def adopt(visit: Visit, sheet: str) -> View:
    """Adopt a signed plan, or note what came later on one that holds: the meeting, the municipality's decision."""
    with visit.book() as connection:
        shown = reads.opened(connection, visit, sheet)
    fields = [one for one in shown.definition.fields if one.after and one.code not in shown.sheet.after]
    steps = rules.steps_to_adoption(shown.sheet, renewed=shown.renewed)
    facts: dict[str, Any] = {"shown": shown, "bar": shown.bar, "fields": fields, "steps": steps}
    if request.method == "GET":
        return render("sheets/adopt.html", filled=Filled(values=rules.form_of(fields, shown.sheet.after)), **facts)
    body = rules.body_of(fields, request.form)
    try:
        with visit.book() as connection:
            change = plans.note_after if shown.may.note else plans.adopt
            change(connection, visit.pen(), sheet, body)
    except SheetFaultyError as refused:
        filled = Filled.of_request()
        for fault in refused.faults:
            filled.blame(fault.field, f"sheets.fault-{fault.code}", **_places(shown, fault.field, fault.places, visit))
        return render_again("sheets/adopt.html", filled, **facts)
    except ConnectorError as refused:
        name = _BLAMED.get(refused.code)
        if name is None:
            raise
        filled = Filled.of_request()
        filled.blame(name, f"sheets.fault-{refused.code}")
        return render_again("sheets/adopt.html", filled, **facts)
    said = "sheets.said-noted" if shown.may.note else "sheets.said-adopted"
    return see(url_for("sheets.sheet", sheet=sheet), said=said)


def _places(shown: Opened, name: str, places: Any, visit: Visit) -> dict[str, str]:
    field = shown.definition.field(name)
    return {**places, "field": field.words.said(visit.language) if field else ""}
