# SPDX-License-Identifier: Apache-2.0
"""Webhooks over the API: what may be registered, who sees it, and that a secret is told once and lies nowhere."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.base.config import Settings
from hub.base.db import Database
from hub.webhooks.rules import MOST
from tests.hub.builders import api_client, new_uuid, open_app
from tests.hub.webhooks.conftest import Office

URL = "https://hooks.agency.example/tsunagi"
NOTHING = "01890000-0000-7000-8000-0000000000ff"
DEEDS = ("test", "rotate", "enable", "replay")


def test_a_webhook_is_registered_shown_listed_and_removed(office: Office) -> None:
    made = office.register(URL)
    shown = office.show(made["id"])
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert shown["url"] == URL
    assert shown["actions"] == ["test", "rotate", "replay", "remove"]
    assert office.client.get("/v1/webhooks").get_json() == {"items": [shown], "next_cursor": None}
    assert office.client.call("DELETE", f"/v1/webhooks/{made['id']}").status_code == 204
    assert office.client.get("/v1/webhooks").get_json()["items"] == []
    for answer in (
        office.client.call("DELETE", f"/v1/webhooks/{made['id']}"),
        office.client.get(f"/v1/webhooks/{made['id']}"),
    ):
        assert answer.get_data() == office.client.get(f"/v1/webhooks/{NOTHING}").get_data()


def test_the_secret_is_32_random_bytes_as_standard_webhooks_writes_them(office: Office) -> None:
    secret = office.register(URL)["secret"]
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


def test_a_list_comes_in_pages(office: Office) -> None:
    made = [office.register(f"{URL}/{number}")["id"] for number in range(3)]
    first = office.client.get("/v1/webhooks?limit=2").get_json()
    rest = office.client.get(f"/v1/webhooks?limit=2&cursor={first['next_cursor']}").get_json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == made


@pytest.mark.parametrize(
    "url",
    ["http://hooks.agency.example/", "https://10.0.0.1/", "https://user@hooks.agency.example/", "https://localhost/"],
)
def test_ssr_01_an_address_that_is_not_called_is_refused_and_changes_nothing(
    settings: Settings, database: Database, office: Office, sql, url: str
) -> None:
    strict = api_client(open_app(replace(settings, webhook_networks=()), database), office.agency)
    answer = strict.post("/v1/webhooks", {"url": url})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bad-webhook")
    assert url not in answer.get_data(as_text=True)
    assert answer.get_json()["errors"][0]["pointer"] == "/url"
    assert sql("select count(*) from webhooks") == [(0,)]


@pytest.mark.parametrize(
    "body", [{}, {"url": ""}, {"url": 1}, {"url": URL, "secret": "whsec_AAAA"}, {"url": "x" * 5000}]
)
def test_a_body_that_is_not_as_described_is_refused(office: Office, body: dict[str, Any]) -> None:
    assert office.client.post("/v1/webhooks", body).status_code in {413, 422}


def test_the_same_address_twice_and_more_than_so_many_are_conflicts(office: Office) -> None:
    office.register(URL)
    again = office.client.post("/v1/webhooks", {"url": URL})
    assert (again.status_code, again.get_json()["code"]) == (409, "webhook-exists")
    for number in range(MOST - 1):
        office.register(f"{URL}/{number}")
    more = office.client.post("/v1/webhooks", {"url": f"{URL}/more"})
    assert (more.status_code, more.get_json()["code"]) == (409, "too-many-webhooks")


def test_a_removed_address_can_be_registered_again(office: Office) -> None:
    office.client.call("DELETE", f"/v1/webhooks/{office.register(URL)['id']}")
    office.register(URL)


def test_an_unknown_event_cannot_be_begun_with(office: Office, found: Callable[[], Office]) -> None:
    made = office.register(URL)["id"]
    other = found()
    other.hear("referral:requested")
    for event in (NOTHING, other.feed()[0]["id"]):
        assert office.do(made, "replay", {"event": event}, status=422)["code"] == "unknown-event"
    assert office.do(made, "replay", {"event": "x"}, status=422)["code"] == "wrong-type"


# ── who ──


def test_another_agencys_webhook_answers_byte_for_byte_like_none(found: Callable[[], Office], sql) -> None:
    ours, theirs = found(), found()
    made = ours.register(URL)["id"]
    before = sql("select md5(string_agg(t::text, '|')) from webhooks t")
    for webhook in (made, NOTHING):
        answers = [
            theirs.client.get(f"/v1/webhooks/{webhook}"),
            theirs.client.get(f"/v1/webhooks/{webhook}/deliveries"),
            theirs.client.call("DELETE", f"/v1/webhooks/{webhook}"),
            *(
                theirs.client.post(f"/v1/webhooks/{webhook}/{deed}", {"event": NOTHING} if deed == "replay" else {})
                for deed in DEEDS
            ),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.get_data() for answer in answers}) == 1
    assert theirs.client.get("/v1/webhooks").get_json()["items"] == []
    assert sql("select md5(string_agg(t::text, '|')) from webhooks t") == before
    assert ours.show(made)["id"] == made


def test_reading_the_feed_does_not_allow_to_send_it_elsewhere(office: Office, app) -> None:
    reader = api_client(app, office.agency, scopes="referrals:read")
    assert reader.get("/v1/webhooks").status_code == 200
    refused = reader.post("/v1/webhooks", {"url": URL})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "insufficient-scope")


# ── the secret ──


def test_a_secret_is_told_once_also_to_a_request_that_is_repeated(office: Office) -> None:
    key = new_uuid()
    first = office.client.post("/v1/webhooks", {"url": URL}, key=key)
    again = office.client.post("/v1/webhooks", {"url": URL}, key=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.status_code == 201
    assert again.get_json() == {**first.get_json(), "secret": None}
    assert "secret" not in office.show(first.get_json()["id"])


def test_no_secret_lies_in_the_database_in_the_log_or_in_the_logs(
    office: Office, station, hub_database, postgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = office.register(URL)
    rotated = office.do(made["id"], "rotate")
    office.do(made["id"], "test", status=202)
    station.couriers.deliver()
    station.sequence()
    dump = subprocess.run(
        [postgres.binaries.folder / "pg_dump", "-h", postgres.sockets, "-U", "tsn_admin", hub_database.name],
        capture_output=True,
        check=True,
    ).stdout
    assert made["id"].encode() in dump
    for secret in (made["secret"], rotated["secret"]):
        raw = base64.b64decode(secret.removeprefix("whsec_"))
        for trace in (
            secret.encode(),
            secret.removeprefix("whsec_").encode(),
            secret.encode().hex().encode(),
            raw.hex().encode(),
            raw,
        ):
            assert trace not in dump
        assert secret not in caplog.text
    assert URL not in caplog.text


def test_a_removed_webhook_keeps_no_secret(office: Office, sql) -> None:
    made = office.register(URL)["id"]
    office.do(made, "rotate")
    office.client.call("DELETE", f"/v1/webhooks/{made}")
    assert [tuple(map(bytes, row)) for row in sql("select secret from webhooks")] == [(b"",)]
    assert sql("select old_secret, old_until from webhooks") == [(None, None)]


def test_what_is_done_with_a_webhook_is_in_the_agencys_log_without_its_address(office: Office, station) -> None:
    made = office.register(URL)["id"]
    office.do(made, "rotate")
    office.hear("referral:requested")
    office.do(made, "replay", {"event": office.feed()[0]["id"]}, status=202)
    office.client.call("DELETE", f"/v1/webhooks/{made}")
    station.sequence()
    items = office.client.get("/v1/audit/entries?limit=200").get_json()["items"]
    entries = [json.loads(one["entry"]) for one in items]
    mine = [one for one in entries if one["subject"] == made]
    assert [one["kind"] for one in mine] == ["config:change"] * 4
    assert [one["facts"]["deed"] for one in mine] == ["added", "secret_rotated", "replayed", "removed"]
    assert URL not in json.dumps(entries)
