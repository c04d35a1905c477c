# SPDX-License-Identifier: Apache-2.0
"""flask-restx for routing and nothing else (libraries §2).

Its validation lets bad dates through to fail later, its error handling turns answers into 500 and browser text, its
documentation is Swagger 2 behind inline scripts. Those are `operation`, `problems` and `openapi` here.
"""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask
from flask_restx import Api, Namespace


class ThinApi(Api):
    """Registers namespaces on the app; every error goes to Flask's own handlers."""

    def __init__(self, app: Flask, prefix: str) -> None:
        """Attach to the app under `prefix`, without documentation."""
        super().__init__(app, prefix=prefix, doc=False, add_specs=False)

    def _should_use_fr_error_handler(self) -> bool:
        return False

    def error_router(self, original_handler: Callable[[Exception], Any], e: Exception) -> Any:
        """Leave the error to the app."""
        return original_handler(e)

    def _register_apidoc(self, app: Flask) -> None:
        """Bundle no Swagger UI: its page has inline scripts."""

    def _register_doc(self, app_or_blueprint: Flask) -> None:
        """Register no page at the root of the API."""

    def _register_specs(self, app_or_blueprint: Flask) -> None:
        """Serve no Swagger 2; restx does so by default even when told not to."""

    def ns_urls(self, ns: Namespace, urls: Sequence[str]) -> list[str]:  # noqa: ARG002 - restx's
        """Take routes as they are written: in full below the prefix, whatever the namespace is called."""
        return list(urls)
