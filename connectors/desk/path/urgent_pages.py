# SPDX-License-Identifier: Apache-2.0
"""Step ④: urgency judged at any time, the routes with their clocks, and what came of each."""

from __future__ import annotations

from typing import Any, Final

from flask import url_for
from sqlalchemy import Connection
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.casebook import mirror, step_files
from connectors.casebook.step_files import Urgency
from connectors.desk.cases.reads import person_bar
from connectors.desk.path import reads, rules, saying, service
from connectors.desk.path.blueprint import blueprint
from connectors.desk.path.routes import Route, routes
from connectors.desk.path.service import NotOfferedError, Wish
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit

_REASON: Final = "emergency"
_LONGEST: Final = 2000


@page(blueprint, "/cases/<case>/urgent", who=Access.CASEWORK)
def urgent(visit: Visit, case: str) -> tuple[str, int]:
    """Show the routes with what they are for, to whom and by when."""
    with visit.book() as connection:
        facts = _facts(connection, visit, case)
    return render("path/urgent.html", **facts)


@page(blueprint, "/cases/<case>/urgent", who=Access.CASEWORK, methods=("POST",))
def take_route(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Take a route: its clock starts, the case goes to ④ where it can, and the page that goes on with it opens."""
    filled = Filled.of_request()
    code = filled.code("route", routes(), required=True)
    route = routes()[code] if code else None
    on = filled.day("on") if route and route.asks_date else None
    words = filled.text("words", required=True, longest=_LONGEST)
    with visit.book() as connection:
        facts = _facts(connection, visit, case)
        if facts["course"].shown.owner != visit.site.connector.agency:
            filled.blame("route", "path.cannot-case-not-ours")
    if route is None or not filled.is_fine:
        return render_again("path/urgent.html", filled, **facts)
    with visit.book() as connection:
        pen = visit.pen()
        made = Urgency(
            id=filled.values.get("key") or pen.new_id(), case=case, route=route.code, at=visit.at,
            due_at=route.due(visit.at, on, visit.site.calendar), staff=visit.me.id, text=words,
        )  # fmt: skip
        step_files.write_urgency(connection, pen, made)
    onward = _onward(route, case)
    try:
        deed = _go_to_urgent(visit, case, facts["course"])
    except NotOfferedError:
        deed = None  # the clock runs whatever the path says
    if deed is None:
        return see(onward, said="path.route-taken")
    return saying.told(visit, case, deed, said="path.route-", to=onward)


@page(blueprint, "/cases/<case>/urgent/<urgency>/done", who=Access.CASEWORK, methods=("POST",))
def route_done(visit: Visit, case: str, urgency: str) -> Response:
    """Write down what came of a route; its clock stops."""
    filled = Filled.of_request()
    outcome = filled.line("outcome", required=True, longest=300)
    with visit.book() as connection:
        person_bar(connection, visit, case)
        if filled.is_fine and not step_files.finish_urgency(
            connection, visit.pen(), urgency, case=case, outcome=outcome
        ):
            raise NotFound
    here = url_for("cases.case", case=case, _anchor="urgent")
    if not filled.is_fine:
        return see(here, said="path.fault-outcome", tone="bad")
    return see(here, said="path.route-done")


def _go_to_urgent(visit: Visit, case: str, course: Any) -> Any:
    """Move the case to ④ unless it stands there, is suspended or waits for the hub; None where it stays."""
    shown = course.shown
    if shown.step == rules.URGENT or shown.state == rules.SUSPENDED or not course.may_move:
        return None
    if shown.step == rules.CLOSING:
        return None
    is_usual = rules.URGENT in shown.next_steps
    wish = Wish(step=rules.URGENT, reason=None if is_usual else _REASON)
    return service.move(visit, case, wish, version=shown.version)


def _facts(connection: Connection, visit: Visit, case: str) -> dict[str, Any]:
    bar = person_bar(connection, visit, case)
    known = mirror.profiles(connection).values()
    names = {
        kind: [one.name[visit.language] for one in known if one.kind == kind]
        for kind in {kind for route in routes().values() for kind in route.to}
    }
    return {
        "bar": bar,
        "case": case,
        "course": reads.course(connection, case),
        "routes": routes().values(),
        "names": names,
        "key": visit.site.connector.new_id(),
    }


def _onward(route: Route, case: str) -> str:
    if route.then == "emergency":
        return url_for("emergencies.new", case=case)
    return url_for("sending.new", case=case, purpose=route.purpose, urgency=_urgency(route))


def _urgency(route: Route) -> str:
    return {"at_once": "immediate", "same_day": "same_day"}.get(route.clock, "soon")
