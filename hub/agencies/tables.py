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
    # What two names have in common when a reader takes one for the other; the names themselves stay as written.
    sa.Column("look_ja", sa.Text, nullable=False, index=True),
    sa.Column("look_en", sa.Text, nullable=False, index=True),
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
    # One key, one use: a thumbprint cannot come twice.
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("use", sa.Text, nullable=False),
    # "" stands for none: a unique key must not see two NULLs as different.
    sa.Column("suite", sa.Text, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("jwk", JSONB, nullable=False),
    sa.Column("not_before", UtcDateTime, nullable=False),
    sa.Column("not_after", UtcDateTime, nullable=False),
    sa.Column("by_self", sa.Text),
    sa.Column("by_previous", sa.Text),
    sa.Column("by_root", sa.Text),
    sa.Column("published_at", UtcDateTime, nullable=False),
    sa.Column("log_entry", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("revoked_by", sa.Text),
    sa.UniqueConstraint("agency", "use", "suite", "seq"),
)

agency_approvals = sa.Table(
    "agency_approvals",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("agency", sa.Uuid(as_uuid=False), sa.ForeignKey("agencies.id"), nullable=False, index=True),
    sa.Column("deed", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("staff", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("done_at", UtcDateTime),
)
