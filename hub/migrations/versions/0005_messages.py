# SPDX-License-Identifier: Apache-2.0
"""The broker's tables with rights and policies: threads, messages, sealed parts, receipts, notices, uses."""

from alembic import op

from hub.migrations import policies

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

AGENCY = "nullif(current_setting('tsn.agency', true), '')::uuid"

TABLES_DDL = """
CREATE TABLE message_threads (
    id uuid NOT NULL,
    thread uuid NOT NULL,
    opener uuid NOT NULL,
    partner uuid NOT NULL,
    case_handle uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    opener_seq integer NOT NULL,
    opener_head text,
    partner_seq integer NOT NULL,
    partner_head text,
    CONSTRAINT pk_message_threads PRIMARY KEY (id),
    CONSTRAINT uq_message_threads_opener_thread UNIQUE (opener, thread),
    CONSTRAINT ck_message_threads_two_parties CHECK (opener <> partner)
);
CREATE INDEX ix_message_threads_partner ON message_threads (partner, thread);

CREATE TABLE messages (
    id uuid NOT NULL,
    message uuid NOT NULL,
    thread_row uuid NOT NULL,
    thread uuid NOT NULL,
    seq integer NOT NULL,
    prev text,
    sender uuid NOT NULL,
    recipient uuid NOT NULL,
    case_handle uuid NOT NULL,
    case_row uuid,
    manifest text NOT NULL,
    manifest_hash text NOT NULL,
    kind text NOT NULL,
    purpose text NOT NULL,
    urgency text NOT NULL,
    request_kind text,
    basis jsonb NOT NULL,
    not_after timestamptz NOT NULL,
    accepted_at timestamptz NOT NULL,
    receipt text NOT NULL,
    waiting_since timestamptz,
    delivery text NOT NULL,
    offered_at timestamptz,
    handed_over_at timestamptz,
    delivered_at timestamptz,
    opened_at timestamptz,
    ended_at timestamptz,
    emptied_at timestamptz,
    stopped_told_at timestamptz,
    overdue_told_at timestamptz,
    CONSTRAINT pk_messages PRIMARY KEY (id),
    CONSTRAINT uq_messages_sender_message UNIQUE (sender, message),
    CONSTRAINT uq_messages_thread_row_sender_seq UNIQUE (thread_row, sender, seq),
    CONSTRAINT fk_messages_thread_row FOREIGN KEY (thread_row) REFERENCES message_threads (id),
    CONSTRAINT ck_messages_seq CHECK (seq >= 1),
    CONSTRAINT ck_messages_two_parties CHECK (sender <> recipient),
    CONSTRAINT ck_messages_delivery CHECK (delivery IN
        ('queued', 'offered', 'delivered', 'opened', 'refused', 'destroyed', 'undeliverable'))
);
CREATE INDEX ix_messages_waiting ON messages (recipient, waiting_since, seq, id)
    WHERE delivery IN ('queued', 'offered') AND waiting_since IS NOT NULL;
CREATE INDEX ix_messages_case_row ON messages (case_row);
CREATE INDEX ix_messages_manifest_hash ON messages (manifest_hash);
CREATE INDEX ix_messages_kept ON messages (not_after) WHERE emptied_at IS NULL;
CREATE INDEX ix_messages_delivered ON messages (delivered_at) WHERE emptied_at IS NULL;
CREATE INDEX ix_messages_unanswered ON messages (offered_at)
    WHERE delivery = 'offered' AND overdue_told_at IS NULL;

CREATE TABLE message_parts (
    message_row uuid NOT NULL,
    n integer NOT NULL,
    sender uuid NOT NULL,
    recipient uuid NOT NULL,
    category text NOT NULL,
    media text NOT NULL,
    size_bucket integer NOT NULL,
    ct text NOT NULL,
    scope uuid,
    sealed bytea,
    result text,
    CONSTRAINT pk_message_parts PRIMARY KEY (message_row, n),
    CONSTRAINT fk_message_parts_message_row FOREIGN KEY (message_row) REFERENCES messages (id)
);
-- sealed bytes do not compress; a try costs time on every send
ALTER TABLE message_parts ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE TABLE message_receipts (
    id uuid NOT NULL,
    message_row uuid NOT NULL,
    sender uuid NOT NULL,
    recipient uuid NOT NULL,
    receipt uuid NOT NULL,
    kind text NOT NULL,
    token text NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT pk_message_receipts PRIMARY KEY (id),
    CONSTRAINT uq_message_receipts_recipient_receipt UNIQUE (recipient, receipt),
    CONSTRAINT fk_message_receipts_message_row FOREIGN KEY (message_row) REFERENCES messages (id),
    CONSTRAINT ck_message_receipts_kind CHECK (kind IN ('delivery', 'read'))
);
CREATE INDEX ix_message_receipts_message_row ON message_receipts (message_row);

CREATE TABLE stop_use_notices (
    id uuid NOT NULL,
    agency uuid NOT NULL,
    case_row uuid NOT NULL,
    case_handle uuid NOT NULL,
    withdrawal uuid NOT NULL,
    items jsonb NOT NULL,
    raised_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    answer text,
    answered_at timestamptz,
    record text,
    overdue_told_at timestamptz,
    CONSTRAINT pk_stop_use_notices PRIMARY KEY (id),
    CONSTRAINT uq_stop_use_notices_agency_withdrawal UNIQUE (agency, withdrawal),
    CONSTRAINT ck_stop_use_notices_answer CHECK (answer IN ('purged', 'returned', 'kept_by_law'))
);
CREATE INDEX ix_stop_use_notices_agency ON stop_use_notices (agency, id);
CREATE INDEX ix_stop_use_notices_open ON stop_use_notices (due_at)
    WHERE answered_at IS NULL AND overdue_told_at IS NULL;

CREATE TABLE emergency_uses (
    message_row uuid NOT NULL,
    agency uuid NOT NULL,
    requester text NOT NULL,
    day date NOT NULL,
    CONSTRAINT pk_emergency_uses PRIMARY KEY (message_row),
    CONSTRAINT fk_emergency_uses_message_row FOREIGN KEY (message_row) REFERENCES messages (id)
);
CREATE INDEX ix_emergency_uses_day ON emergency_uses (agency, requester, day);
"""

# Column rights let both parties empty a part; this keeps them from writing another text into it.
EMPTYING = """
CREATE FUNCTION tsn_parts_only_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed THEN
        RAISE EXCEPTION 'a sealed part may be destroyed and nothing else'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_message_parts_only_emptied BEFORE UPDATE OF sealed ON message_parts
    FOR EACH ROW EXECUTE FUNCTION tsn_parts_only_emptied();
"""

RIGHTS = f"""
GRANT SELECT, INSERT ON message_threads, messages, message_parts, message_receipts, emergency_uses TO tsn_hub;
GRANT SELECT ON stop_use_notices TO tsn_hub;
GRANT UPDATE (opener_seq, opener_head, partner_seq, partner_head) ON message_threads TO tsn_hub;
GRANT UPDATE (waiting_since, delivery, offered_at, handed_over_at, delivered_at, opened_at, ended_at,
    emptied_at) ON messages TO tsn_hub;
GRANT UPDATE (scope, sealed, result) ON message_parts TO tsn_hub;
GRANT UPDATE (answer, answered_at, record) ON stop_use_notices TO tsn_hub;

CREATE POLICY message_threads_party ON message_threads FOR SELECT TO tsn_hub
    USING (opener = {AGENCY} OR partner = {AGENCY});
CREATE POLICY message_threads_open ON message_threads FOR INSERT TO tsn_hub WITH CHECK (opener = {AGENCY});
CREATE POLICY message_threads_go_on ON message_threads FOR UPDATE TO tsn_hub
    USING (opener = {AGENCY} OR partner = {AGENCY}) WITH CHECK (opener = {AGENCY} OR partner = {AGENCY});

CREATE POLICY messages_party ON messages FOR SELECT TO tsn_hub
    USING (sender = {AGENCY} OR recipient = {AGENCY});
CREATE POLICY messages_send ON messages FOR INSERT TO tsn_hub WITH CHECK (sender = {AGENCY});
CREATE POLICY messages_go_on ON messages FOR UPDATE TO tsn_hub
    USING (sender = {AGENCY} OR recipient = {AGENCY}) WITH CHECK (sender = {AGENCY} OR recipient = {AGENCY});

CREATE POLICY message_parts_party ON message_parts FOR SELECT TO tsn_hub
    USING (sender = {AGENCY} OR recipient = {AGENCY});
CREATE POLICY message_parts_send ON message_parts FOR INSERT TO tsn_hub WITH CHECK (sender = {AGENCY});
CREATE POLICY message_parts_go_on ON message_parts FOR UPDATE TO tsn_hub
    USING (sender = {AGENCY} OR recipient = {AGENCY}) WITH CHECK (sender = {AGENCY} OR recipient = {AGENCY});

CREATE POLICY message_receipts_party ON message_receipts FOR SELECT TO tsn_hub
    USING (sender = {AGENCY} OR recipient = {AGENCY});
CREATE POLICY message_receipts_sign ON message_receipts FOR INSERT TO tsn_hub
    WITH CHECK (recipient = {AGENCY});

CREATE POLICY stop_use_notices_own ON stop_use_notices FOR SELECT TO tsn_hub USING (agency = {AGENCY});
CREATE POLICY stop_use_notices_answer ON stop_use_notices FOR UPDATE TO tsn_hub
    USING (agency = {AGENCY}) WITH CHECK (agency = {AGENCY});

CREATE POLICY emergency_uses_own ON emergency_uses FOR SELECT TO tsn_hub USING (agency = {AGENCY});
CREATE POLICY emergency_uses_send ON emergency_uses FOR INSERT TO tsn_hub WITH CHECK (agency = {AGENCY});
"""

# What timers and the outbox do for everyone: tell, empty, raise notices. They never write a message.
JOB_RIGHTS = """
GRANT SELECT ON message_threads, messages, message_parts, message_receipts, emergency_uses TO tsn_job;
GRANT SELECT, INSERT ON stop_use_notices TO tsn_job;
GRANT UPDATE (delivery, ended_at, emptied_at, stopped_told_at, overdue_told_at) ON messages TO tsn_job;
GRANT UPDATE (sealed) ON message_parts TO tsn_job;
GRANT UPDATE (overdue_told_at) ON stop_use_notices TO tsn_job;
GRANT SELECT ON messages, message_receipts, stop_use_notices, emergency_uses TO tsn_dpo;
"""

TABLES = (
    "message_threads",
    "messages",
    "message_parts",
    "message_receipts",
    "stop_use_notices",
    "emergency_uses",
)
# What nobody may ever change, whatever a grant or policy says (bad-input TEN-09).
KEPT = {
    "message_threads": ("thread", "opener", "partner", "case_handle"),
    "messages": (
        "message",
        "thread_row",
        "seq",
        "sender",
        "recipient",
        "case_handle",
        "manifest",
        "manifest_hash",
    ),
    "message_parts": ("sender", "recipient", "category", "ct"),
    "message_receipts": ("sender", "recipient", "token"),
    "stop_use_notices": ("agency", "withdrawal", "items"),
}
DPO_TABLES = ("messages", "message_receipts", "stop_use_notices", "emergency_uses")


def upgrade() -> None:
    """Create the tables closed, then open them grant by grant."""
    op.execute(TABLES_DDL)
    op.execute(EMPTYING)
    op.execute(RIGHTS)
    op.execute(JOB_RIGHTS)
    for table in TABLES:
        op.execute(f"CREATE POLICY {table}_work ON {table} TO tsn_job USING (true) WITH CHECK (true)")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table, columns in KEPT.items():
        policies.keep(table, *columns)
    for table in DPO_TABLES:
        op.execute(f"CREATE POLICY {table}_oversight ON {table} FOR SELECT TO tsn_dpo USING (true)")


def downgrade() -> None:
    """Drop everything; sealed parts that nobody collected are lost with it."""
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION tsn_parts_only_emptied")
