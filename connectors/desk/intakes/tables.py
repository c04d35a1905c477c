# SPDX-License-Identifier: Apache-2.0
"""Intake forms that were taken, signed or not: which case they led to, how they were signed, what is still to come."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

intakes = sa.Table(
    "intakes",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="of the draft it was, and of the signed form it is"),
    sa.Column("case", sa.ForeignKey("cases.handle"), nullable=False, index=True),
    sa.Column("received_on", sa.Date, nullable=False),
    sa.Column("received_by", sa.String, nullable=False, comment="staff id"),
    sa.Column("signature", sa.String, nullable=False, index=True, comment="code of the vocabulary; none: no consent"),
    sa.Column("signed_at", UtcText),
    sa.Column("follow_up_on", sa.Date, comment="when the signature of an oral consent is asked for"),
    sa.Column("document", sa.JSON, nullable=False, comment="the form as it was filled in, to go on from"),
    sa.Column("followed_by", sa.String, index=True, comment="the form that completed or replaced it"),
    sa.Column("taken_at", UtcText, nullable=False),
    sa.Column("taken_by", sa.String, nullable=False),
)
