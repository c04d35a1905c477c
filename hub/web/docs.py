# SPDX-License-Identifier: Apache-2.0
"""/v1/openapi.json and the readable page /v1/docs: made by the server from the same document, no scripts, strict
CSP.
"""

from importlib.resources import files
from typing import Final

import orjson
from flask import Blueprint, Flask, Response, current_app, g, render_template, request

from hub.web import openapi, problems
from hub.web.manners import request_hub
from hub.web.permissions import OPEN, declares

CSP: Final = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
docs = Blueprint("docs", __name__, url_prefix="/v1", template_folder="templates")


def register(app: Flask) -> None:
    """Add the description of the API to the app."""
    app.register_blueprint(docs)


@docs.get("/openapi.json")
@declares(OPEN)
def document() -> Response:
    """Give the OpenAPI document in the caller's language."""
    made = orjson.dumps(openapi.describe(current_app, request_hub().settings.issuer, _language()))
    return Response(made, content_type="application/json", headers={"Vary": "Accept-Language"})


@docs.get("/docs")
@declares(OPEN)
def page() -> Response:
    """Give the page a person reads."""
    language = _language()
    html = render_template(
        "docs.html",
        language=language,
        other="en" if language == "ja" else "ja",
        text=lambda key: openapi.summary(key, language),
        api=openapi.describe(current_app, request_hub().settings.issuer, language),
        problems=problems.catalogue(),
    )
    return Response(html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": CSP})


@docs.get("/docs.css")
@declares(OPEN)
def style() -> Response:
    """Give the page's style."""
    return Response(files("hub.web").joinpath("static/docs.css").read_bytes(), content_type="text/css; charset=utf-8")


def _language() -> str:
    asked = request.args.get("lang", "")
    return asked if asked in {"ja", "en"} else str(g.language)
