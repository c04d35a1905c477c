# SPDX-License-Identifier: Apache-2.0
"""Until when each consent record runs, read once from the signed record, so that the board need not open thousands."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

consent_ends = sa.Table(
    "consent_ends",
    metadata,
    sa.Column("consent", sa.String, primary_key=True),
    sa.Column("signer", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("ends_at", UtcText, nullable=False, index=True),
    sa.Column("replaced", sa.Boolean, nullable=False, default=False, comment="a newer record names it"),
)
