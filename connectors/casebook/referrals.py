# SPDX-License-Identifier: Apache-2.0
"""The agency's mirror of the hub's referrals: where each stands, for the board and for working with the line down.

The hub's word alone changes it; a move is made there, never here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.casebook import tables
from connectors.sdk.threads import Referral


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReferral:
    """A referral as last heard of; `version` is what a move must name."""

    id: str
    case: str
    thread: str
    sender: str
    recipient: str
    purpose: str
    state: str
    ball: str | None
    awaiting: str | None
    due_at: datetime | None
    version: int
    updated_at: datetime


def keep(connection: Connection, referral: Referral) -> None:
    """Keep a referral as the hub shows it, unless a newer word is here."""
    values: dict[str, Any] = {
        "case": referral.case,
        "thread": referral.thread,
        "sender": referral.sender,
        "recipient": referral.recipient,
        "purpose": referral.purpose,
        "state": referral.state,
        "ball": referral.ball,
        "awaiting": referral.awaiting,
        "due_at": referral.due_at,
        "version": referral.version,
        "updated_at": referral.updated_at,
    }
    statement = insert(tables.referrals).values(id=referral.id, **values)
    newer = tables.referrals.c.updated_at <= statement.excluded.updated_at
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values, where=newer))


def of_thread(connection: Connection, thread: str, *, between: frozenset[str]) -> KnownReferral | None:
    """Give the referral whose thread has this id and these two parties (an id is unique per signer only)."""
    rows = connection.execute(sa.select(tables.referrals).where(tables.referrals.c.thread == thread))
    found = (_known(row) for row in rows)
    return next((one for one in found if {one.sender, one.recipient} == between), None)


def of_case(connection: Connection, case: str) -> Sequence[KnownReferral]:
    """Give the referrals of a case, the one that changed last first."""
    query = sa.select(tables.referrals).where(tables.referrals.c.case == case)
    return [_known(row) for row in connection.execute(query.order_by(tables.referrals.c.updated_at.desc()))]


def last_change(connection: Connection) -> datetime | None:
    """Give the moment up to which the mirror follows the hub."""
    newest: datetime | None = connection.execute(sa.select(sa.func.max(tables.referrals.c.updated_at))).scalar()
    return newest


def _known(row: sa.Row[Any]) -> KnownReferral:
    return KnownReferral(**{name: getattr(row, name) for name in KnownReferral.__dataclass_fields__})
