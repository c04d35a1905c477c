# SPDX-License-Identifier: Apache-2.0
"""The story that every test of the broker begins with."""

import pytest

from hub.base.db import Database
from tests.hub.messages.story import Story, new_story


@pytest.fixture
def story(database: Database, jobs_database: Database) -> Story:
    return new_story(database, jobs_database)
