# SPDX-License-Identifier: Apache-2.0
"""What a page says when something went wrong: what happened, whether anything is lost, what to do, a reference number.

Nothing that was typed is repeated, and nothing of the program's inside is shown.
"""

from __future__ import annotations

import json
import logging
import math
import secrets
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, g, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, TooManyRequests

from connectors.base.errors import ConnectorError, HubAwayError
from connectors.desk.web.gate import visit_of_request
from connectors.desk.web.rendering import render
from connectors.desk.web.texts import is_text, text
from connectors.sdk.problems import ProblemError
from consent.errors import TsunagiError

log = logging.getLogger(__name__)

_SAID: Final = frozenset({400, 403, 404, 405, 409, 413, 414, 415, 429, 500, 503})


def reference() -> str:
    """Give the number under which this request is found in the desk's log."""
    if "reference" not in g:
        g.reference = secrets.token_hex(4)
    return str(g.reference)


def handle_faults(app: Flask) -> None:
    """Have every failure answered by a page in the person's language."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(ConnectorError, _refused)
    app.register_error_handler(ProblemError, lambda error: _page(404 if error.status == HTTPStatus.NOT_FOUND else 409))
    app.register_error_handler(TsunagiError, lambda _: _page(400))
    app.register_error_handler(Exception, lambda error: _unexpected(app, error))


def _http(error: HTTPException) -> Any:
    if error.code is not None and error.code < HTTPStatus.BAD_REQUEST:
        return error
    if isinstance(error, TooManyRequests) and isinstance(error.retry_after, int):
        return _wait(error.retry_after)
    return _page(error.code if error.code in _SAID else 400)


def _csrf(_: CSRFError) -> Any:
    return render("web/fault.html", status=403, key="csrf", reference=reference(), sentence=None)


def _wait(seconds: int) -> Any:
    """Say for how long, in whole minutes; the header says it to the second."""
    sentence = text("web.fault-wait", visit_of_request().language, n=math.ceil(seconds / 60))
    page, status = render("web/fault.html", status=429, key="429", reference=reference(), sentence=sentence)
    return page, status, {"Retry-After": str(seconds)}


def _refused(error: ConnectorError) -> Any:
    if isinstance(error, HubAwayError):
        return _page(503)
    if error.code.endswith("-unknown"):
        return _page(404)
    sentence = error.says(visit_of_request().language)
    return render("web/fault.html", status=409, key="409", reference=reference(), sentence=sentence)


def _unexpected(app: Flask, error: Exception) -> Any:
    # the class and the place in the program, never the message: it could hold what somebody typed
    facts = {"reference": reference(), "endpoint": request.endpoint, "error": type(error).__name__}
    log.error("page failed %s", json.dumps(facts))
    if app.testing:
        raise error
    return _page(500)


def _page(status: int | None) -> tuple[str, int]:
    code = status or 500
    key = str(code) if is_text(f"web.fault-title-{code}") else "400"
    return render("web/fault.html", status=code, key=key, reference=reference(), sentence=None)
