# SPDX-License-Identifier: Apache-2.0
"""The pages of one line of an agenda: who stays, what is on the table, what came of it, the papers, the print."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import access
from connectors.casebook.compose import RefusedHereError
from connectors.casebook.meetings import require_open
from connectors.desk.meetings import forms, listed, reads, rules, service, showing
from connectors.desk.meetings.blueprint import blueprint
from connectors.desk.meetings.reads import LinePicture
from connectors.desk.web.contents import by_category
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again
from connectors.desk.web.visits import Access, Visit

_WHERE = "/<any(meetings, conferences):where>/<meeting>/lines/<line>"
_MAY_BE_SEEN_AGAIN = frozenset({"my-number", "minutes-empty", "status-stale"})


@page(blueprint, "/cases/<case>/meetings", who=Access.CASEWORK)
def of_case(visit: Visit, case: str) -> tuple[str, int]:
    """Show which meetings spoke of a case, each kind apart, and to which open one it can be brought."""
    with visit.book() as connection:
        shown = listed.of_case(connection, visit, case)
    return render("meetings/of_case.html", shown=shown, bar=shown.bar, case=case, kinds=list(rules.KINDS))


@page(blueprint, _WHERE, who=Access.CASEWORK, methods=("GET", "POST"))
def line(visit: Visit, where: str, meeting: str, line: str) -> Response | tuple[str, int]:
    """Show a line, and write what came of it."""
    shown = _shown(visit, where, meeting, line)
    if request.method == "GET":
        return render("meetings/line.html", **_facts(visit, where, shown))
    require_open(shown.held, visit.at)
    filled = Filled.of_request()
    outcome = forms.read_outcome(filled, visit, shown.line)
    if outcome is None:
        return render_again("meetings/line.html", filled, **_facts(visit, where, shown))
    with visit.book() as connection:
        key = service.settle(connection, visit, shown.held, shown.line, outcome)
    return showing.told(visit, key, showing.address(where, shown.held.id, line), "settled")


@page(blueprint, f"{_WHERE}/send", who=Access.CASEWORK, methods=("POST",))
def send(visit: Visit, where: str, meeting: str, line: str) -> Response | tuple[str, int]:
    """Send the paper of a line to the members that were chosen, each its own."""
    filled = Filled.of_request()
    what = filled.code("what", (service.AGENDA, service.MINUTES), required=True)
    shown = _shown(visit, where, meeting, line)
    require_open(shown.held, visit.at)
    staying = [one.seat.agency for one in shown.places if one.seat.leaves is None]
    to = filled.several("to", staying, required=True)
    if not filled.is_fine or what is None:
        return render_again("meetings/line.html", filled, **_facts(visit, where, shown))
    sending = service.Sending(what=what, to=to, acknowledged=filled.has("no_my_number"))
    try:
        with visit.book() as connection:
            keys = service.send(connection, visit, shown, sending)
    except RefusedHereError:
        filled.blame("to", "meetings.fault-consent")
        return render_again("meetings/line.html", filled, **_facts(visit, where, shown))
    except ConnectorError as refused:
        if refused.code not in _MAY_BE_SEEN_AGAIN:
            raise
        filled.blame("to", f"meetings.fault-{refused.code}")
        return render_again("meetings/line.html", filled, **_facts(visit, where, shown))
    return showing.told_all(visit, keys, showing.address(where, shown.held.id, line))


@page(blueprint, f"{_WHERE}/paper", who=Access.CASEWORK)
def paper(visit: Visit, where: str, meeting: str, line: str) -> tuple[str, int]:
    """Show the minutes of a line as one member gets them, or whole for ourselves, to be printed (A4)."""
    shown = _shown(visit, where, meeting, line)
    wanted = request.args.get("to")
    place = next((one for one in shown.places if one.seat.agency == wanted and one.seat.leaves is None), None)
    if wanted is not None and place is None:
        raise NotFound
    seat = place.seat if place else reads.own_seat(visit, shown.line)
    what = service.MINUTES if shown.line.outcome.decision else service.AGENDA
    parts = service.parts_for(visit, shown, what, seat)
    with visit.book() as connection:
        about = f"{shown.line.id}:{wanted or 'own'}"
        access.record(
            connection, staff=visit.me.id, action="minutes:printed", about=about, case=shown.line.case, now=visit.at
        )
    return render(
        "meetings/paper.html",
        where=where,
        shown=shown,
        what=what,
        parts=by_category(parts, visit.language),
        to=place.name if place else None,
    )


def _shown(visit: Visit, where: str, meeting: str, line: str) -> LinePicture:
    with visit.book() as connection:
        held = reads.of_kind(connection, where, meeting)
        return reads.line_picture(connection, visit, held, reads.line_of(connection, held, line))


def _facts(visit: Visit, where: str, shown: LinePicture) -> dict[str, Any]:
    return {
        "where": where,
        "shown": shown,
        "bar": shown.bar,
        "is_open": shown.held.is_open(visit.at),
        "to_decide": rules.TO_DECIDE,
    }
