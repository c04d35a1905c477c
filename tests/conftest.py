# SPDX-License-Identifier: Apache-2.0
"""Folders in memory where there is room; one Chromium for all tests of a process that look at pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.pages import seeing
from tests.pages.seeing import Eyes

MISSING = (
    "Chromium is not installed; these tests need it (Debian: apt-get install chromium-headless-shell fonts-noto-cjk)"
)
TOWNS = (Path("pages"), Path("journeys"))
"""Where the tests of a folder share a running hub; it costs time as long as it stands."""
STAGE = "theatre"
"""The group of the tests that play stories on one hub."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the system's, for exactly this
ROOM = 2 * 1024**3


def pytest_configure() -> None:
    """Let `tmp_path` be in memory: a casebook in a test waits for the disk at every commit, and is thrown away."""
    with suppress(OSError):
        if shutil.disk_usage(SHARED_MEMORY).free >= ROOM and os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(SHARED_MEMORY))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of such a folder together, in whatever order chance has put them, and begin with them.

    Those of one stage go in the order in which they are written: its clock never goes back, and each step back would
    be a new hub.
    """
    here = Path(__file__).parent

    def place(item: pytest.Item) -> tuple[int, str, int, str]:
        among = [number for number, town in enumerate(TOWNS) if item.path.is_relative_to(here / town)]
        folder = among[0] if among else len(TOWNS)
        if not any(mark.args == (STAGE,) for mark in item.iter_markers("xdist_group")):
            return folder, "", 0, ""
        return folder, str(item.path), item.location[1] or 0, item.name

    items.sort(key=place)


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
