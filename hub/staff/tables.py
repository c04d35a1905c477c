# SPDX-License-Identifier: Apache-2.0
"""The one table of the staff slice; no other slice reads it. A row is never deleted: who leaves is closed."""

from __future__ import annotations

import sqlalchemy as sa

from hub.base.db import UtcDateTime, metadata

staff = sa.Table(
    "staff",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("passphrase", sa.Text, nullable=False),
    sa.Column("enrolled_at", UtcDateTime, nullable=False),
    sa.Column("closed_at", UtcDateTime),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("tries_since", UtcDateTime),
)
