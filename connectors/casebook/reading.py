# SPDX-License-Identifier: Apache-2.0
"""What a casebook holds of others' messages, asked without opening any of them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables


def categories_received(connection: Connection, *, case: str, agency: str) -> frozenset[str]:
    """Give the categories of which this agency holds readable parts from others, in one case."""
    rows = connection.execute(
        sa.select(tables.parts.c.category)
        .join(
            tables.messages,
            sa.and_(tables.messages.c.id == tables.parts.c.message, tables.messages.c.sender == tables.parts.c.sender),
        )
        .where(tables.messages.c.case == case, tables.messages.c.sender != agency)
    )
    return frozenset(row.category for row in rows)
