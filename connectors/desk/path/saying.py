# SPDX-License-Identifier: Apache-2.0
"""Say what became of a move: taken, waiting for the line, or refused, and what to do then."""

from __future__ import annotations

from typing import Final

from flask import url_for
from werkzeug.wrappers import Response

from connectors.casebook.deeds import Deed
from connectors.desk.path import service
from connectors.desk.path.service import Beside, NotOfferedError, Wish
from connectors.desk.web.rendering import see
from connectors.desk.web.texts import is_text, text
from connectors.desk.web.visits import Visit

_TONES: Final = {"sent": "good", "waiting": "wait"}


def has_text(key: str) -> bool:
    """Say whether there is such a text, for codes of the hub's that may be new."""
    return is_text(key)


def say(visit: Visit, key: str, **places: str) -> str:
    """Give a text in the language of whoever looks."""
    return text(key, visit.language, **places)


def why(code: str | None) -> str:
    """Give the key of the sentence that says why the hub refused, and what to do."""
    key = f"path.refused-{code}"
    return key if is_text(key) else "path.refused-other"


def moved(
    visit: Visit, case: str, wish: Wish, *, version: int, beside: Beside | None = None, to: str | None = None
) -> Response:
    """Make a move and lead on, saying what the hub said; to `to`, if given, after one that was taken or waits."""
    try:
        deed = service.move(visit, case, wish, version=version, beside=beside)
    except NotOfferedError as refused:
        return cannot(case, refused)
    return told(visit, case, deed, to=to)


def told(visit: Visit, case: str, deed: Deed, *, said: str = "path.moved-", to: str | None = None) -> Response:
    """Lead on after a deed, saying what became of it; `said` begins the key of the sentence."""
    here = url_for("cases.case", case=case)
    if deed.state == "refused":
        return see(here, said="path.moved-refused", tone="bad", why=text(why(deed.code), visit.language))
    return see(to or here, said=f"{said}{deed.state}", tone=_TONES[deed.state])


def cannot(case: str, refused: NotOfferedError) -> Response:
    """Lead back to the case, saying why nothing was queued."""
    return see(url_for("cases.case", case=case), said=f"path.cannot-{refused.code}", tone="bad")
