# SPDX-License-Identifier: Apache-2.0
"""Photographs of papers on an accompaniment: cleaned, encrypted, refused in words."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa
from PIL import Image

from connectors.casebook.tables_files import scans
from connectors.desk.outings import photos
from connectors.desk.web.visits import Role
from connectors.sdk import threads
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.walking import CANARY, known_tie, plan, write
from tests.connectors.story import Network


@pytest.fixture
def tie(office: Office, partner: Office, network: Network) -> threads.ReferralDetail:
    return known_tie(office, partner, network)


def _picture(kind: str = "JPEG") -> io.BytesIO:
    made = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "カナリア社のカメラ"
    Image.new("RGB", (60, 40), (200, 10, 10)).save(made, format=kind, exif=exif)
    made.seek(0)
    return made


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photograph_goes_into_the_casebook_without_what_the_camera_wrote(
    browser: Browser, office: Office, tie: threads.ReferralDetail, kind: str
) -> None:
    page = plan(browser, tie.id)
    page = write(browser, page, "keep", photo=(_picture(kind), "IMG_0001.jpg"))
    link = page.html.select_one(".photos a")
    assert link is not None
    answer = browser.get(str(link["href"])).answer
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.get_data()
    assert "カナリア社".encode() not in body
    with Image.open(io.BytesIO(body)) as shown:
        assert (shown.size, dict(shown.getexif())) == ((60, 40), {})
    other = office.browser(office.hire("仮名 管理", roles=frozenset({Role.ADMINISTRATOR})))
    assert other.get(str(link["href"])).status == 403
    assert browser.get(str(link["href"]) + "x").status == 404


@pytest.mark.parametrize("body", [b"not a picture", b"%PDF-1.7 x", b"\xff\xd8\xff\xe0 broken", b""])
def test_what_is_no_picture_is_refused_in_words(
    browser: Browser, office: Office, tie: threads.ReferralDetail, body: bytes
) -> None:
    page = plan(browser, tie.id)
    page = write(browser, page, "keep", photo=(io.BytesIO(body), "x.jpg"), strengths=CANARY)
    assert (page.status, page.faults) == (422, ["photo"])
    assert CANARY in page.html.select_one("#f-strengths").get_text()  # type: ignore[union-attr]
    with office.connector.casebook.transaction() as connection:
        assert connection.execute(sa.select(scans.c.id)).all() == []


def test_a_picture_with_too_many_pixels_is_not_opened() -> None:
    made = io.BytesIO()
    Image.new("1", (20_000, 9_000)).save(made, format="PNG")
    with pytest.raises(photos.PhotoError, match=r"too-large|not-a-picture"):
        photos.cleaned(made.getvalue())
