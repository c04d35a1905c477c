# SPDX-License-Identifier: Apache-2.0
"""Tables of anchors: what the agency's access log was, day by day, and what the hub's log says of it."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

access_anchors = sa.Table(
    "access_anchors",
    metadata,
    sa.Column("day", sa.Date, primary_key=True, comment="in Japan; the lines were written on it or, late, before it"),
    sa.Column("first", sa.Integer, nullable=False, comment="position of its first line in the access log"),
    sa.Column("last", sa.Integer, nullable=False, unique=True, comment="position of its last line"),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("root", sa.String, nullable=False, comment="RFC 6962 over the lines, hexadecimal"),
    sa.Column("blind", sa.String, nullable=False, comment="hashed with each line, so that the root tells nothing"),
    sa.Column("key", sa.String, nullable=False, comment="the row of the outbox that takes it to the hub"),
    sa.Column("made_at", UtcText, nullable=False),
)

anchor_checks = sa.Table(
    "anchor_checks",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("verdict", sa.String, nullable=False, comment="what came of comparing with the hub's log last"),
    sa.Column("checked_at", UtcText, nullable=False),
    sa.Column("checked_by", sa.String, nullable=False),
)
