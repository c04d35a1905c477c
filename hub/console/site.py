# SPDX-License-Identifier: Apache-2.0
"""Put the console into the app: its pages, its stylesheet and its one script, its headers and faults."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from flask import Flask, Response, redirect
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response as Answer

from hub.base.errors import NotFoundError
from hub.console import (
    agencies,
    audit,
    breach,
    faults,
    guard,
    health,
    overview,
    people,
    records,
    retention,
    reviews,
    signing_in,
    verify,
    watch,
)
from hub.console.pages import HOME, blueprint, page
from hub.console.rendering import TEMPLATES
from hub.console.visits import Visit
from hub.web.permissions import OPEN, declares

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), camera=()",
}
KINDS: Final = {
    "console.css": "text/css; charset=utf-8",
    "passkey.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
PAGES: Final = (
    overview,
    audit,
    people,
    reviews,
    records,
    watch,
    verify,
    breach,
    agencies,
    health,
    retention,
    signing_in,
)
"""The modules whose pages the blueprint holds once they are imported."""


def register(app: Flask) -> None:
    """Add the console to the app."""
    app.register_blueprint(blueprint)
    app.extensions[TEMPLATES] = app.jinja_env.overlay(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@blueprint.after_request
def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return guard.keep_visitor(response)


@blueprint.get("/static/<name>")
@declares(OPEN)
def static(name: str) -> Response:
    """Give the stylesheet, the script of passkeys or the icon."""
    if name not in KINDS:
        raise NotFoundError
    body = files("hub.console").joinpath("static", name).read_bytes()
    return Response(body, content_type=KINDS[name], headers={"Cache-Control": "public, max-age=3600"})


@page("/", permission=OPEN)
def home_with_slash(visit: Visit) -> Answer:  # noqa: ARG001 - every page is given its visit
    """Send whoever typed a slash too many to the first page."""
    return redirect(HOME, 308)


@page("/<path:rest>", permission=OPEN, methods=("GET", "POST"))
def nothing_here(visit: Visit, rest: str) -> Answer:  # noqa: ARG001 - every page is given its visit
    """Say in the console's own frame that there is no such page.

    *Raises* NotFoundError: always.
    """
    raise NotFoundError


faults.handle(blueprint)
