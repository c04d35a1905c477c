# SPDX-License-Identifier: Apache-2.0
"""Tables of the national sheets: what was filled in of a case, by which definition, who signed, what holds."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

sheets = sa.Table(
    "sheets",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.ForeignKey("cases.handle"), nullable=False, index=True),
    sa.Column("code", sa.String, nullable=False, comment="which sheet: assessment, plan, review …"),
    sa.Column(
        "version", sa.String, nullable=False, comment="of the definition, the municipality's own fields included"
    ),
    sa.Column("n", sa.Integer, comment="of plan n; none where a sheet belongs to no plan"),
    sa.Column("change", sa.String, nullable=False, comment="first, new_version, amendment, re_plan"),
    sa.Column("before", sa.String, comment="the sheet it came from"),
    sa.Column("body", sa.JSON, nullable=False, comment="field → answer"),
    sa.Column("after", sa.JSON, nullable=False, comment="what was filled in once it was settled"),
    sa.Column("state", sa.String, nullable=False, comment="draft, settled, adopted, replaced"),
    sa.Column("author", sa.String, nullable=False),
    sa.Column("at", UtcText, nullable=False, comment="begun"),
    sa.Column("saved_at", UtcText, nullable=False),
    sa.Column("saved_by", sa.String, nullable=False),
    sa.Column("turn", sa.JSON, comment="which sending of which open page was kept last"),
    sa.Column("settled_at", UtcText),
    sa.Column("settled_by", sa.String),
    sa.Column("adopted_at", UtcText),
)

sa.Index("sheets_case_code", sheets.c.case, sheets.c.code, sheets.c.at)

sheet_signatures = sa.Table(
    "sheet_signatures",
    metadata,
    sa.Column("sheet", sa.ForeignKey("sheets.id"), primary_key=True),
    sa.Column("method", sa.String, nullable=False, comment="pad, paper"),
    sa.Column("signer", sa.String, nullable=False, comment="self, legal_rep"),
    sa.Column("signed_on", sa.Date, nullable=False),
    sa.Column("digest", sa.String, nullable=False, comment="SHA-256 of the answers that were signed"),
    sa.Column("scan", sa.ForeignKey("scans.id"), nullable=False, comment="the drawn signature, or the paper"),
    sa.Column("recorded_at", UtcText, nullable=False),
    sa.Column("recorded_by", sa.String, nullable=False),
)

sheet_definitions = sa.Table(
    "sheet_definitions",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False, comment="definition, overlay"),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("added_at", UtcText, nullable=False),
    sa.Column("added_by", sa.String, nullable=False),
)
