# SPDX-License-Identifier: Apache-2.0
"""Witnesses of the log: what each said, what a quorum saw; recovery after a restore; erasure of entries."""

from alembic import op

from hub.base.db import Role
from hub.migrations.policies import everything, grant, protect

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WITNESSES = """
CREATE TABLE log_witnesses (
    witness text NOT NULL,
    size bigint NOT NULL,
    asked_at timestamptz NOT NULL,
    agreed_at timestamptz,
    code text NOT NULL,
    CONSTRAINT pk_log_witnesses PRIMARY KEY (witness),
    CONSTRAINT ck_log_witnesses_size CHECK (size >= 0)
);
CREATE TABLE log_cosignatures (
    size bigint NOT NULL,
    witness text NOT NULL,
    line text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_log_cosignatures PRIMARY KEY (size, witness)
);
CREATE TABLE log_quorums (
    size bigint NOT NULL,
    as_of timestamptz NOT NULL,
    CONSTRAINT pk_log_quorums PRIMARY KEY (size)
);
COMMENT ON COLUMN log_witnesses.size IS 'the size that the witness cosigned last, as far as the hub knows';
COMMENT ON COLUMN log_witnesses.agreed_at IS 'when it last cosigned';
COMMENT ON COLUMN log_witnesses.code IS 'what came of the last asking';
COMMENT ON COLUMN log_cosignatures.line IS 'the signature line as the witness wrote it (C2SP tlog-cosignature)';
COMMENT ON COLUMN log_quorums.as_of IS 'the moment for which enough witnesses stand';
"""

# Whoever writes, writes an entry in the same transaction: refused here, everything is refused and reading goes on.
RECOVERY = """
CREATE TABLE log_recovery (
    place boolean NOT NULL,
    code text NOT NULL,
    who text NOT NULL,
    size bigint NOT NULL,
    begun_at timestamptz NOT NULL,
    CONSTRAINT pk_log_recovery PRIMARY KEY (place),
    CONSTRAINT ck_log_recovery_one CHECK (place)
);
COMMENT ON TABLE log_recovery IS 'a row while the log may be behind what others saw: nothing is written or signed';
COMMENT ON COLUMN log_recovery.who IS 'the witness, or the mirror, that saw more or something else';
COMMENT ON COLUMN log_recovery.size IS 'the size that was seen there';
CREATE FUNCTION tsn_refuse_while_recovering() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM log_recovery) THEN
        RAISE EXCEPTION 'the log is being recovered' USING ERRCODE = 'TSN01';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_audit_pending_recovering BEFORE INSERT ON audit_pending
    FOR EACH STATEMENT EXECUTE FUNCTION tsn_refuse_while_recovering();
"""

# A row's bytes may go, and nothing else of it may change: once two people ordered it, and once the log says so.
ERASURE = """
CREATE TABLE log_erasures (
    id uuid NOT NULL,
    ground text NOT NULL,
    indexes bigint[] NOT NULL,
    ordered_by uuid NOT NULL,
    ordered_at timestamptz NOT NULL,
    confirmed_by uuid,
    confirmed_at timestamptz,
    entry uuid,
    erased_at timestamptz,
    CONSTRAINT pk_log_erasures PRIMARY KEY (id),
    CONSTRAINT ck_log_erasures_two CHECK (confirmed_by <> ordered_by),
    CONSTRAINT ck_log_erasures_whole CHECK ((confirmed_by IS NULL) = (entry IS NULL))
);
COMMENT ON COLUMN log_erasures.ground IS 'code of the legal ground';
COMMENT ON COLUMN log_erasures.entry IS 'the tombstone: the entry of the log that says which bytes went and why';
ALTER TABLE log_entries ALTER COLUMN body DROP NOT NULL;
CREATE FUNCTION tsn_refuse_but_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'STATEMENT' THEN
        IF coalesce(current_setting('tsn.erasing', true), '') <> 'yes' THEN
            RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NULL;
    END IF;
    IF NEW.body IS NOT NULL OR (NEW.index, NEW.id, NEW.kind, NEW.parties, NEW.logged_at)
        IS DISTINCT FROM (OLD.index, OLD.id, OLD.kind, OLD.parties, OLD.logged_at)
        OR NEW.case_handle IS NOT NULL
        OR NOT EXISTS (
            SELECT FROM log_erasures e JOIN log_entries t ON t.id = e.entry AND t.kind = 'log:erased'
            WHERE OLD.index = ANY (e.indexes)
        )
    THEN
        RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER tr_log_entries_append_only ON log_entries;
CREATE TRIGGER tr_log_entries_append_only BEFORE DELETE OR TRUNCATE ON log_entries
    FOR EACH STATEMENT EXECUTE FUNCTION tsn_refuse_change();
CREATE TRIGGER tr_log_entries_erasure BEFORE UPDATE ON log_entries
    FOR EACH STATEMENT EXECUTE FUNCTION tsn_refuse_but_erasure();
CREATE TRIGGER tr_log_entries_erasure_row BEFORE UPDATE ON log_entries
    FOR EACH ROW EXECUTE FUNCTION tsn_refuse_but_erasure();
GRANT UPDATE (body, case_handle) ON log_entries TO tsn_seq;
"""

BACK = """
DROP TRIGGER tr_log_entries_append_only ON log_entries;
DROP TRIGGER tr_log_entries_erasure ON log_entries;
DROP TRIGGER tr_log_entries_erasure_row ON log_entries;
DROP FUNCTION tsn_refuse_but_erasure;
REVOKE UPDATE (body, case_handle) ON log_entries FROM tsn_seq;
CREATE TRIGGER tr_log_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_entries
    FOR EACH STATEMENT EXECUTE FUNCTION tsn_refuse_change();
DROP TRIGGER tr_audit_pending_recovering ON audit_pending;
DROP FUNCTION tsn_refuse_while_recovering;
DROP TABLE log_erasures, log_recovery, log_quorums, log_cosignatures, log_witnesses;
"""
PUBLIC = ("log_cosignatures", "log_quorums", "log_recovery")
TABLES = ("log_witnesses", *PUBLIC, "log_erasures")


def upgrade() -> None:
    """Create the tables closed; everybody may read what was cosigned and whether the log is being recovered."""
    op.execute(WITNESSES)
    op.execute(RECOVERY)
    op.execute(ERASURE)
    for table in TABLES:
        protect(table)
        for role in (Role.JOB, Role.SEQ, Role.DPO):
            everything(table, role)
            grant(table, role)
    for table in PUBLIC:
        hub = Role.HUB.value
        op.execute(f"create policy {table}_read on {table} for select to {hub} using (true)")
        grant(table, Role.HUB)
    grant("log_witnesses", Role.JOB, insert=True, update=("size", "asked_at", "agreed_at", "code"))
    grant("log_cosignatures", Role.JOB, insert=True, update=("line", "at"))
    grant("log_quorums", Role.JOB, insert=True, update=("as_of",))
    grant("log_recovery", Role.JOB, insert=True, delete=True)
    grant("log_erasures", Role.JOB, insert=True, update=("confirmed_by", "confirmed_at", "entry"))
    grant("log_erasures", Role.SEQ, update=("erased_at",))


def downgrade() -> None:
    """Drop everything; entries whose bytes went keep their leaf hashes and stay empty."""
    op.execute(BACK)
