# SPDX-License-Identifier: Apache-2.0
"""What people type into numbers and days: many dashes, folded into the plain one, and digits that count nothing.

Never used on names or text.
"""

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


def has_odd_digits(text: str) -> bool:
    """Say whether there is a digit that is no decimal one, as \u00b2 or \u2460: folding would make a number of it."""
    return any(sign.isdigit() and not sign.isdecimal() for sign in text)
