# SPDX-License-Identifier: Apache-2.0
"""The board (ux D2)."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render
from connectors.desk.web.visits import Access, Visit

blueprint: Final = Blueprint("board", __name__)


@page(blueprint, "/", who=Access.STAFF)
def board(_: Visit) -> tuple[str, int]:
    """Show what needs somebody today."""
    return render("board/board.html")
