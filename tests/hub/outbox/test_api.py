# SPDX-License-Identifier: Apache-2.0
"""The event feed over HTTP: cursors that never lose a row, and waiting that holds no transaction."""

import threading
import time

import psycopg
import pytest

from hub.app import create_app
from hub.base import queues
from hub.base.db import Database, now
from hub.outbox import api, service
from hub.web import waiting
from tests.hub.conftest import HubClient, agency_by_header

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"


@pytest.fixture
def client(settings, database) -> HubClient:
    app = create_app(settings, database, validator=agency_by_header, namespaces=[api.namespace])
    app.test_client_class = HubClient
    return app.test_client().by(OURS)


def tell(database: Database, about: str, agency: str = OURS) -> None:
    with database.transaction(THEIRS) as session:
        service.tell(session, agency=agency, event="case:changed", about=about, now=now(session))


def test_reading_goes_on_where_it_ended_and_the_cursor_outlives_an_empty_page(client: HubClient, database) -> None:
    tell(database, "first")
    page = client.get("/v1/events").json
    assert [(item["event"], item["about"]) for item in page["items"]] == [("case:changed", "first")]
    empty = client.get(f"/v1/events?cursor={page['next_cursor']}").json
    assert empty == {"items": [], "next_cursor": page["next_cursor"]}
    tell(database, "second")
    page = client.get(f"/v1/events?cursor={empty['next_cursor']}").json
    assert [item["about"] for item in page["items"]] == ["second"]


def test_an_agency_gets_its_own_events_only(client: HubClient, database) -> None:
    tell(database, "theirs", agency=THEIRS)
    assert client.get("/v1/events").json == {"items": [], "next_cursor": None}


def test_one_who_waits_is_answered_when_something_comes(client: HubClient, database) -> None:
    teller = threading.Timer(0.5, tell, (database, "late"))
    teller.start()
    began = time.monotonic()
    page = client.get("/v1/events?wait=20").json
    assert [item["about"] for item in page["items"]] == ["late"]
    assert 0.4 < time.monotonic() - began < 10
    teller.join()


def test_one_who_waited_in_vain_gets_the_empty_page(client: HubClient) -> None:
    began = time.monotonic()
    assert client.get("/v1/events?wait=2").json["items"] == []
    assert 1.9 < time.monotonic() - began < 10


def test_waiting_holds_no_transaction_and_no_connection_in_use(client: HubClient, hub_database) -> None:
    asking = threading.Thread(target=client.get, args=("/v1/events?wait=3",))
    asking.start()
    states: list[tuple[str, bool]] = []
    with psycopg.connect(hub_database.admin_url.replace("+psycopg", ""), autocommit=True) as connection:
        query = "select state, xact_start is null from pg_stat_activity where datname = %s and pid <> pg_backend_pid()"
        for _ in range(20):
            time.sleep(0.1)
            states += {(row[0], row[1]) for row in connection.execute(query, (hub_database.name,))}
    asking.join()
    assert ("idle", True) in states
    # a look is over in milliseconds, on a busy machine in tens of them: held while waiting, all twenty would find it
    assert sum(state == "idle in transaction" for state, _ in states) < 5


def test_only_so_many_wait_at_once_and_the_others_are_answered_at_once(
    client: HubClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_places", threading.BoundedSemaphore(1))
    first = threading.Thread(target=client.get, args=("/v1/events?wait=3",))
    first.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert client.get("/v1/events?wait=20").status_code == 200
    assert time.monotonic() - began < 2
    first.join()


@pytest.mark.parametrize("wait", ["-1", "26", "x", "1.5"])
def test_a_wait_that_is_no_number_of_seconds_up_to_25_is_refused(client: HubClient, wait: str) -> None:
    answer = client.get(f"/v1/events?wait={wait}")
    assert (answer.status_code, answer.json["code"]) == (400, "bad-query")


@pytest.mark.parametrize("cursor", ["x", "WzEsIngiXQ", "Wy0xLDFd", "WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTk5OTldfQ"])
def test_a_cursor_of_another_make_is_refused(client: HubClient, cursor: str) -> None:
    answer = client.get(f"/v1/events?cursor={cursor}")
    assert (answer.status_code, answer.json["code"]) == (400, "bad-cursor")


def test_without_redis_a_waiter_looks_again_within_a_second() -> None:
    began = time.monotonic()
    with queues.Wakes(None).listening(queues.feed(OURS)) as hear:
        hear(20)
    assert time.monotonic() - began < 5


def test_with_redis_gone_a_waiter_looks_again_within_a_second() -> None:
    began = time.monotonic()
    with queues.Wakes("redis://127.0.0.1:1/0").listening(queues.feed(OURS)) as hear:
        hear(20)
    assert time.monotonic() - began < 5
