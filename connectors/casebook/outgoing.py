# SPDX-License-Identifier: Apache-2.0
"""What waits to be sent to the hub, written in the same transaction as the change that caused it.

First in, first out: a consent is registered before the message that rests on it. Each row carries the idempotency
key with which it is sent, so that sending twice has one effect. The rows are emptied by `connectors.sync.outbound`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One request that waits: `what` it is, the thing it is `about`, where and what to send, how often in vain."""

    position: int
    key: str
    what: str
    about: str
    path: str
    body: Mapping[str, Any]
    tries: int = 0


def put(
    connection: Connection,
    *,
    key: str,
    what: str,
    about: str,
    path: str,
    body: Mapping[str, Any],
    now: datetime,
) -> None:
    """Queue a request behind those that wait already."""
    connection.execute(
        sa.insert(tables.outgoing).values(
            key=key,
            what=what,
            about=about,
            path=path,
            body=dict(body),
            state="waiting",
            tries=0,
            queued_at=now,
        )
    )


def waiting(connection: Connection, *, limit: int = 100) -> list[Waiting]:
    """Give what waits, oldest first."""
    rows = connection.execute(
        sa.select(tables.outgoing)
        .where(tables.outgoing.c.state == "waiting")
        .order_by(tables.outgoing.c.position)
        .limit(limit)
    )
    return [
        Waiting(
            position=row.position,
            key=row.key,
            what=row.what,
            about=row.about,
            path=row.path,
            body=row.body,
            tries=row.tries,
        )
        for row in rows
    ]


def settle(
    connection: Connection, position: int, *, answer: Mapping[str, Any], code: str | None, now: datetime
) -> bool:
    """Note the hub's answer: sent, or refused with its code; say no if somebody else has noted it already."""
    settled = connection.execute(
        sa.update(tables.outgoing)
        .where(tables.outgoing.c.position == position, tables.outgoing.c.state == "waiting")
        .values(
            state="refused" if code else "sent",
            code=code,
            answer=dict(answer),
            tries=tables.outgoing.c.tries + 1,
            settled_at=now,
        )
    )
    return settled.rowcount == 1


def count_waiting(connection: Connection) -> int:
    """Count what waits."""
    query = sa.select(sa.func.count()).where(tables.outgoing.c.state == "waiting")
    return connection.execute(query).scalar_one()


def rewrite(connection: Connection, position: int, *, key: str, body: Mapping[str, Any]) -> None:
    """Put another body in the place of one that the hub would not take, under a key of its own."""
    connection.execute(
        sa.update(tables.outgoing).where(tables.outgoing.c.position == position).values(key=key, body=dict(body))
    )


def tried(connection: Connection, position: int) -> None:
    """Note that the hub did not answer: this row and all behind it go on waiting, and all of them are late now."""
    connection.execute(
        sa.update(tables.outgoing)
        .where(tables.outgoing.c.position >= position, tables.outgoing.c.state == "waiting")
        .values(tries=tables.outgoing.c.tries + 1)
    )
