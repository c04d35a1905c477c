# SPDX-License-Identifier: Apache-2.0
"""Three records of a disclosure: whichever one is altered, dropped or forged is named, by what was signed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consent import wire
from consent.envelope.manifest import Manifest, sign_manifest
from consent.errors import BundleRefusedError
from consent.evidence import records
from consent.evidence.compare import Deed, Disagreement, Kind, compare
from consent.evidence.records import Held, Holder, Records
from consent.jwk import KeyUse, generate
from consent.receipts import ReceiptRecord, peek_statement, sign_statement
from consent.signing import Typ, peek_payload
from tests.hub.builders import new_uuid
from tests.hub.evidence.conftest import Played
from tests.hub.evidence.mutants import Parts, flipped, take_apart, with_value

LATER = datetime(2100, 1, 1, tzinfo=UTC)


class World:
    """The bundle, and what each side's casebook holds of it: the same signed words that stand in the log."""

    def __init__(self, played: Played) -> None:
        self.story = played.story
        self.parts = take_apart(played.bundle)
        # the hub's promise is due
        self.parts.head["made_at"] = "2099-01-01T00:00:00Z"
        self.entries = [json.loads(item.body) for item in self.parts.items]
        accepted = [n for n, entry in enumerate(self.entries) if entry["kind"] == "message:accepted"]
        self.first = accepted[0]
        self.sent = {n: self._held(n) for n in accepted}
        self.opened = {n: self._held(n) for n in accepted if self._of(n, "message:handed_over")}

    def _of(self, n: int, kind: str) -> list[int]:
        row = self.entries[n]["subject"]
        return [at for at, entry in enumerate(self.entries) if (entry["subject"], entry["kind"]) == (row, kind)]

    def _held(self, n: int) -> Held:
        entry, documents = self.entries[n], self.parts.items[n].documents
        signed = [*self._of(n, "receipt:delivered"), *self._of(n, "receipt:read")]
        return Held(
            message=entry["facts"]["message"],
            sender=entry["actor"],
            recipient=entry["facts"]["to"]["agency"],
            case=entry["case"],
            manifest=documents["manifest"],
            accepted=documents["accepted"],
            receipts=tuple(self.parts.items[at].documents["receipt"] for at in signed),
            entry=None,
            proof=None,
        )

    def sender(self) -> Records:
        return Records(holder=Holder(agency=self.story.j1.id, made_at=LATER), held=tuple(self.sent.values()))

    def receiver(self) -> Records:
        return Records(holder=Holder(agency=self.story.s1.id, made_at=LATER), held=tuple(self.opened.values()))

    def compare(self, *sides: Records) -> list[Disagreement]:
        return list(compare(io.BytesIO(self.parts.write()), *(sides or (self.sender(), self.receiver()))))

    def drop_from_the_log(self, n: int) -> None:
        """The hub leaves a disclosure and all that follows from it out, and hashes and signs anew."""
        row = self.entries[n]["subject"]
        self.parts.items = [item for item in self.parts.items if json.loads(item.body)["subject"] != row]
        self.parts.refit()

    def other_manifest(self, n: int, key=None) -> str:
        made = wire.read(Manifest, peek_payload(self.sent[n].manifest, typ=Typ.MANIFEST))
        return sign_manifest(replace(made, thread=new_uuid()), key or self.story.j1.sig)


@pytest.fixture
def world(played: Played) -> World:
    return World(played)


def only(found: list[Disagreement]) -> tuple[Kind, Deed, int | None]:
    assert len(found) == 1, found
    return found[0].record, found[0].deed, found[0].index


def test_three_true_records_agree_and_so_do_two(world: World) -> None:
    assert world.compare() == []
    assert world.compare(world.sender()) == []
    assert world.compare(world.receiver()) == []


def test_a_disclosure_that_the_hub_dropped_is_known_by_its_own_receipt(world: World) -> None:
    world.drop_from_the_log(world.first)
    assert only(world.compare()) == (Kind.AUTHORISED, Deed.DROPPED, None)
    assert only(world.compare(world.sender())) == (Kind.AUTHORISED, Deed.DROPPED, None)
    assert only(world.compare(world.receiver())) == (Kind.AUTHORISED, Deed.DROPPED, None)


def test_a_disclosure_that_the_hub_wrote_anew_is_known_by_what_the_sender_signed(world: World) -> None:
    item = world.parts.items[world.first]
    item.body = with_value(item.body, ("facts", "manifest"), "0" * 64)
    for at in world._of(world.first, "receipt:delivered"):
        world.parts.items[at].body = with_value(world.parts.items[at].body, ("facts", "manifest"), "0" * 64)
    assert (Kind.AUTHORISED, Deed.ALTERED, world.first) in [
        (one.record, one.deed, one.index) for one in world.compare()
    ]


def test_a_disclosure_that_the_hub_made_up_is_forged(world: World) -> None:
    item = world.parts.items[world.first]
    made_up = with_value(item.body, ("facts", "message"), new_uuid())
    world.parts.items.append(replace(item, body=with_value(made_up, ("subject",), new_uuid()), documents={}))
    world.parts.refit()
    assert only(world.compare()) == (Kind.AUTHORISED, Deed.FORGED, len(world.parts.items) - 1)


def test_a_sender_who_dropped_what_it_signed_is_named(world: World) -> None:
    del world.sent[world.first]
    assert only(world.compare()) == (Kind.SENT, Deed.DROPPED, world.first)


def test_a_sender_who_altered_its_record_is_named(world: World) -> None:
    for changed in (world.other_manifest(world.first), world.other_manifest(world.first, generate(KeyUse.SIG))):
        world.sent[world.first] = replace(world.sent[world.first], manifest=changed)
        assert only(world.compare()) == (Kind.SENT, Deed.ALTERED, world.first)


def test_a_receipt_of_the_hub_that_it_did_not_sign_makes_the_senders_record_false(world: World) -> None:
    held = world.sent[world.first]
    world.sent[world.first] = replace(held, accepted=flipped(held.accepted or ""))
    assert only(world.compare()) == (Kind.SENT, Deed.ALTERED, world.first)


def test_a_message_that_a_sender_made_up_is_forged(world: World) -> None:
    held = world.sent[world.first]
    world.sent[-1] = replace(held, message=new_uuid())
    assert only(world.compare()) == (Kind.SENT, Deed.FORGED, None)


def test_a_receiver_who_dropped_what_it_acknowledged_is_named(world: World) -> None:
    del world.opened[world.first]
    assert only(world.compare()) == (Kind.OPENED, Deed.DROPPED, world.first)


def test_a_receiver_who_altered_its_record_is_named(world: World) -> None:
    held = world.opened[world.first]
    signed = wire.read(ReceiptRecord, peek_payload(held.receipts[0], typ=Typ.RECEIPT))
    other = sign_statement(replace(signed, manifest="0" * 64), world.story.s1.sig)
    assert peek_statement(other, ReceiptRecord)[1] == world.story.s1.id
    changes: tuple[Callable[[Held], Held], ...] = (
        lambda one: replace(one, receipts=one.receipts[:-1]),
        lambda one: replace(one, receipts=(other, *one.receipts[1:])),
        lambda one: replace(one, manifest=world.other_manifest(world.first, generate(KeyUse.SIG))),
    )
    for change in changes:
        world.opened[world.first] = change(held)
        assert only(world.compare()) == (Kind.OPENED, Deed.ALTERED, world.first)


def test_an_opening_that_a_receiver_made_up_is_forged(world: World) -> None:
    never = next(n for n in world.sent if n not in world.opened)
    world.opened[never] = world.sent[never]
    assert only(world.compare()) == (Kind.OPENED, Deed.FORGED, never)


def test_a_receipt_in_the_log_that_nobody_signed_is_the_logs_alteration(world: World) -> None:
    (at,) = world._of(world.first, "receipt:read")
    token = world.parts.items[at].documents["receipt"]
    world.parts.items[at].documents["receipt"] = flipped(token)
    held = world.opened[world.first]
    world.opened[world.first] = replace(held, receipts=tuple(one for one in held.receipts if one != token))
    assert only(world.compare()) == (Kind.AUTHORISED, Deed.ALTERED, world.first)


def test_records_made_before_a_disclosure_do_not_lack_it(world: World) -> None:
    before = datetime(2020, 1, 1, tzinfo=UTC)
    agencies = (world.story.j1.id, world.story.s1.id)
    empty = [Records(holder=Holder(agency=agency, made_at=before), held=()) for agency in agencies]
    assert world.compare(*empty) == []


def test_records_are_read_as_they_were_written_and_strictly(world: World) -> None:
    out = io.BytesIO()
    mine = world.sender()
    assert records.write(out, mine.holder, mine.held) == len(mine.held)
    assert records.read(io.BytesIO(out.getvalue())) == mine
    for spoiled in (b"", out.getvalue()[:-20], b"no gzip"):
        with pytest.raises(BundleRefusedError):
            records.read(io.BytesIO(spoiled))


def test_a_bundle_of_one_agency_serves_for_its_own_messages(world: World) -> None:
    parts: Parts = world.parts
    parts.head["holder"] = world.story.s1.id
    del world.opened[world.first]
    assert only(world.compare(world.receiver())) == (Kind.OPENED, Deed.DROPPED, world.first)
