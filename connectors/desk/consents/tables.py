# SPDX-License-Identifier: Apache-2.0
"""The slice's own tables: an index over the terms of consents, and how a withdrawal reached us. Only ever added to."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

terms = sa.Table(
    "consent_terms",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("signer", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False),
    sa.Column("code", sa.String, nullable=False, index=True, comment="the check code of the person's copy"),
    sa.Column("until", UtcText, nullable=False, index=True, comment="until when it counts: an oral one 14 days"),
)
"""What stands in the signed records, to be found by its date; a record never changes, nor does its row."""

takings = sa.Table(
    "consent_takings",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="the form that was confirmed: one answer, one row"),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("words", sa.JSON, nullable=False, comment="the signed withdrawals that carry it"),
    sa.Column("channel", sa.String, nullable=False, comment="here, telephone, paper"),
    sa.Column("document", sa.JSON, nullable=False, comment="what was taken back, and what was running then"),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
)
