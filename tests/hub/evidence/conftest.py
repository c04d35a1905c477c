# SPDX-License-Identifier: Apache-2.0
"""A log that was played once for all tests of a process, and its bundle."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hub.base.db import Database, Role
from tests.hub.conftest import lent
from tests.hub.evidence.played import Log, new_log, play
from tests.hub.messages.story import Story
from tests.hub.used_again import UsedAgain


@dataclass(frozen=True, kw_only=True)
class Played:
    """What was played, and the bundle of the officer."""

    log: Log
    story: Story
    bundle: bytes


@pytest.fixture(scope="session")
def played(migrated: UsedAgain) -> Iterator[Played]:
    with lent(migrated) as place:
        opened = [Database(place.url, role) for role in (Role.HUB, Role.JOB, Role.SEQ)]
        try:
            log = new_log(*opened)
            story = play(log)
            yield Played(log=log, story=story, bundle=log.bundle())
        finally:
            for one in opened:
                one.close()
