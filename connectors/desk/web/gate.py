# SPDX-License-Identifier: Apache-2.0
"""Who may open which page. A route exists only through `page`, which makes its author say who may open it.

Steps: 1 whoever signed in, by the session's cookie 2 a locked session goes to the lock page, which keeps what was
written 3 the roles 4 the view. The session itself is `desk.staff`'s; it is handed in as an `Admission`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, Protocol, cast

from flask import Blueprint, current_app, g, redirect, request, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from connectors.desk.web.site import here
from connectors.desk.web.visits import Access, Member, Visit
from consent.vocabulary.codes import Language

ADMISSION: Final = "tsunagi-desk-admission"
_LANGUAGE_COOKIE: Final = "language"

View = Callable[..., Response | str | tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Whose session a request belongs to, and whether it is locked for having been idle."""

    member: Member
    session: str
    locked: bool


class Admission(Protocol):
    """Tells whose session a request belongs to; fulfilled by `desk.staff`."""

    def admitted(self) -> Admitted | None:
        """Give whoever has signed in, noting that they are active; none where nobody has."""
        ...

    def keep(self, session: str) -> None:
        """Keep the form of this request, which a locked session sent, for when it is unlocked."""
        ...


def page(blueprint: Blueprint, rule: str, *, who: Access, methods: Sequence[str] = ("GET",)) -> Callable[[View], View]:
    """Make a function `(visit, **places)` the page at `rule` for whom it is."""

    def register(view: View) -> View:
        @wraps(view)
        def handle(**places: Any) -> Response | str | tuple[str, int]:
            answer = _enter(who)
            if isinstance(answer, Response):
                return answer
            return view(answer, **places)

        handle.access = who  # type: ignore[attr-defined]  # read by the test that counts routes
        blueprint.add_url_rule(rule, view.__name__, handle, methods=list(methods))
        return view

    return register


def language_of_request() -> Language:
    """Tell the language: chosen on a page before, else the browser's wish, else Japanese."""
    chosen = request.cookies.get(_LANGUAGE_COOKIE)
    if chosen in {"ja", "en"}:
        return cast("Language", chosen)
    return cast("Language", request.accept_languages.best_match(["ja", "en"], "ja"))


def visit_of_request() -> Visit:
    """Give the visit of this request, for error pages too."""
    visit: Visit | None = g.get("visit")
    if visit is None:
        visit = Visit(site=here(), who=None, language=language_of_request(), at=here().now())
        g.visit = visit
    return visit


def _enter(who: Access) -> Visit | Response:
    admission = cast("Admission", current_app.extensions[ADMISSION])
    admitted = admission.admitted()  # 1
    visit = Visit(
        site=here(),
        who=admitted.member if admitted and not admitted.locked else None,
        language=language_of_request(),
        at=here().now(),
        session=admitted.session if admitted else None,
    )
    g.visit = visit
    if who is Access.EVERYBODY:
        return visit
    if admitted is None:
        return redirect(url_for("staff.sign_in", next=_way_back()), 303)
    if admitted.locked:  # 2
        if request.method == "POST":
            admission.keep(admitted.session)
        return redirect(url_for("staff.locked", next=_way_back()), 303)
    if not visit.may(who):  # 3
        raise Forbidden
    return visit


def _way_back() -> str:
    """Give where the person wanted to go: a page of ours; a form's own address is not one to open again."""
    return request.full_path.rstrip("?") if request.method == "GET" else ""
