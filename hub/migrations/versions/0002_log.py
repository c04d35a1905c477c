# SPDX-License-Identifier: Apache-2.0
"""The log, the outbox, the event feeds and the tasks: tables, grants, policies, and the trigger that keeps
the log.
"""

from alembic import op

from hub.migrations.policies import AGENCY, protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ON_TASKS = "current_setting('tsn.duty', true) = 'tasks'"

LOG = """
CREATE TABLE audit_pending (
    arrival bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    parties uuid[] NOT NULL,
    case_handle uuid,
    body bytea NOT NULL,
    CONSTRAINT pk_audit_pending PRIMARY KEY (id),
    CONSTRAINT uq_audit_pending_arrival UNIQUE (arrival)
);
CREATE TABLE log_entries (
    index bigint NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    parties uuid[] NOT NULL,
    case_handle uuid,
    body bytea NOT NULL,
    logged_at timestamptz NOT NULL,
    CONSTRAINT pk_log_entries PRIMARY KEY (index),
    CONSTRAINT uq_log_entries_id UNIQUE (id),
    CONSTRAINT ck_log_entries_index CHECK (index >= 0)
);
CREATE INDEX ix_log_entries_parties ON log_entries USING gin (parties);
CREATE INDEX ix_log_entries_case_handle ON log_entries (case_handle, index) WHERE case_handle IS NOT NULL;
CREATE TABLE log_hashes (
    level smallint NOT NULL,
    index bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_log_hashes PRIMARY KEY (level, index),
    CONSTRAINT ck_log_hashes_length CHECK (octet_length(hash) = 32)
);
CREATE TABLE log_checkpoints (
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT pk_log_checkpoints PRIMARY KEY (size),
    CONSTRAINT ck_log_checkpoints_root CHECK (octet_length(root) = 32)
);
CREATE FUNCTION tsn_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
"""

# One trigger per statement, so that an UPDATE that matches nothing is refused as well.
KEEP = """
CREATE TRIGGER tr_{table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION tsn_refuse_change();
"""

LOG_RIGHTS = f"""
GRANT INSERT ON audit_pending TO tsn_hub, tsn_job;
GRANT SELECT, DELETE ON audit_pending TO tsn_seq;
CREATE POLICY audit_pending_append ON audit_pending FOR INSERT TO tsn_hub, tsn_job WITH CHECK (true);
CREATE POLICY audit_pending_sequence ON audit_pending TO tsn_seq USING (true);

GRANT SELECT, INSERT ON log_entries TO tsn_seq;
GRANT SELECT ON log_entries TO tsn_hub, tsn_job, tsn_dpo;
CREATE POLICY log_entries_sequence ON log_entries TO tsn_seq USING (true) WITH CHECK (true);
CREATE POLICY log_entries_party ON log_entries FOR SELECT TO tsn_hub USING (parties @> ARRAY[{AGENCY}]);
CREATE POLICY log_entries_read ON log_entries FOR SELECT TO tsn_job, tsn_dpo USING (true);

GRANT SELECT, INSERT ON log_hashes, log_checkpoints TO tsn_seq;
GRANT SELECT ON log_hashes, log_checkpoints TO tsn_hub, tsn_job, tsn_dpo;
CREATE POLICY log_hashes_sequence ON log_hashes TO tsn_seq USING (true) WITH CHECK (true);
CREATE POLICY log_hashes_read ON log_hashes FOR SELECT TO tsn_hub, tsn_job, tsn_dpo USING (true);
CREATE POLICY log_checkpoints_sequence ON log_checkpoints TO tsn_seq USING (true) WITH CHECK (true);
CREATE POLICY log_checkpoints_read ON log_checkpoints FOR SELECT TO tsn_hub, tsn_job, tsn_dpo USING (true);
"""

OUTBOX = f"""
CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    id uuid NOT NULL,
    topic text NOT NULL,
    about text NOT NULL,
    agency uuid,
    order_key text NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    attempts smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    leased_until timestamptz,
    leased_by text,
    finished_at timestamptz,
    fault text,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT uq_outbox_seq UNIQUE (seq),
    CONSTRAINT ck_outbox_state CHECK (state IN ('pending', 'leased', 'done', 'dead'))
);
CREATE INDEX ix_outbox_open ON outbox (due_at, seq) WHERE state IN ('pending', 'leased');
CREATE INDEX ix_outbox_key ON outbox (order_key, seq) WHERE state IN ('pending', 'leased');
CREATE INDEX ix_outbox_dead ON outbox (seq) WHERE state = 'dead';
CREATE INDEX ix_outbox_finished ON outbox (finished_at) WHERE state = 'done';
GRANT INSERT ON outbox TO tsn_hub;
GRANT SELECT, INSERT, DELETE ON outbox TO tsn_job;
GRANT UPDATE (state, attempts, due_at, leased_until, leased_by, finished_at, fault) ON outbox TO tsn_job;
CREATE POLICY outbox_put ON outbox FOR INSERT TO tsn_hub WITH CHECK (true);
CREATE POLICY outbox_work ON outbox TO tsn_job USING (true) WITH CHECK (true);

CREATE TABLE events (
    xact bigint NOT NULL DEFAULT (pg_current_xact_id()::text)::bigint,
    seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    id uuid NOT NULL,
    agency uuid NOT NULL,
    event text NOT NULL,
    about text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (id),
    CONSTRAINT uq_events_seq UNIQUE (seq)
);
CREATE INDEX ix_events_feed ON events (agency, xact, seq);
CREATE INDEX ix_events_at ON events (at);
GRANT INSERT, SELECT ON events TO tsn_hub;
GRANT INSERT, SELECT, DELETE ON events TO tsn_job;
CREATE POLICY events_tell ON events FOR INSERT TO tsn_hub WITH CHECK (true);
CREATE POLICY events_own ON events FOR SELECT TO tsn_hub USING (agency = {AGENCY});
CREATE POLICY events_work ON events TO tsn_job USING (true) WITH CHECK (true);
"""

# The two functions are the only way by which one agency's request touches another's tasks. They run with the
# caller's rights; the duty they set for their own length is what the policies ask for.
TASKS = f"""
CREATE TABLE tasks (
    id uuid NOT NULL,
    agency uuid,
    kind text NOT NULL,
    about text NOT NULL,
    case_handle uuid,
    due_at timestamptz,
    raised_at timestamptz NOT NULL,
    done_at timestamptz,
    CONSTRAINT pk_tasks PRIMARY KEY (id)
);
CREATE UNIQUE INDEX uq_tasks_open ON tasks (agency, kind, about) NULLS NOT DISTINCT WHERE done_at IS NULL;
CREATE INDEX ix_tasks_list ON tasks (agency, id);
GRANT SELECT, INSERT ON tasks TO tsn_hub, tsn_job;
GRANT UPDATE (done_at) ON tasks TO tsn_hub, tsn_job;
CREATE POLICY tasks_own ON tasks TO tsn_hub
    USING (agency = {AGENCY} OR {ON_TASKS}) WITH CHECK (agency = {AGENCY} OR {ON_TASKS});
CREATE POLICY tasks_work ON tasks TO tsn_job USING (true) WITH CHECK (true);

CREATE FUNCTION tsn_raise_task(
    new_id uuid, for_agency uuid, for_kind text, for_about text, for_case uuid, due timestamptz, raised timestamptz
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    before text := coalesce(current_setting('tsn.duty', true), '');
    open_id uuid;
BEGIN
    PERFORM set_config('tsn.duty', 'tasks', true);
    LOOP
        INSERT INTO tasks (id, agency, kind, about, case_handle, due_at, raised_at)
            VALUES (new_id, for_agency, for_kind, for_about, for_case, due, raised) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            open_id := new_id;
            EXIT;
        END IF;
        SELECT id INTO open_id FROM tasks WHERE agency IS NOT DISTINCT FROM for_agency
            AND kind = for_kind AND about = for_about AND done_at IS NULL;
        EXIT WHEN FOUND;
    END LOOP;
    PERFORM set_config('tsn.duty', before, true);
    RETURN open_id;
END $$;
CREATE FUNCTION tsn_finish_task(for_agency uuid, for_kind text, for_about text, finished timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before text := coalesce(current_setting('tsn.duty', true), '');
    was_open boolean;
BEGIN
    PERFORM set_config('tsn.duty', 'tasks', true);
    UPDATE tasks SET done_at = finished WHERE agency IS NOT DISTINCT FROM for_agency
        AND kind = for_kind AND about = for_about AND done_at IS NULL;
    was_open := FOUND;
    PERFORM set_config('tsn.duty', before, true);
    RETURN was_open;
END $$;
REVOKE ALL ON FUNCTION tsn_raise_task, tsn_finish_task FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tsn_raise_task, tsn_finish_task TO tsn_hub, tsn_job;
"""

LOG_TABLES = ("log_entries", "log_hashes", "log_checkpoints")
TABLES = ("audit_pending", *LOG_TABLES, "outbox", "events", "tasks")


def upgrade() -> None:
    """Create everything, closed first and opened grant by grant."""
    op.execute(LOG)
    for table in LOG_TABLES:
        op.execute(KEEP.format(table=table))
    op.execute(LOG_RIGHTS)
    op.execute(OUTBOX)
    op.execute(TASKS)
    for table in TABLES:
        protect(table)


def downgrade() -> None:
    """Drop everything; a log that anyone relies on must have been exported before."""
    op.execute("DROP FUNCTION tsn_raise_task, tsn_finish_task")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION tsn_refuse_change")
