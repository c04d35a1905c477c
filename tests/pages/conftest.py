# SPDX-License-Identifier: Apache-2.0
"""A town of desks around a real hub, and Chromium; where there is no Chromium these tests say so and are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.pages import seeing
from tests.pages.seeing import Eyes
from tests.pages.town import Town, open_town

MISSING = "Chromium is not installed; these tests need it (Debian: apt-get install chromium fonts-noto-cjk)"


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


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Open the whole town once; every story has its own people."""
    folder: Path = tmp_path_factory.mktemp("town")
    with open_town(folder) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_was_complained_of(eyes: Eyes) -> Iterator[None]:
    """Fail a test in which a page broke its content policy, failed in a script, or asked for something elsewhere."""
    eyes.complaints.clear()
    yield
    assert eyes.complaints == []
