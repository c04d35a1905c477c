# SPDX-License-Identifier: Apache-2.0
"""The manners of every request and answer: its id, its language, the one host we answer for, what caches and
browsers may do.

One log line per request: method, path *template*, status, duration, agency. Never the path itself, the query or a
header.
"""

import time
import uuid
from typing import Final

import structlog
from flask import Flask, Response, current_app, g, request

from hub.base.errors import HubError, NotFoundError
from hub.base.ids import is_id
from hub.web import metrics, reading
from hub.web.work import EXTENSION, Hub

# asked by address and not by name; they say nothing about anybody
HEALTH: Final = frozenset({"/livez", "/readyz"})
LONGEST_HEADER: Final = 8 * 1024
LONGEST_HEADERS: Final = 32 * 1024
SAFE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger(__name__)


class MisdirectedError(HubError):
    """The request names another host than ours (bad-input HTT-15)."""

    status = 421
    default = "misdirected"


class LengthRequiredError(HubError):
    """The request does not say how long it is."""

    status = 411
    default = "length-required"


class HeadersTooLargeError(HubError):
    """The header block, or one header of it, is larger than any use of ours (bad-input HTT-21)."""

    status = 431
    default = "headers-too-large"


def register(app: Flask) -> None:
    """Give the app its manners."""
    app.before_request(_greet)
    app.after_request(_see_off)


def _greet() -> None:
    """Name the request, then see whether it is one for us."""
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    # an id of another form could carry anything, and what a caller sends is never given back
    g.request_id = given if is_id(given) else str(uuid.uuid4())
    g.language, g.agency = "ja", ""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    sizes = [len(name) + len(value) for name, value in request.headers]
    if max(sizes, default=0) > LONGEST_HEADER or sum(sizes) > LONGEST_HEADERS:
        raise HeadersTooLargeError
    g.language = reading.language(request)
    # Werkzeug reads `//v1` as `/v1`: one address has one spelling (bad-input HTT-16)
    if request.environ.get("PATH_INFO", "").startswith("//"):
        raise NotFoundError
    # bodies have a length: two ways of saying where a request ends are how requests are smuggled (bad-input HTT-13)
    if "Transfer-Encoding" in request.headers:
        raise LengthRequiredError
    hub: Hub = request_hub()
    named = {request.headers.get("Host", ""), request.headers.get("X-Forwarded-Host", hub.settings.host)}
    if named != {hub.settings.host} and request.path not in HEALTH:
        raise MisdirectedError


def _see_off(response: Response) -> Response:
    for name, value in SAFE.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = g.request_id
    if request_hub().database.playing:
        response.headers["Tsunagi-Clock"] = "play"
    if response.status_code in {429, 503}:
        response.headers.setdefault("Retry-After", "5")
    seconds = time.perf_counter() - g.started
    template = request.url_rule.rule if request.url_rule is not None else "-"
    metrics.count(request.method if request.url_rule is not None else "-", template, response.status_code, seconds)
    log.info(
        "request:answered",
        method=request.method if request.url_rule is not None else "-",
        route=template,
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
        agency=g.agency or None,
    )
    return response


def request_hub() -> Hub:
    """Give what the app of this request carries."""
    hub: Hub = current_app.extensions[EXTENSION]
    return hub
