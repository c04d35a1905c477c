# SPDX-License-Identifier: Apache-2.0
"""The referral loop: referrals, moves, accompaniments, follow-ups; who sees a row, what may change."""

from alembic import op

from hub.base.db import Role
from hub.migrations.policies import AGENCY, everything, grant, keep, protect, tenant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OVER = "state IN ('closed', 'cancelled', 'rerouted', 'withdrawn', 'entered_in_error')"

REFERRALS = f"""
CREATE TABLE referrals (
    id uuid NOT NULL,
    root uuid NOT NULL,
    parent uuid,
    hop integer NOT NULL,
    prior_declines integer NOT NULL,
    case_handle uuid NOT NULL,
    case_row uuid,
    sender uuid NOT NULL,
    recipient uuid NOT NULL,
    coordinator uuid NOT NULL,
    thread uuid NOT NULL,
    opening uuid NOT NULL,
    purpose text NOT NULL,
    urgency text NOT NULL,
    request_kind text,
    basis text NOT NULL,
    needs jsonb NOT NULL,
    telephone_at timestamptz,
    telephone_result text,
    sent_at timestamptz NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    ball uuid,
    awaiting uuid,
    due_at timestamptz,
    step integer NOT NULL,
    step_at timestamptz,
    clock_at timestamptz NOT NULL,
    since timestamptz NOT NULL,
    word_at timestamptz,
    review_at timestamptz,
    next_step_by timestamptz,
    asked_at timestamptz,
    pause_until timestamptz,
    paused_seconds bigint NOT NULL,
    opened_at timestamptz,
    accepted_at timestamptz,
    closed_at timestamptz,
    returned integer NOT NULL,
    worker text,
    worker_role text,
    sender_worker text,
    sender_worker_role text,
    next_on date,
    outcome text,
    content_stopped_at timestamptz,
    unowned_since timestamptz,
    conference_asked_at timestamptz,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_referrals PRIMARY KEY (id),
    CONSTRAINT ck_referrals_two_parties CHECK (sender <> recipient),
    CONSTRAINT ck_referrals_state CHECK (state IN (
        'requested', 'received', 'accepted', 'on_hold', 'in_progress', 'cancel_requested', 'outcome_reported',
        'declined', 'reroute_review', 'closed', 'cancelled', 'rerouted', 'withdrawn', 'entered_in_error')),
    -- one agency answers for the person, one is awaited, one time by which; at the end neither
    CONSTRAINT ck_referrals_one_ball CHECK (
        ({OVER}) = (ball IS NULL) AND ({OVER}) = (awaiting IS NULL) AND ({OVER}) = (due_at IS NULL)),
    CONSTRAINT ck_referrals_ball_is_a_party CHECK (ball IN (sender, recipient, coordinator)),
    CONSTRAINT ck_referrals_awaiting_is_a_party CHECK (awaiting IN (sender, recipient, coordinator))
);
CREATE UNIQUE INDEX uq_referrals_open_need ON referrals (sender, case_handle, recipient, purpose)
    WHERE NOT ({OVER});
CREATE INDEX ix_referrals_sender_updated_at_id ON referrals (sender, updated_at, id);
CREATE INDEX ix_referrals_recipient_updated_at_id ON referrals (recipient, updated_at, id);
CREATE INDEX ix_referrals_coordinator_updated_at_id ON referrals (coordinator, updated_at, id);
CREATE INDEX ix_referrals_root ON referrals (root);
CREATE INDEX ix_referrals_case_row ON referrals (case_row);
CREATE INDEX ix_referrals_opening ON referrals (opening);
CREATE INDEX ix_referrals_thread ON referrals (thread);
CREATE INDEX ix_referrals_step_at ON referrals (step_at) WHERE step_at IS NOT NULL;
CREATE INDEX ix_referrals_unowned_since ON referrals (unowned_since)
    WHERE unowned_since IS NOT NULL AND conference_asked_at IS NULL;
"""

LOGS = """
CREATE TABLE referral_moves (
    referral uuid NOT NULL,
    version integer NOT NULL,
    event text NOT NULL,
    frm text NOT NULL,
    "to" text NOT NULL,
    agency uuid,
    role text NOT NULL,
    at timestamptz NOT NULL,
    body_digest text NOT NULL,
    facts jsonb NOT NULL,
    entry uuid NOT NULL,
    CONSTRAINT pk_referral_moves PRIMARY KEY (referral, version),
    CONSTRAINT fk_referral_moves_referral FOREIGN KEY (referral) REFERENCES referrals (id)
);
CREATE TABLE referral_accompaniments (
    referral uuid NOT NULL,
    n integer NOT NULL,
    version integer NOT NULL,
    agency uuid NOT NULL,
    state text NOT NULL,
    "on" date NOT NULL,
    minutes integer,
    role text NOT NULL,
    destination uuid NOT NULL,
    purpose text NOT NULL,
    result text,
    next_step_on date,
    message uuid,
    body_digest text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    reminded_at timestamptz,
    CONSTRAINT pk_referral_accompaniments PRIMARY KEY (referral, n),
    CONSTRAINT fk_referral_accompaniments_referral FOREIGN KEY (referral) REFERENCES referrals (id),
    CONSTRAINT ck_referral_accompaniments_state CHECK (
        state IN ('proposed', 'agreed', 'done', 'no_show', 'called_off'))
);
CREATE INDEX ix_referral_accompaniments_planned ON referral_accompaniments ("on")
    WHERE state IN ('proposed', 'agreed') AND reminded_at IS NULL;
CREATE TABLE referral_follow_ups (
    referral uuid NOT NULL,
    n integer NOT NULL,
    agency uuid NOT NULL,
    due_on date NOT NULL,
    set_at timestamptz NOT NULL,
    done_at timestamptz,
    channel text,
    asked jsonb,
    result text,
    next_due_on date,
    body_digest text NOT NULL,
    tasked uuid,
    due_told_at timestamptz,
    overdue_told_at timestamptz,
    CONSTRAINT pk_referral_follow_ups PRIMARY KEY (referral, n),
    CONSTRAINT fk_referral_follow_ups_referral FOREIGN KEY (referral) REFERENCES referrals (id)
);
CREATE INDEX ix_referral_follow_ups_due_on ON referral_follow_ups (due_on) WHERE done_at IS NULL;
"""

# what a move may change; everything else of a referral stays as it was sent
MOVED = ["state", "version", "ball", "awaiting", "due_at", "step", "step_at", "clock_at", "since", "word_at"]
MOVED += [
    "review_at",
    "next_step_by",
    "asked_at",
    "pause_until",
    "paused_seconds",
    "opened_at",
    "accepted_at",
]
MOVED += ["closed_at", "returned", "worker", "worker_role", "sender_worker", "sender_worker_role", "next_on"]
MOVED += [
    "outcome",
    "content_stopped_at",
    "unowned_since",
    "conference_asked_at",
    "updated_at",
]
ACCOMPANIED = ["version", "state", '"on"', "minutes", "role", "purpose", "result", "next_step_on", "message"]
ACCOMPANIED += ["body_digest", "updated_at", "reminded_at"]
FOLLOWED_UP = ["done_at", "channel", "asked", "result", "next_due_on", "body_digest"]
TOLD = ["tasked", "due_told_at", "overdue_told_at"]
PARTIES = ("sender", "recipient", "coordinator")
LOG_TABLES = ("referral_moves", "referral_accompaniments", "referral_follow_ups")


def upgrade() -> None:
    """Create the tables closed, then open them grant by grant."""
    op.execute(REFERRALS)
    op.execute(LOGS)
    tenant("referrals", see=PARTIES, write=("sender",))
    keep("referrals", "id", "root", "sender", "recipient", "coordinator", "thread", "case_handle")
    grant("referrals", Role.HUB, insert=True, update=MOVED)
    grant("referrals", Role.JOB, update=MOVED)
    # a move of the hub itself has no agency; the other logs are each agency's own words
    _with_its_referral("referral_moves", f"(agency IS NULL OR agency = {AGENCY})")
    _with_its_referral("referral_accompaniments", f"agency = {AGENCY}")
    _with_its_referral("referral_follow_ups", f"agency = {AGENCY}")
    grant("referral_moves", Role.HUB, insert=True)
    grant("referral_moves", Role.JOB, insert=True)
    grant("referral_accompaniments", Role.HUB, insert=True, update=ACCOMPANIED)
    grant("referral_accompaniments", Role.JOB, update=["reminded_at"])
    grant("referral_follow_ups", Role.HUB, insert=True, update=FOLLOWED_UP)
    grant("referral_follow_ups", Role.JOB, update=TOLD)
    for table in ("referrals", *LOG_TABLES):
        grant(table, Role.DPO)
        everything(table, Role.DPO)


def _with_its_referral(table: str, own: str) -> None:
    """Show a row to whoever sees its referral, let an agency write its own; no policy looks back."""
    seen = f"EXISTS (SELECT FROM referrals r WHERE r.id = {table}.referral)"
    mine = f"{own} AND {seen}"
    protect(table)
    op.execute(f"CREATE POLICY {table}_see ON {table} FOR SELECT TO tsn_hub USING ({seen})")
    op.execute(f"CREATE POLICY {table}_add ON {table} FOR INSERT TO tsn_hub WITH CHECK ({mine})")
    change = f"CREATE POLICY {table}_change ON {table} FOR UPDATE TO tsn_hub"
    op.execute(f"{change} USING ({mine}) WITH CHECK ({mine})")
    everything(table, Role.JOB)


def downgrade() -> None:
    """Drop the referral loop; messages stay."""
    for table in (*reversed(LOG_TABLES), "referrals"):
        op.execute(f"DROP TABLE {table}")
