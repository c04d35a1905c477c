# SPDX-License-Identifier: Apache-2.0
"""The public page on which anybody can tell the agency of somebody in need: no account, little asked, little said.

It is closed until a supervisor opens it. Against machines: the guard that every form has, a field that people do not
see, a moment that filling in takes, and ten tips in ten minutes from one address. It never says whether somebody is
known here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flask import request, session, url_for
from werkzeug.exceptions import NotFound, TooManyRequests
from werkzeug.wrappers import Response

from connectors.casebook import finding, marks
from connectors.desk.finding import blueprint as finding_blueprint
from connectors.desk.finding import forms, pages
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit

blueprint: Final = finding_blueprint.blueprint
QUICKEST: Final = timedelta(seconds=3)
"""Nobody fills the page in faster."""
TRAP: Final = "website"
"""A field that people do not see; what fills it in is a machine."""
_BEGUN: Final = "tell-begun"
_PUBLIC: Final = "public-form"


@page(blueprint, "/tell", who=Access.EVERYBODY)
def tell(visit: Visit) -> tuple[str, int]:
    """Show the page, with what it may be used for."""
    _require_open(visit)
    session[_BEGUN] = visit.at.isoformat()
    return render("finding/tell.html", trap=TRAP)


@page(blueprint, "/tell", who=Access.EVERYBODY, methods=("POST",))
def told(visit: Visit) -> Response | tuple[str, int]:
    """Take a tip in; a machine gets the same thanks and nothing is kept of it."""
    _require_open(visit)
    _slow_down(visit)
    filled = Filled.of_request()
    if filled.has(TRAP):
        return see(url_for("finding.thanks"))
    if not filled.has("understood"):
        filled.blame("understood", "finding.fault-understood")
    if not _took_a_moment(visit):
        filled.blame("signs", "finding.fault-too-quick")
    tip = forms.read_tip(filled, visit, came_by=finding.BY_FORM, staff=None)
    if tip is None:
        return render_again("finding/tell.html", filled, trap=TRAP)
    with visit.book() as connection:
        finding.keep(connection, tip, by=_PUBLIC)
    session.pop(_BEGUN, None)
    return see(url_for("finding.thanks"))


@page(blueprint, "/tell/thanks", who=Access.EVERYBODY)
def thanks(visit: Visit) -> tuple[str, int]:
    """Thank, and say what happens now."""
    _require_open(visit)
    return render("finding/thanks.html")


def _require_open(visit: Visit) -> None:
    with visit.book() as connection:
        if marks.recall(connection, pages.FORM_IS_OPEN) != "yes":
            raise NotFound


def _slow_down(visit: Visit) -> None:
    """Count every tip of an address, taken or not; sign-in's own count forgets those that went well."""
    wait = visit.site.tries.begin([f"tips:{request.remote_addr}"], visit.at)
    if wait is not None:
        raise TooManyRequests(retry_after=max(1, round(wait.total_seconds())))


def _took_a_moment(visit: Visit) -> bool:
    begun = session.get(_BEGUN)  # signed with the cookie's key: nobody but this desk wrote it
    return begun is not None and visit.at - datetime.fromisoformat(begun) >= QUICKEST
