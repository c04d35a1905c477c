# SPDX-License-Identifier: Apache-2.0
"""Hub and agency import nothing of each other, so the design stands at both; what is drawn once stays the same."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
HUB, DESK = ROOT / "hub" / "console", ROOT / "connectors" / "desk"
OWN = "/* --- what the console's pages add"
SHADES = "{color:var(--g-600);background:var(--g-50)}"
"""The one line that differs: the console calls the shades of its table `heat0` to `heat4`."""


def sheet(path: Path) -> list[str]:
    shared = path.read_text(encoding="utf-8").split(OWN)[0].strip()
    return [line.replace(".heat", ".h") if SHADES in line else line for line in shared.splitlines()]


def test_the_console_has_the_desks_stylesheet_and_adds_its_own_below() -> None:
    console, desk = sheet(HUB / "static" / "console.css"), sheet(DESK / "static" / "tsunagi.css")
    assert len(desk) > 500
    assert console == desk, "a change to the design belongs into both"


def test_both_have_the_same_icons() -> None:
    here, there = HUB / "templates" / "console" / "icons.html", DESK / "templates" / "web" / "icons.html"
    assert here.read_text(encoding="utf-8") == there.read_text(encoding="utf-8")
