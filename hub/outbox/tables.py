# SPDX-License-Identifier: Apache-2.0
"""The outbox and the agencies' event feeds. Ids and codes only: nothing here would tell a reader who
someone is.
"""

import sqlalchemy as sa

from hub.base.db import UtcDateTime, metadata

XACT = "(pg_current_xact_id()::text)::bigint"

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("agency", sa.Uuid(as_uuid=False), nullable=True),
    # One row in flight per key; the rows of a key are worked off in the order they were written.
    sa.Column("order_key", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("leased_until", UtcDateTime, nullable=True),
    sa.Column("leased_by", sa.Text, nullable=True),
    sa.Column("finished_at", UtcDateTime, nullable=True),
    # The class of the last failure, never its text: a text could carry content.
    sa.Column("fault", sa.Text, nullable=True),
)

events = sa.Table(
    "events",
    metadata,
    # (xact, seq) is the feed's order: see reads.events for why the transaction's number is in it.
    sa.Column("xact", sa.BigInteger, nullable=False, server_default=sa.text(XACT)),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("agency", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
