# SPDX-License-Identifier: Apache-2.0
"""Refusals as RFC 9457 problem documents, their texts from `problems.json` in Japanese and English.

Nothing of the request is ever in them. Two answers are the same bytes for every request of a language: 404, so that
another agency's thing looks exactly like one that does not exist, and 405; their request id is in the header only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import structlog
from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from consent.errors import DocumentRefusedError, ScopeRefusedError, SignatureRefusedError, TsunagiError
from hub.base.errors import HubError
from hub.base.replay import Answered

MEDIA: Final = "application/problem+json"
CONSTANT: Final = frozenset({"not-found", "method-not-allowed"})
# what Werkzeug refuses by itself, by status
BY_STATUS: Final[Mapping[int, str]] = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    413: "too-large",
    415: "unsupported-media-type",
    421: "misdirected",
    429: "too-many",
    431: "headers-too-large",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One entry of the catalogue: the status it goes with and what it says."""

    status: int
    title: Mapping[str, str]
    detail: Mapping[str, str]


@cache
def catalogue() -> Mapping[str, Text]:
    """Read the catalogue: code → text."""
    raw = json.loads(files("hub.web").joinpath("problems.json").read_text("utf-8"))
    return {
        code: Text(status=entry["status"], title=entry["title"], detail=entry["detail"]) for code, entry in raw.items()
    }


def refusal(error: HubError, language: str, request_id: str) -> Answered:
    """Write the problem document of a refusal."""
    return document(
        error.code, error.status, language, request_id, pointer=error.pointer, extra=error.extra, headers=error.headers
    )


def document(
    code: str,
    status: int,
    language: str,
    request_id: str,
    *,
    pointer: str = "",
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answered:
    """Write a problem document; a code the catalogue does not know says what its status says."""
    text = catalogue().get(code) or catalogue()[BY_STATUS.get(status, "refused")]
    members: dict[str, Any] = {
        "type": f"urn:tsunagi:{code}",
        "title": text.title[language],
        "status": status,
        "detail": text.detail[language],
        "code": code,
    }
    if code not in CONSTANT:
        members["request_id"] = request_id
        if pointer:
            members["errors"] = [{"pointer": pointer, "code": code, "detail": text.detail[language]}]
        members.update(extra or {})
    body = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    return Answered(
        status=status,
        headers={**(headers or {}), "Content-Type": MEDIA, "Content-Language": language, "Vary": "Accept-Language"},
        body=body,
    )


def status_of(error: TsunagiError) -> int:
    """Tell which status the library's refusals have: unreadable 400, readable but wrong 422, not signed right 400."""
    if isinstance(error, DocumentRefusedError):
        return {"malformed-json": 400, "too-large": 413}.get(error.code, 422)
    if isinstance(error, ScopeRefusedError):
        return 422
    return 400 if isinstance(error, SignatureRefusedError) else 422


def respond(answer: Answered) -> Response:
    """Make the Flask response of an answer."""
    return Response(answer.body, status=answer.status, headers=dict(answer.headers))


def register(app: Flask) -> None:
    """Answer every refusal and every failure of the app with a problem document."""
    app.register_error_handler(HubError, _hub_refused)
    app.register_error_handler(TsunagiError, _library_refused)
    app.register_error_handler(HTTPException, _werkzeug_refused)
    app.register_error_handler(Exception, _failed)


def _hub_refused(error: HubError) -> Response:
    return respond(refusal(error, g.language, g.request_id))


def _library_refused(error: TsunagiError) -> Response:
    return respond(document(error.code, status_of(error), g.language, g.request_id, pointer=error.pointer))


def _werkzeug_refused(error: HTTPException) -> Response:
    status = error.code or 500
    code = BY_STATUS.get(status, "internal" if status >= 500 else "refused")  # noqa: PLR2004 - HTTP's own figures
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    return respond(document(code, status, g.language, g.request_id, headers=headers))


def _failed(error: Exception) -> Response:
    """Log where it happened, not what it said: texts of errors carry input."""
    log.error("request:failed", exc_info=error)
    return respond(document("internal", 500, g.language, g.request_id))
