# SPDX-License-Identifier: Apache-2.0
"""Tables of the referral loop: where each referral stands, its moves, accompaniments and follow-ups.

Private to this slice. Codes, ids, dates and times only: no column could hold a name or a sentence. Rights and
policies stand in migration 0006.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from hub.base.db import UtcDateTime, metadata

_UUID = sa.Uuid(as_uuid=False)
_OVER = "state IN ('closed', 'cancelled', 'rerouted', 'withdrawn', 'entered_in_error')"

STILL_OPEN = f"NOT ({_OVER})"
"""The condition of the index of open needs, word for word."""

referrals = sa.Table(
    "referrals",
    metadata,
    sa.Column("id", _UUID, primary_key=True),
    # the first referral of the need; its own id where it is the first
    sa.Column("root", _UUID, nullable=False),
    # the referral that was referred on, and how often the need was
    sa.Column("parent", _UUID),
    sa.Column("hop", sa.Integer, nullable=False),
    # declines of the same need before this referral
    sa.Column("prior_declines", sa.Integer, nullable=False),
    sa.Column("case_handle", _UUID, nullable=False),
    # the hub's row of the case; none in an emergency for a case that is not registered
    sa.Column("case_row", _UUID),
    sa.Column("sender", _UUID, nullable=False),
    sa.Column("recipient", _UUID, nullable=False),
    sa.Column("coordinator", _UUID, nullable=False),
    # the opener's id of the thread, and the row of the message that opened it
    sa.Column("thread", _UUID, nullable=False),
    sa.Column("opening", _UUID, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("urgency", sa.Text, nullable=False),
    sa.Column("request_kind", sa.Text),
    sa.Column("basis", sa.Text, nullable=False),
    # the categories it was opened with: what it needs of consent (row 22)
    sa.Column("needs", JSONB, nullable=False),
    sa.Column("telephone_at", UtcDateTime),
    sa.Column("telephone_result", sa.Text),
    sa.Column("sent_at", UtcDateTime, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    # counts the moves; the ETag
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("ball", _UUID),
    sa.Column("awaiting", _UUID),
    sa.Column("due_at", UtcDateTime),
    # the next step of the ladder of limits and when it is reached
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("step_at", UtcDateTime),
    # the moments that limits run from (limits.Clock); `clock_at` is when it was sent, or sent back
    sa.Column("clock_at", UtcDateTime, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("word_at", UtcDateTime),
    sa.Column("review_at", UtcDateTime),
    sa.Column("next_step_by", UtcDateTime),
    sa.Column("asked_at", UtcDateTime),
    sa.Column("pause_until", UtcDateTime),
    sa.Column("paused_seconds", sa.BigInteger, nullable=False),
    sa.Column("opened_at", UtcDateTime),
    sa.Column("accepted_at", UtcDateTime),
    sa.Column("closed_at", UtcDateTime),
    sa.Column("returned", sa.Integer, nullable=False),
    # role codes and the agency's opaque staff ids
    sa.Column("worker", sa.Text),
    sa.Column("worker_role", sa.Text),
    sa.Column("sender_worker", sa.Text),
    sa.Column("sender_worker_role", sa.Text),
    sa.Column("next_on", sa.Date),
    sa.Column("outcome", sa.Text),
    sa.Column("content_stopped_at", UtcDateTime),
    # since when nobody has the person; none while somebody has
    sa.Column("unowned_since", UtcDateTime),
    sa.Column("conference_asked_at", UtcDateTime),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Index(
        "uq_referrals_open_need",
        "sender",
        "case_handle",
        "recipient",
        "purpose",
        unique=True,
        postgresql_where=sa.text(STILL_OPEN),
    ),
    sa.Index("ix_referrals_sender_updated_at_id", "sender", "updated_at", "id"),
    sa.Index("ix_referrals_recipient_updated_at_id", "recipient", "updated_at", "id"),
    sa.Index("ix_referrals_coordinator_updated_at_id", "coordinator", "updated_at", "id"),
    sa.Index("ix_referrals_root", "root"),
    sa.Index("ix_referrals_case_row", "case_row"),
    sa.Index("ix_referrals_opening", "opening"),
    sa.Index("ix_referrals_thread", "thread"),
    sa.Index("ix_referrals_step_at", "step_at", postgresql_where=sa.text("step_at IS NOT NULL")),
    sa.Index(
        "ix_referrals_unowned_since",
        "unowned_since",
        postgresql_where=sa.text("unowned_since IS NOT NULL AND conference_asked_at IS NULL"),
    ),
)

moves = sa.Table(
    "referral_moves",
    metadata,
    sa.Column("referral", _UUID, sa.ForeignKey("referrals.id"), primary_key=True),
    # the referral's version after the move
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("frm", sa.Text, nullable=False),
    sa.Column("to", sa.Text, nullable=False),
    # none: the hub by itself, or an officer
    sa.Column("agency", _UUID),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    # SHA-256 of what the caller said, so that the same move sent again is known
    sa.Column("body_digest", sa.Text, nullable=False),
    # codes and ids of what was said
    sa.Column("facts", JSONB, nullable=False),
    sa.Column("entry", _UUID, nullable=False),
)

accompaniments = sa.Table(
    "referral_accompaniments",
    metadata,
    sa.Column("referral", _UUID, sa.ForeignKey("referrals.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    # who goes along
    sa.Column("agency", _UUID, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("on", sa.Date, nullable=False),
    sa.Column("minutes", sa.Integer),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("destination", _UUID, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("result", sa.Text),
    sa.Column("next_step_on", sa.Date),
    # the sealed narrative, if it was sent
    sa.Column("message", _UUID),
    sa.Column("body_digest", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    # the agency was reminded of a date that passed
    sa.Column("reminded_at", UtcDateTime),
    sa.Index(
        "ix_referral_accompaniments_planned",
        "on",
        postgresql_where=sa.text("state IN ('proposed', 'agreed') AND reminded_at IS NULL"),
    ),
)

follow_ups = sa.Table(
    "referral_follow_ups",
    metadata,
    sa.Column("referral", _UUID, sa.ForeignKey("referrals.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    # who set it, and asks
    sa.Column("agency", _UUID, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("set_at", UtcDateTime, nullable=False),
    sa.Column("done_at", UtcDateTime),
    sa.Column("channel", sa.Text),
    # the person, the agency, or both
    sa.Column("asked", JSONB),
    sa.Column("result", sa.Text),
    sa.Column("next_due_on", sa.Date),
    sa.Column("body_digest", sa.Text, nullable=False),
    # whose task it became, when it was due and when it was overdue
    sa.Column("tasked", _UUID),
    sa.Column("due_told_at", UtcDateTime),
    sa.Column("overdue_told_at", UtcDateTime),
    sa.Index("ix_referral_follow_ups_due_on", "due_on", postgresql_where=sa.text("done_at IS NULL")),
)
