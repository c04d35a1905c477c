# SPDX-License-Identifier: Apache-2.0
"""What pages of an accompaniment show: its referral, the other agency, where its row to the hub stands."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import deeds, tables
from connectors.casebook.outings import Outing


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """The referral that somebody is accompanied for; `partner` is the other side, `is_open`: not in a final state."""

    id: str
    case: str
    thread: str
    partner: str
    purpose: str
    state: str
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """An agency of the directory by the name that people call it."""

    id: str
    names: dict[str, str]


def tie_of(connection: Connection, referral: str, us: str) -> Tie:
    """Give the referral in which this agency is one of the two sides.

    *Raises* `ConnectorError("referral-unknown")`.
    """
    row = connection.execute(sa.select(tables.referrals).where(tables.referrals.c.id == referral)).one_or_none()
    if row is None or us not in {row.sender, row.recipient}:
        raise ConnectorError("referral-unknown")
    return Tie(
        id=row.id,
        case=row.case,
        thread=row.thread,
        partner=row.recipient if row.sender == us else row.sender,
        purpose=row.purpose,
        state=row.state,
        is_open=row.awaiting is not None,
    )


def agencies(connection: Connection) -> list[Agency]:
    """Give every agency that is at work, by name."""
    rows = connection.execute(
        sa.select(tables.agencies).where(tables.agencies.c.state == "active").order_by(tables.agencies.c.name_ja)
    )
    return [Agency(id=row.id, names={"ja": row.name_ja, "en": row.name_en}) for row in rows]


def name_of(connection: Connection, agency: str) -> dict[str, str]:
    """Give what an agency is called; nothing where it is not known here."""
    query = sa.select(tables.agencies.c.name_ja, tables.agencies.c.name_en).where(tables.agencies.c.id == agency)
    row = connection.execute(query).one_or_none()
    return {"ja": row.name_ja, "en": row.name_en} if row else {"ja": "", "en": ""}


def standing(connection: Connection, outing: Outing) -> str:
    """Say how far the hub knows of it: `sent`, `waiting`, or `refused`; the last thing that was told it counts."""
    last = outing.document.get("told") or outing.id
    deed = deeds.find(connection, last)
    return deed.state if deed else "sent"
