# SPDX-License-Identifier: Apache-2.0
"""The 支援会議 of which this agency is a member, as the hub shows them; only they carry sharing without consent."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.casebook import tables
from consent.scopes import Conference


def keep(connection: Connection, conference: Conference) -> None:
    """Keep a conference as it is now: who has accepted, and when it ends."""
    values = {"members": sorted(conference.members), "until": conference.until}
    statement = insert(tables.conferences).values(id=conference.id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def conferences(connection: Connection) -> list[Conference]:
    """Give every conference that is known here, ended ones too."""
    rows = connection.execute(sa.select(tables.conferences))
    return [Conference(id=row.id, members=frozenset(row.members), until=row.until) for row in rows]
