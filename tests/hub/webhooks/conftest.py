# SPDX-License-Identifier: Apache-2.0
"""A whole hub that may call loopback, an agency with a web server of its own, and couriers with little patience."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from flask import Flask

from hub.base.config import Settings
from hub.base.db import Database, now
from hub.outbox import service as outbox
from hub.station import Station, open_station
from hub.webhooks.jobs import Couriers
from hub.webhooks.sending import line_of
from tests.hub.builders import ApiClient, TestAgency, active_agency, api_client, new_uuid, open_app
from tests.hub.conftest import Place
from tests.hub.webhooks.receiver import Receiver, receiving

__all__ = ["Office"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, webhook_networks=(ipaddress.ip_network("127.0.0.0/8"),))


@pytest.fixture
def app(settings: Settings, database: Database) -> Flask:
    return open_app(settings, database)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def station(settings: Settings) -> Iterator[Station]:
    with open_station(settings) as at:
        yield at


@pytest.fixture
def couriers(settings: Settings, station: Station) -> Couriers:
    return replace(station.couriers, line=replace(line_of(settings), seconds=1.0))


@pytest.fixture
def sql(hub_database: Place) -> Callable[..., list[Any]]:
    """Ask as the owner of the cluster, past row security."""

    def ask(statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(hub_database.admin_url.replace("+psycopg", "")) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    return ask


@dataclass(kw_only=True)
class Office:
    """An agency whose IT staff calls the API."""

    agency: TestAgency
    client: ApiClient
    database: Database

    def register(self, url: str) -> dict[str, Any]:
        answer = self.client.post("/v1/webhooks", {"url": url})
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()

    def hear(self, *events: str) -> list[str]:
        """Have something told to this agency; give what each is about."""
        things = []
        for event in events:
            things.append(new_uuid())
            with self.database.transaction(None) as session:
                outbox.tell(session, agency=self.agency.id, event=event, about=things[-1], now=now(session))
        return things

    def feed(self) -> list[dict[str, Any]]:
        return self.client.get("/v1/events?limit=200").get_json()["items"]

    def show(self, webhook: str) -> dict[str, Any]:
        return self.client.get(f"/v1/webhooks/{webhook}").get_json()

    def deliveries(self, webhook: str) -> list[dict[str, Any]]:
        return self.client.get(f"/v1/webhooks/{webhook}/deliveries").get_json()["items"]

    def do(self, webhook: str, deed: str, body: Any = None, *, status: int = 200) -> Any:
        answer = self.client.post(f"/v1/webhooks/{webhook}/{deed}", {} if body is None else body)
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()


@pytest.fixture
def found(app: Flask, database: Database) -> Callable[[], Office]:
    def _found() -> Office:
        agency = active_agency(database)
        return Office(agency=agency, client=api_client(app, agency), database=database)

    return _found


@pytest.fixture
def office(found: Callable[[], Office]) -> Office:
    return found()
