# SPDX-License-Identifier: Apache-2.0
"""What every page must be, whatever is on it: checked on each answer that a test's browser gets (ux §1.0)."""

from __future__ import annotations

import itertools
import re

from bs4 import BeautifulSoup, Tag

JAPANESE = re.compile(r"[぀-ヿ㐀-鿿]")


def read(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def check(html: str) -> BeautifulSoup:
    """Assert that a page is whole: language, one heading, order of headings, labels, no inline code or style."""
    page = read(html)
    assert html.lstrip().startswith("<!doctype html>")
    assert page.html
    assert page.html.get("lang") in {"ja", "en"}
    assert len(page.find_all("h1")) == 1, [one.get_text() for one in page.find_all("h1")]
    assert len(page.find_all("main")) == 1
    assert page.title
    assert page.title.get_text(strip=True)
    levels = [int(one.name[1]) for one in page.main.find_all(re.compile("^h[1-6]$"))]  # type: ignore[union-attr]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    for one in page.find_all(True):
        assert not [name for name in one.attrs if name == "style" or name.startswith("on")], one.name
    assert not [one for one in page.find_all("script") if not one.get("src")]
    assert not page.find_all("style")
    for one in page.find_all(["input", "select", "textarea"]):
        if one.get("type") not in {"hidden", "submit"} and one.get("aria-hidden") != "true":
            assert _is_labelled(page, one), one
    for one in page.find_all(["img", "svg"]):
        assert one.has_attr("alt") or one.get("aria-hidden") == "true" or one.get("aria-label") or _in_image(one), one
    ids = [one["id"] for one in page.find_all(id=True)]
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
    known = set(ids)
    for one in page.find_all(True):
        for name in ("aria-labelledby", "aria-describedby", "for"):
            for wanted in str(one.get(name) or "").split():
                assert wanted in known, f"{one.name} {name}={wanted}"
    for form in page.find_all("form", method=re.compile("post", re.IGNORECASE)):
        assert form.find("input", attrs={"name": "csrf_token"}), "a form without its guard"
    return page


def _is_labelled(page: BeautifulSoup, field: Tag) -> bool:
    return bool(
        field.get("aria-label")
        or field.get("aria-labelledby")
        or field.find_parent("label")
        or (field.get("id") and page.find("label", attrs={"for": field["id"]}))
    )


def _in_image(one: Tag) -> bool:
    return one.find_parent(attrs={"role": "img"}) is not None
