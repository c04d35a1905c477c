# SPDX-License-Identifier: Apache-2.0
"""A whole hub and one active agency that calls it."""

from __future__ import annotations

import pytest
from flask import Flask

from hub.base.config import Settings
from hub.base.db import Database
from tests.hub.builders import ApiClient, TestAgency, active_agency, api_client, open_app


@pytest.fixture
def app(settings: Settings, database: Database) -> Flask:
    return open_app(settings, database)


@pytest.fixture
def agency(database: Database) -> TestAgency:
    return active_agency(database)


@pytest.fixture
def caller(app: Flask, agency: TestAgency) -> ApiClient:
    return api_client(app, agency)
