# SPDX-License-Identifier: Apache-2.0
"""What a person said stays at the agency; the hub gets a digest that nobody can guess the sentence from."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from connectors.casebook import tables
from connectors.casebook.words import keep_words, words_about
from connectors.sync.connector import Connector
from tests.connectors.story import open_case

SAID = "住所は学校に言わないで。神 U+FA19".encode()


def test_words_are_kept_byte_for_byte_and_stand_behind_their_digest(j1: Connector) -> None:
    case = open_case(j1)
    with j1.casebook.transaction() as book:
        digest = keep_words(book, case=case, about="exclusion-1", text=SAID, staff="u-101", now=j1.now())
        assert words_about(book, "exclusion-1", staff="u-101", now=j1.now()) == (SAID, digest)
    assert digest != hashlib.sha256(SAID).hexdigest()


def test_the_same_words_twice_have_two_digests(j1: Connector) -> None:
    case = open_case(j1)
    with j1.casebook.transaction() as book:
        digests = {
            keep_words(book, case=case, about=about, text=SAID, staff="u-101", now=j1.now()) for about in ("a", "b")
        }
    assert len(digests) == 2


def test_reading_them_is_logged_and_what_is_not_there_is_none(j1: Connector) -> None:
    case = open_case(j1)
    with j1.casebook.transaction() as book:
        keep_words(book, case=case, about="exclusion-1", text=SAID, staff="u-101", now=j1.now())
        words_about(book, "exclusion-1", staff="u-102", now=j1.now())
        assert words_about(book, "exclusion-2", staff="u-102", now=j1.now()) is None
        logged = book.execute(
            sa.select(tables.access_log.c.staff, tables.access_log.c.action).where(
                tables.access_log.c.about == "exclusion-1"
            )
        ).all()
    assert [tuple(row) for row in logged] == [("u-101", "words:written"), ("u-102", "words:read")]
