# SPDX-License-Identifier: Apache-2.0
"""Sign in by passkey, or once by a code from the hub's machine; make and remove passkeys; sign out; language.

A passkey needs the browser's script (`static/passkey.js`): it asks for options, has the device answer, and sends that.
Where scripts are off, or browsers allow no passkeys (a hub at a bare number), a new one-time code does the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from flask import Response, jsonify, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from consent import wire
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base.db import Duty, Session, now
from hub.console import guard, wording
from hub.console.pages import SEE_OTHER, as_response, own_path, page, see
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.staff import invitations, passkeys, sessions
from hub.staff import reads as staff
from hub.staff.passkeys import LONGEST_ANSWER, Place
from hub.staff.reads import Member
from hub.staff.rules import passkey_host
from hub.web.permissions import OPEN

REFUSED: Final = 422
TOO_MANY: Final = 429
_LONGEST_CODE: Final = 100
SAID: Final = frozenset({"passkey-made", "passkey-removed", "passkey-last", "make-passkey"})
"""What the account's page may be asked to say."""


@page("/signin", permission=OPEN, methods=("GET", "POST"))
def sign_in(visit: Visit) -> Answer | tuple[str, int]:
    """Let somebody in by a one-time code, and show the button that lets them in by passkey."""
    wish = own_path(request.values.get("next"))
    if visit.who is not None:
        return see(wish)
    if request.method == "GET":
        return render("signin.html", wish=wish, host=_host(visit), fault=None)
    code = request.form.get("code", "")[:_LONGEST_CODE]
    with visit.doing(Duty.SIGN_IN) as session:
        answer = invitations.redeem(session, code, source=_source(), now=now(session))
        token = _begin(session, answer, "code") if isinstance(answer, Member) else None
    if isinstance(answer, timedelta):
        return _wait(visit, answer, wish)
    if token is None:
        return render("signin.html", status=REFUSED, wish=wish, host=_host(visit), fault="signin.fault-code")
    response = as_response(redirect(url_for("console.me", said="make-passkey"), SEE_OTHER))
    guard.keep_session(response, token)
    return response


@page("/passkey/options", permission=OPEN, methods=("POST",))
def passkey_options(visit: Visit) -> Answer:
    """Give what the browser needs to ask for a passkey."""
    place = _place(visit)
    if place is None:
        return _no(visit, "signin.no-passkeys-here")
    with visit.doing(Duty.SIGN_IN) as session:
        made = passkeys.asking_options(session, place, visitor=guard.visitor(), now=now(session))
    return Response(made, mimetype="application/json")


@page("/passkey", permission=OPEN, methods=("POST",))
def passkey_sign_in(visit: Visit) -> Answer:
    """Let somebody in by a passkey; say where to go."""
    place, sent = _place(visit), _sent()
    if place is None:
        return _no(visit, "signin.no-passkeys-here")
    with visit.doing(Duty.SIGN_IN) as session:
        answer = passkeys.owner(
            session, place, _credential(sent), visitor=guard.visitor(), source=_source(), now=now(session)
        )
        token = _begin(session, answer, "passkey") if isinstance(answer, Member) else None
    if isinstance(answer, timedelta):
        refused = _no(visit, "signin.fault-wait", status=TOO_MANY, n=_minutes(answer))
        refused.headers["Retry-After"] = str(int(answer.total_seconds()) + 1)
        return refused
    if token is None:
        return _no(visit, "signin.fault-passkey")
    response = jsonify(to=own_path(str(sent.get("next", ""))))
    guard.keep_session(response, token)
    return response


@page("/me", permission="console.self")
def me(visit: Visit) -> tuple[str, int]:
    """Show who has signed in, in which role, and their passkeys."""
    said = request.args.get("said")
    with visit.doing(Duty.SIGN_IN) as session:
        known = staff.passkeys_of(session, visit.me.id)
    return render("me.html", passkeys=known, host=_host(visit), said=said if said in SAID else None)


@page("/passkeys/options", permission="console.self", methods=("POST",))
def passkey_making(visit: Visit) -> Answer:
    """Give what the browser needs to make a passkey."""
    place = _place(visit)
    if place is None:
        return _no(visit, "signin.no-passkeys-here")
    with visit.doing(Duty.SIGN_IN) as session:
        made = passkeys.making_options(session, place, visit.me, visitor=guard.visitor(), now=now(session))
    return Response(made, mimetype="application/json")


@page("/passkeys", permission="console.self", methods=("POST",))
def passkey_take(visit: Visit) -> Answer:
    """Take a new passkey of whoever has signed in."""
    place, sent = _place(visit), _sent()
    if place is None:
        return _no(visit, "signin.no-passkeys-here")
    with visit.doing(Duty.SIGN_IN) as session:
        is_taken = passkeys.take(session, place, visit.me, _credential(sent), visitor=guard.visitor(), now=now(session))
    if not is_taken:
        return _no(visit, "signin.passkey-not-taken")
    return jsonify(to=url_for("console.me", said="passkey-made"))


@page("/passkeys/remove", permission="console.self", methods=("POST",))
def passkey_remove(visit: Visit) -> Answer:
    """Remove one passkey of whoever has signed in; the last one stays until there is another."""
    with visit.doing(Duty.SIGN_IN) as session:
        known = staff.passkeys_of(session, visit.me.id)
        is_last = len(known) <= 1
        if not is_last:
            passkeys.remove(session, visit.me, request.form.get("passkey", ""), now=now(session))
    return see(url_for("console.me", said="passkey-last" if is_last else "passkey-removed"))


@page("/signout", permission=OPEN, methods=("POST",))
def sign_out(visit: Visit) -> Answer:
    """End this session, or with `everywhere` every session of whoever signed in."""
    if visit.who is not None:
        with visit.doing(Duty.SIGN_IN) as session:
            if request.form.get("everywhere"):
                sessions.end_all(session, visit.who.id, now=now(session))
            sessions.end(session, visit.token, now=now(session))
    response = as_response(see(url_for("console.sign_in")))
    guard.drop_session(response)
    return response


@page("/language/<chosen>", permission=OPEN)
def language(visit: Visit, chosen: str) -> Answer:  # noqa: ARG001 - every page is given its visit
    """Choose the language of the pages for this browser."""
    answer = as_response(redirect(own_path(request.args.get("next")), SEE_OTHER))
    if chosen in {"ja", "en"}:
        guard.keep_language(answer, chosen)
    return answer


def _begin(session: Session, member: Member, by: str) -> str:
    """Begin a session and log it; a session that this browser had before is over (WEB-04)."""
    at = now(session)
    old = guard.session_token()
    if old:
        sessions.end(session, old, now=at)
    facts = {"role": member.role.value, "by": by}
    parties = (member.agency,) if member.agency else ()
    entry = Entry(kind=AuditKind.STAFF_SIGNED_IN, actor=member.id, parties=parties, subject=member.id, facts=facts)
    audit.append(session, entry, now=at)
    return sessions.begin(session, member.id, now=at)


def _wait(visit: Visit, wait: timedelta, wish: str) -> Answer:
    body, status = render(
        "signin.html", status=TOO_MANY, wish=wish, host=_host(visit), fault="signin.fault-wait", minutes=_minutes(wait)
    )
    return make_response(body, status, {"Retry-After": str(int(wait.total_seconds()) + 1)})


def _minutes(wait: timedelta) -> int:
    return max(1, round(wait.total_seconds() / 60))


def _source() -> str:
    return request.remote_addr or ""


def _host(visit: Visit) -> str | None:
    return passkey_host(visit.hub.settings.issuer)


def _place(visit: Visit) -> Place | None:
    host = _host(visit)
    name = wording.text(visit.language, "frame.brand")
    return Place(host=host, origin=visit.hub.settings.issuer, name=name) if host else None


def _sent() -> Mapping[str, Any]:
    """Read what the script sent.

    *Raises* DocumentRefusedError: it is no JSON object of a fair size.
    """
    return wire.parse(request.get_data(cache=False), limit=LONGEST_ANSWER * 2)


def _credential(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    credential = sent.get("credential")
    return credential if isinstance(credential, Mapping) else {}


def _no(visit: Visit, key: str, *, status: int = REFUSED, **places: Any) -> Response:
    answer = jsonify(said=wording.text(visit.language, key, **places))
    answer.status_code = status
    return answer
