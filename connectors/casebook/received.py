# SPDX-License-Identifier: Apache-2.0
"""Who is behind a partner's case, as far as somebody here has opened what says so.

The casebook has no person of its own for such a case; the name stands in the identity part of an opened message, and
is gone from here when that part is purged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables

_LONGEST_LINE: Final = 60
"""Signs of a text that is read as a name."""


def names_in(connection: Connection, cases: Iterable[str]) -> dict[str, str]:
    """Give the names of the people behind cases, by case, the newest that was opened; byte for byte.

    Whoever shows them logs the look, as with every name.
    """
    wanted = list(dict.fromkeys(cases))
    if not wanted:
        return {}
    messages, parts = tables.messages.c, tables.parts.c
    found = connection.execute(
        sa.select(messages.case, parts.media, parts.body)
        .join(tables.parts, sa.and_(parts.message == messages.id, parts.sender == messages.sender))
        .where(
            messages.case.in_(wanted),
            messages.read_at.is_not(None),
            parts.category == "identity",
            parts.result == "ok",
        )
        .order_by(messages.at)
    )
    told = ((row.case, name_in(row.media, row.body)) for row in found)
    return {case: name for case, name in told if name}


def name_in(media: str, body: bytes) -> str | None:
    """Read the name in an identity part: the form's field, or a text of one line; none where there is no such."""
    text = body.decode("utf-8", "replace").strip()
    if media == "text/plain":
        return text if text and "\n" not in text and len(text) <= _LONGEST_LINE else None
    if media != "application/json":
        return None
    try:
        answers = json.loads(text)["answers"]
        return next(str(one["value"]) for one in answers if one["field"] == "name") or None
    except (ValueError, KeyError, TypeError, StopIteration):
        return None
