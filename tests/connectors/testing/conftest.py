# SPDX-License-Identifier: Apache-2.0
"""Two hubs behind one interface: the one in memory, and the real one over HTTP on a real database."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from connectors.base.clock import system_clock
from connectors.casebook.store import open_casebook
from connectors.keystore.keystore import Keystore, open_keystore
from connectors.sdk.client import HubClient
from connectors.sdk.interface import Hub
from connectors.sdk.session import HubSession
from connectors.sync.connector import Connector
from connectors.sync.registration import AgencySettings, Applicant, create_agency, read_settings
from connectors.testing.memory import MemoryHub
from connectors.testing.seat import Seat
from consent.keys import KeyUse
from hub import worker
from hub.agencies import service as agencies
from hub.app import create_app
from hub.base import hubkeys
from hub.base.config import Settings
from hub.base.db import Database, Duty, now
from tests.connectors.story import PASSPHRASE, folder_until_the_end
from tests.hub.builders import officer, operator
from tests.hub.conftest import database, hub_database, migrated, migrated_template, postgres, settings

__all__ = ["database", "hub_database", "migrated", "migrated_template", "postgres", "settings"]


@cache
def _made(kind: str, number: int) -> tuple[AgencySettings, Keystore, bytes, str]:
    folder = folder_until_the_end()
    names = {"name_ja": f"架空の機関{number}", "name_en": f"Fictional agency {number}"}
    applicant = Applicant(kind=kind, hub="https://hub.example", **names)
    made = create_agency(folder, PASSPHRASE, applicant, now=system_clock())
    return read_settings(folder), open_keystore(folder, PASSPHRASE), made.request.read_bytes(), " ".join(made.words)


@dataclass(kw_only=True)
class World:
    """A hub and the agencies around it; `settle` lets what the hub does by itself come to its end."""

    folder: Path
    admit: Callable[[bytes, str], None]
    line: Callable[[AgencySettings, Keystore], Hub]
    settle: Callable[[], None]
    connectors: list[Connector] = field(default_factory=list)

    def join(self, kind: str) -> Connector:
        own, keystore, request, words = _made(kind, len(self.connectors))
        self.admit(request, words)
        made = Connector(
            agency=own.agency,
            kind=kind,
            keystore=keystore,
            casebook=open_casebook(self.folder / f"{own.agency}.db", keystore.casebook_key),
            hub=self.line(own, keystore),
            clock=system_clock,
            settings=own,
        )
        self.connectors.append(made)
        return made

    def meet(self) -> None:
        self.settle()
        for connector in self.connectors:
            assert connector.fetch_directory().suspects == ()


@pytest.fixture(params=["memory", "real"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = request.getfixturevalue(f"{request.param}_world")
    yield made
    for connector in made.connectors:
        connector.close()


@pytest.fixture
def memory_world(tmp_path: Path) -> World:
    hub = MemoryHub()

    def admit(request: bytes, _: str) -> None:
        hub.join(request)

    return World(
        folder=tmp_path,
        admit=admit,
        line=lambda own, _: Seat(hub, own.agency),
        settle=lambda: None,
    )


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        pass


@pytest.fixture
def real_world(settings: Settings, database: Database, tmp_path: Path) -> Iterator[World]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = replace(settings, issuer=f"http://127.0.0.1:{port}")
    app = create_app(settings, database, keys=hubkeys.load(settings.data))
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def admit(request: bytes, words: str) -> None:
        with database.transaction(None, Duty.DIRECTORY) as session:
            agency = agencies.register(session, request, now=now(session), name_was_checked=True)
            for person in (operator(), officer()):
                agencies.confirm(session, agency.id, person, words, now=now(session))

    def line(own: AgencySettings, keystore: Keystore) -> Hub:
        session = HubSession(
            url=settings.issuer,
            client_id=own.client_id,
            key=lambda: keystore.current(KeyUse.CLIENT, system_clock()),
            clock=system_clock,
        )
        sessions.append(session)
        return HubClient(session)

    sessions: list[HubSession] = []
    yield World(folder=tmp_path, admit=admit, line=line, settle=lambda: worker.run_due(settings))
    for session in sessions:
        session.close()
    server.shutdown()
    thread.join()
    server.server_close()
