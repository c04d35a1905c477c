# SPDX-License-Identifier: Apache-2.0
"""Pure decisions of the office: how a key stands, how a file is cut for paper, which lines of the log are of a kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from consent.keys import KeyEntry

ROTATE_BEFORE: Final = timedelta(days=30)
"""A key is due for rotation a month before it ends; the next one needs a day's lead (`keystore.LEAD`)."""
PIECE: Final = 900
"""Signs in one QR code of the recovery kit: few enough that a telephone reads it from paper."""
_GROUP: Final = 4

KINDS: Final[Mapping[str, Sequence[str]]] = {
    "looks": ("%:viewed", "%:viewed-%", "%:read", "%:seen"),
    "searches": ("%:searched", "%:listed"),
    "reasons": ("reason:%",),
    "exports": ("%:exported", "log:%"),
    "sending": ("%:queued", "message:sealed", "withdrawal:%", "parts:%", "emergency:%", "renewal:%"),
    "sign-in": ("session:%", "sessions:%", "password:%", "totp:%", "passkey:%", "recovery:%"),
    "office": ("staff:%", "key:%", "settings:%", "template:%", "line:%", "cases:handed-over"),
}
"""What a filter of the access log means, as patterns of an action; all the rest is writing."""


class Standing(Enum):
    """How a key stands."""

    OVER = "over"
    NEXT = "next"
    DUE = "due"
    NOW = "now"
    BEFORE = "before"
    """Still valid, but a newer one is used already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece of a file on paper: its number, of how many, and its text."""

    n: int
    of: int
    text: str

    @property
    def coded(self) -> str:
        """Give what its picture says: number and count before the text, so that none is lost or taken twice."""
        return f"{self.n}/{self.of}:{self.text}"


def standing(entry: KeyEntry, entries: Sequence[KeyEntry], at: datetime) -> Standing:
    """Say how a key stands at a moment, among all entries of the agency."""
    newer = [one for one in entries if one.use is entry.use and one.seq > entry.seq]
    if entry.not_after <= at:
        return Standing.OVER
    if entry.not_before > at:
        return Standing.NEXT
    if any(one.is_valid_at(at) for one in newer):
        return Standing.BEFORE
    return Standing.DUE if not newer and entry.not_after - at <= ROTATE_BEFORE else Standing.NOW


def pieces(text: str, size: int = PIECE) -> tuple[Piece, ...]:
    """Cut a text into pieces; their texts in order are the text."""
    count = -(-len(text) // size)
    return tuple(Piece(n=n + 1, of=count, text=text[n * size : (n + 1) * size]) for n in range(count))


def in_groups(plain: str) -> str:
    """Write signs in groups that can be compared by eye."""
    return " ".join(plain[at : at + _GROUP] for at in range(0, len(plain), _GROUP))
