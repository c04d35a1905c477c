# SPDX-License-Identifier: Apache-2.0
"""The intake form in a real browser: signed with the pointer, the sentence that follows, and without scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from tests.connectors.desk.test_papers import document
from tests.pages import seeing
from tests.pages.seeing import Eyes
from tests.pages.town import Desk, Town
from tests.pages.walking import press, stroke

pytestmark = pytest.mark.slow


def begin(page: Page, desk: Desk, kana: str) -> None:
    """Fill in who came and what for, and have the table made."""
    page.goto(desk.enter("/intakes/new"))
    page.fill("[name=kana]", kana)
    page.fill("[name=name]", "架空 花子")
    page.fill("[name=born_on]", "昭和60年4月18日")
    page.check("[name=topics][value=income]")
    page.check("[name=purposes][value=sogo_shien_shikin]")
    page.locator("button[value=refresh]").first.click()
    page.wait_for_selector("table.mx")


def seen(page: Page, name: str) -> list[str]:
    """Look at a page where it is, wide and narrow."""
    wrong = []
    for width in (seeing.WIDE, seeing.NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        seeing.shoot(page, f"{name}-{width}")
        wrong += [f"{name} {width}: {one}" for one in seeing.violations(page)]
        wrong += [f"{name} {width}: scrolls sideways"] if seeing.scrolls_sideways(page) else []
    page.set_viewport_size({"width": seeing.WIDE, "height": 900})
    return wrong


def test_a_form_is_signed_with_the_pointer_and_taken(eyes: Eyes, town: Town) -> None:
    with eyes.tab() as page:
        begin(page, town["centre"], "かくう はなこ")
        said = page.locator("[data-sentence]")
        assert "家" not in said.locator("p:has(.tag-y)").inner_text()
        box = page.locator("[name=m][value$=':housing']")
        with page.expect_response("**/sentence"):
            box.check()
        said.locator("p:has(.tag-y)", has_text="家").wait_for()  # no function of ours: the page's policy forbids eval
        with page.expect_request("**/save") as saved:
            stroke(page)
        assert re.search(r"[0-9a-f]{24} [0-9]{13}", saved.value.post_data or ""), "it says which turn it is"
        assert page.locator("[data-pad] path").count() == 1
        assert page.locator("[name=method][value=pad]").is_checked()
        assert seen(page, "intake-form") == []
        press(page, ".bar button[value=check]")
        assert seen(page, "intake-check") == []
        press(page, ".bar button")
        page.wait_for_url("**/intakes/*-*")
        assert seen(page, "intake-taken") == []
        assert page.locator(".chip--green").count() >= 2


def test_without_scripts_a_form_is_printed_signed_and_scanned(eyes: Eyes, town: Town, tmp_path: Path) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(document())
    with eyes.tab(scripts=False) as page:
        begin(page, town["centre"], "かくう たろう")
        assert not page.locator("[data-pad]").is_visible()
        assert page.locator("[data-no-script]").is_visible()
        page.check("[name=method][value=paper]")
        page.set_input_files("[name=scan]", scan)
        press(page, ".bar button[value=check]")
        page.check("[name=legible]")
        press(page, ".bar button")
        assert "/intakes/drafts" not in page.url
        assert page.locator("a[href*='/scan/']").count() == 1


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_paper_to_sign_is_one_page(eyes: Eyes, town: Town, tmp_path: Path, language: str) -> None:
    with eyes.tab(language=language) as page:
        page.goto(town["centre"].enter("/intakes/blank"))
        page.pdf(path=tmp_path / "blank.pdf", prefer_css_page_size=True)
        begin(page, town["centre"], "かくう じろう")
        page.locator("button[value=paper]").click(force=True)
        page.wait_for_selector("article.a4")
        page.pdf(path=tmp_path / "filled.pdf", prefer_css_page_size=True)
    for name in ("blank.pdf", "filled.pdf"):
        (only,) = PdfReader(tmp_path / name).pages
        assert (round(only.mediabox.width), round(only.mediabox.height)) == (595, 842)
