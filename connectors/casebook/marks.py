# SPDX-License-Identifier: Apache-2.0
"""Small things the casebook remembers by name: how far a feed was read, which keys of the hub were seen first."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.casebook import tables


def recall(connection: Connection, name: str) -> str | None:
    """Give what was remembered under a name."""
    query = sa.select(tables.settings.c.value).where(tables.settings.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def remember(connection: Connection, name: str, value: str) -> None:
    """Remember a value under a name, in place of the one before."""
    statement = insert(tables.settings).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
