# SPDX-License-Identifier: Apache-2.0
"""The ground: the guard of unchangeable columns and the replay tables; the roles themselves are in
`hub/migrations/roles.py`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from hub.base.db import Role
from hub.migrations import policies

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEEP_COLUMNS = """
create function tsn_keep_columns() returns trigger language plpgsql security invoker as $$
declare name text;
begin
  foreach name in array tg_argv loop
    if to_jsonb(new) -> name is distinct from to_jsonb(old) -> name then
      raise exception 'column % of % never changes', name, tg_table_name using errcode = 'insufficient_privilege';
    end if;
  end loop;
  return new;
end $$
"""


def upgrade() -> None:
    """Let the running roles read the revision; make the guard and the replay tables."""
    for role in Role:
        # /readyz compares the revision
        op.execute(f"grant select on alembic_version to {role.value}")
    op.execute(KEEP_COLUMNS)
    op.create_table(
        "idempotency_keys",
        sa.Column("agency", sa.Uuid, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("headers", JSONB),
        sa.Column("body", sa.LargeBinary),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agency", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"])
    policies.tenant("idempotency_keys")
    policies.grant("idempotency_keys", Role.HUB, insert=True, update=("status", "headers", "body"))
    policies.grant("idempotency_keys", Role.JOB, delete=True)
    op.create_table(
        "single_uses",
        sa.Column("space", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("space", "digest", name="pk_single_uses"),
    )
    op.create_index("ix_single_uses_expires_at", "single_uses", ["expires_at"])
    # belongs to nobody: digests without an owner, put in by requests, read and dropped by the worker alone
    policies.grant("single_uses", Role.HUB, select=False, insert=True)
    policies.grant("single_uses", Role.JOB, delete=True)


def downgrade() -> None:
    """Leave an empty schema."""
    op.drop_table("single_uses")
    op.drop_table("idempotency_keys")
    op.execute("drop function tsn_keep_columns()")
    for role in Role:
        op.execute(f"revoke select on alembic_version from {role.value}")
