# SPDX-License-Identifier: Apache-2.0
"""A bundle of the whole log: what is in it, that it checks out, that every decision comes out the same again, and that
changing what somebody consented to changes exactly the decisions that rested on it.
"""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from pathlib import Path

import pytest

from consent.errors import BundleRefusedError
from consent.evidence import bundle
from consent.evidence.bundle import Head
from consent.evidence.findings import Code
from consent.evidence.verify import Trusted, verify, verify_stream
from consent.jwk import KeyUse, generate
from consent.tlog.notes import Verifier
from hub.base.db import now
from tests.hub.builders import new_uuid
from tests.hub.evidence.conftest import Played
from tests.hub.evidence.mutants import Parts, take_apart, with_value

DECISIONS = {"message:accepted", "message:refused", "message:handed_over", "decision:asked"}


def kinds(parts: Parts) -> Counter[str]:
    return Counter(json.loads(item.body)["kind"] for item in parts.items)


def test_a_whole_log_is_sound_offline_with_the_key_told_on_paper(played: Played) -> None:
    report = verify_stream(io.BytesIO(played.bundle), Trusted(log=played.log.signer.verifier))
    assert report.findings == ()
    assert report.exit_code == 0
    assert report.newest is not None
    assert report.counts.entries == report.newest.size


def test_every_decision_of_the_log_comes_out_the_same_again(played: Played) -> None:
    of_kind = kinds(take_apart(played.bundle))
    assert all(of_kind[kind] for kind in DECISIONS)
    report = verify_stream(io.BytesIO(played.bundle))
    assert report.counts.decisions == sum(of_kind[kind] for kind in DECISIONS)
    assert report.counts.unseen == 0
    assert not {Code.DECISION_DIFFERS, Code.AFTER_WITHDRAWAL, Code.WITHOUT_CONSENT} & set(report.found)


def test_every_document_that_an_entry_speaks_of_is_there(played: Played) -> None:
    roles = {name for item in take_apart(played.bundle).items for name in item.documents}
    assert roles == {
        *("consent", "status", "exclusion", "withdrawal", "manifest", "accepted", "receipt", "purge"),
        *("by_self", "by_previous", "by_root"),
    }


def test_changing_one_consent_changes_exactly_the_decisions_that_rested_on_it(played: Played) -> None:
    parts = take_apart(played.bundle)
    consents = [item for item in parts.items if json.loads(item.body)["kind"] == "consent:registered"]
    for item in consents:
        scope = json.loads(item.body)["subject"]
        mutant = parts.copy()
        mutant.items[item.index].body = with_value(item.body, ("facts", "purposes"), ["follow_up"])
        report = verify_stream(io.BytesIO(mutant.write()))
        differing = {Code.DECISION_DIFFERS, Code.AFTER_WITHDRAWAL, Code.WITHOUT_CONSENT}
        changed = {one.index for one in report.findings if one.code in differing}
        touched = {
            one.index
            for one in parts.items
            if json.loads(one.body)["kind"] in DECISIONS
            and any(part["scope"] == scope for part in json.loads(one.body)["facts"]["parts"])
        }
        assert changed == touched, (scope, changed, touched)


def test_who_received_what_of_the_case_and_what_became_of_it(played: Played) -> None:
    report = verify_stream(io.BytesIO(played.bundle), case=played.story.case)
    first = report.disclosures[0]
    assert (first.sender, first.recipient) == (played.story.j1.id, played.story.s1.id)
    assert first.categories == ("identity", "income_assets")
    assert first.read_at is not None
    assert first.notices == ["asked", "purged"]
    assert {one.basis for one in report.disclosures} == {"consent", "emergency", "shien_kaigi"}
    assert [one.ended for one in report.disclosures].count("refused") == 1
    assert verify_stream(io.BytesIO(played.bundle), case=new_uuid()).disclosures == ()


def test_what_was_handed_over_and_never_acknowledged_is_listed(played: Played) -> None:
    report = verify_stream(io.BytesIO(played.bundle))
    of_kind = [json.loads(item.body)["kind"] for item in take_apart(played.bundle).items]
    assert report.open_receipts.count == 2
    assert {of_kind[index] for index in report.open_receipts.first} == {"message:accepted"}
    assert report.open_purges.count == 0


def test_a_bundle_made_for_another_log_key_than_the_one_on_paper_is_tampered(played: Played) -> None:
    other = Verifier(played.log.signer.origin, generate(KeyUse.WITNESS).public.native)
    report = verify_stream(io.BytesIO(played.bundle), Trusted(log=other))
    assert report.exit_code == 1
    assert Code.LOG_KEY_DIFFERS in report.found


def test_several_processes_find_what_one_finds(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = take_apart(played.bundle)
    item = next(one for one in parts.items if json.loads(one.body)["kind"] == "consent:registered")
    item.body = with_value(item.body, ("facts", "purposes"), ["follow_up"])
    place = tmp_path / "bundle.gz"
    place.write_bytes(parts.write())
    monkeypatch.setattr("consent.evidence.verify.LARGE", 0)
    trusted = Trusted(log=played.log.signer.verifier)
    one, two = (verify(place, trusted, case=played.story.case, processes=count) for count in (1, 2))
    assert one.exit_code == 1
    assert (two.findings, two.found, two.disclosures) == (one.findings, one.found, one.disclosures)
    assert (two.newest, two.checkpoints, two.open_receipts) == (one.newest, one.checkpoints, one.open_receipts)
    assert (two.counts.decisions, two.counts.disclosures) == (one.counts.decisions, one.counts.disclosures)


def test_giving_the_log_out_is_an_entry_of_its_own(played: Played) -> None:
    person = new_uuid()
    before = len(take_apart(played.bundle).items)
    given = take_apart(played.log.export(person))
    assert len(given.items) == before
    played.log.sequence()
    (item,) = take_apart(played.log.bundle()).items[before:]
    entry = json.loads(item.body)
    assert (entry["kind"], entry["actor"], entry["parties"]) == ("export:made", person, [])
    assert entry["facts"] == {"what": "bundle", "form": "jsonl", "size": before}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda _: b"no gzip",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:200] + bytes([raw[200] ^ 1]) + raw[201:],
    ],
    ids=["empty", "other", "half", "one bit"],
)
def test_a_broken_file_is_said_to_be_broken_and_nothing_else_happens(played: Played, spoil) -> None:
    report = verify_stream(io.BytesIO(spoil(played.bundle)))
    assert set(report.found) & {Code.BUNDLE_MALFORMED, Code.BUNDLE_TRUNCATED}
    assert report.exit_code in {1, 3}


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"{}",
        b'{"t":"entry","index":-1}',
        b'{"t":"leaves","first":0,"hashes":"AAAA"}',
        b'{"t":"leaves","first":0,"hashes":"AA==","more":1}',
        b'{"t":"checkpoint"}',
        b'{"t":"unheard-of"}',
        b'{"t":"agency","id":"x","kind":"shakyo","root":{}}',
    ],
)
def test_a_line_that_is_not_of_the_format_is_refused(played: Played, line: bytes) -> None:
    lines = list(take_apart(played.bundle).lines())
    spoiled = gzip.compress(b"\n".join([lines[0], line, *lines[1:]]) + b"\n")
    with pytest.raises(BundleRefusedError, match="malformed-bundle"):
        list(bundle.read(io.BytesIO(spoiled)))


def test_the_head_can_be_read_alone(played: Played) -> None:
    head = bundle.head_of(io.BytesIO(played.bundle))
    assert isinstance(head, Head)
    assert (head.holder, head.log) == ("*", played.log.signer.verifier.text())
    with played.log.jobs.transaction(None) as session:
        assert head.made_at <= now(session)
