# SPDX-License-Identifier: Apache-2.0
"""Two agencies that know each other, around a hub in memory.

Each test opens casebooks of its own. What their statements compile to is the same for all, so it is kept for a process;
and the passwords of fictional staff are hashed with less work (how much the desk's own takes, `test_sign_in` says).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

from connectors.casebook import store
from connectors.desk.staff import service as staff
from connectors.sync.connector import Connector
from tests.connectors.story import Network

STATEMENTS = 5_000
"""More than all tests of a process have, so that none is compiled twice."""


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """Let all casebooks of a process speak by one dialect, and with it share what its statements compile to."""
    made, kept = store.create_engine, list[Engine]()

    def create_engine(*arguments: Any, **options: Any) -> Engine:
        engine = made(*arguments, **options)
        if kept:
            engine.dialect, engine._compiled_cache = kept[0].dialect, kept[0]._compiled_cache
        return engine

    def keep(engine: Engine) -> None:
        if not kept:
            engine._compiled_cache = LRUCache(STATEMENTS)
            kept.append(engine)

    with pytest.MonkeyPatch.context() as patch:
        known = store.Casebook.__init__

        def begin(self: store.Casebook, engine: Engine) -> None:
            keep(engine)  # it has connected by now, so its dialect knows all it learns from a connection
            known(self, engine)

        patch.setattr(store, "create_engine", create_engine)
        patch.setattr(store.Casebook, "__init__", begin)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "_MEMORY_KIB", 64)
        patch.setattr(staff, "_PASSES", 1)
        yield


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(folder=tmp_path)
    yield made
    made.close()


@pytest.fixture
def j1(network: Network) -> Connector:
    """The counselling agency that keeps the case."""
    return network.join("jiritsu")


@pytest.fixture
def s1(network: Network, j1: Connector) -> Connector:
    """The council that lends; both know each other."""
    made = network.join("shakyo")
    network.meet()
    return made
