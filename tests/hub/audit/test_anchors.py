# SPDX-License-Identifier: Apache-2.0
"""Anchors of agencies' own access logs: one root for a day, for good, in the log that everybody can verify."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from consent.calendar import day_of
from hub.app import create_app
from hub.audit import api, tables
from hub.base.db import Database, now
from tests.hub.conftest import HubClient, agency_by_header

from .conftest import OURS, THEIRS

ROOT, OTHER = "0a" * 32, "0b" * 32


@pytest.fixture
def client(settings, database) -> HubClient:
    app = create_app(settings, database, validator=agency_by_header, namespaces=[api.namespace])
    app.test_client_class = HubClient
    return app.test_client().by(OURS)


@pytest.fixture
def today(database: Database):
    with database.transaction(OURS) as session:
        return day_of(now(session))


def said(day, root: str = ROOT, count: int = 3) -> dict[str, object]:
    return {"day": day.isoformat(), "root": root, "count": count}


@pytest.fixture
def entries(owner: psycopg.Connection) -> Callable[[], list[dict[str, Any]]]:
    """Give what the log holds or is about to hold, as the sequencer sees it."""

    def read() -> list[dict[str, Any]]:
        rows = owner.execute("select body from audit_pending order by arrival").fetchall()
        return [json.loads(bytes(body)) for (body,) in rows]

    return read


def test_a_day_is_anchored_once_and_the_same_again_is_the_same(client: HubClient, entries, today) -> None:
    day = today - timedelta(days=1)
    first, again = (client.say("/v1/audit/anchors", said(day)) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    (entry,) = entries()
    assert (entry["kind"], entry["actor"], entry["parties"]) == ("agency:anchor", OURS, [OURS])
    assert entry["facts"] == said(day)
    assert entry["id"] == first.json["entry"]


@pytest.mark.parametrize("change", [{"root": OTHER}, {"count": 4}])
def test_another_root_for_the_same_day_is_refused_and_leaves_the_first(
    client: HubClient, entries, today, change
) -> None:
    day = today - timedelta(days=1)
    client.say("/v1/audit/anchors", said(day))
    answer = client.say("/v1/audit/anchors", said(day) | change)
    assert (answer.status_code, answer.json["code"]) == (409, "anchor-differs")
    assert client.say("/v1/audit/anchors", said(day)).status_code == 200
    assert len(entries()) == 1


@pytest.mark.parametrize("ahead", [0, 1, 400])
def test_a_day_that_is_not_over_cannot_be_anchored(client: HubClient, entries, today, ahead: int) -> None:
    answer = client.say("/v1/audit/anchors", said(today + timedelta(days=ahead)))
    assert (answer.status_code, answer.json["code"]) == (422, "day-not-over")
    assert entries() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"root": "0A" * 32}, {"root": "0a" * 31}, {"root": 7}, {"count": 0}, {"count": -1}, {"count": 1.5},
        {"count": 2**60}, {"day": "2019-12-31"}, {"day": "2026-02-30"}, {"day": 20260401}, {"staff": "st-1"},
    ],
)  # fmt: skip
def test_what_is_no_anchor_is_refused_and_changes_nothing(client: HubClient, entries, today, wrong) -> None:
    answer = client.say("/v1/audit/anchors", said(today - timedelta(days=1)) | wrong)
    assert answer.status_code in {400, 422}
    assert entries() == []


def test_each_agency_has_its_own_days_and_sees_no_other(client: HubClient, database, today) -> None:
    day = today - timedelta(days=1)
    client.say("/v1/audit/anchors", said(day))
    assert client.by(THEIRS).say("/v1/audit/anchors", said(day, OTHER)).status_code == 201
    with database.transaction(THEIRS) as session:
        rows = session.execute(sa.select(tables.agency_anchors)).all()
    assert [(row.agency, row.root) for row in rows] == [(THEIRS, OTHER)]


def test_an_anchor_is_never_changed_nor_taken_away(client: HubClient, database, today) -> None:
    client.say("/v1/audit/anchors", said(today - timedelta(days=1)))
    for statement in (
        sa.update(tables.agency_anchors).values(root=OTHER),
        sa.delete(tables.agency_anchors),
    ):
        with pytest.raises(sa.exc.ProgrammingError) as refused, database.transaction(OURS) as session:
            session.execute(statement)
        assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_of_two_roots_at_once_one_is_taken(client: HubClient, entries, today) -> None:
    day, codes = today - timedelta(days=1), []
    begin = threading.Barrier(2)

    def send(root: str) -> None:
        begin.wait()
        own = client.by(OURS)
        codes.append(own.say("/v1/audit/anchors", said(day, root)).status_code)

    threads = [threading.Thread(target=send, args=(root,)) for root in (ROOT, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201, 409]
    assert len(entries()) == 1
