# SPDX-License-Identifier: Apache-2.0
"""Two stages: `wall` is one hub for all that must change nothing, `stage` a fresh one for each test that acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hub.base.config import Settings
from hub.base.db import Database, Role
from tests.hub.builders import ISSUER, open_app
from tests.hub.conftest import Place, lent, migrated_template, plain_logs, postgres
from tests.hub.messages.story import Story
from tests.hub.referrals.conftest import begun, under_way
from tests.hub.used_again import UsedAgain
from tests.security.stage import Stage

__all__ = ["begun", "migrated_template", "plain_logs", "postgres", "under_way"]


@contextmanager
def opened(place: Place, story: Story, folder: Path) -> Iterator[Stage]:
    settings = Settings(
        database_url=place.url,
        migration_url=place.admin_url,
        redis_url=None,
        issuer=ISSUER,
        data=folder,
        environment="test",
    )
    database, jobs = (Database(place.url, role) for role in (Role.HUB, Role.JOB))
    here = replace(story, database=database, jobs=jobs)
    yield Stage(place=place, settings=settings, story=here, app=open_app(settings, database))
    for one in (database, jobs):
        one.close()


@pytest.fixture(scope="session")
def wall(under_way: UsedAgain, begun: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One consent is registered and one referral sent; from then on nothing may change."""
    with lent(under_way) as place, opened(place, begun, tmp_path_factory.mktemp("wall")) as made:
        made.story.consent()
        assert made.send("identity").status_code == 201
        yield made


@pytest.fixture
def stage(under_way: UsedAgain, begun: Story, tmp_path: Path) -> Iterator[Stage]:
    with lent(under_way) as place, opened(place, begun, tmp_path) as made:
        yield made
