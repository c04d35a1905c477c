# SPDX-License-Identifier: Apache-2.0
"""The agencies of these stories: an intake agency, two partners, one that has nothing to do with anything."""

import pytest

from hub.base.db import Database
from tests.hub.builders import TestAgency, active_agency


@pytest.fixture
def intake(database: Database) -> TestAgency:
    return active_agency(database, "jiritsu")


@pytest.fixture
def council(database: Database) -> TestAgency:
    return active_agency(database, "shakyo")


@pytest.fixture
def lawyers(database: Database) -> TestAgency:
    return active_agency(database, "bengoshi")


@pytest.fixture
def stranger(database: Database) -> TestAgency:
    return active_agency(database, "hellowork")
