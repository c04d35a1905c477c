# SPDX-License-Identifier: Apache-2.0
"""Pages of meetings (ux D11): one list for each kind, a new meeting, a meeting of ours, one to which we are asked.

The address says the kind (`/meetings` or `/conferences`): no page shows both, and no form could change one into the
other.
"""

from __future__ import annotations

from typing import Any, Final

from flask import request, url_for
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook.meetings import Meeting
from connectors.desk.meetings import blueprint as meetings_blueprint
from connectors.desk.meetings import forms, giving, line_pages, listed, reads, rules, service, showing
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit

blueprint: Final = meetings_blueprint.blueprint
PARTS: Final = (line_pages, giving)
"""Imported so that their pages hang on the blueprint."""
_WHERE: Final = "/<any(meetings, conferences):where>"


@page(blueprint, "/meetings", who=Access.CASEWORK)
def meetings(visit: Visit) -> tuple[str, int]:
    """List the 支援調整会議."""
    return _list(visit, "meetings")


@page(blueprint, "/conferences", who=Access.CASEWORK)
def conferences(visit: Visit) -> tuple[str, int]:
    """List the 支援会議."""
    return _list(visit, "conferences")


@page(blueprint, f"{_WHERE}/new", who=Access.CASEWORK, methods=("GET", "POST"))
def new(visit: Visit, where: str) -> Response | tuple[str, int]:
    """Convene a meeting of the kind of the address."""
    kind = rules.KINDS[where]
    with visit.book() as connection:
        candidates = reads.candidates(connection, visit)
    facts: dict[str, Any] = {
        "where": where,
        "candidates": [(agency, name) for agency, name, _ in candidates],
        "usual": [agency for agency, _, one in candidates if one == rules.MUNICIPALITY],
    }
    if request.method == "GET":
        return render("meetings/new.html", **facts)
    filled = Filled.of_request()
    made = forms.read_new(filled, visit, kind, [agency for agency, _, _ in candidates])
    if made is None:
        return render_again("meetings/new.html", filled, **facts)
    with visit.book() as connection:
        key = service.convene(connection, visit, made)
    return showing.told(visit, key, showing.address(where, made.id), "convened")


@page(blueprint, f"{_WHERE}/<meeting>", who=Access.CASEWORK)
def meeting(visit: Visit, where: str, meeting: str) -> tuple[str, int]:
    """Show a meeting: our own whole, another's by what the hub and its papers say."""
    return _show(visit, where, meeting)


@page(blueprint, f"{_WHERE}/<meeting>/members", who=Access.CASEWORK, methods=("POST",))
def members(visit: Visit, where: str, meeting: str) -> Response | tuple[str, int]:
    """Write who comes for each member, and whether they came."""
    filled = Filled.of_request()
    held = _ours(visit, where, meeting)
    found = forms.read_attendance(filled, held)
    if not filled.is_fine:
        return _show(visit, where, meeting, filled)
    with visit.book() as connection:
        service.note_members(connection, visit, held, found)
    return see(showing.address(where, held.id), said="meetings.said-members")


@page(blueprint, f"{_WHERE}/<meeting>/agenda", who=Access.CASEWORK, methods=("POST",))
def agenda(visit: Visit, where: str, meeting: str) -> Response | tuple[str, int]:
    """Put a case on the agenda."""
    filled = Filled.of_request()
    held = _ours(visit, where, meeting)
    said = filled.line("case", required=True)
    categories = filled.several("categories", "categories", required=True)
    with visit.book() as connection:
        case = reads.case_numbered(connection, visit, said) if said else None
    if said and case is None:
        filled.blame("case", "meetings.fault-case")
    if not filled.is_fine or case is None:
        return _show(visit, where, meeting, filled)
    try:
        with visit.book() as connection:
            line, key = service.put_on_agenda(connection, visit, held, case=case, categories=categories)
    except ConnectorError as refused:
        if refused.code != "case-twice":
            raise
        filled.blame("case", "meetings.fault-twice")
        return _show(visit, where, meeting, filled)
    return showing.told(visit, key, showing.address(where, held.id, line.id), "on-agenda")


@page(blueprint, f"{_WHERE}/<meeting>/end", who=Access.CASEWORK, methods=("POST",))
def end(visit: Visit, where: str, meeting: str) -> Response:
    """End a meeting of ours."""
    held = _ours(visit, where, meeting)
    with visit.book() as connection:
        key = service.end(connection, visit, held)
    return showing.told(visit, key, showing.address(where, held.id), "ended")


@page(blueprint, f"{_WHERE}/<meeting>/accept", who=Access.CASEWORK, methods=("POST",))
def accept(visit: Visit, where: str, meeting: str) -> Response | tuple[str, int]:
    """Accept membership of another's meeting; a conference asks for its secrecy first."""
    filled = Filled.of_request()
    with visit.book() as connection:
        asked = reads.invitation(connection, visit, where, meeting)
    if not asked.is_open:
        raise ConnectorError("meeting-ended")
    if visit.site.connector.agency in asked.meeting.accepted or asked.waits:
        return see(showing.address(where, meeting), said="meetings.said-accepted-already", tone="wait")
    if where == "conferences" and not filled.has("secrecy"):
        filled.blame("secrecy", "meetings.fault-secrecy")
        return _show(visit, where, meeting, filled)
    with visit.book() as connection:
        key = service.accept(
            connection, visit, asked.meeting.id, kind=asked.meeting.kind, secrecy=filled.has("secrecy")
        )
    return showing.told(visit, key, showing.address(where, meeting), "accepted")


def count(visit: Visit) -> int:
    """Count the 支援調整会議 that wait for our answer, for the menu."""
    with visit.book() as connection:
        return listed.count_asked(connection, visit, rules.KINDS["meetings"])


def count_conferences(visit: Visit) -> int:
    """Count the 支援会議 that wait for our answer, for the menu."""
    with visit.book() as connection:
        return listed.count_asked(connection, visit, rules.KINDS["conferences"])


def _list(visit: Visit, where: str) -> tuple[str, int]:
    with visit.book() as connection:
        found = reads.listed(connection, visit, rules.KINDS[where])
    return render("meetings/list.html", where=where, found=found, new=url_for("meetings.new", where=where))


def _ours(visit: Visit, where: str, meeting: str) -> Meeting:
    """Give a meeting of ours for a deed that only its convenor may do.

    *Raises* `ConnectorError`: `meeting-not-ours`, `meeting-unknown`.
    """
    with visit.book() as connection:
        if reads.is_ours(connection, meeting):
            return reads.of_kind(connection, where, meeting)
        reads.invitation(connection, visit, where, meeting)
    raise ConnectorError("meeting-not-ours")


def _show(visit: Visit, where: str, meeting: str, filled: Filled | None = None) -> tuple[str, int]:
    facts: dict[str, Any] = {"where": where}
    with visit.book() as connection:
        if reads.is_ours(connection, meeting):
            held = reads.of_kind(connection, where, meeting)
            shown = reads.picture(connection, visit, held)
            reasons = {one.key: showing.reason(visit, one.code) for one in shown.refused}
            facts |= {"shown": shown, "is_open": held.is_open(visit.at), "reasons": reasons}
            facts |= {"usual": rules.USUAL_CATEGORIES, "case": request.args.get("case", "")}
            template = "meetings/meeting.html"
        else:
            facts |= {"shown": reads.invitation(connection, visit, where, meeting)}
            template = "meetings/invited.html"
    return render(template, **facts) if filled is None else render_again(template, filled, **facts)
