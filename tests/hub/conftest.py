# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL for the hub's tests: one cluster per test process, one fresh migrated database per test."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from hub.base.config import Settings
from hub.base.db import Database, Role
from hub.embedded.postgres import ADMIN, LOGIN, Postgres
from hub.migrations import run

ISSUER = "https://hub.example"
TEMPLATE = "tsunagi_template"
UNSAFE_AND_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One database: its run-time address and its owner's."""

    name: str
    url: str
    admin_url: str


def short_folder() -> Path:
    """Make a folder whose path is short enough for sockets and that an unprivileged child gets through to."""
    folder = Path(tempfile.mkdtemp(prefix="tsn-"))
    folder.chmod(0o711)
    return folder


def administer(postgres: Postgres, statement: str) -> None:
    with psycopg.connect(host=str(postgres.sockets), user=ADMIN, dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    folder = short_folder()
    server = Postgres(folder, options=UNSAFE_AND_FAST)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres) -> str:
    administer(postgres, f"create database {TEMPLATE}")
    run.upgrade(postgres.url(ADMIN, TEMPLATE), login=LOGIN)
    return TEMPLATE


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def hub_database(postgres: Postgres, migrated_template: str, numbers: Iterator[int]) -> Iterator[Place]:
    name = f"hub_{next(numbers)}"
    administer(postgres, f"create database {name} template {migrated_template}")
    administer(postgres, f"grant connect on database {name} to {LOGIN}")
    yield Place(name=name, url=postgres.url(LOGIN, name), admin_url=postgres.url(ADMIN, name))
    administer(postgres, f"drop database {name} with (force)")


@pytest.fixture
def database(hub_database: Place) -> Iterator[Database]:
    """As requests see it (tsn_hub)."""
    opened = Database(hub_database.url, Role.HUB)
    yield opened
    opened.close()


@pytest.fixture
def jobs_database(hub_database: Place) -> Iterator[Database]:
    """As the worker sees it (tsn_job)."""
    opened = Database(hub_database.url, Role.JOB)
    yield opened
    opened.close()


@pytest.fixture
def sequencer_database(hub_database: Place) -> Iterator[Database]:
    """As the sequencer sees it (tsn_seq)."""
    opened = Database(hub_database.url, Role.SEQ)
    yield opened
    opened.close()


@pytest.fixture
def settings(hub_database: Place, tmp_path: Path) -> Settings:
    return Settings(
        database_url=hub_database.url,
        migration_url=hub_database.admin_url,
        redis_url=None,
        issuer=ISSUER,
        data=tmp_path,
        environment="test",
    )
