# SPDX-License-Identifier: Apache-2.0
"""Sentences for the people who run the hub, in Japanese and English, read from `sentences.json`.

Partner agencies never see these; what the API says lives in `hub/web/problems.json`.
"""

import json
import os
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Read the sentences: code → language → text with named gaps."""
    found: dict[str, dict[str, str]] = json.loads(files("hub.base").joinpath("sentences.json").read_text("utf-8"))
    return found


def language() -> str:
    """Tell the operator's language, `ja` or `en`, by the usual variables of the shell."""
    chosen = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "ja" if chosen.startswith("ja") else "en"


def sentence(code: str, /, **gaps: Any) -> str:
    """Say the sentence `code` in the operator's language, its gaps filled in.

    *Raises* KeyError: no such sentence, or a gap was left open.
    """
    return catalogue()[code][language()].format_map(gaps)
