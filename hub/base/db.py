# SPDX-License-Identifier: Apache-2.0
"""The database: one metadata, one type for time, and the only way into a transaction.

A transaction belongs to a *role* (what the process may do), an *agency* (whose rows exist for it) and at most one
*duty* (a narrow reason to read another agency's rows). All three are set in the first statement of the transaction
and vanish with it, so a connection pool or pgbouncer between us and PostgreSQL cannot carry them over (security
README §2). The slices' tables hang on `metadata`; SQL that creates them lives in `hub/migrations`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.orm import Session as Session  # noqa: PLC0414 - endpoints name the type and speak no SQL
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry

from hub.base.errors import ClashError, ConfigurationError, HubError, UnavailableError

NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: Final = sa.MetaData(naming_convention=NAMES)


class Role(StrEnum):
    """What a process may do in the database; the names are those of the migrations."""

    HUB = "tsn_hub"
    JOB = "tsn_job"
    SEQ = "tsn_seq"
    DPO = "tsn_dpo"


class Duty(StrEnum):
    """A reason for one transaction to read narrowly across agencies; policies name it, nothing else widens a view."""

    DECIDE = "decide"
    DIRECTORY = "directory"
    SIGN_IN = "sign_in"


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A point in time: refuses naive datetimes going in and gives UTC coming out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """Refuse a time without a zone: it would mean the server's, not ours."""
        if value is not None and value.tzinfo is None:
            raise ValueError("naive-datetime")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """Give the time in UTC whatever the session's zone is."""
        return None if value is None else value.astimezone(UTC)


class LeakedSettingError(RuntimeError):
    """A connection came back from the pool still belonging to an agency: a programming error, never answered."""


# Set by the transaction's first statement: role, agency, duty; the same statement reads the time, and what an earlier
# user of the connection may have left behind (a set_config without `true`), so this guard costs no round trip.
_ENTER = (
    "select current_setting('tsn.agency', true), current_setting('tsn.duty', true),"
    " set_config('role', :role, true), set_config('tsn.agency', :agency, true), set_config('tsn.duty', :duty, true),"
)
ENTER: Final = sa.text(f"{_ENTER} transaction_timestamp()")
# Rehearsals only (hub.base.clock): the sequence holds microseconds since 1970, each transaction takes the next one.
ENTER_PLAYING: Final = sa.text(
    f"{_ENTER} timestamptz 'epoch' + nextval('play_clock') * interval '1 microsecond'",
)


class HubSession(Session):
    """A Session that steps into its role, agency and duty when its transaction begins."""


@event.listens_for(HubSession, "after_begin")
def _enter(session: Session, transaction: SessionTransaction, connection: sa.Connection) -> None:
    if transaction.nested:
        return
    info = session.info
    playing = connection.connection.info.get("playing", False)
    row = connection.execute(
        ENTER_PLAYING if playing else ENTER,
        {"role": info["role"], "agency": info["agency"], "duty": info["duty"]},
    ).one()
    if row[0] or row[1]:
        connection.invalidate()
        raise LeakedSettingError("leaked-setting")
    info["now"] = row[5].astimezone(UTC)


class Database:
    """One pool of connections for one role.

    `wake` is told the queues named in `session.info["wake"]` after a commit (hub.base.queues); it must not raise.
    """

    def __init__(
        self,
        url: str,
        role: Role,
        *,
        wake: Callable[[str], None] | None = None,
        pool_size: int = 8,
        prepare_threshold: int | None = None,
        real_time: bool = False,
    ) -> None:
        """Prepare the pool; nothing is connected yet. `real_time`: never connect to a rehearsal's database."""
        self.role = role
        self.playing = False
        """Whether the newest connection found a play clock (hub.base.clock)."""
        # what the composition root gives every service through `session.info`, e.g. the key that signs receipts
        self.givens: dict[str, Any] = {}
        self._wake = wake
        self._real_time = real_time
        self.engine = sa.create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            pool_timeout=10,
            hide_parameters=True,
            connect_args={"prepare_threshold": prepare_threshold, "connect_timeout": 5},
        )
        event.listen(self.engine, "connect", self._connected)

    @contextmanager
    def transaction(self, agency: str | None, duty: Duty | None = None) -> Iterator[Session]:
        """Open one transaction as `agency` (None: nobody's rows exist but those a duty shows), commit at the end.

        *Raises* UnavailableError: the database is away, full or busy. ClashError: do the same work again.
        """
        session = HubSession(self.engine, autoflush=False, expire_on_commit=False)
        session.info.update(self.givens)
        session.info.update(role=self.role.value, agency=agency or "", duty=duty.value if duty else "", wake=set())
        try:
            with session, session.begin():
                yield session
        except sa.exc.DBAPIError as error:
            raise _translated(error) from error
        except sa.exc.TimeoutError as error:
            # every connection of the pool is at work
            raise _later("busy") from error
        if self._wake is not None:
            for queue in session.info["wake"]:
                self._wake(queue)

    def close(self) -> None:
        """Close every connection of the pool."""
        self.engine.dispose()

    def _connected(self, raw: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        """Give up the login's own powers at once; each transaction sets the role again (see ENTER)."""
        driver: Any = raw
        driver.autocommit = True
        with driver.cursor() as cursor:
            cursor.execute(f"set role {self.role.value}")
            cursor.execute("select to_regclass('play_clock') is not null")
            self.playing = entry.info["playing"] = cursor.fetchone()[0]
        driver.autocommit = False
        if self.playing and self._real_time:
            raise ConfigurationError("play-clock-in-production")


def now(session: Session) -> datetime:
    """Tell the time of this transaction, UTC: the database's clock, or the play clock of a rehearsal.

    One transaction has one time, however often it is asked.
    """
    session.connection()
    found: datetime = session.info["now"]
    return found


_AWAY: Final = ("08", "57")
_FULL: Final = "53"
_CLASH: Final = ("40001", "40P01")
_BUSY: Final = "55P03"


def _translated(error: sa.exc.DBAPIError) -> Exception:
    """Name what the caller can act on; anything else stays what it was and is answered 500."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _CLASH:
        return ClashError()
    if state.startswith(_FULL) or state == _BUSY:
        return _later("busy")
    if (
        error.connection_invalidated
        or state.startswith(_AWAY)
        or (isinstance(error, sa.exc.OperationalError) and not state)
    ):
        return _later("unavailable")
    return error


def _later(code: str) -> HubError:
    return UnavailableError(code, headers={"Retry-After": "5"})


def revision(database: Database) -> str | None:
    """Tell the revision of the schema (Alembic's), None before the first migration.

    *Raises* UnavailableError: the database is away.
    """
    with database.transaction(None) as session:
        if session.execute(sa.text("select to_regclass('alembic_version')")).scalar_one() is None:
            return None
        found: str | None = session.execute(sa.text("select version_num from alembic_version")).scalar_one_or_none()
    return found
