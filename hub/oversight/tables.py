# SPDX-License-Identifier: Apache-2.0
"""What an officer decided and what was found for an officer to decide; rights: `hub/migrations`, "oversight".

Rows of `reviews`, `anomalies`, `paper_samples` and `notice_reminders` hold codes and reference numbers: there is no
column for a sentence.
"""

import sqlalchemy as sa

from hub.base.db import UtcDateTime, metadata

_UUID = sa.Uuid(as_uuid=False)

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("id", _UUID, primary_key=True),
    # the hub's row of the message that was sent by the emergency door
    sa.Column("message", _UUID, nullable=False),
    # who used the door; it may read how its use was judged
    sa.Column("agency", _UUID, nullable=False),
    # the hub's id of the officer
    sa.Column("reviewer", _UUID, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    # a code of the closed list of remarks
    sa.Column("remark", sa.Text, nullable=False),
    # the number of a paper file where more is written, never words
    sa.Column("reference", sa.Text),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("ix_reviews_message", "message", "id"),
    sa.Index("uq_reviews_final", "message", unique=True, postgresql_where=sa.text("answer <> 'more_needed'")),
)

anomalies = sa.Table(
    "anomalies",
    metadata,
    sa.Column("id", _UUID, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    # whose doing it looks like; agencies never read this table
    sa.Column("agency", _UUID, nullable=False),
    # a case handle, a referral, or the agency itself
    sa.Column("about", _UUID, nullable=False),
    # the Japanese calendar day it was seen on
    sa.Column("day", sa.Date, nullable=False),
    # how many, and how many are usual for this agency (none where nothing is usual)
    sa.Column("measure", sa.Integer, nullable=False),
    sa.Column("usual", sa.Integer),
    sa.Column("found_at", UtcDateTime, nullable=False),
    sa.Column("closed_at", UtcDateTime),
    # the hub's id of the officer
    sa.Column("closed_by", _UUID),
    # a code of the closed list of closings
    sa.Column("closing", sa.Text),
    sa.Column("reference", sa.Text),
    sa.UniqueConstraint("kind", "agency", "about", "day"),
    sa.Index("ix_anomalies_open", "found_at", postgresql_where=sa.text("closed_at IS NULL")),
)

draws = sa.Table(
    "paper_draws",
    metadata,
    sa.Column("id", _UUID, primary_key=True),
    # whose papers; none: every agency's
    sa.Column("agency", _UUID),
    # consents registered on these Japanese calendar days, both included
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    # how many were asked for, and among how many
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("candidates", sa.Integer, nullable=False),
    # the root of the log's tree of that size: nobody chose it, and anybody can draw again
    sa.Column("seed", sa.Text, nullable=False),
    sa.Column("tree_size", sa.BigInteger, nullable=False),
    # the hub's id of the officer
    sa.Column("drawn_by", _UUID, nullable=False),
    sa.Column("drawn_at", UtcDateTime, nullable=False),
)

samples = sa.Table(
    "paper_samples",
    metadata,
    sa.Column("id", _UUID, primary_key=True),
    sa.Column("draw", _UUID, sa.ForeignKey("paper_draws.id"), nullable=False),
    # who keeps the paper
    sa.Column("agency", _UUID, nullable=False),
    # the hub's row of the consent, and its signer's id
    sa.Column("consent", _UUID, nullable=False),
    sa.Column("record", _UUID, nullable=False),
    sa.Column("case_handle", _UUID, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    # what came out; none until somebody answered
    sa.Column("outcome", sa.Text),
    sa.Column("answered_at", UtcDateTime),
    # the agency's id, or the hub's id of the officer who saw the paper
    sa.Column("answered_by", _UUID),
    sa.Column("reference", sa.Text),
    sa.UniqueConstraint("draw", "consent"),
    sa.Index("ix_paper_samples_agency", "agency", "id"),
)

reminders = sa.Table(
    "notice_reminders",
    metadata,
    # the stop-use notice that nobody answered, and the how-manieth reminder
    sa.Column("notice", _UUID, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("agency", _UUID, nullable=False),
    # the officer who asked for it; none: the hub's timer
    sa.Column("asked_by", _UUID),
    sa.Column("at", UtcDateTime, nullable=False),
)

watched_days = sa.Table(
    "watched_days",
    metadata,
    # a Japanese calendar day that was looked through, and how much was found
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("found", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
