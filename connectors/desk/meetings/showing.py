# SPDX-License-Identifier: Apache-2.0
"""Carry what a page of meetings has queued, and say what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from flask import flash, url_for
from werkzeug.wrappers import Response

from connectors.casebook import deeds
from connectors.desk.web.rendering import see
from connectors.desk.web.texts import is_text, text
from connectors.desk.web.visits import Visit

TONES: Final = {"sent": "good", "waiting": "wait", "refused": "bad"}


def told(visit: Visit, key: str | None, url: str, what: str) -> Response:
    """Carry a row and go on, saying whether the hub has it, will have it, or would not take it."""
    if key is None:
        return see(url, said=f"meetings.said-{what}")
    deed = visit.site.courier.deliver(key)
    flash(text(f"meetings.said-{what}", visit.language), "good")
    state = f"meetings.hub-{deed.state}"
    return see(url, said=state, tone=TONES[deed.state], why=reason(visit, deed.code))


def told_all(visit: Visit, keys: Sequence[str], url: str) -> Response:
    """Carry several papers and say how many of them are where."""
    if not keys:
        return see(url, said="meetings.nothing-new", tone="wait")
    visit.site.courier.deliver(keys[-1])
    with visit.book() as connection:
        found = [deed for key in keys if (deed := deeds.find(connection, key)) is not None]
    for state, count in Counter(deed.state for deed in found).items():
        flash(text(f"meetings.papers-{state}", visit.language, n=count), TONES[state])
    return see(url)


def reason(visit: Visit, code: str | None) -> str:
    """Say in words why the hub would not take something."""
    if code is None:
        return ""
    key = f"meetings.refused-{code}"
    return text(key if is_text(key) else "meetings.refused-other", visit.language, code=code)


def address(where: str, meeting: str, line: str | None = None) -> str:
    """Give the address of a meeting or of one of its lines, which tells its kind."""
    if line is None:
        return url_for("meetings.meeting", where=where, meeting=meeting)
    return url_for("meetings.line", where=where, meeting=meeting, line=line)
