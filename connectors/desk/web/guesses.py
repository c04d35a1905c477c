# SPDX-License-Identifier: Apache-2.0
"""Slow down whoever guesses: tries at what needs no sign-in are counted, per account and per source.

A try counts until it has succeeded, so that many at once get no further than one after the other. What is turned away
does not count again: nobody is shut out for longer than the ten minutes after their tenth try. How long an account
waits after wrong words in a row is the staff slice's and stands in the casebook.
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Final

from flask import Flask, g, request
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from connectors.desk.web.site import here
from connectors.desk.web.visits import Access

_REFUSED_FROM: Final = 400
_HARMLESS: Final = frozenset({"staff.sign_out"})
"""Pages for everybody at which there is nothing to guess."""


def slow_down_guesses(app: Flask) -> None:
    """Have every try at a page for everybody counted. Called before anything else of a request is looked at."""

    @app.before_request
    def _before() -> None:
        view = app.view_functions.get(request.endpoint or "")
        is_for_all = getattr(view, "access", None) is Access.EVERYBODY
        if request.method != "POST" or not is_for_all or request.endpoint in _HARMLESS:
            return
        wait = here().tries.begin([_source(), *_accounts()], here().now())
        if wait is not None:
            raise TooManyRequests(retry_after=max(1, round(wait.total_seconds())))
        g.tries = True

    @app.after_request
    def _after(response: Response) -> Response:
        if g.pop("tries", False) and response.status_code < _REFUSED_FROM:
            here().tries.succeeded(_source(), _accounts())
        return response


def _source() -> str:
    return f"source:{request.remote_addr}"


def _accounts() -> list[str]:
    """Name whose account a form tries, folded as sign-in folds it; kept as a hash, so that memory names nobody."""
    typed = request.form.get("login", "")
    folded = "".join(unicodedata.normalize("NFKC", typed).casefold().split())
    return [f"account:{hashlib.sha256(folded.encode('utf-8', 'surrogatepass')).hexdigest()}"] if folded else []
