# SPDX-License-Identifier: Apache-2.0
"""Whose referral it is: the receiver's lists name the person once somebody opened the envelope, and not before."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from connectors.casebook import received, tables
from connectors.casebook.received import name_in
from consent.envelope.sealing import PlainPart
from tests.connectors.desk.office import Office
from tests.connectors.desk.referring import Referred, refer, referred
from tests.connectors.story import NAME, Network

__all__ = ["referred"]

VARIANT = "葛\U000e0100城 𠮷野"


def test_the_receivers_board_names_the_person_from_the_moment_somebody_opened_it(referred: Referred) -> None:
    assert NAME not in referred.theirs.get("/").words
    referred.open()
    assert NAME in referred.theirs.get("/").words
    assert NAME in referred.theirs.get("/inbox").words
    referred.accept()
    referred.later(days=9)
    board = referred.theirs.get("/")
    assert NAME in str(board.html.select_one("#late, #todo"))
    assert NAME in referred.theirs.get("/day").words


def test_the_identity_bar_says_whose_word_the_name_is(referred: Referred) -> None:
    referred.open()
    bar = referred.theirs.get(f"/inbox/{referred.id}").html.select_one("section.person")
    assert bar is not None
    assert NAME in bar.get_text()
    assert "相手の機関から伝えられた氏名" in bar.get_text()


def test_what_was_purged_names_nobody(referred: Referred) -> None:
    referred.open()
    with referred.partner.connector.casebook.transaction() as connection:
        connection.execute(sa.update(tables.parts).where(tables.parts.c.category == "identity").values(result="purged"))
    assert NAME not in referred.theirs.get("/").words


def test_a_name_is_shown_byte_for_byte(network: Network, office: Office, partner: Office) -> None:
    body = json.dumps(
        {"answers": [{"field": "name", "ja": "氏名", "en": "Name", "value": VARIANT}]}, ensure_ascii=False
    )
    part = PlainPart(category="identity", media="application/json", body=body.encode())
    made = refer(network, office, partner, part)
    made.open()
    with partner.connector.casebook.transaction() as connection:
        assert received.names_in(connection, [made.case]) == {made.case: VARIANT}
    assert VARIANT in made.theirs.get("/").words


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/json", b"{"), ("application/json", b"[]"), ("application/json", b'{"answers": [1]}'),
        ("application/json", b'{"answers": [{"field": "kana", "value": "x"}]}'), ("text/plain", b"a\nb"),
        ("text/plain", b""), ("text/plain", ("あ" * 61).encode()), ("image/png", b"\x89PNG"),
        ("application/json", b'{"answers": [{"field": "name", "value": ""}]}'),
    ],
)  # fmt: skip
def test_what_says_no_name_is_read_as_none(media: str, body: bytes) -> None:
    assert name_in(media, body) is None
