# SPDX-License-Identifier: Apache-2.0
"""Two stages: `wall` is one hub for all that must change nothing, `stage` a fresh one for each test that acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hub.base.config import Settings
from hub.base.db import Database, Role
from hub.embedded.postgres import ADMIN, LOGIN, Postgres
from tests.hub.builders import ISSUER, open_app
from tests.hub.conftest import Place, administer, copy_database, migrated_template, numbers, plain_logs, postgres
from tests.hub.messages.story import Story
from tests.hub.referrals.conftest import BEGUN, begun
from tests.security.stage import Stage

__all__ = ["begun", "migrated_template", "numbers", "plain_logs", "postgres"]


@contextmanager
def opened(server: Postgres, story: Story, name: str, folder: Path) -> Iterator[Stage]:
    copy_database(server, name, BEGUN)
    place = Place(name=name, url=server.url(LOGIN, name), admin_url=server.url(ADMIN, name))
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
    administer(server, f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def wall(postgres: Postgres, begun: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One consent is registered and one referral sent; from then on nothing may change."""
    with opened(postgres, begun, "wall", tmp_path_factory.mktemp("wall")) as made:
        made.story.consent()
        assert made.send("identity").status_code == 201
        yield made


@pytest.fixture
def stage(postgres: Postgres, begun: Story, numbers: Iterator[int], tmp_path: Path) -> Iterator[Stage]:
    with opened(postgres, begun, f"stage_{next(numbers)}", tmp_path) as made:
        yield made
