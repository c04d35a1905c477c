# SPDX-License-Identifier: Apache-2.0
"""Many statements in one round trip to the database (PostgreSQL's pipeline mode), inside a session's transaction.

Round trips decide how fast the hub is (docs/performance.md). So: what only writes is put aside with `later` and goes
out with the next question or with the commit; what is asked together is asked with `ask` in one round trip. The order
of statements stays the order of the calls: whatever else is executed on the session first sends what was put aside.

What a piece of work is sure to ask can be foreseen: `foresee`, or `ahead` of a transaction (`hub.base.db`), asks it in
one round trip with other things, and the `ask` that comes later finds its answer there, once. Whoever asks need not
know: without foresight, or with a wrong one, it costs a round trip and changes nothing. Foreseen answers are as old as
their round trip, so what decides under a lock is asked after the lock, in the same or a later one.

SQLAlchemy stays pool, schema and language: a `Prepared` is one of its statements, compiled once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, cast

import psycopg
import sqlalchemy as sa
from psycopg.rows import dict_row
from sqlalchemy.dialects.postgresql import psycopg as dialects
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

WAITING: Final = "waiting"
FORESEEN: Final = "foreseen"
CONNECTION: Final = "connection"
_DIALECT: Final = dialects.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement with its values, ready for the driver."""

    sql: str
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a statement: its rows (none for one that only writes) and how many rows it touched."""

    rows: Sequence[Row]
    count: int


class Prepared:
    """A statement of SQLAlchemy Core with `sa.bindparam` where values go; compiled at its first use, once.

    The columns of a read come back as the driver gives them: ids as text, times in UTC (see `hub.base.db`).
    """

    def __init__(self, statement: sa.ClauseElement, *columns: str) -> None:
        """Take the statement; for an insert without values, the `columns` it is to fill."""
        self._statement = statement
        self._columns = list(columns) or None

    def of(self, **values: Any) -> Asked:
        """Give it with its values."""
        sql, fixed, processors = self._compiled
        made = {**fixed, **values}
        for name, process in processors:
            made[name] = process(made[name])
        return Asked(sql, made)

    @cached_property
    def _compiled(self) -> tuple[str, Mapping[str, Any], Sequence[tuple[str, Any]]]:
        compiled = cast(
            "SQLCompiler",
            self._statement.compile(dialect=_DIALECT, column_keys=self._columns),
        )
        found = (
            (name, bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)) for name, bind in compiled.binds.items()
        )
        fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        return str(compiled), fixed, [(name, process) for name, process in found if process is not None]


def later(session: Session, asked: Asked) -> None:
    """Put a write aside whose result nobody needs; it goes out before anything else is asked, or with the commit."""
    connection_of(session).info[WAITING].append(asked)


def ask(session: Session, *asked: Asked) -> list[Told]:
    """Send what was put aside and then `asked`, in one round trip; give what came of each of `asked`.

    What was foreseen needs no round trip.
    """
    connection = connection_of(session)
    ready = {n: told for n, one in enumerate(asked) if (told := _take(connection.info[FORESEEN], one)) is not None}
    if len(ready) == len(asked):
        return list(ready.values())
    fresh = iter(exchange(connection, [one for n, one in enumerate(asked) if n not in ready]))
    return [ready[n] if n in ready else next(fresh) for n in range(len(asked))]


def foresee(session: Session, *asked: Asked) -> None:
    """Ask now what will be asked later, in one round trip; none where all of it is foreseen already."""
    connection = connection_of(session)
    known = [one for one, _ in connection.info[FORESEEN]]
    fresh = [one for one in asked if one not in known]
    if fresh:
        connection.info[FORESEEN] += zip(fresh, exchange(connection, fresh), strict=True)


def forget(session: Session) -> None:
    """Let go of what was foreseen and not yet asked: something has changed since."""
    connection_of(session).info[FORESEEN].clear()


def _take(foreseen: list[tuple[Asked, Told]], asked: Asked) -> Told | None:
    place = next((n for n, (known, _) in enumerate(foreseen) if known == asked), None)
    return None if place is None else foreseen.pop(place)[1]


def connection_of(session: Session) -> sa.Connection:
    """Give the connection of a session's one transaction; SQLAlchemy's own way there is long."""
    found: sa.Connection | None = session.info.get(CONNECTION)
    return session.connection() if found is None else found


def exchange(connection: sa.Connection, asked: Iterable[Asked]) -> list[Told]:
    """Do what `ask` does on a bare connection.

    *Raises* DBAPIError, as SQLAlchemy would for a statement that failed alone.
    """
    waiting: list[Asked] = connection.info.get(WAITING, [])
    skipped, sent = len(waiting), [*waiting, *asked]
    waiting.clear()
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    try:
        with driver.pipeline():
            # not `driver.execute`: values are bound by the server, rows are dictionaries
            cursors = [driver.cursor(row_factory=dict_row) for _ in sent]
            for cursor, one in zip(cursors, sent, strict=True):
                cursor.execute(one.sql.encode(), one.values)
        return [_told(cursor) for cursor in cursors[skipped:]]
    except psycopg.Error as error:
        raise _translated(connection, driver, error) from error


def send_waiting(connection: sa.Connection) -> None:
    """Send what was put aside, if anything was."""
    if connection.info.get(WAITING):
        exchange(connection, ())


def _told(cursor: psycopg.Cursor[dict[str, Any]]) -> Told:
    # not `cursor.description`, which makes an object of every column
    rows = cursor.fetchall() if cursor.pgresult is not None and cursor.pgresult.nfields else []
    return Told(rows, cursor.rowcount)


def _translated(
    connection: sa.Connection, driver: "psycopg.Connection[Any]", error: psycopg.Error
) -> sa.exc.DBAPIError:
    """Make SQLAlchemy's error of the driver's; of a broken connection let go, and of those made before it too."""
    if driver.closed:
        connection.invalidate()
        connection.engine.dispose()
    made = sa.exc.DBAPIError.instance(
        None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=driver.closed, dialect=_DIALECT
    )
    return cast("sa.exc.DBAPIError", made)
