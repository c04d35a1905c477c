# SPDX-License-Identifier: Apache-2.0
"""Every page: no violation by axe-core at 1440 and 320 px in both languages, no sideways scroll, a picture of each."""

from __future__ import annotations

import pytest

from tests.pages import seeing
from tests.pages.seeing import Eyes
from tests.pages.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]

PLAIN = {
    "board": "/",
    "agencies": "/agencies",
    "intakes": "/intakes",
    "intake-blank": "/intakes/blank",
    "office-line": "/office/line",
    "office-seen": "/office/seen",
}
"""Pages that need nothing of their own to be shown."""


@pytest.mark.parametrize("name", PLAIN)
def test_a_page_can_be_used_by_everybody(eyes: Eyes, town: Town, name: str) -> None:
    desk = town["centre"]
    assert seeing.look(eyes, desk.url + PLAIN[name], desk.enter(), name) == []
