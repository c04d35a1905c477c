# SPDX-License-Identifier: Apache-2.0
"""Look at a page as people do and as axe-core does: at 1440 and 320 px, in both languages, with and without scripts."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Response

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "var" / "pages"
STATIC = ROOT / "connectors" / "desk" / "static"
WIDE, NARROW = 1440, 320
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARGUMENTS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
CLOSELY = "TSUNAGI_LOOK_CLOSELY"
"""Set by `make pictures`: also colours at 320 px, and a picture of every page."""
_AXE = AXE_FILE_PATH.read_text(encoding="utf-8")


def chromium() -> str | None:
    """Name the system's Chromium, or none where there is none; the one without windows of its own costs least."""
    found = map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))
    return os.environ.get("TSUNAGI_CHROMIUM") or next(filter(None, found), None)


def launch(playwright: Playwright, program: str) -> Browser:
    """Start Chromium; root must do without its sandbox."""
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    return playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *sandbox])


@dataclass
class Eyes:
    """One browser; what the pages said to its console, and what they asked for elsewhere, is kept."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def tab(self, *, scripts: bool = True, language: str = "ja", width: int = WIDE) -> Iterator[Page]:
        """Open a tab of a person of their own (own cookies)."""
        context = self.browser.new_context(
            java_script_enabled=scripts,
            locale="ja-JP" if language == "ja" else "en-GB",
            extra_http_headers={"Accept-Language": language},
            viewport={"width": width, "height": 900},
            accept_downloads=True,
        )
        context.set_default_timeout(15_000)
        try:
            page = context.new_page()
            self._listen(page, context)
            yield page
        finally:
            context.close()

    def _listen(self, page: Page, context: BrowserContext) -> None:
        def said(message: Any) -> None:
            if message.text.startswith("Failed to load resource") and message.location.get("url") == page.url:
                return  # the page itself is one that says what is wrong (403, 404, 422); tests look at its status
            if "Content Security Policy" in message.text or message.type == "error":
                self.complaints.append(f"{page.url}: {message.text}")

        def asked(request: Any) -> None:
            if not re.match(r"http://127\.0\.0\.1:\d+/|data:|blob:", request.url):
                self.complaints.append(f"{page.url} asked for {request.url}")

        page.on("console", said)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        context.on("request", asked)


def bring_axe(page: Page) -> None:
    """Have axe-core come with every page of a tab from now on; `violations` sends it to a page that lacks it."""
    page.add_init_script(_AXE)


def violations(page: Page) -> list[str]:
    """Run axe-core on a page; give what it finds (the script comes by the debugger, so the page's policy holds).

    Colours take more than half of the time and are the same at every width, so a narrow page is asked all the rest;
    with `CLOSELY` them too.
    """
    as_tall_as_it_is(page)
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_AXE)
    is_wide = page.viewport_size is None or page.viewport_size["width"] >= WIDE
    options = json.dumps(
        {
            "runOnly": {"type": "tag", "values": RULES},
            "rules": {"color-contrast": {"enabled": is_wide or is_closely()}},
            "resultTypes": ["violations"],
            "preload": False,
            "iframes": False,
        }
    )
    found = page.evaluate(f"axe.run(document, {options})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def is_closely() -> bool:
    """Say whether somebody wants pictures, and every rule at every width."""
    return bool(os.environ.get(CLOSELY))


def as_tall_as_it_is(page: Page) -> None:
    """Make the window as tall as the page: what the bar of a telephone covers can be scrolled out from under it."""
    width = page.viewport_size["width"] if page.viewport_size else WIDE
    page.set_viewport_size({"width": width, "height": 900})
    height: int = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(height, 600)})


def scrolls_sideways(page: Page) -> bool:
    """Say whether a page is wider than its window."""
    wide: bool = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
    return wide


def shoot(page: Page, name: str) -> None:
    """Keep a picture of a page, the whole of it, for people to leaf through, if pictures are wanted (`CLOSELY`)."""
    if not is_closely():
        return
    SHOTS.mkdir(parents=True, exist_ok=True)
    as_tall_as_it_is(page)
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "jpeg", "quality": 80, "optimizeForSpeed": True})
    session.detach()
    (SHOTS / f"{name}.jpg").write_bytes(base64.b64decode(taken["data"]))


def album() -> None:
    """Write the page by which people leaf through all pictures, if there are any: one page after the other."""
    if not is_closely():
        return
    rows = []
    names = {re.sub(r"(-(ja|en))?-\d+$", "", path.stem) for path in SHOTS.glob("*.jpg")}
    for name in sorted(names):
        pictures = sorted(path.name for path in SHOTS.glob(f"{name}-*.jpg") if _is_of(path.stem, name))
        shown = "".join(
            f'<a href="{one}"><img src="{one}" height="420" loading="lazy" alt="{one}"></a> ' for one in pictures
        )
        rows.append(f'<h2 id="{name}">{name}</h2><p>{shown}</p>')
    links = " ".join(f'<a href="#{name}">{name}</a>' for name in sorted(names))
    text = f"<!doctype html><meta charset=utf-8><title>Tsunagi</title><h1>Tsunagi</h1><nav>{links}</nav>{''.join(rows)}"
    SHOTS.mkdir(parents=True, exist_ok=True)
    (SHOTS / "index.html").write_text(text, "utf-8")


def _is_of(stem: str, name: str) -> bool:
    return re.fullmatch(rf"{re.escape(name)}(-(ja|en))?-\d+", stem) is not None


def weight(answer: Response) -> int:
    """Give what a page weighs on the line, in bytes: itself, its stylesheets and its scripts, gzipped."""
    page = answer.body()
    asked = {name.decode() for name in re.findall(rb"/static/([a-z0-9.-]+[.](?:css|js))", page)}
    return sum(len(gzip.compress(one)) for one in (page, *((STATIC / name).read_bytes() for name in sorted(asked))))
