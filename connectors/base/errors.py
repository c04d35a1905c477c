# SPDX-License-Identifier: Apache-2.0
"""Errors of the agency side: a code, a sentence in Japanese and English that says what to do, an exit code.

The sentences are in `messages.json`; nothing that a person wrote is ever put into them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_REFUSED_BY_CONSENT: Final = 3
EXIT_HUB_AWAY: Final = 4


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    text = files("connectors.base").joinpath("messages.json").read_text(encoding="utf-8")
    catalogue: dict[str, dict[str, str]] = json.loads(text)
    return catalogue


def sentence(code: str, language: str, places: Mapping[str, str] | None = None) -> str:
    """Give the sentence for a code in `ja` or `en`, with its `{places}` filled in.

    An unknown code falls back to the sentence for `unexpected`, so that a message never fails to be a message.
    """
    texts = _catalogue().get(code) or _catalogue()["unexpected"]
    text = texts[language if language in texts else "en"]
    for name, value in {"code": code, **(places or {})}.items():
        text = text.replace("{" + name + "}", value)
    return text


class ConnectorError(Exception):
    """Something the person at the agency must know about.

    `places` fills the sentence's `{places}`: file names, addresses, codes; never anything of a person.
    """

    exit_code: int = EXIT_FAILED

    def __init__(self, code: str, /, **places: str) -> None:
        """Take the code of the sentence and what fills it."""
        super().__init__(code)
        self.code = code
        self.places = places

    def says(self, language: str) -> str:
        """Say what happened and what to do, in `ja` or `en`."""
        return sentence(self.code, language, self.places)


class HubAwayError(ConnectorError):
    """The hub did not answer. Nothing is lost: what was to be sent is sent later."""

    exit_code = EXIT_HUB_AWAY
