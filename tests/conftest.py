# SPDX-License-Identifier: Apache-2.0
"""One Chromium for every test of a process that looks at pages; where there is none they say so and are skipped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import sync_playwright

from tests.pages import seeing
from tests.pages.seeing import Eyes

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
