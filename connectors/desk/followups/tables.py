# SPDX-License-Identifier: Apache-2.0
"""The secret addresses under which members read their own calendar; one each, renewed at will."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

calendar_feeds = sa.Table(
    "calendar_feeds",
    metadata,
    sa.Column("member", sa.String, primary_key=True),
    sa.Column("token", sa.String, nullable=False, unique=True),
    sa.Column("made_at", UtcText, nullable=False),
)
