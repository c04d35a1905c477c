# SPDX-License-Identifier: Apache-2.0
"""The loop on a database whose clock the test moves: Monday 2026-04-06, 10:00 in Japan, at the beginning.

The three agencies and their case are made once in a process; each test begins with that database as it was then.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from hub.base import hubkeys
from hub.base.clock import create_play_clock
from hub.base.config import Settings
from hub.base.db import Database, Role
from hub.embedded.postgres import ADMIN, LOGIN, Postgres
from hub.referrals.api import namespace
from hub.web.work import EXTENSION
from tests.hub.conftest import Place, app_of_nobody, copy_database, databases, lent
from tests.hub.messages.story import RECEIPT_KEY, Story, new_story
from tests.hub.referrals.play import Play, jst
from tests.hub.used_again import UsedAgain

MONDAY = jst("2026-04-06 10:00")
BEGUN = "referrals_begun"


@pytest.fixture(scope="session")
def begun(postgres: Postgres, migrated_template: str) -> Story:
    copy_database(postgres, BEGUN, migrated_template)
    create_play_clock(postgres.url(ADMIN, BEGUN), MONDAY)
    opened = [Database(postgres.url(LOGIN, BEGUN), role) for role in (Role.HUB, Role.JOB)]
    story = new_story(*opened)
    for database in opened:
        database.close()
    return story


@pytest.fixture(scope="session")
def under_way(postgres: Postgres, begun: Story) -> Iterator[UsedAgain]:
    with databases(postgres, "referrals", BEGUN) as made:
        yield made


@pytest.fixture
def hub_database(under_way: UsedAgain) -> Iterator[Place]:
    with lent(under_way) as place:
        yield place


@pytest.fixture(scope="session")
def bare() -> Flask:
    """An app with the referrals' endpoints alone, made once in a process; what belongs to one hub is in `EXTENSION`."""
    return app_of_nobody([namespace])


@pytest.fixture
def play(
    bare: Flask, settings: Settings, hub_database: Place, database: Database, jobs_database: Database, begun: Story
) -> Play:
    database.givens[hubkeys.RECEIPTS] = hubkeys.Receipts(hub="https://hub.example", key=RECEIPT_KEY)
    story = replace(begun, database=database, jobs=jobs_database)
    bare.extensions[EXTENSION] = replace(bare.extensions[EXTENSION], settings=settings, database=database)
    return Play(place=hub_database, story=story, client=bare.test_client())
