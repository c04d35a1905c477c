# SPDX-License-Identifier: Apache-2.0
"""A log to write to: two agencies, a signer, and ways to append as a request does."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from consent.jwk import KeyUse, generate
from hub.audit import service
from hub.audit.rules import AuditKind, Entry, origin
from hub.audit.sequencer import Signer
from hub.base.db import Database, now

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
CASE = "00000000-0000-4000-8000-0000000000ca"

Append = Callable[..., str]


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer(origin=origin("https://hub.example"), key=generate(KeyUse.WITNESS))


@pytest.fixture
def append(database: Database) -> Append:
    def _append(*parties: str, case: str | None = CASE, kind: AuditKind = AuditKind.CASE_NOTED) -> str:
        entry = Entry(kind=kind, actor=OURS, parties=parties or (OURS,), case=case, facts={"kind": "memo"})
        with database.transaction(OURS) as session:
            return service.append(session, entry, now=now(session))

    return _append


@pytest.fixture
def append_many(database: Database) -> Callable[[int], None]:
    """Append as one request does that has much to say: a log of some length, for tests that are not about appending."""

    def _append(number: int) -> None:
        entry = Entry(kind=AuditKind.CASE_NOTED, actor=OURS, parties=(OURS,), case=CASE, facts={"kind": "memo"})
        with database.transaction(OURS) as session:
            at = now(session)
            for _ in range(number):
                service.append(session, entry, now=at)

    return _append


@pytest.fixture
def owner(hub_database) -> Iterator[psycopg.Connection]:
    """The hand of somebody who owns the database and switches the guard off: what no role of ours may do."""
    url = hub_database.admin_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection
