# SPDX-License-Identifier: Apache-2.0
"""What the database itself promises, read from its own catalogue after every migration (security README §2, TEN-*)."""

import importlib
import pkgutil

import psycopg
import pytest
import sqlalchemy as sa

import hub
from hub.base.db import Role, metadata
from hub.migrations import roles

# Belong to no agency: digests, the revision, what the sequencer alone touches. Each has a reason; a new table has none.
NOBODYS = {
    "alembic_version": "the revision of the schema",
    "single_uses": "digests without an owner; requests can put them in and never read them",
}
# Read by everybody by their meaning: the log's tree, its checkpoints, who cosigned them, whether it is being
# recovered; by every agency: the directory with its keys.
EVERYBODYS = {"log_checkpoints", "log_cosignatures", "log_hashes", "log_quorums", "log_recovery"}
EVERY_AGENCYS = {"agencies", "agency_keys"}
# What requests may delete: nothing that is a fact.
DELETABLE: set[str] = set()

TABLES = "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
SAMPLES = {
    "uuid": "gen_random_uuid()",
    "text": "'x'",
    "character varying": "'x'",
    "timestamp with time zone": "now()",
    "date": "current_date",
    "smallint": "1",
    "integer": "1",
    "bigint": "1",
    "boolean": "false",
    "jsonb": "'{}'",
    "bytea": "'x'",
    "ARRAY": "'{}'",
    "interval": "'1 day'",
    "numeric": "1",
}


@pytest.fixture
def admin(hub_database):
    url = sa.make_url(hub_database.admin_url)
    with psycopg.connect(host=url.query["host"], user=url.username, dbname=url.database, autocommit=True) as connection:
        yield connection


def column(admin, statement):
    return {row[0] for row in admin.execute(statement)}


def known_tables():
    for module in pkgutil.walk_packages(hub.__path__, "hub."):
        if module.name.endswith((".tables", ".replay")):
            importlib.import_module(module.name)
    return metadata.tables


def views_that_bypass(admin):
    return column(
        admin,
        "select relname from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace"
        " and (relkind = 'm' or not coalesce(reloptions::text like '%security_invoker=true%', false))",
    )


def functions_that_bypass(admin):
    return column(admin, "select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace")


def test_every_table_is_guarded_for_its_owner_too(admin):
    open_tables = column(admin, f"{TABLES} and not (relrowsecurity and relforcerowsecurity)")
    assert open_tables == set(NOBODYS)


def test_every_guarded_table_has_a_policy(admin):
    without = column(
        admin,
        f"{TABLES} and relrowsecurity and not relispartition"
        " and not exists (select from pg_policies where tablename = relname)",
    )
    assert without == set()


def test_no_policy_of_requests_is_without_a_condition(admin):
    loose = column(
        admin,
        "select distinct tablename from pg_policies where (roles && '{tsn_hub,public}'::name[])"
        " and cmd <> 'INSERT' and qual = 'true'",
    )
    assert loose == EVERYBODYS


def test_no_policy_is_for_everybody(admin):
    assert column(admin, "select tablename from pg_policies where 'public' = any(roles)") == set()


def test_every_table_belongs_to_the_owner_who_never_logs_in(admin):
    assert column(admin, f"{TABLES} and relowner <> 'tsn_owner'::regrole") == set()
    assert column(admin, "select rolname from pg_roles where rolname = 'tsn_owner' and rolcanlogin") == set()


def test_no_role_of_ours_stands_above_the_policies(admin):
    above = column(admin, "select rolname from pg_roles where rolname like 'tsn\\_%' and (rolsuper or rolbypassrls)")
    assert above == {"tsn_admin"}  # makes roles and databases; the hub never runs as it


def test_the_run_time_login_becomes_the_running_roles_and_no_other(admin):
    may = column(
        admin,
        "select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.roleid"
        " where m.member = 'tsn_login'::regrole",
    )
    assert may == {role.value for role in roles.RUNNING}


def test_requests_delete_no_facts_and_nobody_truncates(admin):
    given = admin.execute(
        "select grantee, table_name, privilege_type from information_schema.role_table_grants"
        " where grantee in ('tsn_hub', 'tsn_job', 'tsn_seq', 'tsn_dpo', 'PUBLIC') and table_schema = 'public'"
    ).fetchall()
    assert {name for who, name, what in given if who == "tsn_hub" and what == "DELETE"} == DELETABLE
    assert [row for row in given if row[2] in {"TRUNCATE", "TRIGGER", "REFERENCES"} or row[0] == "PUBLIC"] == []


def test_updates_are_granted_by_column(admin):
    whole = column(
        admin,
        "select table_name from information_schema.role_table_grants where table_schema = 'public'"
        " and grantee in ('tsn_hub', 'tsn_job') and privilege_type = 'UPDATE'",
    )
    assert whole == set()


def test_ten_10_no_view_and_no_function_goes_around_the_policies(admin):
    assert views_that_bypass(admin) == set()
    assert functions_that_bypass(admin) == set()


def test_ten_10_such_a_view_or_function_would_be_found(admin):
    admin.execute("create view peek as select * from idempotency_keys")
    admin.execute("create view honest with (security_invoker=true) as select * from idempotency_keys")
    admin.execute("create function peek() returns int language sql security definer as 'select 1'")
    assert views_that_bypass(admin) == {"peek"}
    assert functions_that_bypass(admin) == {"peek"}


def fill(admin, tables):
    """Put a row into every table, whatever its constraints: policies alone are to be seen at work."""
    admin.execute("set session_replication_role = replica")
    for table, name in admin.execute(
        "select conrelid::regclass::text, conname from pg_constraint"
        " where contype = 'c' and connamespace = 'public'::regnamespace and conislocal"
    ).fetchall():
        admin.execute(f'alter table {table} drop constraint "{name}"')
    for table in tables:
        columns = admin.execute(
            "select column_name, data_type from information_schema.columns where table_name = %s"
            " and is_nullable = 'NO' and is_generated = 'NEVER' and is_identity = 'NO'",
            [table],
        ).fetchall()
        names = ", ".join(f'"{name}"' for name, _ in columns)
        values = ", ".join(SAMPLES[kind] for _, kind in columns)
        admin.execute(f"insert into {table} ({names}) values ({values})")  # noqa: S608 - names of our own catalogue


@pytest.mark.parametrize(
    ("agency", "visible"),
    [(None, EVERYBODYS), ("01890000-0000-7000-8000-00000000000a", EVERYBODYS | EVERY_AGENCYS)],
)
def test_ten_07_without_its_agency_no_row_of_any_tenant_table_is_seen(admin, database, agency, visible):
    tables = column(admin, f"{TABLES} and relrowsecurity and not relispartition")
    fill(admin, tables)
    seen = {}
    for table in sorted(tables):
        allowed = admin.execute("select has_any_column_privilege('tsn_hub', %s, 'select')", [table]).fetchone()[0]
        if allowed:
            with database.transaction(agency) as session:
                seen[table] = session.execute(sa.text(f"select count(*) from {table}")).scalar_one()  # noqa: S608
    assert len(seen) > 1
    assert {table for table, rows in seen.items() if rows} == visible


def test_models_are_the_migrations(hub_database):
    engine = sa.create_engine(hub_database.admin_url, poolclass=sa.NullPool)
    inspector = sa.inspect(engine)
    declared = known_tables()
    made = set(inspector.get_table_names()) - {"alembic_version"}
    parts = {name for name in made if name.rpartition("_")[0] in declared and name not in declared}
    assert set(declared) == made - parts
    different = {}
    for name, table in declared.items():
        there = {c["name"]: (kind(c["type"]), c["nullable"]) for c in inspector.get_columns(name)}
        said = {c.name: (kind(c.type), c.nullable) for c in table.columns}
        if there != said:
            different[name] = set(there.items()) ^ set(said.items())
        keys = set(inspector.get_pk_constraint(name)["constrained_columns"])
        if keys != {c.name for c in table.primary_key}:
            different[f"{name} (primary key)"] = keys
    engine.dispose()
    assert different == {}


def kind(given):
    return str(given.dialect_impl(sa.dialects.postgresql.dialect()).compile(sa.dialects.postgresql.dialect()))


def test_the_roles_of_the_code_are_the_roles_of_the_database(admin):
    assert {role.value for role in Role} <= column(admin, "select rolname from pg_roles")
