# SPDX-License-Identifier: Apache-2.0
"""What a page of the console says when something went wrong: what happened, what to do, a number for the operator.

Nothing that was typed is repeated, and nothing of the program's inside is shown. Scripts get the sentence as JSON.
"""

from __future__ import annotations

from typing import Any, Final

import structlog
from flask import Blueprint, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from consent.errors import TsunagiError
from hub.audit import reads as log_of_hub
from hub.base.errors import HubError
from hub.console import wording
from hub.console.pages import visit_of_request
from hub.console.rendering import render
from hub.web import problems

_SAID: Final = frozenset({400, 401, 403, 404, 405, 413, 429, 500, 503})
_OWN: Final = frozenset({"csrf", "not-found", "unauthorized", "forbidden", "unavailable", "busy"})
"""Codes whose text is the status's; the catalogue's text would speak of tokens and scopes."""

RECOVERING: Final = "log-recovering"

log = structlog.get_logger(__name__)


def handle(blueprint: Blueprint) -> None:
    """Have every failure of a page answered by a page in the person's language."""
    blueprint.register_error_handler(HubError, _refused)
    blueprint.register_error_handler(TsunagiError, lambda _: say(400))
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(Exception, _failed)


def say(status: int, *, key: str | None = None, sentence: str | None = None) -> Any:
    """Answer with the page of a fault; `key` names its texts where the status is not enough."""
    name = key or str(status if status in _SAID else 400)
    language = visit_of_request().language
    if request.is_json:
        answer = jsonify(said=sentence or wording.text(language, f"faults.what-{name}"))
        answer.status_code = status
        return answer
    return render("fault.html", status=status, name=name, sentence=sentence, reference=g.request_id, way_back="")


def _refused(error: HubError) -> Any:
    status = error.status
    if error.code == RECOVERING and visit_of_request().who is not None and not request.is_json:
        return _recovering(error)
    key = "csrf" if error.code == "csrf" else None
    found = problems.catalogue().get(error.code)
    sentence = None if found is None or error.code in _OWN else found.detail[visit_of_request().language]
    made = say(status, key=key, sentence=sentence)
    return made if isinstance(made, Response) else (*made, dict(error.headers))


def _recovering(error: HubError) -> Any:
    """Say why nothing can be read: no reading could be logged. It shows what everybody may know, and nothing else."""
    with visit_of_request().doing() as session:
        found = log_of_hub.recovery(session)
    if found is None:
        return say(503)
    return (*render("recovering.html", status=503, recovery=found), dict(error.headers))


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    made = say(status)
    allow = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    return made if isinstance(made, Response) else (*made, allow)


def _failed(error: Exception) -> Any:
    """Log where it happened, not what it said: texts of errors carry input."""
    log.error("request:failed", exc_info=error)
    return say(500)
