# SPDX-License-Identifier: Apache-2.0
"""A Redis of our own, and what a worker left behind, as the database tells it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from hub.base.config import Settings
from hub.base.db import Database, now
from hub.embedded.accounts import choose_account
from hub.embedded.valkey import Valkey
from hub.outbox import service, tables
from tests.hub.conftest import short_folder

TOPIC = "consent:changed"
"""A topic the real worker knows; about a case that nobody has, so that nothing but the row changes."""

NOBODYS_CASE = "00000000-0000-4000-8000-0000000000ca"


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    folder, account = short_folder(), choose_account()
    server = Valkey(folder, account.folder(folder / "sockets"), account)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def wired(settings: Settings, valkey: Valkey) -> Settings:
    return replace(settings, redis_url=valkey.url)


@pytest.fixture
def put(database: Database) -> Callable[[], str]:
    def _put(topic: str = TOPIC) -> str:
        with database.transaction(None) as session:
            return service.put(session, topic=topic, about=NOBODYS_CASE, order_key="k", now=now(session))

    return _put


@pytest.fixture
def states(jobs_database: Database) -> Callable[[], dict[str, int]]:
    def _states() -> dict[str, int]:
        table = tables.outbox.c
        with jobs_database.transaction(None) as session:
            rows = session.execute(sa.select(table.state, sa.func.count()).group_by(table.state))
            return {row[0]: row[1] for row in rows}

    return _states
