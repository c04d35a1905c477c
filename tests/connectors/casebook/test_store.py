# SPDX-License-Identifier: Apache-2.0
"""The casebook is one encrypted file: without its key nothing in it can be read, and a crash keeps whole changes."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.casebook import access, marks, tables
from connectors.casebook.store import open_casebook
from connectors.sync.connector import Connector
from tests.connectors.story import NAME, Network, open_case, refused

KEY = b"\x07" * 32
NOW = datetime(2026, 4, 6, 1, 30, tzinfo=UTC)


def test_another_key_does_not_open_it(tmp_path: Path) -> None:
    open_casebook(tmp_path / "casebook.db", KEY).close()
    with refused("casebook-unreadable"):
        open_casebook(tmp_path / "casebook.db", b"\x08" * 32)


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    with refused("casebook-unreadable"):
        open_casebook(tmp_path / "casebook.db", b"short")


def test_a_damaged_file_is_said_to_be_unreadable(tmp_path: Path) -> None:
    (tmp_path / "casebook.db").write_bytes(b"SQLite format 3\0" + b"\x01" * 4096)
    with refused("casebook-unreadable"):
        open_casebook(tmp_path / "casebook.db", KEY)


def test_nothing_in_the_files_can_be_read(network: Network, j1: Connector) -> None:
    case = open_case(j1)
    # before closing, so that what is in the write-ahead log is looked at too
    written = b"".join(path.read_bytes() for path in network.folder.rglob("*") if path.is_file())
    # nothing shorter: three bytes come up in half a megabyte of cipher text by chance
    for secret in (NAME, "タカサキ", case, "persons", "SQLite format"):
        assert secret.encode() not in written


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    open_casebook(tmp_path / "casebook.db", KEY).close()
    assert stat.S_IMODE((tmp_path / "casebook.db").stat().st_mode) == 0o600


def test_a_change_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    casebook = open_casebook(tmp_path / "casebook.db", KEY)

    def begin_and_fail() -> None:
        with casebook.transaction() as connection:
            marks.remember(connection, "half", "done")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        begin_and_fail()
    with casebook.transaction() as connection:
        assert marks.recall(connection, "half") is None
    casebook.close()


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    first = open_casebook(tmp_path / "casebook.db", KEY)
    with first.transaction() as connection:
        marks.remember(connection, "name", NAME)
    first.close()
    again = open_casebook(tmp_path / "casebook.db", KEY)
    with again.transaction() as connection:
        assert marks.recall(connection, "name") == NAME
    again.close()


def test_many_threads_write_into_one_casebook(tmp_path: Path) -> None:
    book = open_casebook(tmp_path / "casebook.db", KEY)

    def write(number: int) -> None:
        with book.transaction() as connection:
            access.record(connection, staff="u-101", action="person:searched", about=str(number), now=NOW)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(write, range(60)))
    with book.transaction() as connection:
        written = connection.execute(sa.select(sa.func.count()).select_from(tables.access_log)).scalar_one()
    assert written == 60
    book.close()


def test_a_thread_that_holds_the_casebook_is_told_at_once_and_not_left_to_wait_for_itself(tmp_path: Path) -> None:
    book = open_casebook(tmp_path / "casebook.db", KEY)
    with book.transaction() as connection:
        marks.remember(connection, "outer", "done")
        assert book.is_held
        with pytest.raises(RuntimeError, match="already"), book.transaction():
            pass
    assert not book.is_held
    with book.transaction() as connection:
        assert marks.recall(connection, "outer") == "done"
    book.close()
