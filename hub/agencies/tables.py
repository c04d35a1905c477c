# SPDX-License-Identifier: Apache-2.0
"""The directory's tables; no other slice reads them. Agencies and keys are never deleted: they end."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from hub.base.db import UtcDateTime, metadata

agencies = sa.Table(
    "agencies",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name_ja", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    # What two names have in common when a reader takes one for the other; the names themselves stay as
    # written.
    sa.Column("look_ja", sa.Text, nullable=False),
    sa.Column("look_en", sa.Text, nullable=False),
    sa.Column("services", ARRAY(sa.Text), nullable=False),
    sa.Column("area", ARRAY(sa.Text), nullable=False),
    sa.Column("hours", sa.Text, nullable=False),
    sa.Column("answer_days", sa.Integer),
    sa.Column("capacity", sa.Text, nullable=False),
    sa.Column("categories", ARRAY(sa.Text), nullable=False),
    sa.Column("purposes", ARRAY(sa.Text), nullable=False),
    sa.Column("coordinates", sa.Boolean, nullable=False),
    sa.Column("may_convene", sa.Boolean, nullable=False),
    sa.Column("root", JSONB, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("registered_at", UtcDateTime, nullable=False),
    sa.Column("last_verified", UtcDateTime),
)

agency_keys = sa.Table(
    "agency_keys",
    metadata,
    sa.Column("agency", sa.Uuid(as_uuid=False), sa.ForeignKey("agencies.id"), primary_key=True),
    sa.Column("use", sa.Text, primary_key=True),
    # "" stands for none: a primary key knows no NULL.
    sa.Column("suite", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("kid", sa.Text, nullable=False),
    # An entry that ends an earlier key of its chain instead of bringing one.
    sa.Column("removal", sa.Boolean, nullable=False),
    sa.Column("jwk", JSONB, nullable=False),
    sa.Column("not_before", UtcDateTime, nullable=False),
    sa.Column("not_after", UtcDateTime, nullable=False),
    # When the key really ends: not_after, or earlier once it is revoked.
    sa.Column("ends_at", UtcDateTime, nullable=False),
    sa.Column("ended_by", sa.Text),
    sa.Column("by_self", sa.Text),
    sa.Column("by_previous", sa.Text),
    sa.Column("by_root", sa.Text),
    sa.Column("published_at", UtcDateTime, nullable=False),
    sa.Column("log_entry", sa.Uuid(as_uuid=False), nullable=False),
)

agency_approvals = sa.Table(
    "agency_approvals",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("agency", sa.Uuid(as_uuid=False), sa.ForeignKey("agencies.id"), nullable=False),
    sa.Column("deed", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("staff", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("done_at", UtcDateTime),
)
