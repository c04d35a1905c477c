# SPDX-License-Identifier: Apache-2.0
"""Search, the list of cases, one case, and what is changed about it: who is in charge, the caution, the journal."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from connectors.casebook import files, journal
from connectors.casebook.journal import Entry
from connectors.desk.caseload import reads
from connectors.desk.cases.reads import person_bar
from connectors.desk.staff import reads as staff
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Role, Visit

blueprint: Final = Blueprint("cases", __name__)
"""`cases.case`, the page to which everything about a case leads, is the path's (`desk/path`)."""

SCOPES: Final = ("mine", "team", "agency")
STATES: Final = (reads.OPEN, reads.CLOSED)
_LONGEST: Final = 100
_LONGEST_CAUTION: Final = 120


@page(blueprint, "/search", who=Access.CASEWORK)
def search(visit: Visit) -> tuple[str, int]:
    """Find people by name, reading, telephone or case number, however they are typed."""
    words = request.args.get("q", "")[:_LONGEST]
    with visit.book() as connection:
        hits = reads.search(connection, visit, words) if words.strip() else []
    return render("caseload/search.html", hits=hits, words=words)


@page(blueprint, "/cases", who=Access.CASEWORK)
def cases(visit: Visit) -> tuple[str, int]:
    """List the cases that somebody carries, a team, or the agency."""
    scope = request.args.get("scope", "")
    scope = scope if scope in SCOPES else SCOPES[0]
    state = request.args.get("state", "")
    state = state if state in STATES else reads.OPEN
    with visit.book() as connection:
        rows, following = reads.caseload(
            connection, visit, scope=scope, state=state, after=request.args.get("after") or None
        )
    further = url_for("cases.cases", scope=scope, state=state, after=following) if following else None
    return render(
        "caseload/cases.html", rows=rows, scope=scope, state=state, scopes=SCOPES, states=STATES, further=further
    )


@page(blueprint, "/cases/<case>/course", who=Access.CASEWORK)
def course(visit: Visit, case: str) -> tuple[str, int]:
    """Show what was done in a case, who is in charge, and what was planned beside its referrals."""
    return _course(visit, case, None)


@page(blueprint, "/cases/<case>/referrals", who=Access.CASEWORK)
def threads(visit: Visit, case: str) -> tuple[str, int]:
    """List the referrals of a case."""
    with visit.book() as connection:
        shown = reads.picture(connection, visit, case)
    return render("caseload/threads.html", shown=shown)


@page(blueprint, "/cases/<case>/charge", who=Access.CASEWORK, methods=("POST",))
def charge(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Put somebody in charge, and write down how the person may be reached safely."""
    filled = Filled.of_request()
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        known = {one.id: one for one in staff.colleagues(connection)}
        worker = filled.code("worker", known)
        caution = filled.line("caution", longest=_LONGEST_CAUTION)
        if filled.is_fine:
            pen = visit.pen()
            files.open_file(connection, pen, case=case, on=visit.today)
            team = known[worker].team if worker else (bar.file.team if bar.file else "")
            files.assign(connection, pen, case=case, worker=worker, team=team)
            files.caution(connection, pen, case=case, text=caution)
    if not filled.is_fine:
        return _course(visit, case, filled)
    return see(url_for("cases.course", case=case), said="caseload.charged")


@page(blueprint, "/cases/<case>/journal", who=Access.CASEWORK, methods=("POST",))
def note(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Write down what was done: a call, a visit, a note, what the person was told. It stays at the agency."""
    filled = Filled.of_request()
    kind = filled.code("kind", journal.KINDS, required=True)
    channel = filled.code("channel", "channel")
    text = filled.text("text", required=True)
    with visit.book() as connection:
        person_bar(connection, visit, case)
        if filled.is_fine and kind is not None:
            pen = visit.pen()
            entry = Entry(
                id=filled.values.get("key") or pen.new_id(),
                case=case,
                referral=None,
                at=visit.at,
                staff=visit.me.id,
                kind=kind,
                channel=channel,
                text=text,
            )
            journal.write(connection, pen, entry)
    if not filled.is_fine:
        return _course(visit, case, filled)
    return see(url_for("cases.course", case=case, _anchor="journal"), said="caseload.noted")


def _course(visit: Visit, case: str, filled: Filled | None) -> tuple[str, int]:
    with visit.book() as connection:
        shown = reads.picture(connection, visit, case)
        colleagues = [one for one in staff.colleagues(connection) if one.roles & {Role.CASEWORKER, Role.SUPERVISOR}]
    facts: dict[str, Any] = {
        "shown": shown,
        "colleagues": colleagues,
        "kinds": journal.KINDS,
        "key": visit.site.connector.new_id(),
    }
    if filled is None:
        return render("caseload/course.html", **facts)
    return render_again("caseload/course.html", filled, **facts)
