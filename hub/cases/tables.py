# SPDX-License-Identifier: Apache-2.0
"""The cases' tables. Codes, ids and times only; row-level security is in the migration that makes them."""

import sqlalchemy as sa

from hub.base.db import UtcDateTime, metadata

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    # The agency's own random handle, unique per owner: another agency's never clashes with it.
    sa.Column("handle", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("owner", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("moved_at", UtcDateTime, nullable=False),
    sa.Column("closed_at", UtcDateTime, nullable=True),
    sa.UniqueConstraint("owner", "handle"),
)
"""Where each case stands now."""

case_parties = sa.Table(
    "case_parties",
    metadata,
    sa.Column("case_id", sa.Uuid(as_uuid=False), sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("agency", sa.Uuid(as_uuid=False), primary_key=True),
    # Repeated from the case, so that the row's policy needs no look at `cases` (whose policy looks here).
    sa.Column("owner", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("named_at", UtcDateTime, nullable=False),
)
"""The agencies that a record of the case names: they may see that it exists."""

case_steps = sa.Table(
    "case_steps",
    metadata,
    sa.Column("case_id", sa.Uuid(as_uuid=False), sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("owner", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=True),
    sa.Column("at", UtcDateTime, nullable=False),
    # The closure stands here and not on the case, because partners see the case and need not know why it
    # ended.
    sa.Column("closure_ground", sa.Text, nullable=True),
    sa.Column("follow_up_on", sa.Date, nullable=True),
    sa.Column("no_follow_up_reason", sa.Text, nullable=True),
)
"""How each case came to where it stands; the owner's alone."""

case_notes = sa.Table(
    "case_notes",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("case_id", sa.Uuid(as_uuid=False), sa.ForeignKey("cases.id"), nullable=False),
    sa.Column("owner", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("author", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("author_kind", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=True),
    # SHA-256(salt ‖ text) of a text that stays in the casebook.
    sa.Column("digest", sa.Text, nullable=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("ix_case_notes_case_id_at", "case_id", "at"),
)
"""That something was noted, and of what kind; the words stay with the agency that wrote them."""
