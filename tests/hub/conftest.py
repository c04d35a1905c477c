# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL for the hub's tests: one cluster per test process, one fresh migrated database per test."""

import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from flask import Flask, Request
from flask.testing import FlaskClient
from flask_restx import Namespace

from hub.app import create_app
from hub.base import logs
from hub.base.config import Settings
from hub.base.db import Database, Role
from hub.base.errors import UnauthorizedError
from hub.embedded.postgres import ADMIN, LOGIN, Postgres
from hub.migrations import run
from hub.web.gate import Caller
from hub.web.permissions import SCOPES
from hub.web.work import EXTENSION
from tests.hub.used_again import UsedAgain

ISSUER = "https://hub.example"
NOWHERE = "postgresql+psycopg://nobody@/none"
TEMPLATE = "tsunagi_template"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the system's, for exactly this
ROOM = 2 * 1024**3
HAS_STRATEGIES = 15
_OPENED: dict[tuple[str, Role], Database] = {}
UNSAFE_AND_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Place:
    """One database: its run-time address and its owner's."""

    name: str
    url: str
    admin_url: str


def short_folder(where: Path | None = None) -> Path:
    """Make a folder whose path is short enough for sockets and that an unprivileged child gets through to."""
    folder = Path(tempfile.mkdtemp(prefix="tsn-", dir=where))
    folder.chmod(0o711)
    return folder


def memory() -> Path | None:
    """Give a file system in memory with room for a cluster, or None for the usual place.

    A database per test is three hundred files that are written and thrown away. What must outlast a crash is tested
    with servers of its own (tests/faults), on a disk and with fsync.
    """
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
    except OSError:
        return None
    return SHARED_MEMORY if free >= ROOM and os.access(SHARED_MEMORY, os.W_OK | os.X_OK) else None


def administer(postgres: Postgres, statement: str) -> None:
    with psycopg.connect(host=str(postgres.sockets), user=ADMIN, dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)


def copy_database(postgres: Postgres, name: str, template: str) -> None:
    """Make a database from another: in memory by copying its files, on a disk through the log, which writes less."""
    in_memory = SHARED_MEMORY in postgres.data.parents and postgres.binaries.major >= HAS_STRATEGIES
    strategy = " strategy file_copy" if in_memory else ""
    administer(postgres, f"create database {name} template {template}{strategy}")
    administer(postgres, f"grant connect on database {name} to {LOGIN}")


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Log as the hub does: the console form of structlog paints every local variable of a failure, slowly."""
    before = logging.getLogger().handlers[:]
    logs.configure()
    logging.getLogger().handlers[:] = before


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    folder = short_folder(memory())
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


@contextmanager
def databases(postgres: Postgres, prefix: str, template: str) -> Iterator[UsedAgain]:
    """Give the databases made from a template; a test finds one as the template is, whatever a test before did."""
    made = UsedAgain(
        postgres,
        prefix,
        make=lambda name: copy_database(postgres, name, template),
        drop=lambda name: administer(postgres, f"drop database {name} with (force)"),
    )
    yield made
    made.close()


@contextmanager
def lent(used_again: UsedAgain) -> Iterator[Place]:
    """Lend a database to a test."""
    kept = used_again.take()
    addresses = (used_again.postgres.url(login, kept.name) for login in (LOGIN, ADMIN))
    yield Place(kept.name, *addresses)
    used_again.give_back(kept)


@pytest.fixture(scope="session")
def migrated(postgres: Postgres, migrated_template: str) -> Iterator[UsedAgain]:
    with databases(postgres, "hub", migrated_template) as made:
        yield made


@pytest.fixture
def hub_database(migrated: UsedAgain) -> Iterator[Place]:
    with lent(migrated) as place:
        yield place


@contextmanager
def opened(place: Place, role: Role) -> Iterator[Database]:
    """Open a database in a role; what was compiled for it by an earlier test is compiled still, connections are new."""
    known = _OPENED.get((place.url, role)) or Database(place.url, role)
    _OPENED[place.url, role] = known
    yield known
    known.close()


@pytest.fixture
def database(hub_database: Place) -> Iterator[Database]:
    """As requests see it (tsn_hub)."""
    with opened(hub_database, Role.HUB) as made:
        yield made


@pytest.fixture
def jobs_database(hub_database: Place) -> Iterator[Database]:
    """As the worker sees it (tsn_job)."""
    with opened(hub_database, Role.JOB) as made:
        yield made


@pytest.fixture
def sequencer_database(hub_database: Place) -> Iterator[Database]:
    """As the sequencer sees it (tsn_seq)."""
    with opened(hub_database, Role.SEQ) as made:
        yield made


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


def agency_by_header(request: Request) -> Caller:
    """Stand in for oauth in tests of endpoints: the agency and its scopes are what the header says."""
    agency = request.headers.get("Test-Agency")
    if agency is None:
        raise UnauthorizedError
    scopes = frozenset(request.headers.get("Test-Scopes", " ".join(SCOPES)).split())
    return Caller(agency=agency, client=agency, scopes=scopes)


class HubClient(FlaskClient):
    """Calls the app by its public origin; `by(agency)` gives the client of one agency."""

    def open(self, *args, **kwargs):
        kwargs.setdefault("base_url", ISSUER)
        return super().open(*args, **kwargs)

    def by(self, agency: str, scopes: str | None = None) -> "HubClient":
        made = self.application.test_client()
        made.environ_base["HTTP_TEST_AGENCY"] = agency
        if scopes is not None:
            made.environ_base["HTTP_TEST_SCOPES"] = scopes
        return made

    def say(self, path: str, body: object = None, *, key: str | None = None, if_match: object = None, **headers: str):
        """POST JSON with an Idempotency-Key of its own."""
        sent = {"Idempotency-Key": key or str(uuid.uuid4()), **headers}
        if if_match is not None:
            sent["If-Match"] = f'"{if_match}"'
        return self.post(path, json={} if body is None else body, headers=sent)


def app_of_nobody(namespaces: Sequence[Namespace] | None = None) -> Flask:
    """Make the app, or one with these endpoints alone, that belongs to no hub yet."""
    settings = Settings(
        database_url=NOWHERE,
        migration_url=NOWHERE,
        redis_url=None,
        issuer=ISSUER,
        data=Path(os.devnull),
        environment="test",
    )
    only = {} if namespaces is None else {"namespaces": namespaces}
    made = create_app(settings, Database(NOWHERE, Role.HUB), validator=agency_by_header, **only)
    made.test_client_class = HubClient
    return made


@pytest.fixture(scope="session")
def built() -> Flask:
    """The whole app, made once in a process: nothing in it but what `EXTENSION` holds belongs to one hub."""
    return app_of_nobody()


@pytest.fixture
def app(built: Flask, settings: Settings, database: Database) -> Flask:
    """The app as this test's hub."""
    built.extensions[EXTENSION] = replace(built.extensions[EXTENSION], settings=settings, database=database)
    return built


@pytest.fixture
def client(app: Flask) -> HubClient:
    return app.test_client()
