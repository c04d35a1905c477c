# SPDX-License-Identifier: Apache-2.0
"""The directory over HTTP: what others see of an agency, page by page, and how it publishes its keys."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from consent.jwk import KeyUse, generate
from consent.keys import SignedEntry, check_chain, new_entry, peek_entry, revoke, sign_entry
from consent.tlog.proofs import read_proof, verify_inclusion
from consent.tlog.tree import leaf_hash
from hub.agencies import service
from hub.audit import sequencer
from hub.base import hubkeys
from hub.base.config import Settings
from hub.base.db import Database, Duty, now
from tests.hub.builders import (
    ApiClient,
    TestAgency,
    active_agency,
    api_client,
    new_uuid,
    officer,
    open_app,
    pending_agency,
)


@pytest.fixture
def app(settings: Settings, database: Database) -> Flask:
    return open_app(settings, database)


@pytest.fixture
def agency(database: Database) -> TestAgency:
    return active_agency(
        database,
        "jiritsu",
        name_ja="架空市生活自立支援センター",
        services=("家計の相談",),
        area=("架空市",),
        hours="平日 9–17",
        answer_days=1,
        purposes=frozenset({"kakei_kaizen"}),
        categories=frozenset({"identity", "contact"}),
    )


@pytest.fixture
def caller(app: Flask, agency: TestAgency) -> ApiClient:
    return api_client(app, agency)


def pages(caller: ApiClient, query: str) -> list[list[str]]:
    found, cursor = [], ""
    while True:
        body = caller.get(f"/v1/agencies?{query}{cursor}").get_json()
        found.append([item["id"] for item in body["items"]])
        if body["next_cursor"] is None:
            return found
        cursor = f"&cursor={body['next_cursor']}"


def test_the_directory_shows_what_an_agency_says_of_itself(caller: ApiClient, agency: TestAgency) -> None:
    (shown,) = caller.get("/v1/agencies").get_json()["items"]
    assert shown["name"]["ja"] == "架空市生活自立支援センター"
    assert (shown["kind"], shown["state"], shown["capacity"]) == ("jiritsu", "active", "open")
    assert (shown["services"], shown["area"], shown["hours"]) == (["家計の相談"], ["架空市"], "平日 9–17")
    assert (shown["answer_days"], shown["may_convene"], shown["coordinates"]) == (1, False, False)
    assert (shown["categories"], shown["purposes"]) == (["contact", "identity"], ["kakei_kaizen"])
    assert shown["last_verified"] is not None
    assert {key["kid"] for key in shown["keys"]} == {agency.sig.kid, agency.enc.kid, agency.client.kid}


def test_the_directory_comes_page_by_page_and_each_agency_once(caller: ApiClient, database: Database) -> None:
    others = [active_agency(database, "shakyo").id for _ in range(4)]
    found = pages(caller, "limit=2")
    assert [len(page) for page in found] == [2, 2, 1]
    flat = [each for page in found for each in page]
    assert sorted(flat) == sorted([caller.agency.id, *others])
    assert flat == sorted(flat)
    assert 'rel="next"' in caller.get("/v1/agencies?limit=2").headers["Link"]


def test_the_directory_can_be_narrowed(caller: ApiClient, database: Database) -> None:
    shakyo = active_agency(database, "shakyo", purposes=frozenset({"koguchi_shikin"})).id
    assert pages(caller, "kind=shakyo") == [[shakyo]]
    assert pages(caller, "purpose=koguchi_shikin") == [[shakyo]]
    assert pages(caller, "purpose=koguchi_shikin&kind=jiritsu") == [[]]


@pytest.mark.parametrize("query", ["cursor=x", "cursor=WyJ4Il0", "cursor=WzFd", "limit=0", "limit=x", "name=x"])
def test_a_parameter_that_means_nothing_is_refused(caller: ApiClient, query: str) -> None:
    assert caller.get(f"/v1/agencies?{query}").status_code == 400


def test_one_agency_has_a_version_that_changes_with_it(caller: ApiClient, database: Database) -> None:
    path = f"/v1/agencies/{caller.agency.id}"
    first = caller.get(path)
    again = caller.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    other = active_agency(database, "shakyo")
    watcher = api_client(caller.app, other)
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.suspend(session, caller.agency.id, officer(), now=now(session))
    later = watcher.get(path)
    assert later.get_json()["state"] == "suspended"
    assert later.headers["ETag"] != first.headers["ETag"]


def test_an_agency_that_nobody_confirmed_looks_like_none_at_all(caller: ApiClient, database: Database) -> None:
    pending = pending_agency(database)
    assert pages(caller, "limit=50") == [[caller.agency.id]]
    for path in ("", "/keys"):
        hidden = caller.get(f"/v1/agencies/{pending.id}{path}")
        absent = caller.get(f"/v1/agencies/{new_uuid()}{path}")
        assert (hidden.status_code, hidden.data) == (404, absent.data)


def test_reading_needs_its_scope(app: Flask, agency: TestAgency) -> None:
    narrow = api_client(app, agency, scopes="keys:write")
    assert narrow.get("/v1/agencies").status_code == 403
    narrow = api_client(app, agency, scopes="directory:read")
    assert narrow.post("/v1/keys", {}).status_code == 403


def test_a_key_comes_with_a_proof_that_a_stranger_can_check(
    caller: ApiClient, database: Database, sequencer_database: Database, settings: Settings
) -> None:
    watcher = api_client(caller.app, active_agency(database, "shakyo"))
    path = f"/v1/agencies/{caller.agency.id}/keys"
    assert [key["proof"] for key in watcher.get(path).get_json()["keys"]] == [None] * 3
    sequence(sequencer_database, settings)
    shown = watcher.get(path).get_json()
    assert shown["root"] == caller.agency.root.public.jwk()
    for key in shown["keys"]:
        proof = read_proof(key["proof"])
        lines = proof.checkpoint.split("\n")
        verify_inclusion(
            leaf_hash(key["logged"].encode()),
            index=proof.index,
            size=int(lines[1]),
            proof=proof.hashes,
            root=b64decode(lines[2]),
        )
        assert f'"kid":"{key["kid"]}"' in key["logged"]
        check_chain([peek_entry(SignedEntry(**key["signed"]))])


def sequence(sequencer_database: Database, settings: Settings) -> None:
    signer = sequencer.Signer(origin="hub.example/log", key=hubkeys.load(settings.data).log)
    with sequencer_database.transaction(None) as session:
        assert sequencer.sequence(session, signer, now=now(session))


def rotated(agency: TestAgency, **changes: Any) -> tuple[str, dict[str, Any]]:
    newer = generate(KeyUse.ENC)
    first = peek_entry(agency.first_entries()[1])
    entry = new_entry(
        newer.public,
        agency=agency.id,
        not_before=first.not_before,
        not_after=first.not_after,
        after=first,
    )
    return newer.kid, asdict(sign_entry(entry, by_previous=agency.sig)) | changes


def test_an_agency_publishes_a_key_and_others_see_it(caller: ApiClient, agency: TestAgency) -> None:
    kid, body = rotated(agency)
    answer = caller.post("/v1/keys", body)
    assert answer.status_code == 201
    assert (answer.get_json()["kid"], answer.get_json()["seq"], answer.get_json()["proof"]) == (kid, 2, None)
    assert kid in {key["kid"] for key in caller.get(f"/v1/agencies/{agency.id}").get_json()["keys"]}


def test_an_agency_ends_a_key_and_others_do_not_see_it_any_more(caller: ApiClient, agency: TestAgency) -> None:
    first = peek_entry(agency.first_entries()[1])
    end = revoke(first, after=first, at=first.not_before + timedelta(days=1))
    answer = caller.post("/v1/keys", asdict(sign_entry(end, by_previous=agency.sig)))
    assert (answer.status_code, answer.get_json()["removal"]) == (201, True)
    shown = caller.get(f"/v1/agencies/{agency.id}").get_json()["keys"]
    assert agency.enc.kid not in {key["kid"] for key in shown}


def test_the_same_request_again_has_one_effect(caller: ApiClient, agency: TestAgency) -> None:
    _, body = rotated(agency)
    first = caller.post("/v1/keys", body, key="the-same")
    again = caller.post("/v1/keys", body, key="the-same")
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert len(caller.get(f"/v1/agencies/{agency.id}/keys").get_json()["keys"]) == 4


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"by_previous": "x"}, 400, "malformed"),
        ({"by_previous": None}, 400, "malformed"),
        ({"by_previous": 7}, 422, "wrong-type"),
        ({"by_nobody": "x"}, 422, "unknown-member"),
        ({"by_previous": "x" * 20_000}, 413, "too-large"),
    ],
)
def test_what_is_no_key_entry_is_refused(
    caller: ApiClient, agency: TestAgency, changes: dict[str, Any], status: int, code: str
) -> None:
    _, body = rotated(agency, **changes)
    answer = caller.post("/v1/keys", body)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_nobody_publishes_a_key_for_another_agency(caller: ApiClient, database: Database) -> None:
    other = active_agency(database, "shakyo")
    _, body = rotated(other)
    answer = caller.post("/v1/keys", body)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "key-not-valid")
    assert len(caller.get(f"/v1/agencies/{other.id}/keys").get_json()["keys"]) == 3
