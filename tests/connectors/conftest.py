# SPDX-License-Identifier: Apache-2.0
"""Two agencies that know each other, around a hub in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sync.connector import Connector
from tests.connectors.story import Network


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
