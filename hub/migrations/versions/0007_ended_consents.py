# SPDX-License-Identifier: Apache-2.0
"""When a consent record was ended by a newer one: its partner may not see that newer record, and must know.

What was registered before this revision is looked through once, by the same rule as `consent.decisions`: a record ends
what it names from its own registration on, if its signature counted then.
"""

from alembic import op

from hub.base.db import Role
from hub.migrations.policies import AGENCY, grant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# the middle of a compact JWS is base64url without padding
PAYLOAD = """convert_from(decode(rpad(
    translate(split_part(record, '.', 2), '-_', '+/'),
    (ceil(length(split_part(record, '.', 2)) / 4.0) * 4)::int, '='), 'base64'), 'utf8')::jsonb"""
ENDED_BEFORE = f"""
WITH words AS (SELECT signer, case_id, registered_at, {PAYLOAD} AS word FROM consents),
     ending AS (
         SELECT signer, case_id, registered_at, jsonb_array_elements_text(word -> 'supersedes') AS old FROM words
         WHERE word ->> 'signature' IN ('self', 'self_dictated', 'legal_rep')
            OR (word ->> 'signature' = 'oral_pending'
                AND registered_at >= (word ->> 'signed_at')::timestamptz
                AND registered_at < (word ->> 'signed_at')::timestamptz + interval '14 days')
     ),
     ended AS (SELECT signer, case_id, old, min(registered_at) AS at FROM ending GROUP BY 1, 2, 3)
UPDATE consents SET superseded_at = greatest(ended.at, consents.registered_at) FROM ended
WHERE consents.signer = ended.signer AND consents.case_id = ended.case_id AND consents.consent::text = ended.old
"""


def upgrade() -> None:
    """Add the moment, say it of what is there, and let the signer's registration write it."""
    op.execute("ALTER TABLE consents ADD COLUMN superseded_at timestamptz")
    # the owner is under row-level security too: for this one statement it is not
    op.execute("ALTER TABLE consents NO FORCE ROW LEVEL SECURITY")
    op.execute(ENDED_BEFORE)
    op.execute("ALTER TABLE consents FORCE ROW LEVEL SECURITY")
    for role in (Role.HUB, Role.JOB):
        grant("consents", role, select=False, update=["superseded_at"])
    op.execute(
        f"CREATE POLICY consents_supersede ON consents FOR UPDATE TO {Role.HUB.value}"
        f" USING (signer = {AGENCY}) WITH CHECK (signer = {AGENCY})"
    )


def downgrade() -> None:
    """Drop the moment and its policy; a column's grants go with it."""
    op.execute("DROP POLICY consents_supersede ON consents")
    op.execute("ALTER TABLE consents DROP COLUMN superseded_at")
