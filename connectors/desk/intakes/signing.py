# SPDX-License-Identifier: Apache-2.0
"""Section 4 of the form, read: how the person signed, who wrote for them and why, and the drawn signature as a picture.

A drawn signature is kept as one PNG with its strokes inside, so that one HMAC stands for both (consent.md, `evidence`).
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from connectors.desk.intakes import rules
from connectors.desk.web.filling import Filled
from consent.calendar import JST, day_of
from consent.scopes import FRESH_SIGNATURE, ORAL, PERSON

METHODS: Final = ("pad", "paper", "oral", "none")
SIGNERS: Final = ("self", "legal_rep", "family")
WRITERS: Final = ("person", "staff", "family", "legal_rep", "interpreter")
WIDTH: Final = 400
HEIGHT: Final = 120
_SCALE: Final = 3
_PEN: Final = 9
_MOST_STROKES: Final = 400
_MOST_POINTS: Final = 20_000
_LONGEST_STROKES: Final = 400_000
_NOON: Final = time(12)

Stroke = tuple[tuple[float, float, int], ...]
"""Points of one stroke: x and y on the pad, milliseconds since the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """How the form was signed. Codes are the vocabulary's; `interpreter` and `reason` stay at the agency."""

    method: str
    signature: str
    signed_at: datetime
    written_by: str
    proxy_reason: str | None
    read_aloud: bool
    witness: str | None
    interpreter: str
    reason: str
    follow_up_on: date | None
    strokes: tuple[Stroke, ...] = field(repr=False)

    @property
    def asks_consent(self) -> bool:
        """Say whether anything is to be passed on."""
        return self.method != "none"

    @property
    def is_oral(self) -> bool:
        """Say whether the signature is still to come."""
        return self.signature == ORAL


def read_signed(filled: Filled, *, me: str, staff: Mapping[str, str], has_scan: bool, now: datetime) -> Signed:
    """Read the section; what cannot be taken is blamed.

    `me` and `staff` are how records write people of this agency, `role:id`, by their id.
    """
    today = day_of(now)
    method = filled.code("method", METHODS, required=True) or "none"
    writer = filled.code("written_by", WRITERS) or PERSON
    signer = filled.code("signer", SIGNERS) or "self"
    read_aloud = filled.has("read_aloud")
    signed_on = filled.day("signed_on", last=today) if method == "paper" else None
    witness = filled.code("witness", [*staff, *WRITERS[2:]])
    signed = Signed(
        method=method,
        signature=_signature(method, writer, signer),
        signed_at=now if signed_on is None or signed_on == today else datetime.combine(signed_on, _NOON, tzinfo=JST),
        written_by=me if writer == "staff" else writer,
        proxy_reason=filled.code("proxy_reason", "proxy_reason"),
        read_aloud=read_aloud,
        witness=staff.get(witness, witness) if witness else None,
        interpreter=filled.line("interpreter"),
        reason=filled.text("oral_reason", required=method == "oral", longest=2000) if method == "oral" else "",
        follow_up_on=_follow_up(filled, today) if method == "oral" else None,
        strokes=read_strokes(filled),
    )
    _check(filled, signed, has_scan=has_scan, now=now)
    return signed


def read_strokes(filled: Filled) -> tuple[Stroke, ...]:
    """Read what was drawn: `[[[x, y, ms], …], …]`; whatever else comes is blamed."""
    said = filled.values.get("strokes", "").strip()
    if not said:
        return ()
    try:
        drawn: list[list[list[float]]] = json.loads(said) if len(said) <= _LONGEST_STROKES else [[[]]]
        strokes = tuple(tuple(_point(point) for point in stroke) for stroke in drawn)
    except (ValueError, TypeError, RecursionError):
        filled.blame("strokes", "intakes.fault-strokes")
        return ()
    if len(strokes) > _MOST_STROKES or sum(map(len, strokes)) > _MOST_POINTS:
        filled.blame("strokes", "intakes.fault-strokes")
        return ()
    return tuple(stroke for stroke in strokes if stroke)


def paths(strokes: Sequence[Stroke]) -> list[str]:
    """Give the strokes as SVG paths."""
    return ["M" + "L".join(f"{x:g} {y:g}" for x, y, _ in stroke) for stroke in strokes]


def picture(strokes: Sequence[Stroke], at: datetime) -> bytes:
    """Draw the signature as a PNG that holds its strokes and when it was written (`strokes`, `signed_at`)."""
    drawn = Image.new("L", (WIDTH * _SCALE, HEIGHT * _SCALE), 255)
    pen = ImageDraw.Draw(drawn)
    for stroke in strokes:
        points = [(x * _SCALE, y * _SCALE) for x, y, _ in stroke]
        if len(points) == 1:
            (x, y), r = points[0], _PEN / 2
            pen.ellipse((x - r, y - r, x + r, y + r), fill=0)
        else:
            pen.line(points, fill=0, width=_PEN, joint="curve")
    inside = PngInfo()
    inside.add_text("strokes", json.dumps(strokes, separators=(",", ":")))
    inside.add_text("signed_at", at.isoformat())
    out = io.BytesIO()
    drawn.save(out, "PNG", pnginfo=inside)
    return out.getvalue()


def _point(point: Sequence[float]) -> tuple[float, float, int]:
    x, y, ms = point
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in point):
        raise TypeError
    if not (0 <= x <= WIDTH and 0 <= y <= HEIGHT and 0 <= ms < 3_600_000):  # noqa: PLR2004  # an hour, in ms
        raise ValueError
    return round(float(x), 1), round(float(y), 1), int(ms)


def _signature(method: str, writer: str, signer: str) -> str:
    if method in {"oral", "none"}:
        return ORAL if method == "oral" else "none"
    if signer != "self":
        return "legal_rep" if signer == "legal_rep" else "family_unverified"
    return "self" if writer == PERSON else "self_dictated"


def _follow_up(filled: Filled, today: date) -> date | None:
    return filled.day("oral_follow_up", required=True, first=today, last=rules.last_oral_day(today))


def _check(filled: Filled, signed: Signed, *, has_scan: bool, now: datetime) -> None:
    if signed.method == "pad" and not signed.strokes:
        filled.blame("strokes", "intakes.fault-not-signed")
    if signed.method == "paper" and not has_scan:
        filled.blame("scan", "intakes.fault-no-scan")
    if not signed.asks_consent:
        return
    if signed.proxy_reason is None and (signed.written_by != PERSON or signed.signature == "legal_rep"):
        filled.blame("proxy_reason", "intakes.fault-proxy-reason")
    if signed.signature == "self_dictated" and not signed.read_aloud:
        filled.blame("read_aloud", "intakes.fault-read-aloud")
    if now - signed.signed_at > FRESH_SIGNATURE and signed.witness in {None, signed.written_by}:
        filled.blame("witness", "intakes.fault-second-signer")
