# SPDX-License-Identifier: Apache-2.0
"""What an operator types about given-up work and about the log."""

import psycopg
import pytest
from click.testing import CliRunner, Result

from consent.tlog import notes
from hub import worker
from hub.audit import reads as audit_reads
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base.config import Settings
from hub.base.db import Database, now
from hub.cli import main
from hub.station import open_station


@pytest.fixture
def type_in(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("TSUNAGI_ISSUER", settings.issuer)
    monkeypatch.setenv("TSUNAGI_DATA", str(settings.data))
    monkeypatch.setenv("TSUNAGI_ENV", "test")

    def _type(*words: str) -> Result:
        return CliRunner().invoke(main, words)

    return _type


@pytest.fixture
def dead(put, hub_database) -> str:
    work = put("unheard:of")
    with psycopg.connect(hub_database.admin_url.replace("+psycopg", "")) as connection:
        connection.execute("update outbox set state = 'dead', attempts = 5, finished_at = now(), fault = 'KeyError'")
    return work


def test_dead_work_is_listed_by_ids_and_codes(type_in, dead: str) -> None:
    answer = type_in("outbox", "dead")
    assert answer.output.split() == [dead, "unheard:of", "00000000-0000-4000-8000-0000000000ca", "KeyError"]


def test_dead_work_is_replayed_and_the_log_says_so(
    type_in, dead: str, states, settings: Settings, jobs_database: Database
) -> None:
    assert type_in("outbox", "replay", dead).exit_code == 0
    assert states() == {"pending": 1}
    with open_station(settings) as at:
        at.sequence()
    with jobs_database.transaction(None) as session:
        assert audit_reads.logged(session) == 1
        ((_, body, _),) = audit_reads.bodies(session, 1)
    assert b'"kind":"delivery:replayed"' in body


@pytest.mark.parametrize("work", ["x", "01900000-0000-7000-8000-00000000dead"])
def test_what_is_not_dead_cannot_be_replayed(type_in, work: str) -> None:
    answer = type_in("outbox", "replay", work)
    assert answer.exit_code == 1
    assert "outbox dead" in answer.output


def append(database: Database) -> None:
    with database.transaction(None) as session:
        audit.append(session, Entry(kind=AuditKind.CONFIG_CHANGE, actor=HUB, parties=()), now=now(session))


def test_the_checkpoint_is_printed_with_the_key_it_is_signed_with(
    type_in, database: Database, settings: Settings
) -> None:
    append(database)
    worker.run_due(settings)
    key, _, note = type_in("checkpoint").output.partition("\n")
    assert notes.open_checkpoint(note, notes.Verifier.read(key)).size == 1


def test_no_checkpoint_is_printed_of_a_log_that_was_touched(
    type_in, database: Database, settings: Settings, hub_database
) -> None:
    append(database)
    worker.run_due(settings)
    with psycopg.connect(hub_database.admin_url.replace("+psycopg", "")) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update log_entries set body = body || ' '")
    answer = type_in("checkpoint")
    assert answer.exit_code == 1
    assert "hub.example" not in answer.output
