# SPDX-License-Identifier: Apache-2.0
"""Pages of the register of missing resources: the list with its counts, an entry with its history, the files."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.base.labels import codes
from connectors.casebook.resources import Said, Suggestion
from connectors.desk.exchange import sheets, writing
from connectors.desk.resources import forms, reads, rules, service
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit

blueprint: Final = Blueprint("resources", __name__)
_KINDS: Final = {"csv": sheets.CSV_UTF8, "xlsx": sheets.XLSX}


@page(blueprint, "/resources", who=Access.CASEWORK)
def resources(visit: Visit) -> tuple[str, int]:
    """List the register, and what should be looked at."""
    kind, state = _chosen("kind", "resource_kind"), _chosen("state", "resource_state")
    with visit.book() as connection:
        found = reads.register(connection, visit, kind=kind, state=state)
    late = {one.id for one in found.entries if rules.is_late(one, visit.today)}
    return render("resources/list.html", found=found, kind=kind, state=state, late=late, formats=list(_KINDS))


@page(blueprint, "/resources/missing-resources.<kind>", who=Access.CASEWORK)
def export(visit: Visit, kind: str) -> Response:
    """Give the whole register as a file; it names nobody, and that somebody took it is logged."""
    if kind not in _KINDS:
        raise NotFound
    with visit.book() as connection:
        found = reads.register(connection, visit, kind=None, state=None)
        rows = reads.rows_of(found.entries, visit.language)
        service.note_export(connection, visit, len(rows) - 1, kind)
    name = f"missing-resources-{visit.today.isoformat()}.{kind}"
    return writing.attachment(writing.table_of(rows, _KINDS[kind]), _KINDS[kind], name)


@page(blueprint, "/resources/new", who=Access.CASEWORK, methods=("GET", "POST"))
def new(visit: Visit) -> Response | tuple[str, int]:
    """Write a new entry, from something that should be looked at or from nothing."""
    about = request.values.get("about", "")
    with visit.book() as connection:
        source = reads.suggestion(connection, visit, about)
    facts: dict[str, Any] = {"entry": None, "known": _from(source), "about": about if source else "", "source": source}
    if request.method == "GET":
        return render("resources/entry.html", **facts)
    filled = Filled.of_request()
    said = forms.read_entry(filled)
    if said is None:
        return render_again("resources/entry.html", filled, **facts)
    with visit.book() as connection:
        made = service.add(connection, visit, said, source)
    return see(url_for("resources.resource", resource=made), said="resources.said-added")


@page(blueprint, "/resources/<resource>", who=Access.CASEWORK, methods=("GET", "POST"))
def resource(visit: Visit, resource: str) -> Response | tuple[str, int]:
    """Show an entry with its history, and write it anew."""
    with visit.book() as connection:
        kept = reads.kept(connection, resource)
    facts: dict[str, Any] = {"entry": kept.entry, "known": kept.entry.said, "kept": kept, "about": "", "source": None}
    if request.method == "GET":
        return render("resources/entry.html", **facts)
    filled = Filled.of_request()
    seen = filled.number("seen", least=1, most=1_000_000, required=True)
    said = forms.read_entry(filled)
    if said is None or seen is None:
        return render_again("resources/entry.html", filled, **facts)
    try:
        with visit.book() as connection:
            service.change(connection, visit, kept.entry, said, seen=seen)
    except ConnectorError as refused:
        if refused.code != "resource-changed":
            raise
        filled.blame("what", "resources.fault-changed")
        return render_again("resources/entry.html", filled, **facts)
    return see(url_for("resources.resource", resource=resource), said="resources.said-changed")


@page(blueprint, "/resources/sources", who=Access.CASEWORK, methods=("POST",))
def source(visit: Visit) -> Response:
    """Count something that came back for an entry that is there, or note that nothing is missing."""
    filled = Filled.of_request()
    to = filled.values.get("resource", "")
    with visit.book() as connection:
        found = reads.suggestion(connection, visit, filled.values.get("about", ""))
        if found is None:
            return see(url_for("resources.resources"), said="resources.said-looked", tone="wait")
        service.assign(connection, visit, found, to or None)
    return see(url_for("resources.resources"), said="resources.said-counted" if to else "resources.said-none-missing")


def _chosen(name: str, code_list: str) -> str | None:
    asked = request.args.get(name, "")
    return asked if asked in codes(code_list) else None


def _from(source: Suggestion | None) -> Said | None:
    if source is None:
        return None
    return Said(
        kind=rules.kind_for(source.purpose), area="", what=source.text, owner="", next_step="", next_on=None,
        state="found", outcome="",
    )  # fmt: skip
