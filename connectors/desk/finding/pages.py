# SPDX-License-Identifier: Apache-2.0
"""Tips at the desk: the list, one tip with what was tried, and what it becomes."""

from __future__ import annotations

from typing import Any, Final

from flask import request, url_for
from werkzeug.wrappers import Response

from connectors.casebook import access, finding, marks
from connectors.casebook.finding import Outreach
from connectors.desk.finding import forms, reads
from connectors.desk.finding.blueprint import blueprint
from connectors.desk.staff import reads as staff
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit

FORM_IS_OPEN: Final = "tell-form-open"
"""The mark under which the casebook remembers that the public page is open; supervisors open and close it."""
_PAGE: Final = 50
_LONGEST: Final = 2000
_NEW: Final = "new"


def count(visit: Visit) -> int:
    """Count the tips that nobody has settled, for the menu."""
    with visit.book() as connection:
        return finding.count_open(connection)


@page(blueprint, "/tips", who=Access.CASEWORK)
def tips(visit: Visit) -> tuple[str, int]:
    """List tips: open ones first of all."""
    asked = request.args.get("state", "")
    state = asked if asked in finding.STATES else finding.OPEN
    with visit.book() as connection:
        rows = finding.tips(connection, state, limit=_PAGE + 1, after=request.args.get("after"))
        access.record(connection, staff=visit.me.id, action="tips:listed", about=str(len(rows[:_PAGE])), now=visit.at)
        is_open = marks.recall(connection, FORM_IS_OPEN) == "yes"
    further = url_for("finding.tips", state=state, after=rows[_PAGE - 1].id) if len(rows) > _PAGE else None
    return render(
        "finding/tips.html", rows=rows[:_PAGE], state=state, states=finding.STATES, further=further, is_open=is_open
    )


@page(blueprint, "/tips/form", who=Access.SUPERVISOR, methods=("POST",))
def open_form(visit: Visit) -> Response:
    """Open the public page, or close it."""
    wanted = "yes" if Filled.of_request().code("open", ("yes", "no"), required=True) == "yes" else "no"
    with visit.book() as connection:
        marks.remember(connection, FORM_IS_OPEN, wanted)
        access.record(
            connection, staff=visit.me.id, action=f"tell-form:{'opened' if wanted == 'yes' else 'closed'}", about="",
            now=visit.at,
        )  # fmt: skip
    return see(url_for("finding.tips"), said="finding.form-opened" if wanted == "yes" else "finding.form-closed")


@page(blueprint, "/tips/new", who=Access.CASEWORK, methods=("GET", "POST"))
def new(visit: Visit) -> Response | tuple[str, int]:
    """Write down a tip that came by telephone or on paper."""
    facts: dict[str, Any] = {"came_by": _options(visit, "came", forms.CAME_BY)}
    facts["knows"] = _options(visit, "knows", forms.KNOWS)
    if request.method == "GET":
        return render("finding/new.html", **facts)
    filled = Filled.of_request()
    tip = forms.read_tip(filled, visit, came_by=None, staff=visit.me.id)
    if tip is None:
        return render_again("finding/new.html", filled, **facts)
    with visit.book() as connection:
        finding.keep(connection, tip, by=visit.me.id)
    return see(url_for("finding.tip", tip=tip.id), said="finding.kept")


@page(blueprint, "/tips/<tip>", who=Access.CASEWORK)
def tip(visit: Visit, tip: str) -> tuple[str, int]:
    """Show a tip, what was tried, and people here whom it may be about."""
    return _show(visit, tip, None)


@page(blueprint, "/tips/<tip>/outreach", who=Access.CASEWORK, methods=("POST",))
def tried(visit: Visit, tip: str) -> Response | tuple[str, int]:
    """Write down a visit or a try."""
    filled = Filled.of_request()
    channel = filled.code("channel", "channel", required=True)
    result = filled.code("result", "outreach_result", required=True)
    words = filled.text("text", required=True, longest=_LONGEST)
    if channel is None or result is None or not filled.is_fine:
        return _show(visit, tip, filled)
    with visit.book() as connection:
        finding.tip_of(connection, tip)
        pen = visit.pen()
        made = Outreach(
            id=filled.values.get("key") or pen.new_id(), tip=tip, at=visit.at, staff=visit.me.id, channel=channel,
            result=result, text=words,
        )  # fmt: skip
        finding.write_outreach(connection, pen, made)
    return see(url_for("finding.tip", tip=tip), said="finding.tried")


@page(blueprint, "/tips/<tip>/case", who=Access.CASEWORK, methods=("POST",))
def becomes_case(visit: Visit, tip: str) -> Response | tuple[str, int]:
    """Open a case for whom the tip is about; without consent, so that nothing of it can go onward."""
    filled = Filled.of_request()
    whom = filled.line("whom", required=True, longest=100)
    if not filled.is_fine:
        return _show(visit, tip, filled)
    with visit.book() as connection:
        person = None if whom == _NEW else whom
        pen = visit.pen()
        nameless = text("finding.nameless", visit.language)
        case = finding.becomes_case(
            connection, pen, tip, on=visit.today, team=visit.me.team, nameless=nameless, person=person
        )
    visit.site.courier.deliver(f"case:{case}")
    return see(url_for("cases.case", case=case), said="finding.became-case")


@page(blueprint, "/tips/<tip>/end", who=Access.CASEWORK, methods=("POST",))
def end(visit: Visit, tip: str) -> Response | tuple[str, int]:
    """End a tip with its reason; what was told can go with it."""
    filled = Filled.of_request()
    reason = filled.code("reason", "tip_end", required=True)
    if reason is None or not filled.is_fine:
        return _show(visit, tip, filled)
    with visit.book() as connection:
        finding.end(connection, visit.pen(), tip, reason=reason, erase=filled.has("erase"))
    return see(url_for("finding.tips"), said="finding.ended")


def _show(visit: Visit, tip: str, filled: Filled | None) -> tuple[str, int]:
    with visit.book() as connection:
        known = finding.tip_of(connection, tip)
        access.record(connection, staff=visit.me.id, action="tip:viewed", about=tip, now=visit.at)
        tried = finding.outreach_of(connection, tip)
        alike = reads.alike(connection, visit, known) if known.state == finding.OPEN else []
        names = staff.names_of(connection, [known.staff or "", *(one.staff for one in tried)])
    facts: dict[str, Any] = {"tip": known, "tried": tried, "alike": alike, "names": names}
    facts["key"] = visit.site.connector.new_id()
    if filled is None:
        return render("finding/tip.html", **facts)
    return render_again("finding/tip.html", filled, **facts)


def _options(visit: Visit, name: str, values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(one, text(f"finding.{name}-{one}", visit.language)) for one in values]
