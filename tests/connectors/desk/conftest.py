# SPDX-License-Identifier: Apache-2.0
"""Two agencies around a hub in memory, each with its desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.desk.office import Browser, Office, begin_anew
from tests.connectors.desk.paper import Paper
from tests.connectors.desk.wizard import agreed
from tests.connectors.story import Network


@pytest.fixture(autouse=True)
def apps() -> None:
    begin_anew()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(folder=tmp_path)
    yield made
    made.close()


@pytest.fixture
def office(network: Network) -> Office:
    """A counselling agency's desk."""
    return Office(network.join("jiritsu"))


@pytest.fixture
def partner(network: Network, office: Office) -> Office:
    """A social welfare council's desk; both know each other."""
    made = Office(network.join("shakyo"))
    network.meet()
    return made


@pytest.fixture
def browser(office: Office) -> Browser:
    """Somebody of the counselling agency with every role, signed in, in Japanese."""
    return office.browser(office.hire())


@pytest.fixture
def paper(office: Office) -> Paper:
    """A hand that puts work onto the office's desk as the hub would."""
    return Paper(office)


@pytest.fixture
def case(office: Office, partner: Office) -> str:
    """Somebody who agreed that the council learns of identity, contact and money, for one loan."""
    return agreed(office, partner)
