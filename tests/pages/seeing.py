# SPDX-License-Identifier: Apache-2.0
"""Look at a page as people do and as axe-core does: at 1440 and 320 px, in both languages, with and without scripts."""

from __future__ import annotations

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
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "var" / "pages"
WIDE, NARROW = 1440, 320
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARGUMENTS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
_AXE = AXE_FILE_PATH.read_text(encoding="utf-8")


def chromium() -> str | None:
    """Name the system's Chromium, or none where there is none."""
    return os.environ.get("TSUNAGI_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


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
            if "Content Security Policy" in message.text or message.type == "error":
                self.complaints.append(f"{page.url}: {message.text}")

        def asked(request: Any) -> None:
            if not re.match(r"http://127\.0\.0\.1:\d+/|data:|blob:", request.url):
                self.complaints.append(f"{page.url} asked for {request.url}")

        page.on("console", said)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        context.on("request", asked)


def violations(page: Page) -> list[str]:
    """Run axe-core on a page; give what it finds (the script comes by the debugger, so the page's policy holds)."""
    # as tall as the page: what the bar of a telephone covers at one moment can be scrolled out from under it
    height: int = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"] if page.viewport_size else WIDE, "height": height})
    page.evaluate(_AXE)
    options = json.dumps({"runOnly": {"type": "tag", "values": RULES}})
    found = page.evaluate(f"axe.run(document, {options})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    """Say whether a page is wider than its window."""
    wide: bool = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
    return wide


def shoot(page: Page, name: str) -> None:
    """Keep a picture of a page for people to leaf through, and the list of all of them."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    pictures = sorted(path.name for path in SHOTS.glob("*.png"))
    rows = "\n".join(
        f'<p><a href="{one}">{one}</a><br><img src="{one}" width="480" alt="{one}"></p>' for one in pictures
    )
    (SHOTS / "index.html").write_text(f"<!doctype html><meta charset=utf-8><title>Tsunagi</title>{rows}", "utf-8")


def look(eyes: Eyes, url: str, enter: str, name: str) -> list[str]:
    """See one page wide and narrow in both languages; give everything that is wrong with it."""
    wrong: list[str] = []
    for language in ("ja", "en"):
        for width in (WIDE, NARROW):
            with eyes.tab(language=language, width=width) as page:
                page.goto(enter)
                answer = page.goto(url)
                where = f"{name} {language} {width}"
                if answer is None or answer.status >= 400:
                    wrong.append(f"{where}: status {answer.status if answer else '?'}")
                    continue
                shoot(page, f"{name}-{language}-{width}")
                wrong += [f"{where}: {one}" for one in violations(page)]
                if scrolls_sideways(page):
                    wrong.append(f"{where}: scrolls sideways")
    return wrong
