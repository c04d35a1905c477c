# SPDX-License-Identifier: Apache-2.0
"""Who is named in a case by its kind finds what names it by the case's handle, and learns of refusals that mean all.

The case itself stays out of its sight: a kind may be a thousand agencies, of which one works with the person. So the
handle is repeated in the records.
"""

from alembic import op

from hub.base.db import Role
from hub.migrations.policies import AGENCY

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MY_NAMES = f"ARRAY[({AGENCY})::text, (SELECT a.kind FROM agencies a WHERE a.id = {AGENCY})]"


def upgrade() -> None:
    """Repeat the handle; show a refusal of all to whom a record names by kind, as to whom one names by id."""
    # the owner is under row-level security too: while it fills the column in it is not
    for table in ("cases", "consents"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE consents ADD COLUMN case_handle uuid")
    op.execute("UPDATE consents SET case_handle = c.handle FROM cases c WHERE c.id = case_id")
    op.execute("ALTER TABLE consents ALTER COLUMN case_handle SET NOT NULL")
    for table in ("cases", "consents"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute("CREATE INDEX ix_consents_case_handle ON consents (case_handle)")
    op.execute(
        f"CREATE POLICY exclusions_see_all_meant ON exclusions FOR SELECT TO {Role.HUB.value} USING ('*' = ANY (\"to\")"
        f" AND EXISTS (SELECT FROM consents c WHERE c.case_id = exclusions.case_id AND c.partner = ANY ({MY_NAMES})))"
    )


def downgrade() -> None:
    """Drop the policy and the column; its index goes with it."""
    op.execute("DROP POLICY exclusions_see_all_meant ON exclusions")
    op.execute("ALTER TABLE consents DROP COLUMN case_handle")
