# SPDX-License-Identifier: Apache-2.0
"""The forms of the sheets: which versions are here, and bringing in a later one or the municipality's own fields."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Response as FlaskResponse
from flask import request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import sheet_definitions
from connectors.casebook.sheet_definitions import catalogue_of
from connectors.desk.sheets.blueprint import blueprint
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit
from connectors.sheets.definitions import DefinitionError

LARGEST: Final = 400_000
"""Bytes of one file."""

View = Response | tuple[str, int]


@page(blueprint, "/sheets/forms", who=Access.ADMINISTRATOR, methods=("GET", "POST"))
def forms(visit: Visit) -> View:
    """List the forms that are filled in from now on; take a file with a later version or own fields."""
    filled = Filled.of_request()
    if request.method == "POST":
        data = _document(filled)
        if data is not None:
            try:
                with visit.book() as connection:
                    keep = sheet_definitions.keep_overlay if "sheet" in data else sheet_definitions.keep_definition
                    kept = keep(connection, visit.pen(), data)
            except DefinitionError as error:
                filled.blame("form", "sheets.fault-form-place", where=error.places["where"])
            except ConnectorError as error:
                filled.blame("form", f"sheets.fault-form-{error.code.removeprefix('sheet-definition-')}")
            else:
                return see(url_for("sheets.forms"), said="sheets.said-form", name=kept.name)
    with visit.book() as connection:
        known = catalogue_of(connection)
        newest = [known.newest(code) for code in known.codes()]
    if request.method == "POST":
        return render_again("sheets/forms.html", filled, known=newest)
    return render("sheets/forms.html", known=newest)


@page(blueprint, "/sheets/forms/<code>.json", who=Access.ADMINISTRATOR)
def form_file(visit: Visit, code: str) -> View:
    """Give the newest national version of a form as the file that can be changed and brought back as a later one.

    *Raises* NotFound: there is no such sheet.
    """
    try:
        with visit.book() as connection:
            found = catalogue_of(connection).newest(code)
    except ConnectorError:
        raise NotFound from None
    body = json.dumps(dict(found.document), ensure_ascii=False, indent=1) + "\n"
    answer = FlaskResponse(body, mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.code}.json"'
    return answer


def _document(filled: Filled) -> dict[str, Any] | None:
    """Read the file as JSON; what it says is judged by the casebook."""
    file = filled.files.get("form")
    raw = file.read(LARGEST + 1) if file else b""
    if not raw:
        filled.blame("form", "sheets.fault-form-none")
        return None
    try:
        data = json.loads(raw.decode("utf-8-sig")) if len(raw) <= LARGEST else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        filled.blame("form", "sheets.fault-form-unreadable")
        return None
    return data
