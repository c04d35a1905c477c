# SPDX-License-Identifier: Apache-2.0
"""The database: one metadata, one type for time, and the only way into a transaction.

A transaction belongs to a *role* (what the process may do), an *agency* (whose rows exist for it) and at most one
*duty* (a narrow reason to read another agency's rows). All three are set in the first statement of the transaction
and vanish with it, so a connection pool or pgbouncer between us and PostgreSQL cannot carry them over (security
README §2). The slices' tables hang on `metadata`; SQL that creates them lives in `hub/migrations`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from psycopg.types.string import TextLoader
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.orm import Session as Session  # noqa: PLC0414 - endpoints name the type and speak no SQL
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry

from hub.base import rounds
from hub.base.errors import ClashError, ConfigurationError, HubError, UnavailableError
from hub.base.rounds import Asked, Told

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
    STATEMENT = "statement"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What must hold before a transaction does its work, asked in the transaction's own first round trip.

    `asked` are put under `duty` and as no agency; `admit` reads what came of them at the transaction's time and raises
    if the work may not be done: then nothing stays. Once it admits, what `asked` wrote stays even if the work refuses.
    """

    duty: Duty
    asked: Sequence[Asked]
    admit: Callable[[Sequence[Told], datetime], None]


# Set by the transaction's first statement: role, agency, duty; the same statement reads the time, and what an earlier
# user of the connection may have left behind (a set_config without `true`), so this guard costs no round trip.
_ENTER = (
    "select current_setting('tsn.agency', true) as left_agency, current_setting('tsn.duty', true) as left_duty,"
    " set_config('role', %(role)s, true), set_config('tsn.agency', %(agency)s, true) as agency,"
    " set_config('tsn.duty', %(duty)s, true) as duty,"
)
ENTER: Final = f"{_ENTER} transaction_timestamp() as now"
# Rehearsals only (hub.base.clock): the sequence holds microseconds since 1970, each transaction takes the next one.
ENTER_PLAYING: Final = f"{_ENTER} timestamptz 'epoch' + nextval('play_clock') * interval '1 microsecond' as now"
_STEP_IN: Final = (
    "select set_config('tsn.agency', %(agency)s, true) as agency, set_config('tsn.duty', %(duty)s, true) as duty"
)
_BEGIN: Final = Asked("BEGIN")
_BEFORE_WORK: Final = Asked("SAVEPOINT before_work")
_UNDO_WORK: Final = Asked("ROLLBACK TO SAVEPOINT before_work")
_COMMIT: Final = Asked("COMMIT")


class HubSession(Session):
    """A Session that steps into its role, agency and duty when its transaction begins."""


@event.listens_for(HubSession, "after_begin")
def _enter(session: Session, transaction: SessionTransaction, connection: sa.Connection) -> None:
    """Begin, step in, go through the door and ask what was to be asked `ahead`: one round trip."""
    if transaction.nested:
        return
    info = session.info
    info[rounds.CONNECTION] = connection
    connection.info[rounds.WAITING], connection.info[rounds.FORESEEN] = [], []
    door: Door | None = info.get("door")
    sql = ENTER_PLAYING if connection.connection.info.get("playing", False) else ENTER
    own = {"agency": info["agency"], "duty": info["duty"]}
    first = {"role": info["role"], **({"agency": "", "duty": door.duty.value} if door else own)}
    through = [] if door is None else [*door.asked, _BEFORE_WORK, Asked(_STEP_IN, own)]
    ahead: Sequence[Asked] = info.pop("ahead", ())
    _, entered, *told = rounds.exchange(connection, [_BEGIN, Asked(sql, first), *through, *ahead])
    row = entered.rows[0]
    if row["left_agency"] or row["left_duty"]:
        connection.invalidate()
        raise LeakedSettingError("leaked-setting")
    info["now"] = row["now"].astimezone(UTC)
    connection.info[rounds.FORESEEN] += zip(ahead, told[len(through) :], strict=True)
    if door is not None:
        door.admit(told[: len(door.asked)], info["now"])
        info["inside"] = True


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
        event.listen(self.engine, "before_cursor_execute", _in_order)

    @contextmanager
    def transaction(
        self, agency: str | None, duty: Duty | None = None, *, door: Door | None = None, ahead: Sequence[Asked] = ()
    ) -> Iterator[Session]:
        """Open one transaction as `agency` (None: nobody's rows exist but those a duty shows), commit at the end.

        `ahead` is foreseen (`hub.base.rounds`): asked in the first round trip, before the work.

        *Raises* UnavailableError: the database is away, full or busy. ClashError: do the same work again. What the
        `door` raises.
        """
        session = HubSession(self.engine, autoflush=False, expire_on_commit=False)
        session.info.update(self.givens)
        session.info.update(role=self.role.value, agency=agency or "", duty=duty.value if duty else "", wake=set())
        session.info.update(door=door, ahead=ahead)
        try:
            with session, session.begin():
                try:
                    yield session
                except Exception as error:
                    _undo(session, error)
                    raise
                _commit(session)
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
        # transactions are begun by `_enter`, together with their first statements, and ended by `_commit`
        driver.autocommit = True
        driver.adapters.register_loader("uuid", TextLoader)  # ids are text
        with driver.cursor() as cursor:
            cursor.execute(f"set role {self.role.value}")
            cursor.execute("set timezone to 'UTC'")
            cursor.execute("select to_regclass('play_clock') is not null")
            self.playing = entry.info["playing"] = cursor.fetchone()[0]
        if self.playing and self._real_time:
            raise ConfigurationError("play-clock-in-production")


def now(session: Session) -> datetime:
    """Tell the time of this transaction, UTC: the database's clock, or the play clock of a rehearsal.

    One transaction has one time, however often it is asked.
    """
    session.connection()
    found: datetime = session.info["now"]
    return found


def _in_order(connection: sa.Connection, *_: object) -> None:
    """Before SQLAlchemy sends a statement by itself: what was put aside was to come first."""
    rounds.send_waiting(connection)


def _commit(session: Session) -> None:
    """Send what was put aside and the commit in one round trip; SQLAlchemy's own commit then finds nothing to do."""
    if "now" in session.info:
        rounds.exchange(session.connection(), [_COMMIT])


def _undo(session: Session, error: Exception) -> None:
    """After a refusal: undo the work and keep what the door wrote, so that a proof is used up by whatever it was used
    for. Work that is to be done again, and a connection that is gone, are rolled back as a whole.
    """
    again = isinstance(error, ClashError | sa.exc.DBAPIError)
    if again or not session.info.get("inside"):
        return
    connection = session.connection()
    connection.info[rounds.WAITING].clear()
    rounds.exchange(connection, [_UNDO_WORK, _COMMIT])


_AWAY: Final = ("08", "57")
_FULL: Final = "53"
_CLASH: Final = ("40001", "40P01")
_BUSY: Final = "55P03"
_RECOVERING: Final = "TSN01"
"""The database's word that the log is being recovered (migration 0013): nothing is written until it is whole."""


def _translated(error: sa.exc.DBAPIError) -> Exception:
    """Name what the caller can act on; anything else stays what it was and is answered 500."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _CLASH:
        return ClashError()
    if state.startswith(_FULL) or state == _BUSY:
        return _later("busy")
    if state == _RECOVERING:
        return UnavailableError("log-recovering", headers={"Retry-After": "60"})
    if (
        error.connection_invalidated
        or state.startswith(_AWAY)
        or (isinstance(error, sa.exc.OperationalError) and not state)
    ):
        return _later("unavailable")
    return error


def _later(code: str) -> HubError:
    return UnavailableError(code, headers={"Retry-After": "5"})


_SIZES: Final = (
    "select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class"
    " where relkind = 'r' and relnamespace = 'public'::regnamespace"
)


def size_of_database(session: Session) -> int:
    """Tell how much room the tables take on the database's disk, in bytes; every role may ask this."""
    found = session.execute(sa.text(_SIZES)).scalar_one()
    return int(found)


def revision(database: Database) -> str | None:
    """Tell the revision of the schema (Alembic's), None before the first migration.

    *Raises* UnavailableError: the database is away.
    """
    with database.transaction(None) as session:
        if session.execute(sa.text("select to_regclass('alembic_version')")).scalar_one() is None:
            return None
        found: str | None = session.execute(sa.text("select version_num from alembic_version")).scalar_one_or_none()
    return found
