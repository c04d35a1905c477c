# SPDX-License-Identifier: Apache-2.0
"""Tables of what the hub said last: referrals in full, what stands beside them, tasks, notices, the directory.

A mirror, for pages that must open with the line down: the hub's word alone changes a row, and any of them may be
fetched anew. `document` is the hub's answer as it came.
"""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

referral_details = sa.Table(
    "referral_details",
    metadata,
    sa.Column("referral", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("fetched_at", UtcText, nullable=False),
)

referral_marks = sa.Table(
    "referral_marks",
    metadata,
    sa.Column("referral", sa.String, primary_key=True),
    sa.Column("urgency", sa.String, nullable=False),
    sa.Column("sent_at", UtcText, nullable=False),
    sa.Column("next_on", sa.Date, index=True),
    comment="what lists choose and sort referrals by, so that no list opens thousands of documents",
)

accompaniments = sa.Table(
    "accompaniments",
    metadata,
    sa.Column("referral", sa.String, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("agency", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("on_day", sa.Date, nullable=False, index=True),
    sa.Column("document", sa.JSON, nullable=False),
)

follow_ups = sa.Table(
    "follow_ups",
    metadata,
    sa.Column("referral", sa.String, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("agency", sa.String, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("done_at", UtcText),
    sa.Column("document", sa.JSON, nullable=False),
)
sa.Index("follow_ups_open", follow_ups.c.done_at, follow_ups.c.due_on)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("case", sa.String, index=True),
    sa.Column("about", sa.String, nullable=False, index=True),
    sa.Column("due_at", UtcText),
    sa.Column("raised_at", UtcText, nullable=False),
    sa.Column("done_at", UtcText),
    sa.Column("document", sa.JSON, nullable=False),
)

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("due_at", UtcText, nullable=False),
    sa.Column("answered_at", UtcText),
    sa.Column("document", sa.JSON, nullable=False),
)

agency_profiles = sa.Table(
    "agency_profiles",
    metadata,
    sa.Column("agency", sa.String, primary_key=True),
    sa.Column("document", sa.JSON, nullable=False, comment="the directory's entry: services, area, hours, capacity"),
    sa.Column("fetched_at", UtcText, nullable=False),
)
