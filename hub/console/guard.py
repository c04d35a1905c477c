# SPDX-License-Identifier: Apache-2.0
"""The console's cookies, and the guard of its forms against other sites (bad-input WEB-01, WEB-03).

Each browser has a random visitor cookie that no script reads. A form carries the hash of it together with the session's
cookie: another site cannot read the cookies, another session's form carries another hash, and before anybody has signed
in the visitor cookie alone makes it. Nothing is kept on the server, and no key need be shared by its processes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from flask import Response, g, request

from hub.base.errors import ForbiddenError
from hub.web.manners import request_hub

FIELD: Final = "csrf_token"
HEADER: Final = "X-CSRFToken"
LANGUAGE: Final = "tsunagi-console-language"
_A_YEAR: Final = 365 * 24 * 3600
_LONGEST: Final = 100
_SITES: Final = frozenset({"same-origin", "none"})


def visitor() -> str:
    """Give this browser's random name, making one if it has none yet."""
    if "visitor" not in g:
        given = request.cookies.get(_name("visitor"), "")
        g.visitor = given if 0 < len(given) <= _LONGEST and given.isascii() else _new_visitor()
    return str(g.visitor)


def session_token() -> str:
    """Give the session's cookie as it was sent, or nothing."""
    given = request.cookies.get(_name("session"), "")
    return given if len(given) <= _LONGEST else ""


def form_token(token: str) -> str:
    """Give what a form must carry, for the browser of this request and the session `token`."""
    return hashlib.sha256(f"{visitor()}\n{token}".encode("utf-8", "surrogatepass")).hexdigest()


def check(token: str) -> None:
    """See that a form was made by us for this browser and this session.

    *Raises* ForbiddenError: csrf.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    given = request.headers.get(HEADER) or request.form.get(FIELD, "")
    # our own pages ask browsers to tell nobody where they are (Referrer-Policy), so their forms come from `null`
    is_ours = site in _SITES and origin in {None, "null", request_hub().settings.issuer}
    expected = form_token(token).encode()
    if not is_ours or not hmac.compare_digest(expected, given.encode("utf-8", "surrogatepass")):
        raise ForbiddenError("csrf")


def keep_session(response: Response, token: str) -> None:
    """Give the browser its session; it is a new visitor from now on, so that forms made before open nothing."""
    _set(response, "session", token)
    g.visitor = _new_visitor()


def drop_session(response: Response) -> None:
    """Take the session's cookie back."""
    response.delete_cookie(_name("session"), path="/", secure=_is_secure(), httponly=True, samesite="Strict")
    g.visitor = _new_visitor()


def keep_language(response: Response, language: str) -> None:
    """Remember the language of the pages for this browser."""
    response.set_cookie(
        LANGUAGE, language, max_age=_A_YEAR, path="/console", secure=_is_secure(), httponly=True, samesite="Lax"
    )


def keep_visitor(response: Response) -> Response:
    """Give the browser its name, if it was made in this request."""
    if g.pop("visitor_made", False):
        _set(response, "visitor", visitor())
    return response


def _new_visitor() -> str:
    g.visitor_made = True
    return secrets.token_urlsafe(32)


def _set(response: Response, name: str, value: str) -> None:
    response.set_cookie(_name(name), value, path="/", secure=_is_secure(), httponly=True, samesite="Strict")


def _name(name: str) -> str:
    """`__Host-` has browsers take the cookie from this host alone, and only over HTTPS (RFC 6265bis §4.1.3.2)."""
    return f"{'__Host-' if _is_secure() else ''}tsunagi-console-{name}"


def _is_secure() -> bool:
    return request_hub().settings.issuer.startswith("https://")
