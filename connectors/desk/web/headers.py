# SPDX-License-Identifier: Apache-2.0
"""What every answer says to the browser: nothing from elsewhere, no inline code, no frame, no copy kept (ux §1.0)."""

from __future__ import annotations

from typing import Final

from flask import Flask, request
from werkzeug.wrappers import Response

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), camera=(self)",
}
_A_DAY: Final = "public, max-age=86400"


def add_headers(app: Flask) -> None:
    """Have every answer carry them. Pages are never stored (stolen laptop, security §1); the stylesheet may be."""

    @app.after_request
    def _headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", _A_DAY if request.endpoint == "static" else "no-store")
        return response
