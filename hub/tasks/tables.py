# SPDX-License-Identifier: Apache-2.0
"""Tasks: codes, ids and times. What a task is about is read from the slice that raised it."""

import sqlalchemy as sa

from hub.base.db import UtcDateTime, metadata

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    # NULL: the hub's operator.
    sa.Column("agency", sa.Uuid(as_uuid=False), nullable=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("case_handle", sa.Uuid(as_uuid=False), nullable=True),
    sa.Column("due_at", UtcDateTime, nullable=True),
    sa.Column("raised_at", UtcDateTime, nullable=False),
    sa.Column("done_at", UtcDateTime, nullable=True),
)
