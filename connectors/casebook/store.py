# SPDX-License-Identifier: Apache-2.0
"""Open the casebook: one SQLite file encrypted by SQLCipher, its key held in the keystore.

Writers take turns (`BEGIN IMMEDIATE`), readers do not wait (WAL), and a commit is on the disk when it returns.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlcipher3.dbapi2
from sqlalchemy import Connection, create_engine, event, exc, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

from connectors.base.errors import ConnectorError
from connectors.casebook import (
    tables_access,
    tables_corrections,
    tables_files,
    tables_finding,
    tables_meetings,
    tables_mirror,
    tables_papers,
    tables_sheets,
    tables_steps,
)
from connectors.casebook.tables import metadata

_OTHERS: Final = (
    tables_access,
    tables_corrections,
    tables_files,
    tables_finding,
    tables_meetings,
    tables_mirror,
    tables_papers,
    tables_sheets,
    tables_steps,
)
"""Imported so that `metadata` knows their tables too."""
_KEY_LENGTH: Final = 32
_BUSY_MS: Final = 10_000
_CACHE_KIB: Final = 32 * 1024
"""Pages that a connection may keep decrypted: what one board reads of 10,000 referrals and cases is 20 MiB."""


class Casebook:
    """One agency's casebook. Every use is a transaction: `with casebook.transaction() as connection: …`."""

    def __init__(self, engine: Engine) -> None:
        """Take an engine whose tables exist; `open_casebook` makes one."""
        self._engine = engine
        self._mine = threading.local()

    @property
    def is_held(self) -> bool:
        """Say whether this thread is in a transaction of this casebook."""
        return getattr(self._mine, "held", False)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection whose changes are all kept at the end, or none of them after an error.

        *Raises* RuntimeError: this thread holds the casebook already. As writers take turns, it would wait for itself
        until SQLite gives up; that is a mistake of the program and is said at once.
        """
        if self.is_held:
            raise RuntimeError("this thread holds the casebook already")
        self._mine.held = True
        try:
            with self._engine.begin() as connection:
                yield connection
        finally:
            self._mine.held = False

    def add_tables(self) -> None:
        """Make the tables and indexes that are declared and not there yet; what is there stays as it is."""
        _add_missing(self._engine)

    def close(self) -> None:
        """Close every connection; the file can be copied then."""
        self._engine.dispose()


def open_casebook(path: Path, key: bytes) -> Casebook:
    """Open the casebook at `path` with its 32-byte key, making it when it is not there.

    *Raises* `ConnectorError`: `casebook-unreadable` (wrong key or damaged file), `folder-unwritable`.
    """
    if len(key) != _KEY_LENGTH:
        raise ConnectorError("casebook-unreadable", file=path.name)
    if not path.exists():
        try:
            path.touch(mode=0o600)
        except OSError:
            raise ConnectorError("folder-unwritable", folder=str(path.parent)) from None
    url = f"sqlite+pysqlcipher://:x'{key.hex()}'@/{path.absolute()}"
    # the dialect's own pool closes connections under other threads as soon as there are more than five
    engine = create_engine(
        url,
        module=sqlcipher3.dbapi2,
        hide_parameters=True,
        poolclass=QueuePool,
        pool_use_lifo=True,  # the connection used last has its pages decrypted already
        connect_args={"check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        _add_missing(engine)
    except (exc.DBAPIError, sqlcipher3.dbapi2.DatabaseError):
        engine.dispose()
        raise ConnectorError("casebook-unreadable", file=path.name) from None
    return Casebook(engine)


def _add_missing(engine: Engine) -> None:
    """Make what is declared and not there, having asked once what is."""
    with engine.begin() as connection:
        there = set(connection.scalars(text("select name from sqlite_master")))
        missing = [table for table in metadata.sorted_tables if table.name not in there]
        metadata.create_all(connection, tables=missing, checkfirst=False)
        for table in metadata.sorted_tables:
            for index in table.indexes:
                if index.name not in there and table.name in there:
                    index.create(connection)


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the library would begin late; `_begin` says when
    cursor = connection.cursor()
    for pragma in (
        "cipher_log_level=NONE",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_MS}",
        f"cache_size=-{_CACHE_KIB}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
