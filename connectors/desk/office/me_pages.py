# SPDX-License-Identifier: Apache-2.0
"""One's own account: password, authenticator, passkeys, recovery codes, where one is signed in."""

from __future__ import annotations

from typing import Any, Final

import pyotp
from flask import request, session, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.desk.office.blueprint import blueprint
from connectors.desk.staff import pages as staff_pages
from connectors.desk.staff import passkeys, reads, recovery, roster, rules, service
from connectors.desk.staff.service import NotLetIn
from connectors.desk.web.filling import LONGEST_LINE, Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit

_NEW_TOTP: Final = "new-totp"


@page(blueprint, "/office/me", who=Access.STAFF)
def me(visit: Visit) -> tuple[str, int]:
    """Show one's own account."""
    with visit.book() as connection:
        facts: dict[str, Any] = {
            "account": reads.account(connection, visit.me.id),
            "passkeys": passkeys.passkeys_of(connection, visit.me.id),
            "codes_left": recovery.count_left(connection, visit.me.id),
            "seats": roster.seats_of(connection, visit.me.id, limits=visit.site.limits, now=visit.at),
        }
    return render("office/me.html", **facts, **staff_pages.passkey_facts(visit))


@page(blueprint, "/office/me/password", who=Access.STAFF, methods=("GET", "POST"))
def password(visit: Visit) -> Response | tuple[str, int]:
    """Change one's password; every other session ends."""
    filled, new = Filled.of_request(), request.form.get("new", "")
    if request.method == "GET":
        return render("office/password.html")
    if _knows(visit, filled, "old"):
        fault = rules.password_fault(new, login=_login(visit))
        if fault is not None:
            filled.blame("new", fault)
        elif new != filled.values.get("again", ""):
            filled.blame("again", "staff.fault-again")
    if not filled.is_fine:
        return render_again("office/password.html", filled)
    with visit.book() as connection:
        service.set_password(connection, visit.me.id, new, now=visit.at)
        begun = service.begin(connection, visit.me.id, now=visit.at)
    session[staff_pages.SESSION_TOKEN] = begun.token
    return see(url_for("office.me"), said="office.password-changed")


@page(blueprint, "/office/me/authenticator", who=Access.STAFF, methods=("GET", "POST"))
def authenticator(visit: Visit) -> Response | tuple[str, int]:
    """Set one's one-time codes up anew, for a new telephone."""
    filled = Filled.of_request()
    secret = str(session.setdefault(_NEW_TOTP, pyotp.random_base32()))
    facts: dict[str, Any] = {"secret": secret, "picture": staff_pages.picture_of(secret, _login(visit))}
    if request.method == "GET":
        return render("office/authenticator.html", **facts)
    code = filled.line("code", required=True)
    if _knows(visit, filled, "password") and filled.is_fine:
        with visit.book() as connection:
            if not service.set_totp(connection, visit.me.id, secret, code, now=visit.at):
                filled.blame("code", "staff.fault-code")
    if not filled.is_fine:
        return render_again("office/authenticator.html", filled, **facts)
    session.pop(_NEW_TOTP, None)
    return see(url_for("office.me"), said="office.authenticator-changed")


@page(blueprint, "/office/me/passkeys/new", who=Access.STAFF)
def passkey(visit: Visit) -> tuple[str, int]:
    """Offer to make a passkey on this device; the script beside the page does it."""
    return render("office/passkey.html", **staff_pages.passkey_facts(visit))


@page(blueprint, "/office/me/passkeys/<key>/name", who=Access.STAFF, methods=("POST",))
def name_passkey(visit: Visit, key: str) -> Response:
    """Call one of one's own passkeys something else."""
    filled = Filled.of_request()
    name = filled.line("name", required=True, longest=passkeys.LONGEST_NAME)
    if not filled.is_fine:
        return see(url_for("office.me"), said="office.passkey-not-named", tone="bad")
    with visit.book() as connection:
        if not passkeys.rename(connection, visit.me.id, key, name, now=visit.at):
            raise NotFound
    return see(url_for("office.me"), said="office.passkey-named")


@page(blueprint, "/office/me/passkeys/<key>/remove", who=Access.STAFF, methods=("POST",))
def remove_passkey(visit: Visit, key: str) -> Response:
    """Remove one of one's own passkeys."""
    with visit.book() as connection:
        if not passkeys.remove(connection, visit.me.id, key, now=visit.at):
            raise NotFound
    return see(url_for("office.me"), said="office.passkey-removed")


@page(blueprint, "/office/me/recovery", who=Access.STAFF, methods=("GET", "POST"))
def recovery_codes(visit: Visit) -> Response | tuple[str, int]:
    """Make ten recovery codes and show them, this once; the earlier ones end."""
    filled = Filled.of_request()
    if request.method == "GET":
        return render("office/recovery.html", made=None)
    if not _knows(visit, filled, "password"):
        return render_again("office/recovery.html", filled, made=None)
    with visit.book() as connection:
        made = recovery.new_codes(connection, visit.me.id, now=visit.at)
    return render("office/recovery.html", made=made)


@page(blueprint, "/office/me/sessions/end", who=Access.STAFF, methods=("POST",))
def end_sessions(visit: Visit) -> Response:
    """End one's sessions everywhere else."""
    with visit.book() as connection:
        ended = roster.end_sessions(connection, visit.me.id, by=visit.me.id, now=visit.at, keep=visit.session)
    return see(url_for("office.me"), said="office.sessions-ended", n=str(ended))


def _login(visit: Visit) -> str:
    with visit.book() as connection:
        account = reads.account(connection, visit.me.id)
    return account.login if account else ""


def _knows(visit: Visit, filled: Filled, field: str) -> bool:
    """Have somebody say their password once more; a wrong one counts as a try, and is blamed on its field."""
    login, said = _login(visit), filled.values.get(field, "")[: LONGEST_LINE * 2]
    with visit.book() as connection:
        answer = service.checked(connection, login, said, now=visit.at)
    if not isinstance(answer, NotLetIn):
        return True
    if answer.until is None:
        filled.blame(field, "office.fault-password")
    else:
        staff_pages.blame(filled, field, answer, visit)
    return False
