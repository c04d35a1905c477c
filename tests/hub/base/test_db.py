# SPDX-License-Identifier: Apache-2.0
"""A transaction belongs to one role, one agency, one duty, one time; nothing of it survives it."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from hub.base.db import Database, Duty, LeakedSettingError, Role, UtcDateTime, now
from hub.base.errors import ClashError, UnavailableError

A = "01890000-0000-7000-8000-00000000000a"
B = "01890000-0000-7000-8000-00000000000b"

SETTINGS = sa.text("select current_user, current_setting('tsn.agency', true), current_setting('tsn.duty', true)")


def test_a_transaction_steps_into_role_agency_and_duty(database):
    with database.transaction(A, Duty.DECIDE) as session:
        assert tuple(session.execute(SETTINGS).one()) == ("tsn_hub", A, "decide")


def test_agency_and_duty_end_with_the_transaction(database):
    with database.transaction(A, Duty.DECIDE) as session:
        session.execute(SETTINGS)
    with database.transaction(None) as session:
        assert tuple(session.execute(SETTINGS).one()) == ("tsn_hub", "", "")


def test_the_pool_hands_out_connections_that_belong_to_no_agency(database):
    with database.transaction(A) as session:
        session.execute(SETTINGS)
    with database.engine.connect() as connection:
        assert connection.execute(SETTINGS).one()[1] in {None, ""}


def test_a_setting_that_outlived_its_transaction_is_found_before_it_does_harm(database):
    with database.engine.connect() as connection:
        connection.execute(sa.text("select set_config('tsn.agency', :agency, false)"), {"agency": B})
        connection.commit()
    with pytest.raises(LeakedSettingError), database.transaction(A) as session:
        session.execute(SETTINGS)
    with database.transaction(A) as session:  # the connection was thrown away, the next one is clean
        assert session.execute(SETTINGS).one()[1] == A


def test_a_role_that_outlived_its_transaction_is_left_behind(database):
    with database.engine.connect() as connection:
        connection.exec_driver_sql("set role tsn_job")
        connection.commit()
    with database.transaction(A) as session:
        assert session.execute(SETTINGS).one()[0] == "tsn_hub"


def test_even_a_bare_connection_has_given_up_the_powers_of_the_login(database):
    with database.engine.connect() as connection:
        assert connection.execute(SETTINGS).one()[0] == "tsn_hub"


@pytest.mark.parametrize("role", ["tsn_owner", "tsn_admin"])
def test_the_run_time_login_cannot_become_the_owner(database, role):
    with pytest.raises(sa.exc.ProgrammingError), database.transaction(A) as session:
        session.execute(sa.text("select set_config('role', :role, true)"), {"role": role})


def test_a_savepoint_keeps_the_agency(database):
    with database.transaction(A) as session:
        now(session)
        with session.begin_nested():
            assert session.execute(SETTINGS).one()[1] == A
        assert session.execute(SETTINGS).one()[1] == A


def test_one_transaction_has_one_time(database):
    with database.transaction(A) as session:
        first = now(session)
        session.execute(sa.text("select pg_sleep(0.01)"))
        assert now(session) == first
    with database.transaction(A) as session:
        assert now(session) > first


def test_time_is_utc(database):
    with database.transaction(A) as session:
        assert now(session).tzinfo is UTC


def insert_then_fail(database, queue=None):
    with database.transaction(A) as session:
        session.execute(sa.text("insert into single_uses values ('s', 'd', now())"))
        session.info["wake"].add(queue)
        raise RuntimeError("stop")


def test_an_error_undoes_the_transaction(database):
    with pytest.raises(RuntimeError):
        insert_then_fail(database)
    with database.transaction(A) as session:
        session.execute(sa.text("insert into single_uses values ('s', 'd', now())"))


def test_queues_are_woken_after_the_commit_and_only_then(hub_database):
    woken: list[str] = []
    database = Database(hub_database.url, Role.HUB, wake=woken.append)
    with database.transaction(A) as session:
        session.info["wake"].add("outbox")
        assert woken == []
    assert woken == ["outbox"]
    with pytest.raises(RuntimeError):
        insert_then_fail(database, "lost")
    assert woken == ["outbox"]
    database.close()


def test_a_database_that_is_away_is_unavailable_and_says_when_to_come_back():
    away = Database("postgresql+psycopg://nobody@/none?host=/nonexistent", Role.HUB)
    with pytest.raises(UnavailableError) as refused, away.transaction(None) as session:
        now(session)
    assert refused.value.headers == {"Retry-After": "5"}


@pytest.mark.parametrize(
    ("state", "error"),
    [("40001", ClashError), ("40P01", ClashError), ("55P03", UnavailableError), ("53100", UnavailableError)],
)
def test_states_of_the_database_that_pass_are_named(database, state, error):
    raising = f"do $$ begin raise exception 'x' using errcode = '{state}'; end $$"
    with pytest.raises(error), database.transaction(None) as session:
        session.execute(sa.text(raising))


def test_naive_times_are_refused_and_others_become_utc():
    kind = UtcDateTime()
    dialect = sa.dialects.postgresql.dialect()
    with pytest.raises(ValueError, match="naive-datetime"):
        kind.process_bind_param(datetime(2026, 4, 1), dialect)  # noqa: DTZ001 - the refusal is the point
    tokyo = datetime.fromisoformat("2026-04-01T09:00:00+09:00")
    assert kind.process_result_value(tokyo, dialect) == datetime(2026, 4, 1, tzinfo=UTC)
    assert kind.process_bind_param(None, dialect) is None
    assert kind.process_result_value(None, dialect) is None
