# SPDX-License-Identifier: Apache-2.0
"""Every page of the desk, with the demo's people on it, seen as people and as axe-core see it.

At 1440 and 320 px: no violation of WCAG 2.2 AA, no sideways scroll, no complaint of the browser, at most 60 KB on the
line. `make pictures` looks at colours at 320 px too, and keeps a picture of each page in both languages in `var/pages`,
to leaf through by its `index.html`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import APIResponse, Error, Page, Response

from tests.pages import seeing
from tests.pages.scenes import Scene, set_scene
from tests.pages.seeing import Eyes
from tests.pages.town import Town
from tests.pages.visits import UNSEEN, VISITS, Visit, forgotten, pages, visits
from tests.pages.walking import press

LARGEST = 60 * 1024
"""Bytes of a page on the line, with its stylesheets and scripts, without pictures and attachments."""


@pytest.fixture(scope="module")
def scene(eyes: Eyes, town: Town) -> Scene:
    """Let everything happen that pages show."""
    return set_scene(town, eyes)


def test_no_page_is_forgotten() -> None:
    assert forgotten() == [], "give each a visit in tests/pages/visits.py, or a reason in UNSEEN"
    assert set(VISITS) & set(UNSEEN) == set()
    known = pages()
    assert [one for one in (*VISITS, *UNSEEN) if one not in known] == []


@pytest.mark.slow
@pytest.mark.timeout(900)  # what it takes where other work has the machine as well
def test_every_page_can_be_used_by_everybody(eyes: Eyes, scene: Scene) -> None:
    wrong: list[str] = []
    with ExitStack() as stack:
        tabs = {language: _Tabs(stack, eyes, scene, language) for language in ("ja", "en")}
        for visit in visits(scene):
            try:
                wrong += _in_japanese(tabs["ja"], visit)
                wrong += _in_english(tabs["en"], visit)
            except Error as error:  # the others are looked at all the same
                wrong.append(f"{visit.name} at {visit.path}: {error.message}")
    seeing.album()
    assert wrong == [], "\n".join(wrong)


class _Tabs:
    """One tab for each person who looks, in one language."""

    def __init__(self, stack: ExitStack, eyes: Eyes, scene: Scene, language: str) -> None:
        self._stack, self._eyes, self._scene, self._language = stack, eyes, scene, language
        self._open: dict[str, Page] = {}

    def look(self, visit: Visit) -> tuple[Page, Response | None]:
        """Open a page as whoever looks at it."""
        page = self._tab(visit)
        page.set_viewport_size({"width": seeing.WIDE, "height": 900})
        return page, page.goto(self._url(visit) + visit.path)

    def ask(self, visit: Visit) -> APIResponse:
        """Have a page sent to whoever looks at it, without drawing it."""
        return self._tab(visit).request.get(self._url(visit) + visit.path)

    def _tab(self, visit: Visit) -> Page:
        if visit.who not in self._open:
            page = self._stack.enter_context(self._eyes.tab(language=self._language))
            self._open[visit.who] = page
            self._come_in(page, visit)
            if self._language == "ja":
                seeing.bring_axe(page)
        return self._open[visit.who]

    def _url(self, visit: Visit) -> str:
        return self._scene.town[visit.desk].url

    def _come_in(self, page: Page, visit: Visit) -> None:
        url, tickets = self._url(visit), self._scene.tickets
        if visit.who == "invited":
            page.goto(f"{url}/join")
            page.fill("[name=invitation]", tickets["invited"])
            press(page, "main button")
        elif visit.who == "locked":
            page.goto(f"{url}/enter/{tickets['chief']}")
            page.locator("details.me summary").click()
            press(page, "form[action='/lock'] button")
        elif visit.who in tickets:
            page.goto(f"{url}/enter/{tickets[visit.who]}")


def _in_japanese(tabs: _Tabs, visit: Visit) -> Iterator[str]:
    """Look at a page closely: what axe-core finds, whether it is too wide, whether it weighs too much."""
    page, answer = tabs.look(visit)
    if answer is None or answer.status != visit.status or _elsewhere(page, visit):
        yield f"{visit.name}: {answer.status if answer else 'no answer'} at {page.url}"
        return
    if (weight := seeing.weight(answer)) > LARGEST:
        yield f"{visit.name}: {weight} bytes"
    for width in (seeing.WIDE, seeing.NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        yield from (f"{visit.name} {width}: {one}" for one in seeing.violations(page))
        if seeing.scrolls_sideways(page):
            yield f"{visit.name} {width}: scrolls sideways"
        seeing.shoot(page, f"{visit.name}-ja-{width}")


def _in_english(tabs: _Tabs, visit: Visit) -> Iterator[str]:
    """See that a page answers in English too; it is drawn only where somebody wants its picture."""
    answer = tabs.ask(visit)
    if answer.status != visit.status or '<html lang="en"' not in answer.text():
        yield f"{visit.name} in English: {answer.status} at {answer.url}"
    elif seeing.is_closely():
        page, _ = tabs.look(visit)
        seeing.shoot(page, f"{visit.name}-en-{seeing.WIDE}")


def _elsewhere(page: Page, visit: Visit) -> bool:
    """Say whether the browser was led to another page than the one that was to be seen."""
    return page.url.split("#")[0].split("?")[0].split("/", 3)[3] != visit.path.split("?")[0].removeprefix("/")
