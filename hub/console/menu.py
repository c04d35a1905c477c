# SPDX-License-Identifier: Apache-2.0
"""The console's menu. A line is shown where its page exists and whoever signed in may open it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the menu: endpoint, icon, key of its text, and the permission of its page."""

    endpoint: str
    icon: str
    key: str
    permission: str


OVERSIGHT: Final = (
    Line("console.home", "chart", "frame.menu-home", "console.self"),
    Line("console.audit", "find", "frame.menu-audit", "console.audit"),
    Line("console.reviews", "flag", "frame.menu-reviews", "console.reviews"),
    Line("console.people", "book", "frame.menu-people", "console.ledger"),
    Line("console.consents", "file", "frame.menu-consents", "console.register"),
    Line("console.watch", "eye", "frame.menu-watch", "console.watch"),
    Line("console.verify", "chain", "frame.menu-verify", "console.verify"),
    Line("console.breach", "warn", "frame.menu-breach", "console.breach"),
)
RUNNING: Final = (
    Line("console.agencies", "people", "frame.menu-agencies", "console.agencies"),
    Line("console.health", "clock", "frame.menu-health", "console.health"),
    Line("console.retention", "bag", "frame.menu-retention", "console.retention"),
    Line("console.me", "key", "frame.menu-me", "console.self"),
)
