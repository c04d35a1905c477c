# SPDX-License-Identifier: Apache-2.0
"""The page behind the code on a person's printed copy (protocol §4): `/c/<id>/<check>`, in easy Japanese or English.

It names agencies, categories and days, never a person. What is unknown is answered alike whatever is wrong with it, and
an address that tries ten unknown codes in ten minutes waits. Nobody signs in here, and nothing can be changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib.resources import files
from typing import Final

from flask import Blueprint, Flask, Response, make_response, render_template, request

from consent.calendar import JST
from consent.vocabulary.codes import CODE_LISTS
from hub.agencies import reads as agencies
from hub.agencies.reads import Agency
from hub.base.db import Duty, now
from hub.base.ids import is_id
from hub.oversight import copies
from hub.oversight.copies import Copy
from hub.staff import attempts
from hub.web.manners import request_hub
from hub.web.permissions import OPEN, declares

CSP: Final = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
CHECK: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)
FURIGANA: Final = re.compile(r"\[([^|\]]+)\|([^\]]+)\]")
copy_pages: Final = Blueprint("copies", __name__, template_folder="templates")

Segments = Sequence[tuple[str, str | None]]


def register(app: Flask) -> None:
    """Add the page to the app. A code made of capitals alone makes a smaller picture, so both spellings lead here."""
    app.register_blueprint(copy_pages)


@copy_pages.get("/c/copy.css")
@declares(OPEN)
def copy_style() -> Response:
    """Give the page's style."""
    body = files("hub.oversight").joinpath("static", "copy.css").read_bytes()
    return Response(body, content_type="text/css; charset=utf-8", headers={"Cache-Control": "public, max-age=3600"})


@copy_pages.get("/c/<consent>/<check>")
@copy_pages.get("/C/<consent>/<check>", endpoint="copy_in_capitals")
@declares(OPEN)
def copy_page(consent: str, check: str) -> Response:
    """Show what a printed copy stands for now."""
    hub, source = request_hub(), f"copy:{request.remote_addr or ''}"
    with hub.database.transaction(None, Duty.SIGN_IN) as session:
        tries = attempts.of_source(session, source)
        wait = attempts.wait_of(tries, now(session))
    if wait is not None:
        answer = _page("wait", status=429)
        answer.headers["Retry-After"] = str(max(1, int(wait.total_seconds())))
        return answer
    consent, check = consent.lower(), check.lower()
    found, signer, known = None, None, {}
    if is_id(consent) and CHECK.fullmatch(check):
        with hub.oversight.transaction(None) as session:
            found = copies.copy_of(session, consent, check, now=now(session))
            if found is not None:
                known = {one.id: one for one in agencies.everybody(session)}
                signer = known.get(found.signer)
    if found is None:
        with hub.database.transaction(None, Duty.SIGN_IN) as session:
            attempts.source_failed(session, source, attempts.of_source(session, source), now=now(session))
        return _page("unknown", status=404)
    return _page("found", status=200, copy=found, signer=signer, known=known)


def _page(
    name: str,
    *,
    status: int,
    copy: Copy | None = None,
    signer: Agency | None = None,
    known: Mapping[str, Agency] | None = None,
) -> Response:
    language = "en" if request.args.get("lang") == "en" else "ja"
    html = render_template(
        "oversight/copy.html",
        name=name,
        lang=language,
        copy=copy,
        signer=signer,
        say=partial(_say, language),
        label=partial(_label, language),
        partner=partial(_partner, language, known or {}),
        day=lambda at: at.astimezone(JST).strftime("%Y-%m-%d"),
    )
    answer = make_response(html, status)
    answer.headers["Content-Security-Policy"] = CSP
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _say(language: str, key: str) -> Segments:
    """Give a text in pieces, each with its reading where it has one."""
    return segments(_texts()[key][language])


def segments(text: str) -> Segments:
    """Take a text with furigana (`[base|reading]`) apart."""
    found: list[tuple[str, str | None]] = []
    end = 0
    for place in FURIGANA.finditer(text):
        if place.start() > end:
            found.append((text[end : place.start()], None))
        found.append((place[1], place[2]))
        end = place.end()
    if end < len(text):
        found.append((text[end:], None))
    return found


def _label(language: str, code_list: str, code: str) -> str:
    row = CODE_LISTS[code_list].get(code)
    return code if row is None else row["en" if language == "en" else "ja"]


def _partner(language: str, known: Mapping[str, Agency], name: str) -> str:
    found = known.get(name)
    if found is not None:
        return found.name_en if language == "en" else found.name_ja
    return _label(language, "recipients", name)


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    read: Mapping[str, Mapping[str, str]] = json.loads(
        files("hub.oversight").joinpath("copy.json").read_text(encoding="utf-8")
    )
    return read
