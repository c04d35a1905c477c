# SPDX-License-Identifier: Apache-2.0
"""Small things the casebook remembers by name: how far a feed was read, which keys of the hub were seen first."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.casebook import tables

# what is asked most often is put together once
_RECALL: Final = sa.select(tables.settings.c.value).where(tables.settings.c.name == sa.bindparam("name"))
_NEW: Final = insert(tables.settings)
_REMEMBER: Final = _NEW.on_conflict_do_update(index_elements=["name"], set_={"value": _NEW.excluded.value})


def recall(connection: Connection, name: str) -> str | None:
    """Give what was remembered under a name."""
    return connection.execute(_RECALL, {"name": name}).scalar_one_or_none()


def remember(connection: Connection, name: str, value: str) -> None:
    """Remember a value under a name, in place of the one before."""
    connection.execute(_REMEMBER, {"name": name, "value": value})
