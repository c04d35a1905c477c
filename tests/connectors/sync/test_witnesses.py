# SPDX-License-Identifier: Apache-2.0
"""The witnesses of the hub's log, as an agency hears of them: fresh, late, never, and what is opened meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.base.errors import ConnectorError
from connectors.sync import inbound, witnesses
from connectors.sync.connector import Connector
from connectors.sync.station import Watch, WhenLate
from connectors.sync.witnesses import POLICY_FILE, Standing, read_watch
from connectors.testing.log import MemoryLog
from consent.tlog import notes, policy
from consent.tlog.notes import Note, Verifier
from tests.connectors.story import NOW, Network, consent, letter, open_case, refused

KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)
    for n, name in enumerate(("officer:dpo", "agency:midori", "outside:daigaku"), start=2)
}
RULE = "group others any officer:dpo outside:daigaku\ngroup enough all agency:midori others\nquorum enough\n"
URGENCIES = [("immediate", True), ("same_day", True), ("soon", False), ("normal", False)]


def policy_text(log: str) -> str:
    lines = [
        f"witness {name} {Verifier(name.replace(':', '.'), key.public_key(), cosigns=True).text()}\n"
        for name, key in KEYS.items()
    ]
    return f"log {log}\n{''.join(lines)}{RULE}"


def cosign(log: MemoryLog, *names: str, at: datetime) -> None:
    note = notes.read_note(log.checkpoint())
    lines = [notes.cosign(note, name.replace(":", "."), KEYS[name], at) for name in names]
    log.witnessed = Note(note.text, (*note.signatures, *lines)).write()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "_PAUSES", (0.0,))


@pytest.fixture
def watching(network: Network, s1: Connector) -> Callable[[WhenLate], Connector]:
    def _watching(when_late: WhenLate) -> Connector:
        read = policy.read_policy(policy_text(network.hub.log.verifier))
        return replace(s1, watch=Watch(policy=read, when_late=when_late))

    return _watching


def standing(connector: Connector) -> Standing | None:
    with connector.casebook.transaction() as connection:
        return witnesses.standing(connection, connector.watch, now=connector.now())


def test_without_a_policy_nobody_is_asked(s1: Connector, network: Network) -> None:
    network.hub.log.witnessed = "hello"
    witnesses.look(s1)
    assert standing(s1) is None


def test_a_quorum_is_fresh_for_four_hours_and_then_late(
    network: Network, watching: Callable[[WhenLate], Connector]
) -> None:
    s1 = watching("warn")
    cosign(network.hub.log, *KEYS, at=NOW)
    witnesses.look(s1)
    assert standing(s1) == Standing(as_of=NOW, is_late=False)
    network.clock.on(hours=4)
    witnesses.look(s1)
    assert standing(s1) == Standing(as_of=NOW, is_late=False)
    network.clock.on(seconds=1)
    assert standing(s1) == Standing(as_of=NOW, is_late=True)
    cosign(network.hub.log, "agency:midori", "officer:dpo", at=network.clock())
    witnesses.look(s1)
    assert standing(s1) == Standing(as_of=network.clock(), is_late=False)


def test_a_log_that_nobody_cosigned_is_late_four_hours_after_the_first_look(
    network: Network, watching: Callable[[WhenLate], Connector]
) -> None:
    s1 = watching("warn")
    witnesses.look(s1)
    assert standing(s1) == Standing(as_of=None, is_late=False)
    network.clock.on(hours=5)
    assert standing(s1) == Standing(as_of=None, is_late=True)


@pytest.mark.parametrize(
    "names", [("officer:dpo", "outside:daigaku"), ("agency:midori",), ()], ids=lambda names: str(len(names))
)
def test_what_is_no_quorum_makes_nothing_fresh(
    network: Network, watching: Callable[[WhenLate], Connector], names: tuple[str, ...]
) -> None:
    s1 = watching("warn")
    cosign(network.hub.log, *names, at=NOW)
    witnesses.look(s1)
    assert standing(s1) == Standing(as_of=None, is_late=False)


def test_an_older_word_shown_again_takes_nothing_back(
    network: Network, watching: Callable[[WhenLate], Connector]
) -> None:
    s1 = watching("warn")
    cosign(network.hub.log, *KEYS, at=NOW)
    witnesses.look(s1)
    cosign(network.hub.log, *KEYS, at=NOW - timedelta(hours=3))
    witnesses.look(s1)
    assert standing(s1) == Standing(as_of=NOW, is_late=False)


def test_a_cosigned_log_that_is_not_ours_is_refused(
    network: Network, watching: Callable[[WhenLate], Connector]
) -> None:
    s1 = watching("warn")
    other = MemoryLog("hub.test/v1/audit")
    cosign(other, *KEYS, at=NOW)
    network.hub.log.witnessed = other.witnessed
    with refused("proof-bad"):
        witnesses.look(s1)
    network.hub.log.witnessed = "hello"
    with refused("proof-bad"):
        witnesses.look(s1)


def test_a_cosigned_fork_of_the_log_is_found_out(network: Network, watching: Callable[[WhenLate], Connector]) -> None:
    s1, log = watching("warn"), network.hub.log
    s1.fetch_directory()
    entry, parties = log.entries[0]
    log.entries[0] = (replace(entry, entry=entry.entry + " "), parties)
    cosign(log, *KEYS, at=NOW)
    with refused("log-forked"):
        witnesses.look(s1)


def test_a_policy_about_another_log_is_refused(network: Network, s1: Connector) -> None:
    other = policy.read_policy(policy_text(MemoryLog("hub.test/v1/audit").verifier))
    with refused("witness-policy-other-log"):
        witnesses.look(replace(s1, watch=Watch(policy=other, when_late="warn")))


@pytest.mark.parametrize(("urgency", "opens"), URGENCIES)
@pytest.mark.parametrize("when_late", ["warn", "stop"])
def test_when_witnesses_are_late_only_what_is_urgent_is_opened_if_the_network_says_so(
    network: Network,
    j1: Connector,
    watching: Callable[[WhenLate], Connector],
    when_late: WhenLate,
    urgency: str,
    opens: bool,
) -> None:
    s1 = watching(when_late)
    cosign(network.hub.log, *KEYS, at=NOW)
    witnesses.look(s1)
    network.clock.on(hours=5)
    case = open_case(j1)
    consent(j1, case, s1.agency)
    j1.push()
    telephone = {"at": network.clock(), "result": "reached"} if urgency == "immediate" else None
    j1.submit(letter(case, s1, urgency=urgency), telephone=telephone)
    (one,) = s1.collect()
    assert one.outcome == ("opened" if opens or when_late == "warn" else "unwitnessed")
    if one.outcome == "unwitnessed":
        assert one.code == "witnesses-late"
        cosign(network.hub.log, *KEYS, at=network.clock())
        witnesses.look(s1)
        assert [again.outcome for again in s1.collect()] == ["opened"]


def test_the_hubs_word_that_something_is_urgent_opens_nothing(
    network: Network, j1: Connector, watching: Callable[[WhenLate], Connector], monkeypatch: pytest.MonkeyPatch
) -> None:
    s1 = watching("stop")
    witnesses.look(s1)
    network.clock.on(hours=5)
    case = open_case(j1)
    consent(j1, case, s1.agency)
    j1.send(letter(case, s1, urgency="normal"))
    j1.push()
    shown = [replace(one, urgency="immediate") for one in s1.hub.inbox()]
    monkeypatch.setattr(s1.hub, "inbox", lambda **_: iter(shown))
    (one,) = s1.collect()
    assert (one.outcome, one.code) == ("unwitnessed", "witnesses-late")


def test_a_round_looks_at_the_witnesses_before_anything_is_opened(
    network: Network, j1: Connector, watching: Callable[[WhenLate], Connector]
) -> None:
    s1 = watching("stop")
    witnesses.look(s1)
    network.clock.on(hours=5)
    case = open_case(j1)
    consent(j1, case, s1.agency)
    j1.send(letter(case, s1))
    j1.push()
    cosign(network.hub.log, *KEYS, at=network.clock())
    assert [one.outcome for one in s1.sync().collected] == ["opened"]


# ── the file ──


def test_the_policy_is_a_file_in_the_agencys_folder(tmp_path: Path) -> None:
    log = MemoryLog("hub.test/v1/audit").verifier
    assert read_watch(tmp_path, "stop") is None
    (tmp_path / POLICY_FILE).write_text(policy_text(log), encoding="utf-8")
    read = read_watch(tmp_path, "stop")
    assert read is not None
    assert (read.policy.log.text(), read.when_late) == (log, "stop")


@pytest.mark.parametrize("content", [b"", b"\xff\n", b"hello\n"])
def test_a_policy_that_cannot_be_read_is_no_policy_that_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / POLICY_FILE).write_bytes(content)
    with pytest.raises(ConnectorError, match="witness-policy-bad"):
        read_watch(tmp_path, "warn")
