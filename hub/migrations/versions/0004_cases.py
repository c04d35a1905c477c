# SPDX-License-Identifier: Apache-2.0
"""Cases, what people agreed to and refused, and meetings: tables, grants and who may see which row.

No policy here may look at a table whose own policy looks back: that is an endless loop to PostgreSQL. So
owners and partners are repeated in the rows that hang on a case.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ME = "nullif(current_setting('tsn.agency', true), '')::uuid"
DECIDING = "current_setting('tsn.duty', true) = 'decide'"
# What a record may call me: by id, or by the kind of agency that I am.
MY_NAMES = f"ARRAY[({ME})::text, (SELECT a.kind FROM agencies a WHERE a.id = {ME})]"
MY_CASE = f"EXISTS (SELECT FROM cases c WHERE c.id = case_id AND c.owner = {ME})"
# A second agency of the intake side sends on a record, so it sees whether the record is live.
ON_INTAKE_SIDE = f"EXISTS (SELECT FROM consents c WHERE c.id = consent_id AND {ME} = ANY (c.hub_parties))"

CASES = f"""
CREATE TABLE cases (
    id uuid NOT NULL,
    handle uuid NOT NULL,
    owner uuid NOT NULL,
    step text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    opened_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT pk_cases PRIMARY KEY (id),
    CONSTRAINT uq_cases_owner_handle UNIQUE (owner, handle)
);
CREATE INDEX ix_cases_handle ON cases (handle);
CREATE TABLE case_parties (
    case_id uuid NOT NULL,
    agency uuid NOT NULL,
    owner uuid NOT NULL,
    named_at timestamptz NOT NULL,
    CONSTRAINT pk_case_parties PRIMARY KEY (case_id, agency),
    CONSTRAINT fk_case_parties_case_id FOREIGN KEY (case_id) REFERENCES cases (id)
);
CREATE INDEX ix_case_parties_agency ON case_parties (agency, case_id);
CREATE TABLE case_steps (
    case_id uuid NOT NULL,
    version integer NOT NULL,
    owner uuid NOT NULL,
    step text NOT NULL,
    state text NOT NULL,
    reason text,
    at timestamptz NOT NULL,
    closure_ground text,
    follow_up_on date,
    no_follow_up_reason text,
    CONSTRAINT pk_case_steps PRIMARY KEY (case_id, version),
    CONSTRAINT fk_case_steps_case_id FOREIGN KEY (case_id) REFERENCES cases (id)
);
CREATE TABLE case_notes (
    id uuid NOT NULL,
    case_id uuid NOT NULL,
    owner uuid NOT NULL,
    author uuid NOT NULL,
    author_kind text NOT NULL,
    kind text NOT NULL,
    channel text,
    digest text,
    at timestamptz NOT NULL,
    CONSTRAINT pk_case_notes PRIMARY KEY (id),
    CONSTRAINT fk_case_notes_case_id FOREIGN KEY (case_id) REFERENCES cases (id),
    CONSTRAINT ck_case_notes_kind CHECK (kind ~ '^[a-z][a-z0-9_]{{0,39}}$')
);
CREATE INDEX ix_case_notes_case_id_at ON case_notes (case_id, at);

GRANT SELECT, INSERT ON cases, case_parties, case_steps, case_notes TO tsn_hub, tsn_job;
GRANT UPDATE (step, state, version, moved_at, closed_at) ON cases TO tsn_hub, tsn_job;
CREATE POLICY cases_see ON cases FOR SELECT TO tsn_hub USING (
    owner = {ME} OR {DECIDING}
    OR EXISTS (SELECT FROM case_parties p WHERE p.case_id = cases.id AND p.agency = {ME})
);
CREATE POLICY cases_open ON cases FOR INSERT TO tsn_hub WITH CHECK (owner = {ME});
-- USING is wider than CHECK: who decides for others may hold the row FOR SHARE, and still change nothing.
CREATE POLICY cases_move ON cases FOR UPDATE TO tsn_hub
    USING (owner = {ME} OR {DECIDING}) WITH CHECK (owner = {ME});
CREATE POLICY case_parties_see ON case_parties FOR SELECT TO tsn_hub
    USING (owner = {ME} OR agency = {ME} OR {DECIDING});
CREATE POLICY case_parties_name ON case_parties FOR INSERT TO tsn_hub WITH CHECK (owner = {ME} OR {DECIDING});
CREATE POLICY case_steps_own ON case_steps TO tsn_hub USING (owner = {ME}) WITH CHECK (owner = {ME});
CREATE POLICY case_notes_see ON case_notes FOR SELECT TO tsn_hub USING (owner = {ME} OR author = {ME});
CREATE POLICY case_notes_write ON case_notes FOR INSERT TO tsn_hub WITH CHECK (
    author = {ME} AND (owner = {ME}
    OR EXISTS (SELECT FROM case_parties p WHERE p.case_id = case_notes.case_id AND p.agency = {ME}))
);
"""

INTAKES = f"""
CREATE TABLE consent_gates (
    case_id uuid NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_consent_gates PRIMARY KEY (case_id),
    CONSTRAINT fk_consent_gates_case_id FOREIGN KEY (case_id) REFERENCES cases (id)
);
CREATE TABLE consents (
    id uuid NOT NULL,
    consent uuid NOT NULL,
    signer uuid NOT NULL,
    case_id uuid NOT NULL,
    hub_parties uuid[] NOT NULL,
    partner text NOT NULL,
    record text NOT NULL,
    record_hash text NOT NULL,
    valid_until timestamptz NOT NULL,
    registered_at timestamptz NOT NULL,
    CONSTRAINT pk_consents PRIMARY KEY (id),
    CONSTRAINT uq_consents_signer_consent UNIQUE (signer, consent),
    CONSTRAINT fk_consents_case_id FOREIGN KEY (case_id) REFERENCES cases (id)
);
CREATE INDEX ix_consents_case_id ON consents (case_id);
CREATE INDEX ix_consents_record_hash ON consents (record_hash);
CREATE TABLE withdrawals (
    id uuid NOT NULL,
    withdrawal uuid NOT NULL,
    consent_id uuid NOT NULL,
    case_id uuid NOT NULL,
    owner uuid NOT NULL,
    partner text NOT NULL,
    "to" text[] NOT NULL,
    categories text[] NOT NULL,
    record text,
    at timestamptz NOT NULL,
    CONSTRAINT pk_withdrawals PRIMARY KEY (id),
    CONSTRAINT fk_withdrawals_consent_id FOREIGN KEY (consent_id) REFERENCES consents (id),
    CONSTRAINT fk_withdrawals_case_id FOREIGN KEY (case_id) REFERENCES cases (id)
);
CREATE INDEX ix_withdrawals_case_id ON withdrawals (case_id);
CREATE INDEX ix_withdrawals_consent_id ON withdrawals (consent_id);
CREATE TABLE exclusions (
    id uuid NOT NULL,
    exclusion uuid NOT NULL,
    signer uuid NOT NULL,
    case_id uuid NOT NULL,
    "to" text[] NOT NULL,
    categories text[] NOT NULL,
    from_time timestamptz NOT NULL,
    record text NOT NULL,
    record_hash text NOT NULL,
    registered_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revocation text,
    CONSTRAINT pk_exclusions PRIMARY KEY (id),
    CONSTRAINT uq_exclusions_signer_exclusion UNIQUE (signer, exclusion),
    CONSTRAINT fk_exclusions_case_id FOREIGN KEY (case_id) REFERENCES cases (id)
);
CREATE INDEX ix_exclusions_case_id ON exclusions (case_id);
CREATE TABLE consent_statuses (
    consent_id uuid NOT NULL,
    owner uuid NOT NULL,
    partner text NOT NULL,
    record text NOT NULL,
    record_hash text NOT NULL,
    as_of timestamptz NOT NULL,
    next_by timestamptz NOT NULL,
    CONSTRAINT pk_consent_statuses PRIMARY KEY (consent_id),
    CONSTRAINT fk_consent_statuses_consent_id FOREIGN KEY (consent_id) REFERENCES consents (id)
);

GRANT SELECT, INSERT ON consent_gates, consents, withdrawals, exclusions, consent_statuses
    TO tsn_hub, tsn_job;
GRANT UPDATE (version) ON consent_gates TO tsn_hub, tsn_job;
GRANT UPDATE (record) ON withdrawals TO tsn_hub, tsn_job;
GRANT UPDATE (revoked_at, revocation) ON exclusions TO tsn_hub, tsn_job;
GRANT UPDATE (record, record_hash, as_of, next_by) ON consent_statuses TO tsn_hub, tsn_job;
CREATE POLICY consent_gates_pass ON consent_gates TO tsn_hub
    USING ({DECIDING} OR {MY_CASE}) WITH CHECK ({DECIDING} OR {MY_CASE});
CREATE POLICY consents_see ON consents FOR SELECT TO tsn_hub USING (
    signer = {ME} OR {DECIDING} OR {ME} = ANY (hub_parties) OR partner = ANY ({MY_NAMES})
);
CREATE POLICY consents_register ON consents FOR INSERT TO tsn_hub
    WITH CHECK (signer = {ME} AND {ME} = ANY (hub_parties) AND {MY_CASE});
CREATE POLICY withdrawals_see ON withdrawals FOR SELECT TO tsn_hub
    USING (owner = {ME} OR {DECIDING} OR partner = ANY ({MY_NAMES}) OR {ON_INTAKE_SIDE});
CREATE POLICY withdrawals_register ON withdrawals FOR INSERT TO tsn_hub WITH CHECK (owner = {ME});
CREATE POLICY withdrawals_countersign ON withdrawals FOR UPDATE TO tsn_hub
    USING (owner = {ME}) WITH CHECK (owner = {ME});
CREATE POLICY exclusions_see ON exclusions FOR SELECT TO tsn_hub USING (
    signer = {ME} OR {DECIDING} OR "to" && ({MY_NAMES})
    OR ('*' = ANY ("to")
        AND EXISTS (SELECT FROM case_parties p WHERE p.case_id = exclusions.case_id AND p.agency = {ME}))
);
CREATE POLICY exclusions_register ON exclusions FOR INSERT TO tsn_hub
    WITH CHECK (signer = {ME} AND {MY_CASE});
CREATE POLICY exclusions_revoke ON exclusions FOR UPDATE TO tsn_hub
    USING (signer = {ME}) WITH CHECK (signer = {ME});
CREATE POLICY consent_statuses_see ON consent_statuses FOR SELECT TO tsn_hub
    USING (owner = {ME} OR {DECIDING} OR partner = ANY ({MY_NAMES}) OR {ON_INTAKE_SIDE});
CREATE POLICY consent_statuses_record ON consent_statuses FOR INSERT TO tsn_hub WITH CHECK (owner = {ME});
CREATE POLICY consent_statuses_renew ON consent_statuses FOR UPDATE TO tsn_hub
    USING (owner = {ME}) WITH CHECK (owner = {ME});
"""

MEETINGS = f"""
CREATE TABLE meetings (
    id uuid NOT NULL,
    kind text NOT NULL,
    convenor uuid NOT NULL,
    case_id uuid,
    case_handle uuid,
    members uuid[] NOT NULL,
    until timestamptz NOT NULL,
    convened_at timestamptz NOT NULL,
    ended_at timestamptz,
    version integer NOT NULL,
    CONSTRAINT pk_meetings PRIMARY KEY (id),
    CONSTRAINT fk_meetings_case_id FOREIGN KEY (case_id) REFERENCES cases (id),
    CONSTRAINT ck_meetings_kind CHECK (kind IN ('shien_kaigi', 'shien_chosei_kaigi'))
);
CREATE INDEX ix_meetings_case_id ON meetings (case_id);
CREATE TABLE meeting_acceptances (
    meeting_id uuid NOT NULL,
    agency uuid NOT NULL,
    accepted_at timestamptz NOT NULL,
    CONSTRAINT pk_meeting_acceptances PRIMARY KEY (meeting_id, agency),
    CONSTRAINT fk_meeting_acceptances_meeting_id FOREIGN KEY (meeting_id) REFERENCES meetings (id)
);
CREATE TABLE meeting_items (
    id uuid NOT NULL,
    meeting_id uuid NOT NULL,
    list text NOT NULL,
    code text,
    case_handle uuid,
    author uuid NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_meeting_items PRIMARY KEY (id),
    CONSTRAINT fk_meeting_items_meeting_id FOREIGN KEY (meeting_id) REFERENCES meetings (id),
    CONSTRAINT ck_meeting_items_list CHECK (list IN ('agenda', 'decision')),
    CONSTRAINT ck_meeting_items_code CHECK (code ~ '^[a-z][a-z0-9_]{{0,39}}$')
);
CREATE INDEX ix_meeting_items_meeting_id ON meeting_items (meeting_id);

GRANT SELECT, INSERT ON meetings, meeting_acceptances, meeting_items TO tsn_hub, tsn_job;
GRANT UPDATE (ended_at, version) ON meetings TO tsn_hub, tsn_job;
CREATE POLICY meetings_see ON meetings FOR SELECT TO tsn_hub
    USING (convenor = {ME} OR {ME} = ANY (members) OR {DECIDING});
CREATE POLICY meetings_convene ON meetings FOR INSERT TO tsn_hub WITH CHECK (convenor = {ME});
CREATE POLICY meetings_change ON meetings FOR UPDATE TO tsn_hub
    USING (convenor = {ME} OR {ME} = ANY (members)) WITH CHECK (convenor = {ME} OR {ME} = ANY (members));
CREATE POLICY meeting_acceptances_see ON meeting_acceptances FOR SELECT TO tsn_hub
    USING (EXISTS (SELECT FROM meetings m WHERE m.id = meeting_id));
CREATE POLICY meeting_acceptances_accept ON meeting_acceptances FOR INSERT TO tsn_hub
    WITH CHECK (agency = {ME} AND EXISTS (SELECT FROM meetings m WHERE m.id = meeting_id));
CREATE POLICY meeting_items_see ON meeting_items FOR SELECT TO tsn_hub
    USING (EXISTS (SELECT FROM meetings m WHERE m.id = meeting_id));
CREATE POLICY meeting_items_write ON meeting_items FOR INSERT TO tsn_hub
    WITH CHECK (author = {ME} AND EXISTS (SELECT FROM meetings m WHERE m.id = meeting_id));
"""

TABLES = (
    "cases", "case_parties", "case_steps", "case_notes",
    "consent_gates", "consents", "withdrawals", "exclusions", "consent_statuses",
    "meetings", "meeting_acceptances", "meeting_items",
)  # fmt: skip


def upgrade() -> None:
    """Create everything, closed first and opened policy by policy."""
    for statement in (CASES, INTAKES, MEETINGS):
        op.execute(statement)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_work ON {table} TO tsn_job USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT ON {table} TO tsn_dpo")
        op.execute(f"CREATE POLICY {table}_oversee ON {table} FOR SELECT TO tsn_dpo USING (true)")


def downgrade() -> None:
    """Drop everything, the youngest first."""
    for table in reversed(TABLES):
        # a policy of one table reads another: it goes with the table it reads
        op.execute(f"DROP TABLE {table} CASCADE")
