# SPDX-License-Identifier: Apache-2.0
"""Files that people hand in: what is taken is clean, what could do harm is refused with its reason (group FIL)."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
import zlib

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from connectors.desk.web.papers import JPEG, LARGEST, PDF, PNG, PaperError, read_paper, without_exif

PLACE = (35.0, 41.0, 22.0)
GPS, ORIENTATION, QUARTER_TURN = 0x8825, 0x0112, 6
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def photograph(*, size: tuple[int, int] = (60, 40), kind: str = "JPEG") -> bytes:
    """A form photographed with a telephone held upright: turned by EXIF, with the place in it."""
    exif = Image.Exif()
    exif[ORIENTATION] = QUARTER_TURN
    exif.get_ifd(GPS)[2] = PLACE
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, kind, exif=exif.tobytes())
    return out.getvalue()


def document(pages: int = 1, *, script: str | None = None, password: str | None = None) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    writer.add_metadata({"/Author": "架空の職員"})
    if script:
        action = {"/S": NameObject("/JavaScript"), "/JS": TextStringObject(script)}
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject({NameObject(k): v for k, v in action.items()})
    if password:
        writer.encrypt(password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def refused(code: str, data: bytes, name: str) -> None:
    with pytest.raises(PaperError) as met:
        read_paper(data, name)
    assert met.value.code == code


def flood(width: int, height: int) -> bytes:
    """A small PNG that says it is enormous."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\x00" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "media", "name"), [("JPEG", JPEG, "a.JPG"), ("PNG", PNG, "a.png")])
def test_a_photograph_is_turned_upright_and_says_no_more_where_it_was_taken(kind: str, media: str, name: str) -> None:
    taken = photograph(kind=kind)
    assert dict(Image.open(io.BytesIO(taken)).getexif().get_ifd(GPS))
    paper = read_paper(taken, name)
    assert (paper.media, paper.pages) == (media, 1)
    with Image.open(io.BytesIO(paper.body)) as clean:
        assert clean.size == (40, 60)
        assert not clean.getexif()
        assert "exif" not in clean.info


def test_a_pdf_keeps_its_pages_and_not_who_wrote_it() -> None:
    paper = read_paper(document(3), "申込票.pdf")
    assert (paper.media, paper.pages, paper.ending) == (PDF, 3, ".pdf")
    clean = PdfReader(io.BytesIO(paper.body))
    assert len(clean.pages) == 3
    assert "架空" not in str(clean.metadata)


def test_a_photograph_inside_a_pdf_loses_its_place_too() -> None:
    out = io.BytesIO()
    Image.open(io.BytesIO(photograph())).save(out, "PDF")
    writer = PdfWriter(clone_from=io.BytesIO(out.getvalue()))
    picture = next(iter(writer.pages[0]["/Resources"]["/XObject"].values())).get_object()
    picture._data = photograph()
    again = io.BytesIO()
    writer.write(again)
    assert b"Exif" in again.getvalue()
    paper = read_paper(again.getvalue(), "scan.pdf")
    assert b"Exif" not in paper.body
    assert len(PdfReader(io.BytesIO(paper.body)).pages[0].images) == 1


def test_taking_exif_out_leaves_the_picture_as_it_was() -> None:
    taken = photograph()
    before, after = Image.open(io.BytesIO(taken)), Image.open(io.BytesIO(without_exif(taken)))
    assert before.tobytes() == after.tobytes()


def test_empty_too_large_and_cut_off_files_are_refused() -> None:
    refused("empty", b"", "a.pdf")
    refused("too-large", b"%PDF-" + b"0" * LARGEST, "a.pdf")
    refused("broken", photograph()[:-200], "a.jpg")
    refused("broken", photograph(kind="PNG", size=(200, 200))[:-90], "a.png")
    refused("broken", document()[:200], "a.pdf")
    refused("broken", b"%PDF-1.7\nnothing of a document\n%%EOF", "a.pdf")


def test_a_flood_of_pixels_is_refused_before_it_is_unpacked() -> None:
    refused("bomb", flood(100_000, 100_000), "a.png")
    refused("bomb", flood(8_000, 8_000), "a.png")
    refused("bomb", flood(30_000, 10), "a.png")
    refused("bomb", document(31), "a.pdf")


def test_refusing_a_flood_takes_little_memory() -> None:
    program = (
        "import resource, sys\n"
        "from connectors.desk.web.papers import PaperError, read_paper\n"
        "data = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read_paper(data, 'a.png')\nexcept PaperError as error:\n    print(error.code)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], input=flood(100_000, 100_000), capture_output=True, check=True
    )
    code, grown = run.stdout.decode().split()
    assert code == "bomb"
    assert int(grown) < 64 * 1024  # kilobytes


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"MZ\x90\x00" + b"\x00" * 200, "form.pdf"),
        (b"<html><script>alert(1)</script></html>", "form.png"),
        (b"PK\x03\x04" + b"\x00" * 50, "form.jpg"),
        (b"GIF89a" + b"\x00" * 50, "form.png"),
    ],
)
def test_a_name_does_not_make_a_program_a_paper(data: bytes, name: str) -> None:
    refused("kind", data, name)


@pytest.mark.parametrize("name", ["a.png", "a.pdf", "a", "a.jpg.exe", "abc\u202egpj.exe", "../../etc/x", "CON.txt"])
def test_a_name_that_says_another_kind_is_refused(name: str) -> None:
    refused("ending", photograph(), name)


@pytest.mark.parametrize("name", ["../../etc/x.pdf", "CON.PDF", "a\nb.pdf", "abc\u202efdp.pdf", "x" * 300 + ".pdf"])
def test_of_a_name_the_end_alone_is_read(name: str) -> None:
    assert read_paper(document(), name).ending == ".pdf"


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("a.js", "alert(1)")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (document() + zipped(), "a.pdf"),
        (photograph() + zipped(), "a.jpg"),
        (photograph() + document(), "a.jpg"),
        (photograph(kind="PNG") + b"<script>alert(1)</script>", "a.png"),
        (document() + b"alert(1)", "a.pdf"),
    ],
    ids=["pdf-zip", "jpeg-zip", "jpeg-pdf", "png-script", "pdf-script"],
)
def test_two_kinds_in_one_file_are_refused(data: bytes, name: str) -> None:
    refused("polyglot", data, name)


def test_a_pdf_with_a_password_or_with_scripts_is_refused() -> None:
    refused("encrypted", document(password="架空"), "a.pdf")
    refused("active", document(script="app.alert(1)"), "a.pdf")


@pytest.mark.parametrize("key", ["/Launch", "/EmbeddedFile", "/RichMedia", "/XFA", "/AA", "/SubmitForm"])
def test_a_pdf_that_acts_on_its_own_is_refused_wherever_that_is_written(key: str) -> None:
    writer = PdfWriter(clone_from=io.BytesIO(document()))
    acting = DictionaryObject({NameObject(key): TextStringObject("x")})
    writer.pages[0][NameObject("/PieceInfo")] = writer._add_object(acting)
    out = io.BytesIO()
    writer.write(out)
    refused("active", out.getvalue(), "a.pdf")


def test_the_antivirus_test_file_is_refused_alone_and_inside_a_document() -> None:
    refused("kind", EICAR, "eicar.com")
    refused("kind", EICAR, "a.pdf")
    refused("polyglot", document() + EICAR, "a.pdf")
    writer = PdfWriter(clone_from=io.BytesIO(document()))
    writer.add_attachment("eicar.com", EICAR)
    out = io.BytesIO()
    writer.write(out)
    refused("active", out.getvalue(), "a.pdf")
