# SPDX-License-Identifier: Apache-2.0
"""Photographs of papers: taken into the encrypted casebook at once, without what the telephone wrote into them.

A picture is read and written anew, so that nothing but its pixels is kept: no place, no time, no device.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from PIL import Image, ImageOps
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access
from connectors.casebook.statements import Pen
from connectors.casebook.tables_files import scans

LARGEST: Final = 10 * 1024 * 1024
MOST_PIXELS: Final = 50_000_000
LONGEST_SIDE: Final = 2_400
QUALITY: Final = 85
_TAKEN: Final = ("JPEG", "PNG")


class PhotoError(Exception):
    """A file that is not taken; `code` is empty, too-large or not-a-picture."""

    def __init__(self, code: str) -> None:
        """Take the code of the sentence."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One photograph; its bytes stay out of every repr."""

    id: str
    media: str
    body: bytes = field(repr=False)


def cleaned(body: bytes) -> bytes:
    """Give a JPEG of the same pixels, upright and of a size that can be read, without any metadata.

    *Raises* `PhotoError`.
    """
    if not body:
        raise PhotoError("empty")
    if len(body) > LARGEST:
        raise PhotoError("too-large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a picture that would fill the memory is a warning of the library's
            with Image.open(io.BytesIO(body), formats=_TAKEN) as picture:
                is_too_large = picture.width * picture.height > MOST_PIXELS
                upright = None if is_too_large else ImageOps.exif_transpose(picture).convert("RGB")
    except Exception:  # noqa: BLE001 - decoders fail in many ways on bytes from outside
        raise PhotoError("not-a-picture") from None
    if upright is None:
        raise PhotoError("too-large")
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    plain = Image.new("RGB", upright.size)
    plain.paste(upright)
    out = io.BytesIO()
    plain.save(out, format="JPEG", quality=QUALITY)
    return out.getvalue()


def keep(connection: Connection, pen: Pen, *, case: str, body: bytes) -> str:
    """Keep a cleaned photograph in the casebook; give its id."""
    made = pen.new_id()
    connection.execute(
        sa.insert(scans).values(
            id=made, case=case, form=None, media="image/jpeg", pages=1, body=body, added_at=pen.now, added_by=pen.staff
        )
    )
    access.record(connection, staff=pen.staff, action="photo:kept", about=made, case=case, now=pen.now)
    return made


def find(connection: Connection, pen: Pen, photo: str, *, case: str, among: Sequence[str]) -> Photo:
    """Give a photograph that belongs to an accompaniment, and log that somebody looked.

    *Raises* `ConnectorError("photo-unknown")`.
    """
    query = sa.select(scans.c.id, scans.c.media, scans.c.body).where(scans.c.id == photo, scans.c.case == case)
    row = connection.execute(query).one_or_none() if photo in among else None
    if row is None:
        raise ConnectorError("photo-unknown")
    access.record(connection, staff=pen.staff, action="photo:viewed", about=photo, case=case, now=pen.now)
    return Photo(id=row.id, media=row.media, body=row.body)
