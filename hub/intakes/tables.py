# SPDX-License-Identifier: Apache-2.0
"""The tables of what people agreed to and refused. Signed words are kept byte for byte; who may see a row is
in the migration that makes it.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from hub.base.db import UtcDateTime, metadata

consent_gates = sa.Table(
    "consent_gates",
    metadata,
    sa.Column("case_id", sa.Uuid(as_uuid=False), sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""One row per case, held FOR SHARE by every send and FOR UPDATE by every change: their order of commit is the
order that counts, also when there is no consent yet. `version` counts the changes."""

consents = sa.Table(
    "consents",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    # The signer's own id; unique per signer, so that another's never clashes with it.
    sa.Column("consent", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("signer", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("case_id", sa.Uuid(as_uuid=False), sa.ForeignKey("cases.id"), nullable=False),
    # The owner's handle, by which an agency finds what names it where the case itself is not for it to see.
    sa.Column("case_handle", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("hub_parties", ARRAY(sa.Uuid(as_uuid=False)), nullable=False),
    # The one partner: an agency's id or a recipient kind.
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("record_hash", sa.Text, nullable=False),
    sa.Column("valid_until", UtcDateTime, nullable=False),
    sa.Column("registered_at", UtcDateTime, nullable=False),
    # From when on a newer record of the case takes its place; the partner may not see that one.
    sa.Column("superseded_at", UtcDateTime, nullable=True),
    sa.UniqueConstraint("signer", "consent"),
    sa.Index("ix_consents_case_id", "case_id"),
    sa.Index("ix_consents_case_handle", "case_handle"),
    sa.Index("ix_consents_record_hash", "record_hash"),
)
"""Registered consent records; never removed, and never changed but for the moment of their end by a newer one."""

withdrawals = sa.Table(
    "withdrawals",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    # One person's word may take back several records: one row for each, so that a partner sees only its own.
    sa.Column("withdrawal", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("consent_id", sa.Uuid(as_uuid=False), sa.ForeignKey("consents.id"), nullable=False),
    sa.Column("case_id", sa.Uuid(as_uuid=False), sa.ForeignKey("cases.id"), nullable=False),
    sa.Column("owner", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    # Empty: all.
    sa.Column("to", ARRAY(sa.Text), nullable=False),
    sa.Column("categories", ARRAY(sa.Text), nullable=False),
    # Null until the intake agency has countersigned what came by another channel.
    sa.Column("record", sa.Text, nullable=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("ix_withdrawals_case_id", "case_id"),
    sa.Index("ix_withdrawals_consent_id", "consent_id"),
)
"""What was taken back, from which moment on."""

exclusions = sa.Table(
    "exclusions",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("exclusion", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("signer", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("case_id", sa.Uuid(as_uuid=False), sa.ForeignKey("cases.id"), nullable=False),
    sa.Column("to", ARRAY(sa.Text), nullable=False),
    sa.Column("categories", ARRAY(sa.Text), nullable=False),
    sa.Column("from_time", UtcDateTime, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("record_hash", sa.Text, nullable=False),
    sa.Column("registered_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime, nullable=True),
    # The signed revocation, once there is one.
    sa.Column("revocation", sa.Text, nullable=True),
    sa.UniqueConstraint("signer", "exclusion"),
    sa.Index("ix_exclusions_case_id", "case_id"),
)
"""The person's refusals; they outlive every scope until one is revoked by name."""

consent_statuses = sa.Table(
    "consent_statuses",
    metadata,
    sa.Column("consent_id", sa.Uuid(as_uuid=False), sa.ForeignKey("consents.id"), primary_key=True),
    sa.Column("owner", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("record_hash", sa.Text, nullable=False),
    sa.Column("as_of", UtcDateTime, nullable=False),
    sa.Column("next_by", UtcDateTime, nullable=False),
)
"""The intake agency's newest word that a consent is live (protocol §4)."""
