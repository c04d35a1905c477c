# SPDX-License-Identifier: Apache-2.0
"""The pictures of the README, made anew: `python -m tests.pages.pictures`. Whoever is on them is fictional.

A town of agencies is opened around a real hub, the demo's people live through their weeks, and Chromium takes the
pictures; each is reduced to 64 colours and stays under 150 KB.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.pages import seeing
from tests.pages.scenes import Scene, set_scene
from tests.pages.seeing import ROOT, Eyes
from tests.pages.town import open_town

FOLDER: Final = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 860
LARGEST: Final = 150 * 1024
COLOURS: Final = 64


def main() -> int:
    """Take every picture in both languages."""
    program = seeing.chromium()
    if program is None:
        sys.stderr.write("Chromium is not installed (Debian: apt-get install chromium-headless-shell fonts-noto-cjk)\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open_town(Path(folder)) as town, sync_playwright() as playwright:
        browser = seeing.launch(playwright, program)
        eyes = Eyes(browser)
        scene = set_scene(town, eyes)
        for language in ("ja", "en"):
            with eyes.tab(language=language) as page:
                page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
                page.goto(f"{town['centre'].url}/enter/{scene.tickets['worker']}")
                for name, path in _places(scene).items():
                    page.goto(town["centre"].url + path)
                    _take(page, f"{name}-{language}")
        browser.close()
    return 0


def _places(scene: Scene) -> dict[str, str]:
    """Give which pages are shown."""
    draft = scene.urls["draft"].removeprefix(scene.town["centre"].url)
    return {
        "board": "/",
        "categories": f"{draft}/categories",
        "inbox": f"/inbox/{scene.referral('incoming_old')}",
        "person": f"/cases/{scene.urls['signed case']}/person",
    }


def _take(page: Page, name: str) -> None:
    """Take a picture of what a window shows and keep it small."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    picture.save(FOLDER / f"{name}.png", optimize=True)
    size = (FOLDER / f"{name}.png").stat().st_size
    sys.stdout.write(f"{name}: {size // 1024} KB\n")
    if size > LARGEST:
        raise SystemExit(f"{name} is larger than {LARGEST // 1024} KB")


if __name__ == "__main__":
    sys.exit(main())
