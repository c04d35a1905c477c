# SPDX-License-Identifier: Apache-2.0
"""The many dashes that people type into numbers and days, folded into the plain one. Never used on names or text."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def _table() -> dict[int, str]:
    data = json.loads(files("connectors.base").joinpath("dashes.json").read_text(encoding="utf-8"))
    return dict.fromkeys(map(ord, data["dashes"]), "-")


def fold_dashes(text: str) -> str:
    """Write every dash of a number or a day as `-`."""
    return text.translate(_table())
