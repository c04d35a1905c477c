# SPDX-License-Identifier: Apache-2.0
"""Going up, going down, going up again; numbers in order; policies in the forms the migrations use."""

import re
import threading
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from hub.base.db import Duty, Role
from hub.base.errors import ConfigurationError
from hub.base.schema import HEAD
from hub.embedded.postgres import LOGIN
from hub.migrations import policies, roles, run

A = "01890000-0000-7000-8000-00000000000a"
B = "01890000-0000-7000-8000-00000000000b"
VERSIONS = Path(run.__file__).parent / "versions"


def test_the_migrations_are_numbered_without_a_gap_and_each_names_the_one_before():
    files = sorted(VERSIONS.glob("[0-9]*.py"))
    said = []
    for file in files:
        text = file.read_text("utf-8")
        revision = re.search(r'^revision\b[^=]*= "(\d+)"', text, re.MULTILINE)[1]
        previous = re.search(r'^down_revision\b[^=]*= (None|"\d+")', text, re.MULTILINE)[1].strip('"')
        assert file.name.startswith(f"{revision}_")
        said.append((revision, previous))
    numbers = [f"{number:04}" for number in range(1, len(files) + 1)]
    assert said == list(zip(numbers, ["None", *numbers[:-1]], strict=True))
    assert run.head() == numbers[-1] == HEAD


def test_the_schema_goes_down_to_nothing_and_up_again(hub_database):
    assert run.downgrade(hub_database.admin_url, "base") == "base"
    engine = sa.create_engine(hub_database.admin_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        left = connection.execute(
            sa.text(
                "select relname from pg_class where relnamespace = 'public'::regnamespace"
                " and relkind in ('r', 'v', 'S', 'p')"
            )
        ).scalars()
        assert set(left) == {"alembic_version"}
        functions = connection.execute(
            sa.text("select count(*) from pg_proc where pronamespace = 'public'::regnamespace")
        )
        assert functions.scalar_one() == 0
    engine.dispose()
    assert run.upgrade(hub_database.admin_url, login=LOGIN) == run.head()


def test_migrating_twice_changes_nothing(hub_database):
    assert run.upgrade(hub_database.admin_url, login=LOGIN) == run.head()


def test_two_that_migrate_at_once_come_one_after_the_other(hub_database):
    run.downgrade(hub_database.admin_url, "base")
    ended = []
    threads = [threading.Thread(target=lambda: ended.append(run.upgrade(hub_database.admin_url))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [run.head()] * 2


def test_a_migration_gives_way_to_requests_and_says_so(hub_database, monkeypatch):
    run.downgrade(hub_database.admin_url, "0001")
    url = sa.make_url(hub_database.admin_url)
    monkeypatch.setattr(run, "ATTEMPTS", 1)
    with psycopg.connect(host=url.query["host"], user=url.username, dbname=url.database) as holder:
        holder.execute("lock table idempotency_keys in access share mode")
        with pytest.raises(ConfigurationError, match="migrate"):
            run.downgrade(hub_database.admin_url, "base")
    assert run.upgrade(hub_database.admin_url) == run.head()


def test_a_login_that_may_not_make_roles_is_told_which_are_missing(hub_database, monkeypatch):
    monkeypatch.setattr(roles, "NAMES", (*roles.NAMES, "tsn_absent"))
    with pytest.raises(ConfigurationError, match="tsn_absent"):
        run.upgrade(hub_database.url)


@pytest.fixture
def letters(hub_database):
    """A table made with the same words that migrations use: a sender, a recipient, a text."""
    engine = sa.create_engine(hub_database.admin_url, poolclass=sa.NullPool)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        connection.exec_driver_sql("set local role tsn_owner")
        connection.exec_driver_sql("create table letters (id int primary key, sender uuid, recipient uuid, body text)")
        policies.tenant("letters", see=("sender", "recipient"), write=("sender",))
        policies.on_duty("letters", Duty.DECIDE, "body = 'open'")
        policies.grant("letters", Role.HUB, insert=True, update=("body", "sender"))
        policies.grant("letters", Role.JOB, insert=True, update=("body",), delete=True)
        policies.keep("letters", "sender", "recipient")
    engine.dispose()


def letter(session, number, sender, recipient, body="x"):
    session.execute(
        sa.text("insert into letters values (:number, :sender, :recipient, :body)"),
        {"number": number, "sender": sender, "recipient": recipient, "body": body},
    )


def seen(database, agency, duty=None):
    with database.transaction(agency, duty) as session:
        return set(session.execute(sa.text("select id from letters")).scalars())


def test_both_sides_see_a_row_and_others_do_not(database, jobs_database, letters):
    with database.transaction(A) as session:
        letter(session, 1, A, B)
    assert seen(database, A) == seen(database, B) == {1}
    assert seen(database, None) == seen(database, "01890000-0000-7000-8000-00000000000c") == set()
    assert seen(jobs_database, None) == {1}


def test_nobody_writes_in_anothers_name(database, letters):
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"), database.transaction(B) as session:
        letter(session, 1, A, B)


def test_a_duty_shows_what_its_condition_says_and_no_more(database, letters):
    with database.transaction(A) as session:
        letter(session, 1, A, B)
        letter(session, 2, A, B, "open")
    assert seen(database, None, Duty.DECIDE) == {2}
    assert seen(database, None, Duty.DIRECTORY) == set()


def test_ten_09_a_row_does_not_move_to_another_agency(database, letters):
    with database.transaction(A) as session:
        letter(session, 1, A, B)
    with pytest.raises(sa.exc.ProgrammingError, match="never changes"), database.transaction(B) as session:
        session.execute(sa.text("update letters set sender = recipient"))
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), database.transaction(A) as session:
        session.execute(sa.text("update letters set recipient = sender"))
    with database.transaction(B) as session:
        session.execute(sa.text("update letters set body = 'y'"))


def test_requests_never_see_everything():
    with pytest.raises(ValueError, match="requests-see-by-agency"):
        policies.everything("letters", Role.HUB)
