# SPDX-License-Identifier: Apache-2.0
"""Tables of the thirteen steps: what the hub said last of each case of ours, and what only this agency knows of a step.

`case_courses` is a mirror; the hub's word alone changes it. The others are the agency's own: words, who, which earlier
case. None of them leaves the house.
"""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

case_courses = sa.Table(
    "case_courses",
    metadata,
    sa.Column("case", sa.String, primary_key=True),
    sa.Column("step", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, comment="the entity tag last seen"),
    sa.Column("moved_at", UtcText, nullable=False),
    sa.Column("is_stale", sa.Boolean, nullable=False, index=True, comment="history and notes are older than the step"),
    sa.Column("document", sa.JSON, nullable=False, comment="the hub's answer with history and notes"),
    sa.Column("fetched_at", UtcText, nullable=False),
)

contact_attempts = sa.Table(
    "contact_attempts",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="the key of the note that was queued for the hub"),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("made", sa.Boolean, nullable=False, comment="whether the person was reached"),
    sa.Column("text", sa.String, nullable=False),
)

triages = sa.Table(
    "triages",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="the key of the move that was queued for the hub"),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("result", sa.String, nullable=False, comment="code of the list screening"),
    sa.Column("manner", sa.String, comment="how a referral out goes on: together, or followed up"),
    sa.Column("text", sa.String, nullable=False),
)

urgencies = sa.Table(
    "urgencies",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("route", sa.String, nullable=False, comment="code of the list emergency_route"),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("due_at", UtcText, nullable=False, index=True),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("done_at", UtcText, index=True),
    sa.Column("done_by", sa.String),
    sa.Column("outcome", sa.String, nullable=False, default=""),
)

case_endings = sa.Table(
    "case_endings",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="the key of the move that was queued for the hub"),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False, comment="code of the list closure_reason"),
    sa.Column("document", sa.JSON, nullable=False, comment="with whom and when it was talked over, who follows up"),
)

case_sides = sa.Table(
    "case_sides",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False, comment="strength, problem"),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("ended_at", UtcText, comment="when it was struck out; it stays readable in the record"),
)

case_origins = sa.Table(
    "case_origins",
    metadata,
    sa.Column("case", sa.String, primary_key=True),
    sa.Column("earlier", sa.String, nullable=False, index=True, comment="the ended case that this one follows"),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
)
