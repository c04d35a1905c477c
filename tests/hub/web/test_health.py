# SPDX-License-Identifier: Apache-2.0
"""Whether the hub lives, is ready and runs on real time: what a load balancer, an operator and a rehearsal see."""

from hub.app import create_app
from hub.base import clock
from hub.base.db import Database, Role
from hub.base.queues import Wakes
from tests.hub.conftest import HubClient, agency_by_header
from tests.hub.web.conftest import things


def test_a_rehearsal_says_so_in_every_answer(hub_database, settings):
    clock.create_play_clock(hub_database.admin_url)
    database = Database(hub_database.url, Role.HUB)
    app = create_app(settings, database)
    app.test_client_class = HubClient
    client = app.test_client()
    client.get("/readyz")
    assert client.get("/livez").headers["Tsunagi-Clock"] == "play"
    assert client.get("/nothing").headers["Tsunagi-Clock"] == "play"
    database.close()


def test_a_real_hub_does_not(client):
    assert "Tsunagi-Clock" not in client.get("/livez").headers


def test_the_hub_says_whether_it_lives_and_is_ready(client):
    assert client.get("/livez").json == {"state": "alive"}
    assert client.get("/readyz").json == {"state": "ready"}
    assert client.get("/readyz", headers={"Host": "10.0.0.1"}).status_code == 200


def test_without_its_database_the_hub_lives_and_is_not_ready(settings):
    away = Database("postgresql+psycopg://nobody@/none?host=/nonexistent", Role.HUB)
    client = create_app(settings, away).test_client()
    assert client.get("/livez").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["lacking"]) == (503, ["database"])
    assert answer.headers["Retry-After"]


def test_a_database_that_went_away_is_answered_503(settings):
    away = Database("postgresql+psycopg://nobody@/none?host=/nonexistent", Role.HUB)
    broken = create_app(settings, away, validator=agency_by_header, namespaces=[things])
    broken.test_client_class = HubClient
    answer = broken.test_client().by("01890000-0000-7000-8000-00000000000a").get("/v1/things")
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"


def test_redis_away_is_degraded_and_not_down(settings, database):
    client = create_app(settings, database, wakes=Wakes("unix:///nonexistent/valkey.sock")).test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"state": "degraded", "lacking": ["queue"]})
