# SPDX-License-Identifier: Apache-2.0
"""Appending in the caller's transaction, and who may do what to the log: grants and the trigger."""

import json

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from hub.audit import jobs, service, tables
from hub.audit.rules import AuditKind, Entry
from hub.audit.sequencer import Signer
from hub.base.db import Database, now

from .conftest import CASE, OURS, THEIRS, Append

LOG = ("log_entries", "log_hashes", "log_checkpoints")


def bodies(sequencer: Database) -> list[dict[str, object]]:
    with sequencer.transaction(None) as session:
        rows = session.execute(sa.select(tables.log_entries).order_by(tables.log_entries.c.index))
        return [json.loads(row.body) for row in rows]


def test_an_entry_commits_with_its_change_or_not_at_all(
    database: Database, sequencer_database: Database, signer: Signer
) -> None:
    def fail() -> None:
        with database.transaction(OURS) as session:
            service.append(session, Entry(kind=AuditKind.CASE_OPENED, actor=OURS, parties=(OURS,)), now=now(session))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert jobs.sequence(sequencer_database, signer) == 0


def test_two_entries_of_one_content_have_different_blinds(
    append: Append, sequencer_database: Database, signer: Signer
) -> None:
    append()
    append()
    jobs.sequence(sequencer_database, signer)
    first, second = bodies(sequencer_database)
    assert first["blind"] != second["blind"]


def test_the_order_of_the_log_is_the_order_in_which_a_lock_was_held_not_of_the_clocks(
    database: Database, sequencer_database: Database, signer: Signer
) -> None:
    def entry(kind: AuditKind) -> Entry:
        return Entry(kind=kind, actor=OURS, parties=(OURS,), case=CASE)

    with database.transaction(OURS) as withdrawal:
        began = now(withdrawal)
        with database.transaction(OURS) as disclosure:
            service.append(disclosure, entry(AuditKind.MESSAGE_ACCEPTED), now=now(disclosure))
        service.append(withdrawal, entry(AuditKind.WITHDRAWAL_REGISTERED), now=began)
    jobs.sequence(sequencer_database, signer)
    assert [body["kind"] for body in bodies(sequencer_database)] == ["message:accepted", "withdrawal:registered"]


def test_a_request_cannot_read_what_is_pending(append: Append, database: Database) -> None:
    append()
    with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(OURS) as session:
        session.execute(sa.select(tables.audit_pending))


@pytest.mark.parametrize("table", LOG)
@pytest.mark.parametrize(
    "statement", ["update {} set {} = {}", "delete from {}", "truncate {}", "insert into {} default values"]
)
def test_a_request_cannot_change_the_log(database: Database, table: str, statement: str) -> None:
    column = {"log_entries": "index", "log_hashes": "level", "log_checkpoints": "size"}[table]
    with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(OURS) as session:
        session.connection().exec_driver_sql(statement.format(table, column, column))


@pytest.mark.parametrize("table", LOG)
@pytest.mark.parametrize("statement", ["update {} set {} = {}", "delete from {}", "truncate {}"])
def test_neither_the_sequencer_nor_the_owner_can_change_what_is_logged(
    append: Append, sequencer_database: Database, signer: Signer, hub_database, table: str, statement: str
) -> None:
    append(THEIRS)
    jobs.sequence(sequencer_database, signer)
    column = {"log_entries": "index", "log_hashes": "level", "log_checkpoints": "size"}[table]
    change = statement.format(table, column, column)
    with pytest.raises(ProgrammingError, match="permission denied"), sequencer_database.transaction(None) as session:
        session.connection().exec_driver_sql(change)
    url = hub_database.admin_url.replace("+psycopg", "")
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        connection.execute(change)
