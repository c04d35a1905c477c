# SPDX-License-Identifier: Apache-2.0
"""Tables of step ①: tips about people who have agreed to nothing yet, and what was tried to find them."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

tips = sa.Table(
    "tips",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("source", sa.String, nullable=False, comment="code of the list tip_source"),
    sa.Column("came_by", sa.String, nullable=False, comment="telephone, paper, form: how it came"),
    sa.Column("staff", sa.String, comment="who wrote it down; none where it came by the public form"),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("document", sa.JSON, nullable=False, comment="whom it is about, the signs, who tells; empty once erased"),
    sa.Column("state", sa.String, nullable=False, index=True, comment="open, case, ended"),
    sa.Column("case", sa.String, index=True, comment="the case that it became"),
    sa.Column("reason", sa.String, comment="code of the list tip_end"),
    sa.Column("settled_at", UtcText),
    sa.Column("settled_by", sa.String),
)

outreach = sa.Table(
    "outreach",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("tip", sa.ForeignKey("tips.id"), nullable=False, index=True),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("result", sa.String, nullable=False, comment="code of the list outreach_result"),
    sa.Column("text", sa.String, nullable=False),
)
