# SPDX-License-Identifier: Apache-2.0
"""Counts the SQL statements that a page needs, so that a list cannot begin to ask once per row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from connectors.sync.connector import Connector


@contextmanager
def statements(connector: Connector) -> Iterator[list[str]]:
    """Collect what is sent to the casebook meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    engine = connector.casebook._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
