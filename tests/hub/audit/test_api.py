# SPDX-License-Identifier: Apache-2.0
"""The log over HTTP: what a stranger's tools can verify, what only parties get, and what does not exist."""

import json

import pytest

from consent.tlog import notes, proofs, tree
from hub.app import create_app
from hub.audit import api, jobs
from hub.audit.rules import origin
from hub.audit.sequencer import Signer
from hub.base import hubkeys
from hub.base.db import Database
from tests.hub.conftest import HubClient, agency_by_header

from .conftest import CASE, OURS, THEIRS, Append

OTHER_CASE = "00000000-0000-4000-8000-0000000000cb"
NOWHERE = "01900000-0000-7000-8000-00000000dead"


@pytest.fixture
def client(settings, database) -> HubClient:
    app = create_app(settings, database, validator=agency_by_header, namespaces=[api.namespace])
    app.test_client_class = HubClient
    return app.test_client().by(OURS)


@pytest.fixture
def ids(append: Append, sequencer_database: Database, signer: Signer) -> list[str]:
    """Five entries of ours in turn about two cases, then one that is theirs alone."""
    made = [append(OURS, case=(CASE, OTHER_CASE)[number % 2]) for number in range(5)]
    made.append(append(THEIRS))
    jobs.sequence(sequencer_database, signer)
    return made


def test_the_checkpoint_is_the_signed_note_byte_for_byte(client: HubClient, ids, signer: Signer) -> None:
    answer = client.get("/v1/audit/checkpoint")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert notes.open_checkpoint(answer.text, signer.verifier).size == 6


def test_an_entry_looked_up_by_its_id_verifies_offline(client: HubClient, ids, signer: Signer) -> None:
    found = client.get(f"/v1/audit/entries/{ids[3]}").json
    proof = proofs.read_proof(found["proof"])
    signed = notes.open_checkpoint(proof.checkpoint, signer.verifier)
    leaf = tree.leaf_hash(found["entry"].encode("ascii"))
    proofs.verify_inclusion(leaf, index=proof.index, size=signed.size, proof=proof.hashes, root=signed.root)
    assert (found["index"], json.loads(found["entry"])["id"]) == (3, ids[3])


def test_the_proof_by_index_needs_no_right_to_the_entry(client: HubClient, ids, signer: Signer) -> None:
    found = client.get("/v1/audit/proofs/5").json
    assert (found["index"], found["size"]) == (5, 6)
    assert notes.open_checkpoint(proofs.read_proof(found["proof"]).checkpoint, signer.verifier).size == 6


def test_entries_come_in_pages_and_are_the_callers_own(client: HubClient, ids) -> None:
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/v1/audit/entries?limit=2{cursor and '&cursor=' + cursor}").json
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ids[:5]


def test_entries_of_one_case_are_found_by_its_handle(client: HubClient, ids) -> None:
    page = client.get(f"/v1/audit/entries?case={OTHER_CASE}").json
    assert [item["id"] for item in page["items"]] == [ids[1], ids[3]]


def test_anothers_entry_answers_like_one_that_does_not_exist(client: HubClient, ids) -> None:
    theirs, nowhere = (client.get(f"/v1/audit/entries/{one}") for one in (ids[5], NOWHERE))
    assert theirs.status_code == nowhere.status_code == 404
    assert theirs.data == nowhere.data


def test_an_entry_is_not_there_until_it_is_in_the_log(client: HubClient, append: Append, ids) -> None:
    assert client.get(f"/v1/audit/entries/{append(OURS)}").status_code == 404


def test_a_tile_is_the_hashes_one_after_the_other(client: HubClient, ids) -> None:
    answer = client.get("/v1/audit/tile/0/000.p/6")
    assert answer.content_type == "application/octet-stream"
    leaves = [answer.data[at : at + 32] for at in range(0, 192, 32)]
    entry = client.get(f"/v1/audit/entries/{ids[0]}").json["entry"]
    assert len(leaves) == 6
    assert leaves[0] == tree.leaf_hash(entry.encode("ascii"))
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "0/000",
        "0/000.p/7",
        "0/000.p/256",
        "0/000.p/0",
        "0/000.p/06",
        "0/001.p/1",
        "0/0",
        "0/x000/000.p/6",
        "1/000.p/1",
        "8/000.p/1",
        "63/000.p/1",
        "0/x999/x999/x999/x999/x999/999.p/1",
        "0/000.p/6/7",
        "0/０００.p/6",
    ],
)
def test_a_tile_that_is_not_there_or_not_written_so_is_not_found(client: HubClient, ids, path: str) -> None:
    assert client.get(f"/v1/audit/tile/{path}").status_code == 404


@pytest.mark.parametrize("index", ["6", "4611686018427387904", "9" * 30, "-1", "x"])
def test_a_proof_of_nothing_is_not_found(client: HubClient, ids, index: str) -> None:
    assert client.get(f"/v1/audit/proofs/{index}").status_code == 404


def test_before_the_first_pass_there_is_no_checkpoint(client: HubClient) -> None:
    assert client.get("/v1/audit/checkpoint").status_code == 404


@pytest.mark.parametrize("cursor", ["x", "WzFd!", "WyJhIl0", "Wy0xXQ", "WzFlOTld"])
def test_a_cursor_of_another_make_is_refused(client: HubClient, cursor: str) -> None:
    answer = client.get(f"/v1/audit/entries?cursor={cursor}")
    assert (answer.status_code, answer.json["code"]) == (400, "bad-cursor")


def test_the_published_keys_verify_what_the_hub_signs(settings, database, sequencer_database, append: Append) -> None:
    keys = hubkeys.load(settings.data)
    app = create_app(settings, database, validator=agency_by_header, namespaces=[api.namespace], keys=keys)
    app.test_client_class = HubClient
    append()
    jobs.sequence(sequencer_database, Signer(origin=origin(settings.issuer), key=keys.log))
    client = app.test_client().by(OURS)
    published = client.get("/v1/audit/keys").json
    verifier = notes.Verifier.read(published["log"])
    assert notes.open_checkpoint(client.get("/v1/audit/checkpoint").text, verifier).size == 1
    assert published["receipt"] == keys.receipt.public.jwk()
    assert "d" not in published["receipt"]


def test_the_log_needs_its_scope(client: HubClient) -> None:
    assert client.by(OURS, scopes="directory:read").get("/v1/audit/checkpoint").status_code == 403
