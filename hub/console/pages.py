# SPDX-License-Identifier: Apache-2.0
"""Who may open which page. A route of the console exists only through `page`, which makes its author name a permission.

Steps: 1 whoever signed in, by the session's cookie 2 nobody: to the sign-in page 3 the role, by the table of
`hub/web/permissions.py` 4 a form must be ours 5 the view.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from hub.base.db import Duty, now
from hub.base.errors import UnauthorizedError
from hub.console import guard
from hub.console.visits import ROLES, Visit
from hub.staff import sessions
from hub.web.gate import Caller
from hub.web.manners import request_hub
from hub.web.permissions import PERMISSIONS, declares

blueprint: Final = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")
HOME: Final = "/console"
SEE_OTHER: Final = 303

View = Callable[..., Answer | str | tuple[str, int]]


def page(rule: str, *, permission: str, methods: Sequence[str] = ("GET",)) -> Callable[[View], View]:
    """Make a function `(visit, **places)` the page at `rule`, for whom `permission` lets in.

    *Raises* KeyError: there is no such permission.
    """

    def register(view: View) -> View:
        @wraps(view)
        def handle(**places: Any) -> Answer | str | tuple[str, int]:
            visit = _enter()
            if visit.who is None and not PERMISSIONS[permission].open:
                return _to_sign_in()
            if visit.who is not None:
                caller = Caller(agency="", client="", scopes=frozenset(), role=ROLES[visit.who.role])
                request_hub().gate.require(permission, caller)
            if request.method == "POST":
                guard.check(visit.token)
            return view(visit, **places)

        blueprint.add_url_rule(rule, view.__name__, declares(permission)(handle), methods=list(methods))
        return view

    return register


def visit_of_request() -> Visit:
    """Give the visit of this request; before anybody has been recognised it is nobody's, for error pages."""
    if "visit" not in g:
        g.visit = Visit(hub=request_hub(), language=language_of_request(), at=None)
    found: Visit = g.visit
    return found


def language_of_request() -> str:
    """Tell the language: chosen on a page before, else the browser's wish, else Japanese."""
    chosen = request.cookies.get(guard.LANGUAGE)
    return chosen if chosen in {"ja", "en"} else str(g.language)


def see(url: str) -> Answer:
    """Send the browser on after a change (POST → 303 → GET)."""
    return redirect(url, SEE_OTHER)


def own_path(wish: str | None, otherwise: str = HOME) -> str:
    """Give a path of the console that somebody wished to go to, or another one where it leads elsewhere (WEB-10)."""
    if not wish or not wish.isprintable() or not wish.isascii() or "\\" in wish:
        return otherwise
    try:
        parts = urlsplit(wish)
    except ValueError:
        return otherwise
    climbs = ".." in parts.path.split("/")
    is_ours = (
        not climbs
        and not parts.scheme
        and not parts.netloc
        and (parts.path == HOME or parts.path.startswith(f"{HOME}/"))
    )
    return wish if is_ours else otherwise


def _enter() -> Visit:
    hub, token = request_hub(), guard.session_token()
    who = at = None
    if token:
        with hub.database.transaction(None, Duty.SIGN_IN) as session:
            at = now(session)
            found = sessions.standing(session, token, now=at)
            who = None if found is None else found.member
    g.visit = Visit(hub=hub, language=language_of_request(), at=at, who=who, token=token if who else "")
    return visit_of_request()


def _to_sign_in() -> Answer:
    """Send a browser to the sign-in page, and back to the page afterwards; a script is told that nobody is here.

    *Raises* UnauthorizedError: a script asks.
    """
    if request.is_json:
        raise UnauthorizedError
    wish = request.full_path.rstrip("?") if request.method == "GET" else HOME
    return redirect(url_for("console.sign_in", next=wish), SEE_OTHER)


def as_response(answer: Answer) -> Response:
    """Give an answer as Flask's own kind, on which cookies are set."""
    if not isinstance(answer, Response):
        raise TypeError("not-a-response")
    return answer
