# SPDX-License-Identifier: Apache-2.0
"""Every field of every entry altered, entries taken out, put in, swapped, the log cut off, forked and rolled back: each
of these mutants of a real log is found offline, at the right index.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

import pytest

from consent import signing, wire
from consent.evidence import entries
from consent.evidence.findings import Code
from consent.evidence.verify import Report, Trusted, verify_stream
from consent.jwk import PublicKey
from consent.tlog import notes
from tests.hub.evidence.conftest import Played
from tests.hub.evidence.mutants import Parts, altered_values, flipped, take_apart, with_value

LEAST = {
    "fields": 1300,
    "fields and hashes": 380,
    "leaves": 55,
    "documents": 100,
    "documents exchanged": 20,
    "documents taken away": 30,
    "_delete in the file": 55,
    "_repeat in the file": 55,
    "_swap in the file": 55,
    "_delete with hashes": 55,
    "_repeat with hashes": 55,
    "_swap with hashes": 55,
    "checkpoints": 28,
    "cut off": 150,
    "rolled back": 6,
    "forked": 55,
    "rewritten and signed": 150,
    "head": 14,
}
"""How many mutants of each kind there are at least: together more than 2,000."""


class Memo:
    """Verify the same signature over the same bytes, and read the same bytes, once for all mutants: it costs most."""

    def __init__(self) -> None:
        self._verify, self._open = signing.verify, notes.open_checkpoint
        self.read = lru_cache(maxsize=None)(wire.read)
        self.read_entry = lru_cache(maxsize=1000)(entries.read_entry)
        self._payloads: dict[tuple[str, str, str], bytes] = {}
        self._checkpoints: dict[tuple[str, str], notes.Checkpoint] = {}

    def verify(self, token: str, *, typ: signing.Typ, key: PublicKey) -> bytes:
        named = (token, typ.value, key.kid)
        if named not in self._payloads:
            self._payloads[named] = self._verify(token, typ=typ, key=key)
        return self._payloads[named]

    def open_checkpoint(self, text: str, log: notes.Verifier) -> notes.Checkpoint:
        named = (text, log.text())
        if named not in self._checkpoints:
            self._checkpoints[named] = self._open(text, log)
        return self._checkpoints[named]


@pytest.fixture(scope="module")
def memo() -> Memo:
    return Memo()


@pytest.fixture(autouse=True)
def verified_once(memo: Memo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "verify", memo.verify)
    monkeypatch.setattr(notes, "open_checkpoint", memo.open_checkpoint)
    monkeypatch.setattr(wire, "read", memo.read)
    monkeypatch.setattr(entries, "read_entry", memo.read_entry)


@pytest.fixture(scope="module")
def sound(played: Played) -> Parts:
    return take_apart(played.bundle)


def look(parts: Parts, **trusted) -> Report:
    return verify_stream(io.BytesIO(parts.write()), Trusted(**trusted))


def names(report: Report, index: int, *codes: Code) -> bool:
    return any(one.names(index) and (not codes or one.code in codes) for one in report.findings)


def counted(what: str, mutants: Iterator[None]) -> None:
    assert sum(1 for _ in mutants) >= LEAST[what]


def checkpoint_after(parts: Parts, index: int) -> tuple[int, int]:
    """The sizes of the checkpoints around an entry."""
    sizes = [0, *sorted(parts.notes)]
    return next((low, high) for low, high in pairwise(sizes) if low <= index < high)


def test_the_log_itself_is_sound_and_is_written_as_it_was_read(sound: Parts, played: Played) -> None:
    assert take_apart(sound.write()) == sound
    report = look(sound, log=played.log.signer.verifier)
    assert report.findings == ()
    assert report.exit_code == 0


def test_every_field_of_every_entry_altered_in_the_database_is_named(sound: Parts) -> None:
    """The bytes of an entry are altered, its hash stays: what somebody does who edits a table."""

    def mutants() -> Iterator[None]:
        for item in sound.items:
            for place, value in altered_values(json.loads(item.body)):
                mutant = sound.copy()
                mutant.items[item.index].body = with_value(item.body, place, value)
                report = look(mutant)
                differing = [one.index for one in report.findings if one.code is Code.LEAF_DIFFERS]
                assert (differing, report.exit_code) == ([item.index], 1), place
                yield

    counted("fields", mutants())


def test_every_kind_of_field_altered_with_its_hash_is_found_between_two_checkpoints(sound: Parts) -> None:
    """Entry and leaf hash are altered together, by somebody who knows how the tree is made, not by the log's key."""

    def mutants() -> Iterator[None]:
        seen = set()
        for item in sound.items:
            members = json.loads(item.body)
            for place, value in altered_values(members):
                kind = (members["kind"], tuple(step for step in place if isinstance(step, str)))
                if kind in seen:
                    continue
                seen.add(kind)
                mutant = sound.copy()
                mutant.items[item.index].body = with_value(item.body, place, value)
                mutant.refit()
                report = look(mutant)
                low, high = checkpoint_after(sound, item.index)
                torn = [(one.index, one.last) for one in report.findings if one.code is Code.ROOT_DIFFERS]
                assert (torn, report.exit_code) == ([(low, high - 1)], 1), place
                yield

    counted("fields and hashes", mutants())


def test_every_leaf_hash_altered_alone_is_named(sound: Parts) -> None:
    def mutants() -> Iterator[None]:
        for index, leaf in enumerate(sound.leaves):
            mutant = sound.copy()
            mutant.leaves[index] = bytes([leaf[0] ^ 1]) + leaf[1:]
            assert names(look(mutant), index, Code.LEAF_DIFFERS)
            yield

    counted("leaves", mutants())


def test_every_signed_document_altered_anywhere_is_named(sound: Parts) -> None:
    def mutants() -> Iterator[None]:
        for item in sound.items:
            for name, token in item.documents.items():
                pieces = token.split(".")
                for at, piece in enumerate(pieces):
                    mutant = sound.copy()
                    changed = ".".join([*pieces[:at], flipped(piece), *pieces[at + 1 :]])
                    mutant.items[item.index].documents[name] = changed
                    report = look(mutant)
                    assert report.exit_code, (item.index, name, at)
                    assert report.findings[0].names(item.index), (item.index, name, at)
                    yield

    counted("documents", mutants())


def test_a_document_of_another_entry_in_its_place_is_named(sound: Parts) -> None:
    def mutants() -> Iterator[None]:
        signed = [(item.index, name) for item in sound.items for name in item.documents]
        for (one, name), (other, theirs) in pairwise(signed):
            if one == other:
                continue
            mutant = sound.copy()
            mutant.items[one].documents[name] = sound.items[other].documents[theirs]
            assert names(look(mutant), one), (one, name)
            yield

    counted("documents exchanged", mutants())


def test_a_document_taken_away_is_missed(sound: Parts) -> None:
    def mutants() -> Iterator[None]:
        for item in sound.items:
            for name in item.documents:
                mutant = sound.copy()
                del mutant.items[item.index].documents[name]
                report = look(mutant)
                may_lack = "status" in item.documents
                assert may_lack or names(report, item.index), (item.index, name)
                yield

    counted("documents taken away", mutants())


def _delete(parts: Parts, index: int) -> None:
    del parts.items[index]


def _repeat(parts: Parts, index: int) -> None:
    parts.items.insert(index, parts.copy().items[(index + 7) % len(parts.items)])


def _swap(parts: Parts, index: int) -> None:
    other = index + 1 if index + 1 < len(parts.items) else index - 1
    parts.items[index], parts.items[other] = parts.items[other], parts.items[index]


@pytest.mark.parametrize("deed", [_delete, _repeat, _swap], ids=["deleted", "inserted", "swapped"])
def test_entries_moved_in_the_file_alone_are_named(sound: Parts, deed: Callable[[Parts, int], None]) -> None:
    """The leaves stay as they are: the entries no longer stand under them."""

    def mutants() -> Iterator[None]:
        for index in range(len(sound.items)):
            mutant = sound.copy()
            deed(mutant, index)
            for place, item in enumerate(mutant.items):
                item.index = place
            report = look(mutant)
            first = index - 1 if deed is _swap and index + 1 == len(sound.items) else index
            places = [one.index for one in report.findings if one.code in {Code.LEAF_DIFFERS, Code.ENTRY_MISSING}]
            places += [one.index for one in report.findings if one.code is Code.OUT_OF_ORDER]
            assert min(places) == first, (index, report.findings)
            yield

    counted(f"{deed.__name__} in the file", mutants())


@pytest.mark.parametrize("deed", [_delete, _repeat, _swap], ids=["deleted", "inserted", "swapped"])
def test_entries_moved_with_their_hashes_are_found_before_the_next_checkpoint(
    sound: Parts, deed: Callable[[Parts, int], None]
) -> None:
    def mutants() -> Iterator[None]:
        for index in range(len(sound.items)):
            mutant = sound.copy()
            deed(mutant, index)
            mutant.refit()
            report = look(mutant)
            low, high = checkpoint_after(sound, index)
            codes = {Code.ROOT_DIFFERS, Code.ENTRY_MISSING}
            places = [one for one in report.findings if one.code in codes]
            assert any(low <= one.index and (one.last or one.index) < high + 1 for one in places), (index, places)
            assert report.exit_code
            yield

    counted(f"{deed.__name__} with hashes", mutants())


def test_every_part_of_every_checkpoint_altered_is_named(sound: Parts) -> None:
    def mutants() -> Iterator[None]:
        for size, note in sound.notes.items():
            lines = note.split("\n")
            for at in (0, 1, 2, 4):
                mutant = sound.copy()
                changed = lines.copy()
                changed[at] = flipped(lines[at])
                mutant.notes[size] = "\n".join(changed)
                report = look(mutant)
                assert report.exit_code == 1
                assert names(report, size - 1, Code.CHECKPOINT_BAD), (size, at)
                yield

    counted("checkpoints", mutants())


def test_a_file_cut_off_after_any_line_is_known_as_such(sound: Parts) -> None:
    lines = list(sound.lines())

    def mutants() -> Iterator[None]:
        for count in range(len(lines)):
            cut = gzip.compress(b"".join(line + b"\n" for line in lines[:count]), compresslevel=1)
            report = verify_stream(io.BytesIO(cut))
            assert report.exit_code in {1, 3}, count
            yield

    counted("cut off", mutants())


def test_a_log_rolled_back_to_any_checkpoint_is_shorter_than_the_one_seen(sound: Parts, played: Played) -> None:
    """Everything fits, signatures too: only who saw more knows."""
    seen = notes.open_checkpoint(sound.notes[max(sound.notes)], played.log.signer.verifier)

    def mutants() -> Iterator[None]:
        for size in sorted(sound.notes)[:-1]:
            mutant = sound.copy()
            mutant.items = mutant.items[:size]
            mutant.leaves = mutant.leaves[:size]
            mutant.notes = {one: note for one, note in sound.notes.items() if one <= size}
            mutant.head["size"] = size
            assert look(mutant).exit_code == 0
            report = look(mutant, known=[seen])
            assert (report.exit_code, names(report, size, Code.LOG_SHORTER)) == (1, True)
            yield

    counted("rolled back", mutants())


def test_a_log_forked_by_its_own_key_is_another_than_the_one_seen(sound: Parts, played: Played) -> None:
    """The hub itself rewrites an entry, hashes and signs anew; the reader has one old checkpoint."""
    seen = notes.open_checkpoint(sound.notes[max(sound.notes)], played.log.signer.verifier)

    def mutants() -> Iterator[None]:
        for index, item in enumerate(sound.items):
            mutant = sound.copy()
            mutant.items[index].body = with_value(item.body, ("blind",), flipped(json.loads(item.body)["blind"]))
            mutant.refit()
            mutant.sign_again(played.log.signer.key, sorted(sound.notes))
            assert look(mutant).exit_code == 0
            report = look(mutant, known=[seen])
            assert (report.exit_code, names(report, index, Code.KNOWN_DIFFERS)) == (1, True)
            yield

    counted("forked", mutants())


def test_a_rewritten_disclosure_is_known_by_what_was_signed_though_the_hub_signs_all_anew(
    sound: Parts, played: Played
) -> None:
    """Without any old checkpoint: the sender's manifest and the receiver's receipt do not fit the new entry."""

    def mutants() -> Iterator[None]:
        for index, item in enumerate(sound.items):
            members = json.loads(item.body)
            if members["kind"] not in {"message:accepted", "receipt:delivered", "consent:registered"}:
                continue
            for place, value in altered_values(members["facts"]):
                if place[0] in {"owner", "against_exclusion"} or place[-1] in {"path", "outcome"} or "path" in place:
                    continue
                mutant = sound.copy()
                mutant.items[index].body = with_value(item.body, ("facts", *place), value)
                mutant.refit()
                mutant.sign_again(played.log.signer.key, sorted(sound.notes))
                report = look(mutant)
                assert report.exit_code, (members["kind"], place)
                assert report.findings[0].names(index), (members["kind"], place, report.findings)
                yield

    counted("rewritten and signed", mutants())


def test_the_head_and_the_agencies_altered_are_found(sound: Parts, played: Played) -> None:
    trusted = played.log.signer.verifier

    def mutants() -> Iterator[None]:
        for place, value in altered_values(sound.head):
            if place in {("t",), ("v",), ("made_at",)}:
                continue
            mutant = sound.copy()
            inner = mutant.head
            for step in place[:-1]:
                inner = inner[step]
            inner[place[-1]] = value
            assert look(mutant, log=trusted).exit_code == 1 or place == ("size",), place
            yield
        for at, agency in enumerate(sound.agencies):
            for place, value in (((("kind",)), "jichitai"), (("id",), flipped(agency["id"]))):
                mutant = sound.copy()
                mutant.agencies[at][place[0]] = value
                assert look(mutant).exit_code, place
                yield

    counted("head", mutants())


def test_together_these_are_more_than_two_thousand_mutants() -> None:
    assert sum(LEAST.values()) > 2000
