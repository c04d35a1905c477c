# SPDX-License-Identifier: Apache-2.0
"""Where to tell an agency's events, how far each address has come, and how each delivery went."""

import sqlalchemy as sa

from hub.base.db import UtcDateTime, metadata

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("agency", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    # sealed with the hub's `webhooks` key (hub.base.hubkeys); empty once the webhook is removed
    sa.Column("secret", sa.LargeBinary, nullable=False),
    sa.Column("old_secret", sa.LargeBinary, nullable=True),
    sa.Column("old_until", UtcDateTime, nullable=True),
    # the last event of the feed that this address has had (hub.outbox.reads.Place)
    sa.Column("place_xact", sa.BigInteger, nullable=False),
    sa.Column("place_seq", sa.BigInteger, nullable=False),
    # who has leased it counts here: only the holder of the newest number may move the place
    sa.Column("turn", sa.BigInteger, nullable=False),
    sa.Column("leased_until", UtcDateTime, nullable=True),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failing_since", UtcDateTime, nullable=True),
    sa.Column("disabled_at", UtcDateTime, nullable=True),
    sa.Column("disabled_for", sa.Text, nullable=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("removed_at", UtcDateTime, nullable=True),
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("webhook", sa.Uuid(as_uuid=False), sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    sa.Column("agency", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("event", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    # what the receiver answered, if it did; never what it said
    sa.Column("status", sa.Integer, nullable=True),
    sa.Column("milliseconds", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
