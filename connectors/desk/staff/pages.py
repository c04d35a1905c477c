# SPDX-License-Identifier: Apache-2.0
"""Sign in, make the first administrator, set a password and one-time codes, lock, sign out, language (ux D1)."""

from __future__ import annotations

from typing import Any, Final

import pyotp
import segno
from flask import Blueprint, redirect, request, session, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.casebook.house import house
from connectors.desk.staff import reads, rules, service
from connectors.desk.web.filling import LONGEST_LINE, Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import own_path, render, render_again, see
from connectors.desk.web.visits import Access, Role, Visit
from connectors.desk.web.when import say_moment

blueprint: Final = Blueprint("staff", __name__)

SESSION_TOKEN: Final = "session"  # noqa: S105 - the name of a place, not a secret
"""Where the browser's signed cookie keeps the session's token."""
_PENDING: Final = "pending"
_A_YEAR: Final = 365 * 24 * 3600
_ISSUER: Final = "Tsunagi"


@page(blueprint, "/signin", who=Access.EVERYBODY, methods=("GET", "POST"))
def sign_in(visit: Visit) -> Response | tuple[str, int]:
    """Let somebody in by id, password and one-time code; the same sentence whatever was wrong."""
    filled = Filled.of_request()
    wish = own_path(request.values.get("next"), "")
    if visit.who is not None:  # here already; the menu's counts must not ask the casebook inside this transaction
        return redirect(wish or "/", 303)
    with visit.book() as connection:
        if not reads.is_anybody_here(connection):
            return redirect(url_for("staff.set_up"), 303)
        facts = _sign_in_facts(visit, house(connection).notice)
        if request.method == "GET":
            return render("staff/signin.html", wish=wish, **facts)
        login, password = filled.line("login", required=True), filled.values.get("password", "")[: LONGEST_LINE * 2]
        answer = service.sign_in(connection, login, password, filled.line("code"), now=visit.at)
    if isinstance(answer, service.NotLetIn):
        blame(filled, "login", answer, visit)
        return render_again("staff/signin.html", filled, wish=wish, **facts)
    return go_in(visit, answer, wish)


@page(blueprint, "/enter/<ticket>", who=Access.EVERYBODY)
def enter(visit: Visit, ticket: str) -> Response:
    """Enter a desk of sample data by a ticket that the demo printed; every other desk has no such page."""
    if not visit.site.sample:
        raise NotFound
    with visit.book() as connection:
        member = service.holder(connection, ticket)
        if member is None:
            raise NotFound
        begun = service.begin(connection, member, now=visit.at)
    session.clear()
    session[SESSION_TOKEN] = begun.token
    return redirect(own_path(request.args.get("next"), "/"), 303)


@page(blueprint, "/setup", who=Access.EVERYBODY, methods=("GET", "POST"))
def set_up(visit: Visit) -> Response | tuple[str, int]:
    """Make the first administrator, by the code that the program printed when it started."""
    filled = Filled.of_request()
    with visit.book() as connection:
        if reads.is_anybody_here(connection):
            return redirect(url_for("staff.sign_in"), 303)
        if request.method == "GET":
            return render("staff/setup.html")
        name, login = filled.line("name", required=True), filled.line("login", required=True)
        if not service.is_setup_code(connection, filled.line("setup_code", required=True)):
            filled.blame("setup_code", "staff.fault-setup-code")
        if not filled.is_fine:
            return render_again("staff/setup.html", filled)
        _, code = service.enrol(
            connection, login=login, name=name, team="", roles=frozenset(Role), by="setup", now=visit.at
        )
    return begin_to_join(code)


@page(blueprint, "/join", who=Access.EVERYBODY, methods=("GET", "POST"))
def join(visit: Visit) -> Response | tuple[str, int]:
    """Set a password and one-time codes, invited by a set-up code; then whoever it is has signed in."""
    filled = Filled.of_request()
    if visit.who is not None:
        return redirect("/", 303)
    code = filled.line("invitation") or str(session.get(_PENDING, ""))
    with visit.book() as connection:
        member = service.invited(connection, code, now=visit.at) if code else None
        if member is None:
            if request.method == "POST":
                filled.blame("invitation", "staff.fault-invitation")
                return render_again("staff/invitation.html", filled)
            return render("staff/invitation.html")
        session[_PENDING] = code
        secret = str(session.setdefault("totp", pyotp.random_base32()))
        account = reads.account(connection, member)
        login = account.login if account else ""
        facts: dict[str, Any] = {"login": login, "secret": secret, "picture": picture_of(secret, login)}
        if request.method == "GET" or not filled.values.get("password"):
            return render("staff/join.html", **facts)
        password = filled.values["password"]
        fault = rules.password_fault(password, login=login)
        if fault is not None:
            filled.blame("password", fault)
        elif password != filled.values.get("again", ""):
            filled.blame("again", "staff.fault-again")
        if filled.is_fine and not service.set_totp(connection, member, secret, filled.line("code"), now=visit.at):
            filled.blame("code", "staff.fault-code")
        if not filled.is_fine:
            return render_again("staff/join.html", filled, **facts)
        service.set_password(connection, member, password, now=visit.at)
        begun = service.begin(connection, member, now=visit.at)
    session.clear()
    session[SESSION_TOKEN] = begun.token
    return see("/", said="staff.welcome")


@page(blueprint, "/locked", who=Access.EVERYBODY, methods=("GET", "POST"))
def locked(visit: Visit) -> Response | tuple[str, int]:
    """Unlock a session that was idle; what was written while it was locked is shown again, to be sent."""
    wish, filled = own_path(request.values.get("next"), "/"), Filled.of_request()
    if visit.who is not None and "opened" not in request.args:  # opened by a passkey: what was kept is to be shown yet
        return redirect(wish, 303)
    facts: dict[str, Any] = {"wish": wish, **passkey_facts(visit)}
    with visit.book() as connection:
        found = reads.session_of(connection, str(session.get(SESSION_TOKEN, "")))
        if found is None:
            return redirect(url_for("staff.sign_in", next=wish), 303)
        is_open = request.method == "GET" and "opened" in request.args and not found.locked  # by a passkey
        if request.method == "POST":
            answer = service.unlock(connection, found, filled.values.get("password", ""), now=visit.at)
            if isinstance(answer, service.NotLetIn):
                blame(filled, "password", answer, visit)
            else:
                is_open = True
        kept = service.take_kept(connection, found.id) if is_open else None
    # rendered when the transaction has ended: the menu's counts ask the casebook too
    if is_open:
        return _opened(kept, wish)
    if not filled.is_fine:
        return render_again("staff/locked.html", filled, name=found.member.name, **facts)
    return render("staff/locked.html", name=found.member.name, **facts)


@page(blueprint, "/lock", who=Access.STAFF, methods=("POST",))
def lock(visit: Visit) -> Response:
    """Lock the desk at once, for whoever walks away from it."""
    with visit.book() as connection:
        service.lock(connection, str(visit.session))
    return redirect(url_for("staff.locked", next=own_path(request.form.get("next"), "/")), 303)


@page(blueprint, "/signout", who=Access.EVERYBODY, methods=("POST",))
def sign_out(visit: Visit) -> Response:
    """End the session."""
    with visit.book() as connection:
        found = reads.session_of(connection, str(session.get(SESSION_TOKEN, "")))
        if found is not None:
            service.end(connection, found.id)
    session.clear()
    return see(url_for("staff.sign_in"), said="staff.signed-out")


@page(blueprint, "/language/<chosen>", who=Access.EVERYBODY)
def language(_: Visit, chosen: str) -> Response:
    """Choose the language of the pages for this browser."""
    answer = redirect(own_path(request.args.get("next"), "/"), 303)
    if chosen in {"ja", "en"}:
        answer.set_cookie("language", chosen, max_age=_A_YEAR, samesite="Lax", httponly=True, secure=request.is_secure)
    return answer


def go_in(visit: Visit, begun: service.SignedIn, wish: str) -> Response:
    """Let whoever has signed in go on, and say when they were here last."""
    session.clear()
    session[SESSION_TOKEN] = begun.token
    seen = begun.seen_before_at
    if seen is None:
        return see(wish or "/", said="staff.welcome")
    return see(wish or "/", said="staff.seen-before", day=say_moment(seen, visit.language))


def passkey_facts(visit: Visit) -> dict[str, Any]:
    """Give what a page says of passkeys: whether this desk can have them, else why not."""
    return {"hindrance": rules.passkey_hindrance(visit.site.origin)}


def begin_to_join(code: str) -> Response:
    """Send somebody on to set password and one-time codes, by a set-up code that need not be typed."""
    session.clear()
    session[_PENDING] = code
    return redirect(url_for("staff.join"), 303)


def _opened(kept: dict[str, Any] | None, wish: str) -> Response | tuple[str, int]:
    if kept is not None:
        return render("staff/kept.html", path=kept["path"], fields=kept["fields"])
    return redirect(wish, 303)


def _sign_in_facts(visit: Visit, notice: str) -> dict[str, Any]:
    return {"agency": visit.site.connector.settings, "notice": notice, **passkey_facts(visit)}


def blame(filled: Filled, field: str, answer: service.NotLetIn, visit: Visit) -> None:
    """Note at a field why somebody was not let in."""
    if answer.until is None:
        filled.blame(field, "staff.fault-not-let-in")
        return
    minutes = max(1, round((answer.until - visit.at).total_seconds() / 60))
    filled.blame(field, "staff.fault-barred", minutes=str(minutes))


def picture_of(secret: str, login: str) -> str:
    """Draw the secret of one-time codes for a telephone to read."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER)
    return segno.make(uri, error="m").svg_inline(scale=5, border=2, omitsize=False)
