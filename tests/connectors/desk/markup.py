# SPDX-License-Identifier: Apache-2.0
"""What every page must be, whatever is on it: checked on each answer that a test's browser gets (ux §1.0).

Thousands of pages are read in a run, so the check asks libxml2 and not Python; tests read pages with BeautifulSoup.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import Final

from bs4 import BeautifulSoup
from lxml import etree, html

JAPANESE: Final = re.compile(r"[぀-ヿ㐀-鿿]")
_UNLABELLED: Final = etree.XPath(
    "//*[self::input or self::select or self::textarea]"
    "[not(@type='hidden' or @type='submit' or @aria-hidden='true')]"
    "[not(string(@aria-label) or string(@aria-labelledby) or ancestor::label or @id=//label/@for)]"
)
_UNNAMED_PICTURES: Final = etree.XPath(
    "//*[self::img or self::svg][not(@alt or @aria-hidden='true' or string(@aria-label) or ancestor::*[@role='img'])]"
)
_INLINE: Final = etree.XPath("//*[@style or @*[starts-with(name(), 'on')]] | //script[not(string(@src))] | //style")
_UNGUARDED: Final = etree.XPath(
    "//form[translate(@method, 'POST', 'post')='post'][not(descendant::input[@name='csrf_token'])]"
)
_HEADINGS: Final = etree.XPath("//main//*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5 or self::h6]")
_IDS: Final = etree.XPath("//@id")
_GUARD: Final = etree.XPath("string(//input[@name='csrf_token'][1]/@value)")
_POINTING: Final = etree.XPath("//@*[name()='aria-labelledby' or name()='aria-describedby' or name()='for']")


def read(text: str) -> BeautifulSoup:
    """Give a page as tests look into it."""
    return BeautifulSoup(text, "lxml")


def check(text: str) -> str:
    """Assert that a page is whole: language, one heading, order of headings, labels, no inline code or style.

    Give the guard that its forms carry.
    """
    assert text.lstrip().startswith("<!doctype html>")
    page = html.document_fromstring(text)
    assert page.tag == "html"
    assert page.get("lang") in {"ja", "en"}
    headings = [one.text_content() for one in page.iter("h1")]
    assert len(headings) == 1, headings
    assert len(list(page.iter("main"))) == 1
    assert (page.findtext("head/title") or "").strip()
    levels = [int(one.tag[1]) for one in _HEADINGS(page)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    for found, what in (
        (_INLINE, "code or style on the page"),
        (_UNLABELLED, "a field without a label"),
        (_UNNAMED_PICTURES, "a picture without words"),
        (_UNGUARDED, "a form without its guard"),
    ):
        assert not found(page), (what, [etree.tostring(one)[:200] for one in found(page)])
    ids = Counter(_IDS(page))
    assert max(ids.values(), default=1) == 1, [one for one, times in ids.items() if times > 1]
    wanted = {one for said in _POINTING(page) for one in said.split()}
    assert wanted <= set(ids), wanted - set(ids)
    return str(_GUARD(page))
