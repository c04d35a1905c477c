# SPDX-License-Identifier: Apache-2.0
"""The meetings' tables: who was invited, who accepted, what was on the agenda and what was decided, all in
codes.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from hub.base.db import UtcDateTime, metadata

meetings = sa.Table(
    "meetings",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("convenor", sa.Uuid(as_uuid=False), nullable=False),
    # Null: any case that its members bring.
    sa.Column("case_id", sa.Uuid(as_uuid=False), sa.ForeignKey("cases.id"), nullable=True),
    sa.Column("case_handle", sa.Uuid(as_uuid=False), nullable=True),
    # Those invited, the convenor not among them.
    sa.Column("members", ARRAY(sa.Uuid(as_uuid=False)), nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("convened_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime, nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_meetings_case_id", "case_id"),
)
"""A meeting: its kind never changes, because one kind needs the person's consent and the other does not."""

meeting_acceptances = sa.Table(
    "meeting_acceptances",
    metadata,
    sa.Column("meeting_id", sa.Uuid(as_uuid=False), sa.ForeignKey("meetings.id"), primary_key=True),
    sa.Column("agency", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("accepted_at", UtcDateTime, nullable=False),
)
"""Who accepted membership, and with it the duty of secrecy."""

meeting_items = sa.Table(
    "meeting_items",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("meeting_id", sa.Uuid(as_uuid=False), sa.ForeignKey("meetings.id"), nullable=False),
    # `agenda` or `decision`.
    sa.Column("list", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=True),
    sa.Column("case_handle", sa.Uuid(as_uuid=False), nullable=True),
    sa.Column("author", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("ix_meeting_items_meeting_id", "meeting_id"),
)
"""What is on the agenda and what was decided: codes and handles; the minutes stay with the agencies."""
