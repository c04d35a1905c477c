# SPDX-License-Identifier: Apache-2.0
"""The scope templates that intake offers: the versions that are here, and taking one that the municipality approved."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Response as FlaskResponse
from flask import request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import templates
from connectors.desk.office import template_rules
from connectors.desk.office.blueprint import blueprint
from connectors.desk.staff import reads
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit

LARGEST_TEMPLATE: Final = 200_000
MOST_FAULTS: Final = 20


@page(blueprint, "/office/templates", who=Access.ADMINISTRATOR, methods=("GET", "POST"))
def scope_templates(visit: Visit) -> Response | tuple[str, int]:
    """List the scope templates that intake offers; take one, or say of each place in it why it cannot be taken."""
    filled = Filled.of_request()
    with visit.book() as connection:
        known = templates.versions(connection)
        names = reads.names_of(connection, {one.added_by for one in known if one.added_by})
    facts: dict[str, Any] = {"known": known, "names": names, "wrong": []}
    if request.method == "GET":
        return render("office/templates.html", **facts)
    data = _document(filled)
    wrong = template_rules.faults(data) if data is not None else []
    if wrong:
        filled.blame("template", "office.fault-template-places", n=str(len(wrong)))
        facts["wrong"] = wrong[:MOST_FAULTS]
    elif data is not None:
        try:
            with visit.book() as connection:
                kept = templates.keep_template(connection, visit.pen(), data)
        except ConnectorError:
            filled.blame("template", "office.fault-template-changed")
        else:
            return see(url_for("office.scope_templates"), said="office.template-kept", name=kept.name)
    return render_again("office/templates.html", filled, **facts)


@page(blueprint, "/office/templates/<name>.json", who=Access.ADMINISTRATOR)
def template_file(visit: Visit, name: str) -> Response:
    """Give a template as the file that can be changed and brought back as another version."""
    with visit.book() as connection:
        found = next((one for one in templates.versions(connection) if one.named.template.name == name), None)
    if found is None:
        raise NotFound
    body = json.dumps(found.document, ensure_ascii=False, indent=1) + "\n"
    answer = FlaskResponse(body, mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="scope-template.json"'
    return answer


def _document(filled: Filled) -> Any:
    """Read the file as JSON; what it says is judged by the rules."""
    file = filled.files.get("template")
    raw = file.read(LARGEST_TEMPLATE + 1) if file else b""
    if not raw:
        filled.blame("template", "office.fault-no-file")
        return None
    if len(raw) > LARGEST_TEMPLATE:
        filled.blame("template", "office.fault-template-large")
        return None
    try:
        data = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        filled.blame("template", "office.fault-template")
        return None
    return data
