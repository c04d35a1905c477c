# SPDX-License-Identifier: Apache-2.0
"""What counts as a sign of a text, and which signs cannot be kept."""

from __future__ import annotations

import unicodedata
from typing import Final

MOST_SIGNS: Final = 4
"""How many code points a sign may have on the average of a text."""
_NO_SIGN: Final = 0xFFFE
"""The last two numbers of each plane are no signs (Unicode §23.7)."""
_JOINED: Final = frozenset({"Mn", "Me", "Cf"})
_KEPT_CONTROLS: Final = frozenset("\n\r\t")


def is_too_long(text: str, longest: int) -> bool:
    """Say whether a text has more than `longest` of what a person sees as signs."""
    return len(text) > MOST_SIGNS * longest or _length(text) > longest


def is_unfit(sign: str) -> bool:
    """Say whether a sign cannot be kept: lone surrogates, controls other than line ends and tabs, non-characters."""
    kind = unicodedata.category(sign)
    return (kind in {"Cc", "Cs"} and sign not in _KEPT_CONTROLS) or ord(sign) & _NO_SIGN == _NO_SIGN


def _length(text: str) -> int:
    """Count what a person sees as signs: marks, selectors and joiners belong to the sign before them (UAX #29)."""
    return sum(unicodedata.category(sign) not in _JOINED for sign in text)
