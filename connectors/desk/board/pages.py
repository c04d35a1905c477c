# SPDX-License-Identifier: Apache-2.0
"""The board (ux D2): what needs somebody today, one thing to do at each row; putting off; the day on paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, current_app, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.routing import BuildError
from werkzeug.wrappers import Response

from connectors.casebook import deeds, outings
from connectors.desk.board import service
from connectors.desk.board.actions import Action, action_of
from connectors.desk.board.rows import Row
from connectors.desk.board.scope import SCOPES
from connectors.desk.web import courier
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit

blueprint: Final = Blueprint("board", __name__)

_LONGEST_ABOUT: Final = 200


@page(blueprint, "/", who=Access.STAFF)
def board(visit: Visit) -> tuple[str, int]:
    """Show what needs somebody today."""
    if not visit.may(Access.CASEWORK):
        waiting = courier.count_waiting(visit.site.connector)
        with visit.book() as connection:
            counts = service.office_counts(connection, visit, waiting)
        return render("board/office.html", counts=counts)
    width = _width()
    with visit.book() as connection:
        shown = service.gather(connection, visit, width, everything=request.args.get("all") == "1")
    return render("board/board.html", board=shown, width=width, widths=_widths(visit), **_said(visit, shown))


@page(blueprint, "/day", who=Access.CASEWORK)
def day_sheet(visit: Visit) -> tuple[str, int]:
    """Show the day as one sheet of paper."""
    width = _width()
    with visit.book() as connection:
        shown = service.gather(connection, visit, width)
    return render("board/day.html", board=shown, width=width, **_said(visit, shown))


@page(blueprint, "/board/put-off", who=Access.CASEWORK, methods=("GET", "POST"))
def put_off(visit: Visit) -> Response | tuple[str, int]:
    """Put a row off with a reason, a week at most."""
    about = request.values.get("about", "")[:_LONGEST_ABOUT]
    if request.method == "GET":
        with visit.book() as connection:
            service.require_open(connection, about)
        return render("board/put_off.html", about=about, last=service.last_snooze_day(visit))
    filled = Filled.of_request()
    until = filled.day("until", required=True)
    reason = filled.line("reason", required=True)
    if until is not None and not visit.today < until <= service.last_snooze_day(visit):
        filled.blame("until", "board.fault-until")
    if until is None or not filled.is_fine:
        return render_again("board/put_off.html", filled, about=about, last=service.last_snooze_day(visit))
    with visit.book() as connection:
        service.put_off(connection, visit, about, until=until, reason=reason)
    return see(url_for("board.board"), said="board.said-put-off")


@page(blueprint, "/board/refusals/<key>", who=Access.STAFF, methods=("POST",))
def refusal_seen(visit: Visit, key: str) -> Response:
    """Note that a person has looked at what the hub refused."""
    with visit.book() as connection:
        known = deeds.find(connection, key)
        if known is None or known.state != "refused":
            raise NotFound
        deeds.look_at(connection, visit.pen(), key)
    return see(url_for("board.board"), said="board.said-seen")


@page(blueprint, "/board/escalations/<line>", who=Access.SUPERVISOR, methods=("POST",))
def seen(visit: Visit, line: str) -> Response:
    """Note that a supervisor has looked at somebody who was turned away."""
    with visit.book() as connection:
        outings.escalation_seen(connection, visit.pen(), line)
    return see(url_for("board.board"), said="board.said-seen")


@page(blueprint, "/board/tasks/<task>", who=Access.CASEWORK, methods=("POST",))
def task_done(visit: Visit, task: str) -> Response:
    """Tell the hub that a task is done."""
    with visit.book() as connection:
        service.require_open(connection, f"task:{task}")
        key = deeds.task_done(connection, visit.pen(), task=task)
    said = visit.site.courier.deliver(key)
    if said.state == "sent":
        with visit.book() as connection:
            service.note_task_done(connection, visit, task)
    tone = {"sent": "good", "waiting": "wait"}.get(said.state, "bad")
    return see(url_for("board.board"), said=f"board.said-task-{said.state}", tone=tone)


def _width() -> str:
    asked = request.args.get("scope", SCOPES[0])
    return asked if asked in SCOPES else SCOPES[0]


def _widths(visit: Visit) -> list[str]:
    return [one for one in SCOPES if one != "team" or visit.me.team]


def _said(visit: Visit, shown: service.Board) -> dict[str, Any]:
    """Give what the template asks of each row: the sentence's key, its places, the button and where it leads."""

    def partner(row: Row) -> str:
        return shown.agencies.get(row.partner or "", {}).get(visit.language, "")

    return {"action": action_of, "partner": partner, "to": _url_of()}


def _url_of() -> Callable[[Action], str | None]:
    def url(action: Action) -> str | None:
        """Give the page of an action; none where this desk does not have it."""
        if action.endpoint not in current_app.view_functions:
            return None
        try:
            places: dict[str, Any] = dict(action.places)
            return url_for(action.endpoint, **places)
        except BuildError:
            return None

    return url
