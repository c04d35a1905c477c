# SPDX-License-Identifier: Apache-2.0
"""What stands between this agency and its hub: what waits, of which kind, since when; what was refused and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook.tables import UtcText, outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many rows of a kind wait, since when the oldest, and how often that one was tried in vain."""

    what: str
    count: int
    since: datetime
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row that the hub did not take: its code, and the hub's own sentence where it gave one."""

    what: str
    about: str
    code: str
    detail: str
    at: datetime


def waiting_by_kind(connection: Connection) -> list[Waiting]:
    """Give what waits by its kind, oldest first."""
    since = sa.func.min(outgoing.c.queued_at, type_=UtcText)
    rows = connection.execute(
        sa.select(outgoing.c.what, sa.func.count().label("n"), since.label("since"), sa.func.max(outgoing.c.tries))
        .where(outgoing.c.state == "waiting")
        .group_by(outgoing.c.what)
        .order_by(since)
    )
    return [Waiting(what=what, count=n, since=at, tries=tries) for what, n, at, tries in rows]


def newest_refusals(connection: Connection, *, limit: int = 20) -> list[Refusal]:
    """Give what the hub refused last, newest first."""
    rows = connection.execute(
        sa.select(outgoing).where(outgoing.c.state == "refused").order_by(outgoing.c.position.desc()).limit(limit)
    )
    return [
        Refusal(
            what=row.what,
            about=row.about,
            code=row.code,
            detail=str((row.answer or {}).get("detail") or ""),
            at=row.settled_at,
        )
        for row in rows
    ]
