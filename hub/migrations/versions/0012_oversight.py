# SPDX-License-Identifier: Apache-2.0
"""Oversight: what officers judged, what was found for them, and the narrow rights with which they see and act.

An officer sees labels and states of all agencies and never a sealed part; what an officer does is an entry, a task, an
event. A case's owner sees, under the duty of a statement, what was disclosed of its own case by others too.
"""

from alembic import op

from hub.base.db import Duty, Role
from hub.migrations.policies import AGENCY, everything, grant, on_duty, protect

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OVERSIGHT = """
CREATE TABLE reviews (
    id uuid NOT NULL,
    message uuid NOT NULL,
    agency uuid NOT NULL,
    reviewer uuid NOT NULL,
    answer text NOT NULL,
    remark text NOT NULL,
    reference text,
    at timestamptz NOT NULL,
    CONSTRAINT pk_reviews PRIMARY KEY (id),
    CONSTRAINT ck_reviews_answer CHECK (answer IN ('justified', 'procedure_lacking', 'not_justified', 'more_needed'))
);
CREATE INDEX ix_reviews_message ON reviews (message, id);
CREATE UNIQUE INDEX uq_reviews_final ON reviews (message) WHERE answer <> 'more_needed';
CREATE TABLE anomalies (
    id uuid NOT NULL,
    kind text NOT NULL,
    agency uuid NOT NULL,
    about uuid NOT NULL,
    day date NOT NULL,
    measure integer NOT NULL,
    usual integer,
    found_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by uuid,
    closing text,
    reference text,
    CONSTRAINT pk_anomalies PRIMARY KEY (id),
    CONSTRAINT uq_anomalies_kind_agency_about_day UNIQUE (kind, agency, about, day),
    CONSTRAINT ck_anomalies_closed CHECK ((closed_at IS NULL) = (closed_by IS NULL)
        AND (closed_at IS NULL) = (closing IS NULL))
);
CREATE INDEX ix_anomalies_open ON anomalies (found_at) WHERE closed_at IS NULL;
CREATE TABLE paper_draws (
    id uuid NOT NULL,
    agency uuid,
    first_day date NOT NULL,
    last_day date NOT NULL,
    size integer NOT NULL,
    candidates integer NOT NULL,
    seed text NOT NULL,
    tree_size bigint NOT NULL,
    drawn_by uuid NOT NULL,
    drawn_at timestamptz NOT NULL,
    CONSTRAINT pk_paper_draws PRIMARY KEY (id),
    CONSTRAINT ck_paper_draws_seed CHECK (seed ~ '^[0-9a-f]{64}$')
);
CREATE TABLE paper_samples (
    id uuid NOT NULL,
    draw uuid NOT NULL,
    agency uuid NOT NULL,
    consent uuid NOT NULL,
    record uuid NOT NULL,
    case_handle uuid NOT NULL,
    due_at timestamptz NOT NULL,
    outcome text,
    answered_at timestamptz,
    answered_by uuid,
    reference text,
    CONSTRAINT pk_paper_samples PRIMARY KEY (id),
    CONSTRAINT uq_paper_samples_draw_consent UNIQUE (draw, consent),
    CONSTRAINT fk_paper_samples_draw FOREIGN KEY (draw) REFERENCES paper_draws (id),
    CONSTRAINT ck_paper_samples_outcome CHECK (outcome IN ('matches', 'differs', 'not_found')),
    CONSTRAINT ck_paper_samples_answered CHECK ((outcome IS NULL) = (answered_at IS NULL)
        AND (outcome IS NULL) = (answered_by IS NULL))
);
CREATE INDEX ix_paper_samples_agency ON paper_samples (agency, id);
CREATE TABLE notice_reminders (
    notice uuid NOT NULL,
    number integer NOT NULL,
    agency uuid NOT NULL,
    asked_by uuid,
    at timestamptz NOT NULL,
    CONSTRAINT pk_notice_reminders PRIMARY KEY (notice, number)
);
CREATE TABLE watched_days (
    day date NOT NULL,
    found integer NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_watched_days PRIMARY KEY (day)
);
CREATE INDEX ix_messages_case_handle ON messages (case_handle);
"""

OWN_CASE = f"EXISTS (SELECT FROM cases c WHERE c.id = case_row AND c.owner = {AGENCY})"
OWN_MESSAGE = (
    f"EXISTS (SELECT FROM messages m JOIN cases c ON c.id = m.case_row WHERE m.id = message_row AND c.owner = {AGENCY})"
)
OFFICERS = ("anomalies", "paper_draws", "notice_reminders", "watched_days")
JUDGED = ["closed_at", "closed_by", "closing", "reference"]
ANSWERED = ["outcome", "answered_at", "answered_by", "reference"]
LABELS = "message_row, n, sender, recipient, category, media, size_bucket, ct, scope, result"

# What an officer does leaves an entry in the log, a task and an event for the agency, in one transaction.
DEEDS = """
GRANT INSERT ON events TO tsn_dpo;
CREATE POLICY events_oversee ON events FOR INSERT TO tsn_dpo WITH CHECK (true);
GRANT SELECT, INSERT ON tasks TO tsn_dpo;
GRANT UPDATE (done_at) ON tasks TO tsn_dpo;
CREATE POLICY tasks_oversee ON tasks TO tsn_dpo USING (true) WITH CHECK (true);
GRANT EXECUTE ON FUNCTION tsn_raise_task, tsn_finish_task TO tsn_dpo;
"""
DEEDS_BACK = """
REVOKE EXECUTE ON FUNCTION tsn_raise_task, tsn_finish_task FROM tsn_dpo;
DROP POLICY tasks_oversee ON tasks;
REVOKE ALL ON tasks, events FROM tsn_dpo;
DROP POLICY events_oversee ON events;
"""


def upgrade() -> None:
    """Create the tables closed, then open them grant by grant."""
    op.execute(OVERSIGHT)
    for table in ("reviews", "paper_samples", *OFFICERS):
        protect(table)
        everything(table, Role.JOB)
        everything(table, Role.DPO)
    for table in ("reviews", "paper_samples"):
        op.execute(f"CREATE POLICY {table}_see ON {table} FOR SELECT TO tsn_hub USING (agency = {AGENCY})")
        grant(table, Role.HUB, update=ANSWERED if table == "paper_samples" else ())
    op.execute(
        "CREATE POLICY paper_samples_answer ON paper_samples FOR UPDATE TO tsn_hub"
        f" USING (agency = {AGENCY}) WITH CHECK (agency = {AGENCY})"
    )
    grant("reviews", Role.JOB)
    grant("reviews", Role.DPO, insert=True)
    grant("anomalies", Role.JOB, insert=True)
    grant("anomalies", Role.DPO, update=JUDGED)
    grant("paper_draws", Role.DPO, insert=True)
    grant("paper_samples", Role.DPO, insert=True, update=ANSWERED)
    grant("notice_reminders", Role.JOB, insert=True)
    grant("notice_reminders", Role.DPO, insert=True)
    grant("watched_days", Role.JOB, insert=True)
    grant("watched_days", Role.DPO)
    op.execute(f"GRANT SELECT ({LABELS}) ON message_parts TO tsn_dpo")
    op.execute("CREATE POLICY message_parts_oversee ON message_parts FOR SELECT TO tsn_dpo USING (true)")
    op.execute(DEEDS)
    on_duty("messages", Duty.STATEMENT, OWN_CASE)
    on_duty("message_parts", Duty.STATEMENT, OWN_MESSAGE)


def downgrade() -> None:
    """Drop what was judged; messages, consents and the log stay."""
    for table in ("message_parts", "messages"):
        op.execute(f"DROP POLICY {table}_{Duty.STATEMENT.value} ON {table}")
    op.execute("DROP POLICY message_parts_oversee ON message_parts")
    op.execute("REVOKE ALL ON message_parts FROM tsn_dpo")
    op.execute(DEEDS_BACK)
    op.execute("DROP INDEX ix_messages_case_handle")
    for table in ("watched_days", "notice_reminders", "paper_samples", "paper_draws", "anomalies", "reviews"):
        op.execute(f"DROP TABLE {table}")
