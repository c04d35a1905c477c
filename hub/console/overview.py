# SPDX-License-Identifier: Apache-2.0
"""The first page of the console: how far the log goes, and until when its newest signed state speaks."""

from __future__ import annotations

from hub.audit import reads as log
from hub.console.pages import page
from hub.console.rendering import render
from hub.console.visits import Visit


@page("", permission="console.self")
def home(visit: Visit) -> tuple[str, int]:
    """Show where the log stands."""
    with visit.reading("home") as session:
        newest = log.checkpoint(session)
    return render("home.html", newest=newest)
