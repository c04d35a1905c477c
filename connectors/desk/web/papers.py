# SPDX-License-Identifier: Apache-2.0
"""Papers that people hand in as files, signed forms above all: looked at before they are opened, kept clean.

What a file is, its first bytes say, not its name; both must agree. Pictures are turned upright and written anew, so
that place and device (EXIF) are gone; a PDF keeps its pages and nothing else. What could act on its own is refused.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

from PIL import Image, ImageOps, UnidentifiedImageError
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject, StreamObject

LARGEST: Final = 10 * 1024 * 1024
"""Bytes of one file (ux D5)."""
MOST_PIXELS: Final = 40_000_000
LONGEST_SIDE: Final = 20_000
MOST_PAGES: Final = 30
MOST_OBJECTS: Final = 20_000
"""A scan has some dozens of objects; nobody looks through more than this."""

PDF: Final = "application/pdf"
JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
ENDINGS: Final = {PDF: (".pdf",), JPEG: (".jpg", ".jpeg"), PNG: (".png",)}
"""How names of each kind end; the first is ours."""

_FIRST_BYTES: Final = {b"%PDF-": PDF, b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG}
_OTHER_LIVES: Final = (b"<script", b"<html", b"<?php", b"<!doctype")
_ACTIVE: Final = frozenset(
    {"/JS", "/JavaScript", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia", "/XFA", "/SubmitForm",
     "/ImportData", "/AA", "/GoToE", "/GoToR", "/Rendition", "/Movie", "/Sound"}
)  # fmt: skip
_PADDING: Final = b"\r\n\t \x00"
_JPEG_QUALITY: Final = 88


class PaperError(Exception):
    """A file that cannot be taken. `code` names the sentence, `web.fault-paper-<code>`."""

    def __init__(self, code: str) -> None:
        """Take the code of the sentence."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A file that was found good, as it is kept: its media type, how many pages, its clean bytes."""

    media: str
    pages: int
    body: bytes = field(repr=False)

    @property
    def ending(self) -> str:
        """Give how a name that we make for it ends."""
        return ENDINGS[self.media][0]


def read_paper(data: bytes, name: str) -> Paper:
    """Look at a file and give it clean; `name` is what the person's computer calls it, of which only the end is read.

    *Raises* `PaperError`: `empty`, `too-large`, `kind` (neither PDF, JPEG nor PNG), `ending` (the name says another
    kind), `polyglot` (two kinds in one), `bomb` (more pixels, pages or objects than a paper has), `encrypted`,
    `active` (scripts, embedded files, actions), `broken` (cut off or damaged).
    """
    if not data:
        raise PaperError("empty")
    if len(data) > LARGEST:
        raise PaperError("too-large")
    media = next((kind for begin, kind in _FIRST_BYTES.items() if data.startswith(begin)), None)
    if media is None:
        raise PaperError("kind")
    if PurePath(name.strip()).suffix.lower() not in ENDINGS[media]:
        raise PaperError("ending")
    if _leads_two_lives(data, media):
        raise PaperError("polyglot")
    return _read_pdf(data) if media == PDF else _read_picture(data, media)


def _leads_two_lives(data: bytes, media: str) -> bool:
    if zipfile.is_zipfile(io.BytesIO(data)):
        return True
    small = data.lower()
    if media != PDF:
        return b"%pdf-" in small or any(sign in small for sign in _OTHER_LIVES)
    # what stands behind the end is no page of it
    return b"%%EOF" in data and not data.rstrip(_PADDING).endswith(b"%%EOF")


# ── pictures ──


def _read_picture(data: bytes, media: str) -> Paper:
    formats = ("PNG",) if media == PNG else ("JPEG", "MPO")
    try:
        with Image.open(io.BytesIO(data), formats=formats) as picture:
            if picture.width * picture.height > MOST_PIXELS or max(picture.size) > LONGEST_SIDE:
                raise PaperError("bomb")
            picture.load()
            return Paper(media=media, pages=1, body=_write_anew(picture, media))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PaperError("bomb") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        raise PaperError("broken") from None


def _write_anew(picture: Image.Image, media: str) -> bytes:
    """Write the pixels alone: no EXIF, no profile, no comment, no second picture."""
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
        clear = upright.convert("RGBA")
        upright = Image.new("RGB", clear.size, "white")
        upright.paste(clear, mask=clear.getchannel("A"))
    plain = upright.convert("L" if upright.mode in {"1", "L"} else "RGB")
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    out = io.BytesIO()
    if media == PNG:
        bare.save(out, "PNG", optimize=False)
    else:
        bare.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()


# ── PDF ──


def _read_pdf(data: bytes) -> Paper:
    if b"%%EOF" not in data:
        raise PaperError("broken")
    try:
        return _clean_pdf(PdfReader(io.BytesIO(data), strict=False))
    except PaperError:
        raise
    except Exception:  # noqa: BLE001
        # a reader meets damage in as many classes as there are places for it
        raise PaperError("broken") from None


def _clean_pdf(reader: PdfReader) -> Paper:
    if reader.is_encrypted:
        raise PaperError("encrypted")
    pages = len(reader.pages)
    if not pages:
        raise PaperError("broken")
    if pages > MOST_PAGES:
        raise PaperError("bomb")
    _refuse_active(reader)
    return Paper(media=PDF, pages=pages, body=_pages_alone(reader))


def _refuse_active(reader: PdfReader) -> None:
    """Go through everything that the document reaches.

    *Raises* `PaperError`: `active`, `bomb`.
    """
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [reader.trailer.get("/Root")]
    met = 0
    while waiting:
        met += 1
        if met > MOST_OBJECTS:
            raise PaperError("bomb")
        one = waiting.pop()
        if isinstance(one, IndirectObject):
            if (one.idnum, one.generation) in seen:
                continue
            seen.add((one.idnum, one.generation))
            one = one.get_object()
        if isinstance(one, DictionaryObject):
            if _ACTIVE & set(one.keys()) or one.get("/S") in _ACTIVE or one.get("/Type") in _ACTIVE:
                raise PaperError("active")
            waiting += [one.raw_get(key) for key in one if key != "/Parent"]
        elif isinstance(one, ArrayObject):
            waiting += list(one)


def _pages_alone(reader: PdfReader) -> bytes:
    writer = PdfWriter()
    for page in reader.pages:
        added = writer.add_page(page)
        for key in ("/Annots", "/Metadata", "/PieceInfo", "/Thumb"):
            added.pop(NameObject(key), None)
        _strip_pictures(added)
    writer.metadata = None
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _strip_pictures(page: DictionaryObject) -> None:
    """Take EXIF out of the photographs on a page."""
    resources = page.get("/Resources")
    held = resources.get_object().get("/XObject") if resources is not None else None
    for named in (held.get_object() if held is not None else {}).values():
        picture = named.get_object()
        if isinstance(picture, StreamObject):
            picture.pop(NameObject("/Metadata"), None)
            if picture.get("/Filter") in ("/DCTDecode", ["/DCTDecode"]):
                picture._data = without_exif(picture._data)  # noqa: SLF001  # encoded bytes have no other way in


def without_exif(jpeg: bytes) -> bytes:
    """Give a JPEG without its segments for EXIF, XMP and the like (APP1 and APP13); the picture is not touched."""
    kept, position = bytearray(jpeg[:2]), 2
    while position + 4 <= len(jpeg) and jpeg[position] == 0xFF:  # noqa: PLR2004  # ITU T.81: a marker begins so
        kind, length = jpeg[position + 1], int.from_bytes(jpeg[position + 2 : position + 4], "big")
        if kind == 0xDA:  # noqa: PLR2004  # start of scan: the picture itself
            break
        if kind not in {0xE1, 0xED}:
            kept += jpeg[position : position + 2 + length]
        position += 2 + length
    return bytes(kept) + jpeg[position:]
