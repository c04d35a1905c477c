# SPDX-License-Identifier: Apache-2.0
"""A town of desks around a real hub, and Chromium; where there is no Chromium these tests say so and are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.seeing import Eyes
from tests.pages.town import Town, open_town


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Open the whole town once; every story has its own people."""
    folder: Path = tmp_path_factory.mktemp("town")
    with open_town(folder) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_was_complained_of(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a page broke its content policy, failed in a script, or asked for something elsewhere."""
    if "eyes" not in request.fixturenames:
        yield
        return
    eyes: Eyes = request.getfixturevalue("eyes")
    eyes.complaints.clear()
    yield
    assert eyes.complaints == []
