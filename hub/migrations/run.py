# SPDX-License-Identifier: Apache-2.0
"""Bringing a database to a revision: one migration at a time anywhere, and never a long wait for a lock others need."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from hub.base.errors import ConfigurationError
from hub.migrations import roles

LOCK: Final = "pg_advisory_lock(hashtext('tsunagi migrations'))"
ATTEMPTS: Final = 10
LOCK_NOT_AVAILABLE: Final = "55P03"


def upgrade(url: str, revision: str = "head", *, login: str | None = None) -> str:
    """Bring the database at `url` up to `revision` and tell where it stands; `login` is the hub's run-time login.

    *Raises* ConfigurationError: roles are missing, or the database stayed too busy.
    """
    return _run(url, lambda config: command.upgrade(config, revision), login)


def downgrade(url: str, revision: str) -> str:
    """Bring the database at `url` down to `revision` (`base`: nothing left) and tell where it stands."""
    return _run(url, lambda config: command.downgrade(config, revision), None)


def login_of(url: str) -> str | None:
    """Tell which login an address names."""
    return sa.make_url(url).username


def head() -> str:
    """Tell the newest revision this program knows."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise LookupError("no-migrations")
    return found


def _run(url: str, act: Callable[[Config], None], login: str | None) -> str:
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    try:
        for attempt in range(ATTEMPTS):
            try:
                return _once(engine, act, login)
            except sa.exc.OperationalError as error:
                # requests hold the lock: step back and let them through, then try again
                if getattr(error.orig, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                    raise
                time.sleep(0.5 * (attempt + 1))
    finally:
        engine.dispose()
    raise ConfigurationError("migration-busy")


def _once(engine: sa.Engine, act: Callable[[Config], None], login: str | None) -> str:
    with engine.begin() as connection:
        roles.prepare(connection, login)
    config = _config()
    with engine.connect() as connection:
        connection.exec_driver_sql(f"select {LOCK}")
        connection.exec_driver_sql("set lock_timeout = '2s'")
        connection.exec_driver_sql(f"set role {roles.OWNER}")
        connection.commit()
        config.attributes["connection"] = connection
        act(config)
        return MigrationContext.configure(connection).get_current_revision() or "base"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", re.sub("%", "%%", str(Path(__file__).parent)))
    config.set_main_option("path_separator", "os")
    return config
