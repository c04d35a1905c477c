# SPDX-License-Identifier: Apache-2.0
"""A log is believed on proof: one key, one history, never shorter than it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.sync import proofs
from connectors.sync.connector import Connector
from connectors.testing.log import MemoryLog
from consent.tlog import notes
from tests.connectors.story import NOW, Network, refused


@pytest.fixture
def log(network: Network, j1: Connector) -> MemoryLog:
    j1.fetch_directory()
    return network.hub.log


def add(log: MemoryLog, count: int) -> None:
    for _ in range(count):
        number = len(log.entries)
        log.append("case:noted", f"e-{number}", parties=(), facts={"n": number}, at=NOW)


def proved(connector: Connector, log: MemoryLog, index: int) -> dict[str, object]:
    return proofs.verify_entry(connector, log.entries[index][0].entry, log.proof(index))


def seen(connector: Connector) -> int:
    found = proofs._seen(connector)
    assert found is not None
    return found.size


@pytest.mark.parametrize("growth", [1, 2, 5, 255, 256, 257, 600])
def test_a_log_that_grows_is_followed_through_its_tiles(j1: Connector, log: MemoryLog, growth: int) -> None:
    before = seen(j1)
    add(log, growth)
    assert proved(j1, log, before)["kind"] == "case:noted"
    assert seen(j1) == before + growth


def test_an_entry_changed_afterwards_is_not_believed(j1: Connector, log: MemoryLog) -> None:
    add(log, 3)
    with refused("proof-bad"):
        proofs.verify_entry(j1, log.entries[1][0].entry.replace("key", "yek"), log.proof(1))


def test_a_checkpoint_signed_by_another_log_is_not_believed(j1: Connector, log: MemoryLog) -> None:
    other = MemoryLog("hub.test/v1/audit")
    add(other, 1)
    with refused("proof-bad"):
        proved(j1, other, 0)


def test_a_log_that_was_rewritten_is_found_out(j1: Connector, log: MemoryLog) -> None:
    first, parties = log.entries[0]
    log.entries[0] = (replace(first, entry=first.entry.replace("key:published", "key:forgotten")), parties)
    add(log, 4)
    with refused("log-forked"):
        proved(j1, log, len(log.entries) - 1)


def test_another_log_of_the_same_size_is_found_out(j1: Connector, log: MemoryLog) -> None:
    last, parties = log.entries.pop()
    log.entries.append((replace(last, entry=last.entry.replace("key:published", "key:forgotten")), parties))
    with refused("log-forked"):
        proved(j1, log, 0)


@pytest.mark.parametrize("shorter", [False, True])
def test_of_a_log_that_is_two_both_signed_notes_are_kept(j1: Connector, log: MemoryLog, shorter: bool) -> None:
    add(log, 2)
    proved(j1, log, 0)
    with j1.casebook.transaction() as connection:
        assert proofs.forked(connection) is None
    last, parties = log.entries.pop()
    if not shorter:
        log.entries.append((replace(last, entry=last.entry.replace("case:noted", "case:moved")), parties))
    for _ in range(2):
        with refused("log-forked"):
            proved(j1, log, 0)
    with j1.casebook.transaction() as connection:
        found = proofs.forked(connection)
    assert found is not None
    assert found.seen is not None
    first, second = (notes.open_checkpoint(note, proofs.pinned(j1).log) for note in (found.seen, found.shown))
    assert (second.size - first.size, first.root != second.root) == (-1 if shorter else 0, True)


def test_a_log_that_became_shorter_is_found_out(j1: Connector, log: MemoryLog) -> None:
    """LOG-09."""
    add(log, 2)
    proved(j1, log, 0)
    del log.entries[-1]
    with refused("log-forked"):
        proved(j1, log, 0)


def test_an_answer_that_was_on_its_way_for_long_is_no_shorter_log(j1: Connector, log: MemoryLog) -> None:
    add(log, 1)
    late = log.proof(0)
    add(log, 1)
    proved(j1, log, 1)
    size = seen(j1)
    proofs.verify_entry(j1, log.entries[0][0].entry, late)
    assert seen(j1) == size


def test_what_was_seen_is_remembered_by_the_casebook(j1: Connector, log: MemoryLog) -> None:
    checkpoint = notes.read_checkpoint(notes.read_note(log.checkpoint()))
    assert proofs._seen(j1) == checkpoint


def test_the_hubs_keys_are_pinned_at_first_sight(j1: Connector, network: Network, log: MemoryLog) -> None:
    proofs.check_pins(j1)
    pinned = proofs.pinned(j1)
    network.hub.log = MemoryLog("hub.test/v1/audit")
    assert proofs.pinned(j1) == pinned
    with refused("hub-keys-changed"):
        proofs.check_pins(j1)


def test_no_proof_is_no_proof(j1: Connector, log: MemoryLog) -> None:
    with refused("proof-bad"):
        proofs.verify_entry(j1, log.entries[0][0].entry, "")
