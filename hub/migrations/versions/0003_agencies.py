# SPDX-License-Identifier: Apache-2.0
"""The directory with its keys, the people who sign in, and the authorization server's clients and tokens."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AGENCY = "nullif(current_setting('tsn.agency', true), '')::uuid"
DUTY = "nullif(current_setting('tsn.duty', true), '')"
DIRECTORY = f"{DUTY} = 'directory'"
SIGN_IN = f"{DUTY} = 'sign_in'"
# The directory is for every agency and for every duty; a transaction that is neither sees nothing.
ANYONE = f"({AGENCY} IS NOT NULL OR {DUTY} IS NOT NULL)"

AGENCIES = f"""
CREATE TABLE agencies (
    id uuid NOT NULL,
    kind text NOT NULL,
    name_ja text NOT NULL,
    name_en text NOT NULL,
    look_ja text NOT NULL,
    look_en text NOT NULL,
    services text[] NOT NULL,
    area text[] NOT NULL,
    hours text NOT NULL,
    answer_days integer,
    capacity text NOT NULL,
    categories text[] NOT NULL,
    purposes text[] NOT NULL,
    coordinates boolean NOT NULL,
    may_convene boolean NOT NULL,
    root jsonb NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    registered_at timestamptz NOT NULL,
    last_verified timestamptz,
    CONSTRAINT pk_agencies PRIMARY KEY (id),
    CONSTRAINT ck_agencies_state CHECK (state IN ('pending', 'active', 'suspended')),
    CONSTRAINT ck_agencies_capacity CHECK (capacity IN ('open', 'limited', 'full'))
);
CREATE INDEX ix_agencies_look_ja ON agencies (look_ja);
CREATE INDEX ix_agencies_look_en ON agencies (look_en);
GRANT SELECT, INSERT ON agencies TO tsn_hub;
GRANT UPDATE (services, area, hours, answer_days, capacity, categories, purposes, may_convene, state, version,
    last_verified) ON agencies TO tsn_hub;
GRANT SELECT ON agencies TO tsn_job, tsn_dpo;
CREATE POLICY agencies_read ON agencies FOR SELECT TO tsn_hub USING ({ANYONE});
CREATE POLICY agencies_register ON agencies FOR INSERT TO tsn_hub WITH CHECK ({DIRECTORY});
CREATE POLICY agencies_change ON agencies FOR UPDATE TO tsn_hub USING ({DIRECTORY}) WITH CHECK ({DIRECTORY});
CREATE POLICY agencies_watch ON agencies FOR SELECT TO tsn_job, tsn_dpo USING (true);

CREATE TABLE agency_keys (
    agency uuid NOT NULL,
    use text NOT NULL,
    suite text NOT NULL,
    seq integer NOT NULL,
    kid text NOT NULL,
    removal boolean NOT NULL,
    jwk jsonb NOT NULL,
    not_before timestamptz NOT NULL,
    not_after timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    ended_by text,
    by_self text,
    by_previous text,
    by_root text,
    published_at timestamptz NOT NULL,
    log_entry uuid NOT NULL,
    CONSTRAINT pk_agency_keys PRIMARY KEY (agency, use, suite, seq),
    CONSTRAINT fk_agency_keys_agency FOREIGN KEY (agency) REFERENCES agencies (id),
    CONSTRAINT ck_agency_keys_use CHECK (use IN ('sig', 'enc', 'client', 'witness')),
    CONSTRAINT ck_agency_keys_ends CHECK (ends_at <= not_after)
);
CREATE UNIQUE INDEX uq_agency_keys_kid ON agency_keys (agency, kid) WHERE NOT removal;
GRANT SELECT, INSERT ON agency_keys TO tsn_hub;
GRANT UPDATE (ends_at, ended_by) ON agency_keys TO tsn_hub;
GRANT SELECT ON agency_keys TO tsn_job, tsn_dpo;
CREATE POLICY agency_keys_read ON agency_keys FOR SELECT TO tsn_hub USING ({ANYONE});
CREATE POLICY agency_keys_publish ON agency_keys FOR INSERT TO tsn_hub
    WITH CHECK (agency = {AGENCY} OR {DIRECTORY});
CREATE POLICY agency_keys_revoke ON agency_keys FOR UPDATE TO tsn_hub
    USING (agency = {AGENCY} OR {DIRECTORY}) WITH CHECK (agency = {AGENCY} OR {DIRECTORY});
CREATE POLICY agency_keys_watch ON agency_keys FOR SELECT TO tsn_job, tsn_dpo USING (true);

-- A connector takes another agency's key only with an inclusion proof, so it must see that entry of the log.
CREATE POLICY log_entries_keys ON log_entries FOR SELECT TO tsn_hub
    USING (kind IN ('key:published', 'key:rotated', 'key:revoked') AND {ANYONE});

CREATE TABLE agency_approvals (
    id uuid NOT NULL,
    agency uuid NOT NULL,
    deed text NOT NULL,
    subject text NOT NULL,
    staff uuid NOT NULL,
    role text NOT NULL,
    at timestamptz NOT NULL,
    done_at timestamptz,
    CONSTRAINT pk_agency_approvals PRIMARY KEY (id),
    CONSTRAINT fk_agency_approvals_agency FOREIGN KEY (agency) REFERENCES agencies (id)
);
CREATE INDEX ix_agency_approvals_agency ON agency_approvals (agency);
GRANT SELECT, INSERT ON agency_approvals TO tsn_hub;
GRANT UPDATE (done_at) ON agency_approvals TO tsn_hub;
CREATE POLICY agency_approvals_work ON agency_approvals TO tsn_hub
    USING ({DIRECTORY}) WITH CHECK ({DIRECTORY});
"""

STAFF = f"""
CREATE TABLE staff (
    id uuid NOT NULL,
    role text NOT NULL,
    passphrase text NOT NULL,
    enrolled_at timestamptz NOT NULL,
    closed_at timestamptz,
    tries integer NOT NULL,
    tries_since timestamptz,
    CONSTRAINT pk_staff PRIMARY KEY (id),
    CONSTRAINT ck_staff_role CHECK (role IN ('operator', 'officer'))
);
GRANT SELECT, INSERT ON staff TO tsn_hub;
GRANT UPDATE (closed_at, tries, tries_since) ON staff TO tsn_hub;
CREATE POLICY staff_sign_in ON staff TO tsn_hub USING ({SIGN_IN}) WITH CHECK ({SIGN_IN});
"""

OAUTH = f"""
CREATE TABLE oauth_clients (
    id uuid NOT NULL,
    agency uuid NOT NULL,
    jwk jsonb NOT NULL,
    scopes text[] NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT pk_oauth_clients PRIMARY KEY (id)
);
CREATE INDEX ix_oauth_clients_agency ON oauth_clients (agency);
GRANT SELECT, INSERT ON oauth_clients TO tsn_hub;
GRANT UPDATE (closed_at) ON oauth_clients TO tsn_hub;
CREATE POLICY oauth_clients_find ON oauth_clients FOR SELECT TO tsn_hub USING ({SIGN_IN} OR {DIRECTORY});
CREATE POLICY oauth_clients_open ON oauth_clients FOR INSERT TO tsn_hub WITH CHECK ({DIRECTORY});
CREATE POLICY oauth_clients_close ON oauth_clients FOR UPDATE TO tsn_hub
    USING ({DIRECTORY}) WITH CHECK ({DIRECTORY});

CREATE TABLE oauth_tokens (
    digest bytea NOT NULL,
    client uuid NOT NULL,
    agency uuid NOT NULL,
    client_kid text NOT NULL,
    scopes text[] NOT NULL,
    jkt text NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT pk_oauth_tokens PRIMARY KEY (digest),
    CONSTRAINT ck_oauth_tokens_digest CHECK (octet_length(digest) = 32)
);
CREATE INDEX ix_oauth_tokens_expires_at ON oauth_tokens (expires_at);
GRANT SELECT, INSERT ON oauth_tokens TO tsn_hub;
GRANT UPDATE (revoked_at) ON oauth_tokens TO tsn_hub;
GRANT SELECT, DELETE ON oauth_tokens TO tsn_job;
CREATE POLICY oauth_tokens_sign_in ON oauth_tokens TO tsn_hub USING ({SIGN_IN}) WITH CHECK ({SIGN_IN});
CREATE POLICY oauth_tokens_sweep ON oauth_tokens TO tsn_job USING (true);
"""

TABLES = ("agencies", "agency_keys", "agency_approvals", "staff", "oauth_clients", "oauth_tokens")


def upgrade() -> None:
    """Create everything, closed first and opened grant by grant."""
    for statements in (AGENCIES, STAFF, OAUTH):
        op.execute(statements)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Drop everything."""
    op.execute("DROP POLICY log_entries_keys ON log_entries")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
