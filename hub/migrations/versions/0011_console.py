# SPDX-License-Identifier: Apache-2.0
"""The console: passkeys, one-time codes and sessions of the people of the hub; what the officer's role reads."""

from alembic import op

from hub.base.db import Role
from hub.migrations.policies import everything, grant, keep, protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SIGN_IN = "nullif(current_setting('tsn.duty', true), '') = 'sign_in'"

STAFF = """
ALTER TABLE staff ALTER COLUMN passphrase DROP NOT NULL;
ALTER TABLE staff ADD COLUMN agency uuid;
ALTER TABLE staff ADD COLUMN code bytea;
ALTER TABLE staff ADD COLUMN code_until timestamptz;
ALTER TABLE staff DROP CONSTRAINT ck_staff_role;
ALTER TABLE staff ADD CONSTRAINT ck_staff_role
    CHECK (role IN ('operator', 'officer', 'auditor', 'agency_officer'));
ALTER TABLE staff ADD CONSTRAINT ck_staff_agency CHECK ((role = 'agency_officer') = (agency IS NOT NULL));
ALTER TABLE staff ADD CONSTRAINT ck_staff_code CHECK ((code IS NULL) = (code_until IS NULL));
ALTER TABLE staff ADD CONSTRAINT fk_staff_agency FOREIGN KEY (agency) REFERENCES agencies (id);
CREATE UNIQUE INDEX uq_staff_code ON staff (code) WHERE code IS NOT NULL;
GRANT UPDATE (role, agency, code, code_until) ON staff TO tsn_hub;
"""

SESSIONS = """
CREATE TABLE staff_passkeys (
    id text NOT NULL,
    staff uuid NOT NULL,
    public_key bytea NOT NULL,
    counter bigint NOT NULL,
    made_at timestamptz NOT NULL,
    used_at timestamptz,
    removed_at timestamptz,
    CONSTRAINT pk_staff_passkeys PRIMARY KEY (id),
    CONSTRAINT fk_staff_passkeys_staff FOREIGN KEY (staff) REFERENCES staff (id)
);
CREATE INDEX ix_staff_passkeys_staff ON staff_passkeys (staff);
CREATE TABLE staff_sessions (
    digest bytea NOT NULL,
    staff uuid NOT NULL,
    begun_at timestamptz NOT NULL,
    active_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT pk_staff_sessions PRIMARY KEY (digest),
    CONSTRAINT ck_staff_sessions_digest CHECK (octet_length(digest) = 32),
    CONSTRAINT fk_staff_sessions_staff FOREIGN KEY (staff) REFERENCES staff (id)
);
CREATE INDEX ix_staff_sessions_staff ON staff_sessions (staff);
CREATE TABLE staff_challenges (
    digest bytea NOT NULL,
    visitor bytea NOT NULL,
    made_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_staff_challenges PRIMARY KEY (digest)
);
CREATE TABLE staff_sources (
    source bytea NOT NULL,
    tries integer NOT NULL,
    tries_since timestamptz NOT NULL,
    CONSTRAINT pk_staff_sources PRIMARY KEY (source)
);
"""

CHANGES = {
    "staff_passkeys": ["counter", "used_at", "removed_at"],
    "staff_sessions": ["active_at", "ended_at"],
    "staff_challenges": ["used_at"],
    "staff_sources": ["tries", "tries_since"],
}
SWEPT = ("staff_sessions", "staff_challenges", "staff_sources")
READ = ("agencies", "agency_keys", "outbox", "oauth_tokens")


def upgrade() -> None:
    """Create the tables closed, open them to sign-in, and let the officer's role read what the console shows."""
    op.execute(STAFF)
    op.execute(SESSIONS)
    for table, columns in CHANGES.items():
        protect(table)
        grant(table, Role.HUB, insert=True, update=columns)
        op.execute(f"create policy {table}_sign_in on {table} to tsn_hub using ({SIGN_IN}) with check ({SIGN_IN})")
    keep("staff_passkeys", "id", "staff", "public_key", "made_at")
    keep("staff_sessions", "digest", "staff", "begun_at")
    for table in SWEPT:
        grant(table, Role.JOB, delete=True)
        everything(table, Role.JOB)
    for table in READ:
        everything(table, Role.DPO)
    grant("agencies", Role.DPO)
    grant("agency_keys", Role.DPO)
    # ids, codes and times; a token's digest and scopes are nobody's business
    op.execute("grant select (agency, issued_at) on oauth_tokens to tsn_dpo")
    grant("outbox", Role.DPO, update=["state", "attempts", "due_at", "finished_at"])
    # the officer's deeds leave entries in the transaction that does them; how much waits is counted, not read
    op.execute("grant insert, select (id, arrival) on audit_pending to tsn_dpo")
    op.execute("create policy audit_pending_tsn_dpo on audit_pending to tsn_dpo using (true) with check (true)")


def downgrade() -> None:
    """Take the console's tables and rights away; people without a passphrase cannot sign in any more."""
    op.execute("DROP POLICY audit_pending_tsn_dpo ON audit_pending")
    op.execute("REVOKE ALL ON audit_pending FROM tsn_dpo")
    for table in READ:
        op.execute(f"DROP POLICY {table}_tsn_dpo ON {table}")
        op.execute(f"REVOKE ALL ON {table} FROM tsn_dpo")
    op.execute("REVOKE SELECT (agency, issued_at) ON oauth_tokens FROM tsn_dpo")
    for table in reversed(CHANGES):
        op.execute(f"DROP TABLE {table}")
    op.execute("UPDATE staff SET closed_at = now() WHERE closed_at IS NULL AND passphrase IS NULL")
    op.execute("DELETE FROM staff WHERE role NOT IN ('operator', 'officer')")
    op.execute("UPDATE staff SET passphrase = '' WHERE passphrase IS NULL")
    op.execute("REVOKE UPDATE (role, agency, code, code_until) ON staff FROM tsn_hub")
    op.execute("ALTER TABLE staff DROP CONSTRAINT ck_staff_role")
    op.execute("ALTER TABLE staff DROP COLUMN code_until, DROP COLUMN code, DROP COLUMN agency CASCADE")
    op.execute("ALTER TABLE staff ADD CONSTRAINT ck_staff_role CHECK (role IN ('operator', 'officer'))")
    op.execute("ALTER TABLE staff ALTER COLUMN passphrase SET NOT NULL")
