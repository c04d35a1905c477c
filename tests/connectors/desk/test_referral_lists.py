# SPDX-License-Identifier: Apache-2.0
"""Lists of many referrals: page by page each once, in their order, over the indexes that keep them quick."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from connectors.casebook import tables
from connectors.desk.referrals import reads
from connectors.desk.referrals.reads import Wanted
from consent.calendar import Calendar
from tests.connectors.desk.office import Browser, Office
from tests.connectors.story import NOW

COUNT = 130
STATES = ("requested", "received", "accepted", "in_progress", "closed")


@pytest.fixture
def many(office: Office, partner: Office) -> Office:
    """An office with many referrals both ways, several of them changed and due in the same moment."""
    us, them = office.connector.agency, partner.connector.agency
    rows = []
    for n in range(COUNT):
        sender, recipient = (us, them) if n % 2 else (them, us)
        state = STATES[n % len(STATES)]
        over = state == "closed"
        rows.append(
            {
                "id": str(uuid.UUID(int=n + 1)), "case": str(uuid.uuid4()), "thread": str(uuid.uuid4()),
                "sender": sender, "recipient": recipient, "purpose": "sogo_shien_shikin", "state": state,
                "ball": None if over else sender, "awaiting": None if over else recipient,
                "due_at": None if over else NOW + timedelta(hours=n // 4), "version": 2,
                "updated_at": NOW + timedelta(minutes=n // 3),
            }
        )  # fmt: skip
    with office.connector.casebook.transaction() as connection:
        connection.execute(tables.referrals.insert(), rows)
    return office


@pytest.mark.parametrize(("path", "count"), [("/referrals", COUNT), ("/inbox?state=all", COUNT // 2)])
def test_every_row_comes_once_page_by_page(many: Office, path: str, count: int) -> None:
    browser: Browser = many.browser(many.hire())
    seen: list[str] = []
    pages, wish = 0, path
    while wish:
        page = browser.get(wish)
        seen += [str(one["href"]).rsplit("/", 1)[-1] for one in page.html.select("tbody .row-link")]
        further = page.html.select_one("a[rel=next]")
        wish = str(further["href"]) if further else ""
        pages += 1
    assert len(seen) == len(set(seen)) == count
    assert pages == -(-count // reads.PAGE)
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("order", [reads.BY_DUE, reads.BY_CHANGE])
def test_a_further_page_goes_on_behind_the_last_row(many: Office, order: str) -> None:
    found: list[reads.Row] = []
    after = None
    with many.connector.casebook.transaction() as connection:
        while True:
            rows = reads.rows(
                connection, Wanted(order=order), agency=many.connector.agency, language="ja", now=NOW,
                calendar=Calendar(), after=after, limit=7,
            )  # fmt: skip
            found += rows
            if not rows:
                break
            at = rows[-1].due_at if order == reads.BY_DUE else rows[-1].updated_at
            assert at is not None
            after = (at, rows[-1].id)
    keys = [((one.due_at if order == reads.BY_DUE else None) or one.updated_at, one.id) for one in found]
    assert len(keys) == COUNT - (COUNT // len(STATES) if order == reads.BY_DUE else 0)
    assert keys == sorted(keys, reverse=order == reads.BY_CHANGE)


def test_what_the_board_asks_walks_an_index_and_reads_nothing_twice(many: Office) -> None:
    us = many.connector.agency
    for wanted, index in (
        (Wanted(awaiting=us, order=reads.BY_DUE), "referrals_awaiting"),
        (Wanted(due_before=NOW, order=reads.BY_DUE), "referrals_due"),
        (Wanted(), "referrals_changed"),
    ):
        query = reads._query(wanted, us, None, 50)
        said = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
        with many.connector.casebook.transaction() as connection:
            plan = [
                str(row[3]) for row in connection.execute(sa.text("EXPLAIN QUERY PLAN " + said.replace(":", r"\:")))
            ]
        assert any(index in step for step in plan), plan
        assert not [step for step in plan if step.startswith("SCAN") and "INDEX" not in step], plan


def test_an_index_comes_to_a_casebook_that_was_made_without_it(office: Office) -> None:
    with office.connector.casebook.transaction() as connection:
        connection.execute(sa.text("DROP INDEX referrals_due"))
    office.connector.casebook.add_tables()
    with office.connector.casebook.transaction() as connection:
        names = {row[0] for row in connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'index'"))}
    assert "referrals_due" in names


def test_whose_row_it_is_follows_the_referral_before_the_case(many: Office) -> None:
    from connectors.casebook import files, referral_files

    mine, hers = many.hire("仮名 恵"), many.hire("仮名 花")
    first, second = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
    with many.connector.casebook.transaction() as connection:
        pen = many.connector.pen(mine)
        for referral in (first, second):
            known = reads.known_of(connection, referral)
            connection.execute(tables.cases.insert().values(handle=known.case, owner=known.sender, created_at=NOW))
            files.open_file(connection, pen, case=known.case, on=NOW.date(), worker=mine)
        known = reads.known_of(connection, second)
        referral_files.open_file(
            connection, pen, thread=known.thread, opener=known.sender, case=known.case, worker=hers, document={}
        )

        def of(worker: str) -> set[str]:
            rows = reads.rows(
                connection, Wanted(workers=(worker,)), agency=many.connector.agency, language="ja", now=NOW,
                calendar=Calendar(),
            )  # fmt: skip
            return {one.id for one in rows}

        assert (of(mine), of(hers)) == ({first}, {second})
        nobodys = reads.rows(
            connection, Wanted(unassigned=True), agency=many.connector.agency, language="ja", now=NOW,
            calendar=Calendar(), limit=COUNT,
        )  # fmt: skip
        assert len(nobodys) == COUNT - 2
