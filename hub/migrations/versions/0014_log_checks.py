# SPDX-License-Identifier: Apache-2.0
"""Checks of the log as stored: who asked, how far, what came of it; and an index for counting entries by kind."""

from alembic import op

from hub.base.db import Role
from hub.migrations.policies import everything, grant, keep, protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

CHECKS = """
CREATE TABLE log_checks (
    id uuid NOT NULL,
    asked_by uuid,
    asked_at timestamptz NOT NULL,
    begun_at timestamptz,
    looked_at timestamptz,
    done_at timestamptz,
    size bigint NOT NULL,
    looked bigint NOT NULL,
    outcome text,
    code text,
    place bigint,
    CONSTRAINT pk_log_checks PRIMARY KEY (id),
    CONSTRAINT ck_log_checks_outcome CHECK (outcome IN ('sound', 'damaged')),
    CONSTRAINT ck_log_checks_done CHECK ((outcome IS NULL) = (done_at IS NULL)),
    CONSTRAINT ck_log_checks_damaged CHECK ((outcome IS NOT DISTINCT FROM 'damaged') = (code IS NOT NULL)),
    CONSTRAINT ck_log_checks_place CHECK ((code IS NULL) = (place IS NULL))
);
CREATE INDEX ix_log_checks_done_at ON log_checks (done_at);
CREATE UNIQUE INDEX uq_log_checks_open ON log_checks ((true)) WHERE done_at IS NULL;
COMMENT ON COLUMN log_checks.asked_by IS 'the person at the console; none where the hub checks by itself';
COMMENT ON COLUMN log_checks.looked IS 'how many entries were hashed so far';
COMMENT ON COLUMN log_checks.code IS 'what disagrees';
COMMENT ON COLUMN log_checks.place IS 'the index, or the size, from which on nothing can be said to be right';
CREATE INDEX ix_log_entries_kind ON log_entries (kind, id);
"""
GOING = ["begun_at", "looked_at", "done_at", "size", "looked", "outcome", "code", "place"]


def upgrade() -> None:
    """Create the table closed; the console asks, the worker checks."""
    op.execute(CHECKS)
    protect("log_checks")
    for role in (Role.JOB, Role.DPO):
        everything("log_checks", role)
    keep("log_checks", "id", "asked_by", "asked_at")
    grant("log_checks", Role.JOB, insert=True, update=GOING)
    grant("log_checks", Role.DPO, insert=True)


def downgrade() -> None:
    """Drop what was found; the log stays."""
    op.execute("DROP INDEX ix_log_entries_kind")
    op.execute("DROP TABLE log_checks")
