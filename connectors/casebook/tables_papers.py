# SPDX-License-Identifier: Apache-2.0
"""Table of the paper forms that an officer drew, to be held against what was committed when they were signed."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

paper_samples = sa.Table(
    "paper_samples",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="the hub's"),
    sa.Column("consent", sa.String, nullable=False),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("due_at", UtcText, nullable=False),
    sa.Column("outcome", sa.String, comment="what came of it, as the hub says; none while it waits"),
    sa.Column("answered_at", UtcText),
)
