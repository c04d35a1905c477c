# SPDX-License-Identifier: Apache-2.0
"""Anchors: one root a day of each agency's own log of who opened what."""

from alembic import op

from hub.base.db import Role
from hub.migrations.policies import grant, tenant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ANCHORS = """
CREATE TABLE agency_anchors (
    agency uuid NOT NULL,
    day date NOT NULL,
    root text NOT NULL,
    count bigint NOT NULL,
    entry uuid NOT NULL,
    anchored_at timestamptz NOT NULL,
    CONSTRAINT pk_agency_anchors PRIMARY KEY (agency, day),
    CONSTRAINT ck_agency_anchors_root CHECK (root ~ '^[0-9a-f]{64}$'),
    CONSTRAINT ck_agency_anchors_count CHECK (count > 0)
);
"""


def upgrade() -> None:
    """Create the table closed; a row is added and read, by its agency alone, and never changed."""
    op.execute(ANCHORS)
    tenant("agency_anchors")
    grant("agency_anchors", Role.HUB, insert=True)


def downgrade() -> None:
    """Drop the table; the entries of the log stay."""
    op.execute("DROP TABLE agency_anchors")
