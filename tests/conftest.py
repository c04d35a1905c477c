# SPDX-License-Identifier: Apache-2.0
"""Folders in memory where there is room; one Chromium for all tests of a process that look at pages."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.pages import seeing
from tests.pages.seeing import Eyes

MISSING = (
    "Chromium is not installed; these tests need it (Debian: apt-get install chromium-headless-shell fonts-noto-cjk)"
)
TOGETHER = {
    "tests/pages/": "pages",
    "tests/journeys/test_stories.py": "theatre",
    "tests/journeys/test_nothing_of_the_person_is_at_the_hub.py": "theatre",
    "tests/journeys/test_each_step.py": "steps",
    "tests/journeys/test_meetings.py": "steps",
    "tests/journeys/test_thirteen_steps.py": "steps",
    "tests/faults/test_what_was_accepted_survives.py": "faults",
    "tests/connectors/cli/test_journey.py": "cli-journey",
    "tests/hub/evidence/test_tampering_matrix.py": "tampering",
}
"""Tests that share something dear to make, and so are told by one process; the others go to whoever is free."""
FIRST = ("pages", "theatre", "steps")
"""The longest begin."""
IN_ORDER = ("theatre", "steps")
"""Those go as they are written: a theatre's clock never goes back, each step back is a new hub."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the system's, for exactly this
ROOM = 2 * 1024**3
RARELY = (50_000, 20, 50)
"""How much may be made before garbage is looked for (Python begins with 700): it saves a tenth of the time."""


def pytest_configure() -> None:
    """Let `tmp_path` be in memory: a casebook in a test waits for the disk at every commit, and is thrown away."""
    with suppress(OSError):
        if shutil.disk_usage(SHARED_MEMORY).free >= ROOM and os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(SHARED_MEMORY))


def group(nodeid: str) -> str:
    """Name what a test is told together with: its group, or nothing but itself."""
    return next((name for place, name in TOGETHER.items() if nodeid.startswith(place)), nodeid)


class Together(LoadScopeScheduling):
    """Gives each process one group after the other (marks of groups get lost: pytest-xdist issue 1386)."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    return Together(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep groups together, in whatever order chance has put their tests, and begin with the longest."""

    def place(item: pytest.Item) -> tuple[int, str, int, str]:
        name = group(item.nodeid)
        if name == item.nodeid:
            return len(FIRST) + 1, "", 0, ""
        first = FIRST.index(name) if name in FIRST else len(FIRST)
        return (first, str(item.path), item.location[1] or 0, item.name) if name in IN_ORDER else (first, name, 0, "")

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave alone what stays: the tests and all modules, which it would walk each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*RARELY)


@pytest.fixture(scope="session")
def eyes() -> Iterator[Eyes]:
    """Start Chromium once."""
    program = seeing.chromium()
    if program is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = seeing.launch(playwright, program)
        yield Eyes(browser)
        browser.close()
