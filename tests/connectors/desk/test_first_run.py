# SPDX-License-Identifier: Apache-2.0
"""The first minutes of a desk at which nobody works yet, in a real browser."""

from __future__ import annotations

import pytest

from connectors.desk.staff import service
from tests.connectors.desk.office import Office
from tests.connectors.desk.serving import served
from tests.pages import seeing
from tests.pages.seeing import Eyes


@pytest.mark.slow
def test_the_first_pages_of_a_desk_can_be_used_by_everybody(office: Office, eyes: Eyes) -> None:
    with office.connector.casebook.transaction() as connection:
        code = service.setup_code(connection)
    wrong: list[str] = []
    looks = (("ja", seeing.WIDE), ("ja", seeing.NARROW), ("en", seeing.WIDE), ("en", seeing.NARROW))

    def look(page: seeing.Page, name: str) -> None:
        seeing.as_tall_as_it_is(page)
        seeing.shoot(page, name)
        wrong.extend(f"{name}: {one}" for one in seeing.violations(page))
        if seeing.scrolls_sideways(page):
            wrong.append(f"{name}: scrolls sideways")

    with served(office) as url:
        for language, width in looks:
            with eyes.tab(language=language, width=width) as page:
                page.goto(url)
                assert page.url.endswith("/setup")
                look(page, f"staff-set_up-{language}-{width}")
        with eyes.tab() as page:
            page.goto(url)
            for name, said in (("setup_code", code), ("name", "架空 はじめ"), ("login", "hajime")):
                page.fill(f"[name={name}]", str(said))
            page.click("main form button")
            page.wait_for_selector("[name=password]")
            look(page, f"staff-join-first-ja-{seeing.WIDE}")
    assert wrong == []
    assert eyes.complaints == []
