# SPDX-License-Identifier: Apache-2.0
"""Words that tell of a category, as data (`words.json`): advice for whoever writes, never a rule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files


@cache
def words() -> Mapping[str, Sequence[str]]:
    """Give the words by category."""
    said: dict[str, list[str]] = json.loads(
        files("connectors.desk.sending").joinpath("words.json").read_text(encoding="utf-8")
    )
    return said
