# SPDX-License-Identifier: Apache-2.0
"""Sign in, unlock and make passkeys by one small script (`static/passkey.js`), and get in by a recovery code (ux D1).

The script asks for options, has the browser ask the device, and sends what it answers; it is told in words what came of
it. Where scripts are off, id, password and one-time code do the same.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Response as JsonResponse
from flask import jsonify, request, session, url_for
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, generate_challenge
from werkzeug.wrappers import Response

from connectors.desk.staff import pages, passkeys, reads, recovery, rules, service
from connectors.desk.staff.passkeys import Place
from connectors.desk.staff.service import NotLetIn
from connectors.desk.web.filling import LONGEST_LINE, Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import own_path, render, render_again, see
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit

blueprint: Final = pages.blueprint
_CHALLENGE: Final = "challenge"
_REFUSED: Final = 422


@page(blueprint, "/signin/passkey/options", who=Access.EVERYBODY, methods=("POST",))
def passkey_options(visit: Visit) -> Response:
    """Give what the browser needs to ask for a passkey, to sign in or to unlock."""
    place = _place(visit)
    if place is None:
        return _no(visit, str(rules.passkey_hindrance(visit.site.origin)))
    return _options(passkeys.asking_options(place, _challenge(visit)))


@page(blueprint, "/signin/passkey", who=Access.EVERYBODY, methods=("POST",))
def passkey_sign_in(visit: Visit) -> Response:
    """Let somebody in by a passkey, or unlock the session of whoever locked it; say where to go."""
    sent, place, challenge = _sent(), _place(visit), _asked(visit)
    wish = own_path(str(sent.get("next", "")), "/")
    if place is None or challenge is None:
        return _no(visit, "staff.passkey-none-let-in")
    with visit.book() as connection:
        member = passkeys.owner(connection, place, _credential(sent), challenge=challenge, now=visit.at)
        if member is None:
            return _no(visit, "staff.passkey-none-let-in")
        there = reads.session_of(connection, str(session.get(pages.SESSION_TOKEN, "")))
        if there is not None and there.locked:
            if there.member.id != member:
                return _no(visit, "staff.passkey-of-somebody-else")
            service.reopen(connection, there.id, now=visit.at)
            return jsonify(to=url_for("staff.locked", opened=1, next=wish))
        begun = service.begin(connection, member, now=visit.at)
    return jsonify(to=pages.go_in(visit, begun, wish).location)


@page(blueprint, "/passkeys/options", who=Access.STAFF, methods=("POST",))
def passkey_making(visit: Visit) -> Response:
    """Give what the browser needs to make a passkey, to whoever says their password once more."""
    sent, place = _sent(), _place(visit)
    if place is None:
        return _no(visit, str(rules.passkey_hindrance(visit.site.origin)))
    filled = Filled(values=request.form)
    with visit.book() as connection:
        account = reads.account(connection, visit.me.id)
        login = account.login if account else ""
        answer = service.checked(connection, login, str(sent.get("password", ""))[: LONGEST_LINE * 2], now=visit.at)
        if isinstance(answer, NotLetIn):
            pages.blame(filled, "password", answer, visit)
            fault = filled.faults["password"]
            return _no(visit, fault.key, **fault.places)
        return _options(passkeys.making_options(connection, place, visit.me, login, _challenge(visit)))


@page(blueprint, "/passkeys", who=Access.STAFF, methods=("POST",))
def passkey_take(visit: Visit) -> Response:
    """Take a new passkey of whoever has signed in."""
    sent, place, challenge = _sent(), _place(visit), _asked(visit)
    name = " ".join(str(sent.get("name", "")).split())[: passkeys.LONGEST_NAME] or visit.me.name
    if place is None or challenge is None or not name.isprintable():
        return _no(visit, "staff.passkey-not-taken")
    with visit.book() as connection:
        is_taken = passkeys.take(
            connection, place, visit.me.id, _credential(sent), challenge=challenge, name=name, now=visit.at
        )
    if not is_taken:
        return _no(visit, "staff.passkey-not-taken")
    return jsonify(to=see(own_path(str(sent.get("next", "")), "/"), said="staff.passkey-taken").location)


@page(blueprint, "/recover", who=Access.EVERYBODY, methods=("GET", "POST"))
def recover(visit: Visit) -> Response | tuple[str, int]:
    """Let somebody who lost their device set password and second factor anew, by password and a recovery code."""
    filled = Filled.of_request()
    if request.method == "GET":
        return render("staff/recover.html")
    login, password = filled.line("login", required=True), filled.values.get("password", "")[: LONGEST_LINE * 2]
    code = filled.line("recovery", required=True)
    if not filled.is_fine:
        return render_again("staff/recover.html", filled)
    with visit.book() as connection:
        answer = recovery.recover(connection, login, password, code, now=visit.at)
    if isinstance(answer, NotLetIn):
        pages.blame(filled, "login", answer, visit)
        return render_again("staff/recover.html", filled)
    return pages.begin_to_join(answer)


def _place(visit: Visit) -> Place | None:
    host = rules.passkey_host(visit.site.origin)
    settings = visit.site.connector.settings
    return Place(host=host, origin=visit.site.origin, agency=settings.name_ja) if host else None


def _challenge(visit: Visit) -> bytes:
    """Make a challenge and keep it in the session until it is answered."""
    made = generate_challenge()
    session[_CHALLENGE] = [bytes_to_base64url(made), visit.at.timestamp()]
    return made


def _asked(visit: Visit) -> bytes | None:
    """Give the challenge that was asked in this session, while an answer to it counts."""
    kept = session.pop(_CHALLENGE, None)
    if not isinstance(kept, list) or visit.at.timestamp() - float(kept[1]) > rules.CHALLENGED_FOR.total_seconds():
        return None
    return base64url_to_bytes(str(kept[0]))


def _sent() -> dict[str, Any]:
    sent = request.get_json(silent=True)
    return sent if isinstance(sent, dict) else {}


def _credential(sent: dict[str, Any]) -> dict[str, Any]:
    credential = sent.get("credential")
    return credential if isinstance(credential, dict) else {}


def _options(written: str) -> Response:
    return JsonResponse(written, mimetype="application/json")


def _no(visit: Visit, key: str, **places: str) -> Response:
    answer = jsonify(said=text(key, visit.language, **places))
    answer.status_code = _REFUSED
    return answer
