# SPDX-License-Identifier: Apache-2.0
"""Webhooks: an agency's addresses with their places in its feed, and how deliveries went."""

from alembic import op

from hub.base.db import Role
from hub.migrations.policies import grant, keep, tenant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WEBHOOKS = """
CREATE TABLE webhooks (
    id uuid NOT NULL,
    agency uuid NOT NULL,
    url text NOT NULL,
    secret bytea NOT NULL,
    old_secret bytea,
    old_until timestamptz,
    place_xact bigint NOT NULL,
    place_seq bigint NOT NULL,
    turn bigint NOT NULL,
    leased_until timestamptz,
    due_at timestamptz NOT NULL,
    failures integer NOT NULL,
    failing_since timestamptz,
    disabled_at timestamptz,
    disabled_for text,
    created_at timestamptz NOT NULL,
    removed_at timestamptz,
    CONSTRAINT pk_webhooks PRIMARY KEY (id),
    CONSTRAINT ck_webhooks_disabled CHECK ((disabled_at IS NULL) = (disabled_for IS NULL)),
    CONSTRAINT ck_webhooks_disabled_for CHECK (disabled_for IN ('ended', 'failing')),
    CONSTRAINT ck_webhooks_old_secret CHECK ((old_secret IS NULL) = (old_until IS NULL)),
    -- a removed one keeps no secret
    CONSTRAINT ck_webhooks_removed CHECK (removed_at IS NULL OR (octet_length(secret) = 0 AND old_secret IS NULL))
);
CREATE UNIQUE INDEX uq_webhooks_url ON webhooks (agency, url) WHERE removed_at IS NULL;
CREATE INDEX ix_webhooks_due_at ON webhooks (due_at, id) WHERE removed_at IS NULL AND disabled_at IS NULL;
CREATE INDEX ix_webhooks_removed_at ON webhooks (removed_at) WHERE removed_at IS NOT NULL;
CREATE TABLE webhook_deliveries (
    id uuid NOT NULL,
    webhook uuid NOT NULL,
    agency uuid NOT NULL,
    event uuid NOT NULL,
    kind text NOT NULL,
    attempt integer NOT NULL,
    outcome text NOT NULL,
    status integer,
    milliseconds integer NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_webhook_deliveries PRIMARY KEY (id),
    CONSTRAINT fk_webhook_deliveries_webhook FOREIGN KEY (webhook) REFERENCES webhooks (id) ON DELETE CASCADE
);
CREATE INDEX ix_webhook_deliveries_webhook_id ON webhook_deliveries (webhook, id);
CREATE INDEX ix_webhook_deliveries_at ON webhook_deliveries (at);
"""

SECRETS = ["secret", "old_secret", "old_until"]
GOING = [
    "place_xact", "place_seq", "turn", "leased_until", "due_at", "failures", "failing_since", "disabled_at",
    "disabled_for",
]  # fmt: skip


def upgrade() -> None:
    """Create the tables closed, then open them grant by grant."""
    op.execute(WEBHOOKS)
    tenant("webhooks")
    keep("webhooks", "id", "agency", "url", "created_at")
    grant("webhooks", Role.HUB, insert=True, update=[*SECRETS, *GOING, "removed_at"])
    grant("webhooks", Role.JOB, update=["old_secret", "old_until", *GOING], delete=True)
    tenant("webhook_deliveries")
    grant("webhook_deliveries", Role.HUB)
    grant("webhook_deliveries", Role.JOB, insert=True, delete=True)


def downgrade() -> None:
    """Drop the webhooks; the feed stays."""
    op.execute("DROP TABLE webhook_deliveries")
    op.execute("DROP TABLE webhooks")
