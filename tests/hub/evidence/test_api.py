# SPDX-License-Identifier: Apache-2.0
"""What an agency makes its bundle from: its own entries with their documents, and every checkpoint."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from flask import Flask

from consent.receipts import statement_hash
from consent.tlog import notes
from hub.base.config import Settings
from hub.web.work import EXTENSION
from tests.hub.conftest import HubClient
from tests.hub.evidence.conftest import Played


@pytest.fixture
def client(built: Flask, settings: Settings, played: Played) -> HubClient:
    built.extensions[EXTENSION] = replace(built.extensions[EXTENSION], settings=settings, database=played.log.database)
    return built.test_client()


def pages(client: HubClient, agency: str, path: str) -> list[dict]:
    found, cursor = [], ""
    while True:
        answer = client.by(agency).get(f"{path}?limit=7{cursor}").json
        found += answer["items"]
        if answer["next_cursor"] is None:
            return found
        cursor = f"&cursor={answer['next_cursor']}"


def test_an_agency_gets_its_own_entries_with_what_was_signed_about_them(client: HubClient, played: Played) -> None:
    partner = played.story.s1.id
    found = pages(client, partner, "/v1/audit/evidence")
    entries = [json.loads(one["entry"]) for one in found]
    assert [one["index"] for one in found] == sorted({one["index"] for one in found})
    assert all(partner in entry["parties"] for entry in entries)
    for shown, entry in zip(found, entries, strict=True):
        if entry["kind"] == "consent:registered":
            assert statement_hash(shown["documents"]["consent"]) == entry["facts"]["hash"]
        if entry["kind"] == "message:accepted":
            assert set(shown["documents"]) == {"manifest", "accepted"}


def test_a_partner_gets_neither_the_refusals_of_the_person_nor_a_strangers_entries(
    client: HubClient, played: Played
) -> None:
    kinds = {json.loads(one["entry"])["kind"] for one in pages(client, played.story.s1.id, "/v1/audit/evidence")}
    assert "exclusion:registered" not in kinds
    stranger = pages(client, played.story.f1.id, "/v1/audit/evidence")
    assert {json.loads(one["entry"])["case"] for one in stranger} == {None}


def test_every_checkpoint_is_listed_once_and_signed(client: HubClient, played: Played) -> None:
    found = pages(client, played.story.f1.id, "/v1/audit/checkpoints")
    sizes = [one["size"] for one in found]
    assert sizes == sorted(set(sizes))
    log = played.log.signer.verifier
    assert [notes.open_checkpoint(one["note"], log).size for one in found] == sizes


@pytest.mark.parametrize("path", ["/v1/audit/evidence", "/v1/audit/checkpoints"])
@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "Wy01XQ"])
def test_a_cursor_that_is_not_ours_is_refused(client: HubClient, played: Played, path: str, cursor: str) -> None:
    answer = client.by(played.story.s1.id).get(f"{path}?cursor={cursor}")
    assert (answer.status_code, answer.json["code"]) == (400, "bad-cursor")


@pytest.mark.parametrize("path", ["/v1/audit/evidence", "/v1/audit/checkpoints"])
def test_it_needs_the_right_to_read_the_log(client: HubClient, played: Played, path: str) -> None:
    assert client.by(played.story.s1.id, "referrals:read").get(path).status_code == 403
