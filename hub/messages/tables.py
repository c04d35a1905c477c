# SPDX-License-Identifier: Apache-2.0
"""Tables of the broker: threads, sealed messages and their parts, receipts, stop-use notices, emergency uses.

Private to this slice. What a column means is said where it is declared; rights and policies stand in
migration 0005. There is no column for a name, a text or anything that was inside an envelope.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from hub.base.db import UtcDateTime, metadata

_UUID = sa.Uuid(as_uuid=False)

WAITS = "delivery IN ('queued', 'offered') AND waiting_since IS NOT NULL"
"""The condition of the index of what waits, word for word."""

threads = sa.Table(
    "message_threads",
    metadata,
    sa.Column("id", _UUID, primary_key=True),
    # the opener's id: unique per opener, so that another's id never clashes (protocol §1)
    sa.Column("thread", _UUID, nullable=False),
    sa.Column("opener", _UUID, nullable=False),
    sa.Column("partner", _UUID, nullable=False),
    sa.Column("case_handle", _UUID, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    # number and manifest hash of the last message in order, for each direction
    sa.Column("opener_seq", sa.Integer, nullable=False),
    sa.Column("opener_head", sa.Text),
    sa.Column("partner_seq", sa.Integer, nullable=False),
    sa.Column("partner_head", sa.Text),
    sa.UniqueConstraint("opener", "thread"),
    sa.Index("ix_message_threads_partner", "partner", "thread"),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", _UUID, primary_key=True),
    # the sender's id
    sa.Column("message", _UUID, nullable=False),
    sa.Column("thread_row", _UUID, sa.ForeignKey("message_threads.id"), nullable=False),
    sa.Column("thread", _UUID, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("prev", sa.Text),
    sa.Column("sender", _UUID, nullable=False),
    sa.Column("recipient", _UUID, nullable=False),
    sa.Column("case_handle", _UUID, nullable=False),
    # the hub's row of the case; none in an emergency for a case that is not registered
    sa.Column("case_row", _UUID),
    # the signed token, byte for byte, and SHA-256 of it
    sa.Column("manifest", sa.Text, nullable=False),
    sa.Column("manifest_hash", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("urgency", sa.Text, nullable=False),
    sa.Column("request_kind", sa.Text),
    # the manifest's basis member, so that hand-over decides on the same claim
    sa.Column("basis", JSONB, nullable=False),
    sa.Column("not_after", UtcDateTime, nullable=False),
    sa.Column("accepted_at", UtcDateTime, nullable=False),
    # the hub's signed word that it took the message; the same answer to a re-send
    sa.Column("receipt", sa.Text, nullable=False),
    # when it began to wait for its recipient; none while an earlier one is missing
    sa.Column("waiting_since", UtcDateTime),
    sa.Column("delivery", sa.Text, nullable=False),
    sa.Column("offered_at", UtcDateTime),
    # first time the ciphertext went out: from then on a withdrawal owes a stop-use notice
    sa.Column("handed_over_at", UtcDateTime),
    sa.Column("delivered_at", UtcDateTime),
    sa.Column("opened_at", UtcDateTime),
    # refused, destroyed or undeliverable since
    sa.Column("ended_at", UtcDateTime),
    # the ciphertext is gone since
    sa.Column("emptied_at", UtcDateTime),
    # the sender was told that consent does not carry it any more; none again when it does
    sa.Column("stopped_told_at", UtcDateTime),
    # the sender was told that no receipt came
    sa.Column("overdue_told_at", UtcDateTime),
    sa.UniqueConstraint("sender", "message"),
    sa.UniqueConstraint("thread_row", "sender", "seq"),
    sa.Index(
        "ix_messages_waiting",
        "recipient",
        "waiting_since",
        "seq",
        "id",
        postgresql_where=sa.text(WAITS),
    ),
    sa.Index("ix_messages_case_row", "case_row"),
    sa.Index("ix_messages_case_handle", "case_handle"),
    sa.Index("ix_messages_manifest_hash", "manifest_hash"),
    # what timers look for: ciphertext still here
    sa.Index("ix_messages_kept", "not_after", postgresql_where=sa.text("emptied_at IS NULL")),
    sa.Index("ix_messages_delivered", "delivered_at", postgresql_where=sa.text("emptied_at IS NULL")),
    sa.Index(
        "ix_messages_unanswered",
        "offered_at",
        postgresql_where=sa.text("delivery = 'offered' AND overdue_told_at IS NULL"),
    ),
)

parts = sa.Table(
    "message_parts",
    metadata,
    sa.Column("message_row", _UUID, sa.ForeignKey("messages.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("sender", _UUID, nullable=False),
    sa.Column("recipient", _UUID, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("media", sa.Text, nullable=False),
    sa.Column("size_bucket", sa.Integer, nullable=False),
    sa.Column("ct", sa.Text, nullable=False),
    # the scope on which it was last permitted; none for the other bases
    sa.Column("scope", _UUID),
    # the sealed bytes exactly as they came; none once destroyed
    sa.Column("sealed", sa.LargeBinary),
    # what the recipient's delivery receipt says of it
    sa.Column("result", sa.Text),
)

receipts = sa.Table(
    "message_receipts",
    metadata,
    sa.Column("id", _UUID, primary_key=True),
    sa.Column("message_row", _UUID, sa.ForeignKey("messages.id"), nullable=False),
    # of the message that the receipt is about
    sa.Column("sender", _UUID, nullable=False),
    # the receipt's signer
    sa.Column("recipient", _UUID, nullable=False),
    # the signer's id of the receipt
    sa.Column("receipt", _UUID, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("recipient", "receipt"),
    sa.Index("ix_message_receipts_message_row", "message_row"),
)

notices = sa.Table(
    "stop_use_notices",
    metadata,
    sa.Column("id", _UUID, primary_key=True),
    # who must stop using and answer
    sa.Column("agency", _UUID, nullable=False),
    sa.Column("case_row", _UUID, nullable=False),
    sa.Column("case_handle", _UUID, nullable=False),
    # the withdrawal that took the consent back
    sa.Column("withdrawal", _UUID, nullable=False),
    # what it is about: [{"message", "sender", "categories"}]
    sa.Column("items", JSONB, nullable=False),
    sa.Column("raised_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("answered_at", UtcDateTime),
    # the agency's signed answer, byte for byte
    sa.Column("record", sa.Text),
    sa.Column("overdue_told_at", UtcDateTime),
    sa.UniqueConstraint("agency", "withdrawal"),
    sa.Index("ix_stop_use_notices_agency", "agency", "id"),
    sa.Index(
        "ix_stop_use_notices_open",
        "due_at",
        postgresql_where=sa.text("answered_at IS NULL AND overdue_told_at IS NULL"),
    ),
)

overrides = sa.Table(
    "emergency_uses",
    metadata,
    sa.Column("message_row", _UUID, sa.ForeignKey("messages.id"), primary_key=True),
    sa.Column("agency", _UUID, nullable=False),
    # the agency's opaque staff id of who asked
    sa.Column("requester", sa.Text, nullable=False),
    # the Japanese calendar day that the limit counts
    sa.Column("day", sa.Date, nullable=False),
    sa.Index("ix_emergency_uses_day", "agency", "requester", "day"),
)
