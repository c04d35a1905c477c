# SPDX-License-Identifier: Apache-2.0
"""What waits goes out first in, first out; an answer is noted once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from connectors.casebook import outgoing
from connectors.sync.connector import Connector
from tests.connectors.story import NOW


def put(connection: sa.Connection, about: str) -> None:
    outgoing.put(connection, key=about, what="case", about=about, path="/v1/cases", body={"case": about}, now=NOW)


def test_what_was_queued_first_is_given_first(j1: Connector) -> None:
    with j1.casebook.transaction() as connection:
        for about in ("a", "b", "c"):
            put(connection, about)
        assert [row.about for row in outgoing.waiting(connection)] == ["a", "b", "c"]
        assert [row.about for row in outgoing.waiting(connection, limit=1)] == ["a"]


def test_an_idempotency_key_is_used_for_one_thing_only(j1: Connector) -> None:
    with j1.casebook.transaction() as connection:
        put(connection, "a")
    with pytest.raises(sa.exc.IntegrityError), j1.casebook.transaction() as connection:
        put(connection, "a")


def test_what_is_queued_in_a_transaction_that_fails_is_not_queued(j1: Connector) -> None:
    def queue_and_fail() -> None:
        with j1.casebook.transaction() as connection:
            put(connection, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        queue_and_fail()
    with j1.casebook.transaction() as connection:
        assert outgoing.count_waiting(connection) == 0


def test_an_answer_is_noted_by_the_first_who_brings_it(j1: Connector) -> None:
    with j1.casebook.transaction() as connection:
        put(connection, "a")
        (row,) = outgoing.waiting(connection)
        assert outgoing.settle(connection, row.position, answer={}, code=None, now=NOW)
        assert not outgoing.settle(connection, row.position, answer={}, code="refused", now=NOW)
        assert outgoing.waiting(connection) == []


def test_what_got_no_answer_goes_on_waiting(j1: Connector) -> None:
    with j1.casebook.transaction() as connection:
        put(connection, "a")
        (row,) = outgoing.waiting(connection)
        outgoing.tried(connection, row.position)
        assert outgoing.waiting(connection) == [replace(row, tries=1)]
