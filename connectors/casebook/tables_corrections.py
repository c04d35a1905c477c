# SPDX-License-Identifier: Apache-2.0
"""Tables of corrections that this agency made known: what is right, and who was told or could not be."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

corrections = sa.Table(
    "corrections",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="the same in every notice"),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("message", sa.String, nullable=False, comment="of ours, in which it was found"),
    sa.Column("category", sa.String, nullable=False),
    sa.Column("text", sa.String, nullable=False, comment="what is right, as it was written once"),
    sa.Column("made_at", UtcText, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
)

correction_addressees = sa.Table(
    "correction_addressees",
    metadata,
    sa.Column("correction", sa.ForeignKey("corrections.id"), primary_key=True),
    sa.Column("referral", sa.String, primary_key=True, comment="in whose thread the wrong part went"),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("agency", sa.String, nullable=False),
    sa.Column("parts", sa.JSON, nullable=False, comment="what it corrects there: message and number"),
    sa.Column("message", sa.String, comment="the notice; none while it could not be sealed"),
    sa.Column("why", sa.String, comment="why it was not: a reason of the decision, or what else stood in the way"),
    sa.Column("told_how", sa.String, comment="the channel, where it was told in another way"),
    sa.Column("told_at", UtcText),
    sa.Column("told_by", sa.String),
)
