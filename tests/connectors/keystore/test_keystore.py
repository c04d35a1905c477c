# SPDX-License-Identifier: Apache-2.0
"""The keystore keeps secrets under a passphrase, old keys for opening, and never half a file."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.base.errors import ConnectorError
from connectors.keystore import keyfile, keystore
from consent import keys
from consent.keys import KeyUse

AGENCY = "01890000-0000-7000-8000-000000000001"
NOW = datetime(2026, 4, 6, 1, 30, tzinfo=UTC)
PASSPHRASE = "架空の長い合言葉です。十二文字以上"


@pytest.fixture
def made(tmp_path: Path) -> keystore.NewKeys:
    return keystore.create_keystore(tmp_path, PASSPHRASE, agency=AGENCY, now=NOW)


def refused(code: str) -> pytest.RaisesExc:
    return pytest.raises(ConnectorError, check=lambda error: error.code == code)


def test_what_was_kept_is_there_after_opening(tmp_path: Path, made: keystore.NewKeys) -> None:
    opened = keystore.open_keystore(tmp_path, PASSPHRASE)
    assert opened.agency == AGENCY
    assert opened.casebook_key == made.store.casebook_key
    for use in (KeyUse.SIG, KeyUse.ENC, KeyUse.CLIENT):
        assert opened.current(use, NOW).public == made.store.current(use, NOW).public
    assert keystore.open_root(tmp_path, PASSPHRASE).public == made.root


def test_both_files_are_readable_by_their_owner_alone(tmp_path: Path, made: keystore.NewKeys) -> None:
    for name in (keystore.KEYS_FILE, keystore.ROOT_FILE):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_no_private_key_stands_readable_in_the_files(tmp_path: Path, made: keystore.NewKeys) -> None:
    text = (tmp_path / keystore.KEYS_FILE).read_text() + (tmp_path / keystore.ROOT_FILE).read_text()
    for key in made.store.held:
        assert key.private.export()["d"] not in text
    assert AGENCY not in text


def test_a_wrong_passphrase_is_refused_with_a_sentence(tmp_path: Path, made: keystore.NewKeys) -> None:
    with refused("wrong-passphrase") as caught:
        keystore.open_keystore(tmp_path, PASSPHRASE + "x")
    assert "keys.json" in caught.value.says("ja")
    assert "passphrase" in caught.value.says("en").lower()


def test_a_short_passphrase_makes_nothing(tmp_path: Path) -> None:
    with refused("passphrase-too-short"):
        keystore.create_keystore(tmp_path, "short", agency=AGENCY, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_keystore_is_never_overwritten(tmp_path: Path, made: keystore.NewKeys) -> None:
    before = (tmp_path / keystore.KEYS_FILE).read_bytes()
    with refused("keystore-exists"):
        keystore.create_keystore(tmp_path, PASSPHRASE, agency=AGENCY, now=NOW)
    assert (tmp_path / keystore.KEYS_FILE).read_bytes() == before


def test_a_missing_keystore_says_what_to_do(tmp_path: Path) -> None:
    with refused("keystore-missing") as caught:
        keystore.open_keystore(tmp_path, PASSPHRASE)
    assert "tsunagi agency init" in caught.value.says("ja")


@pytest.mark.parametrize(
    ("member", "value"), [("memory_kib", 8), ("iterations", 1), ("memory_kib", 10**9), ("v", 2), ("sealed", "AA==")]
)
def test_a_weakened_or_damaged_file_is_refused(
    tmp_path: Path, made: keystore.NewKeys, member: str, value: object
) -> None:
    path = tmp_path / keystore.KEYS_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), member: value}))
    with refused("wrong-passphrase"):
        keystore.open_keystore(tmp_path, PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b'{"v": 1}'])
def test_a_file_that_is_no_keystore_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / keystore.KEYS_FILE).write_bytes(content)
    with refused("wrong-passphrase"):
        keyfile.read(tmp_path / keystore.KEYS_FILE, PASSPHRASE)


def test_the_first_entries_are_vouched_for_by_the_root(made: keystore.NewKeys) -> None:
    by_use = {key.entry.use: key for key in made.store.held}
    sig = by_use[KeyUse.SIG].private.public
    for use in (KeyUse.SIG, KeyUse.CLIENT):
        assert keys.read_entry(by_use[use].signed, root=made.root) == by_use[use].entry
    assert keys.read_entry(by_use[KeyUse.ENC].signed, previous=sig) == by_use[KeyUse.ENC].entry


@pytest.mark.parametrize("use", [KeyUse.SIG, KeyUse.ENC, KeyUse.CLIENT])
def test_a_rotated_key_follows_its_chain_begins_later_and_the_old_one_still_opens(
    tmp_path: Path, made: keystore.NewKeys, use: KeyUse
) -> None:
    later = NOW + timedelta(days=100)
    old = made.store.current(use, NOW)
    made.store.rotate(use, now=later, passphrase=PASSPHRASE)
    opened = keystore.open_keystore(tmp_path, PASSPHRASE)
    assert opened.current(use, later).public == old.public
    assert opened.current(use, later + keystore.LEAD).public != old.public
    chain = [key.entry for key in opened.held if key.entry.use is use]
    keys.check_chain(chain)
    if use is KeyUse.ENC:
        assert [key.kid for key in opened.opening_keys()][1] == old.kid


def test_a_key_past_its_window_is_not_used(made: keystore.NewKeys) -> None:
    with refused("key-missing") as caught:
        made.store.current(KeyUse.CLIENT, NOW + timedelta(days=200))
    assert "client" in caught.value.says("en")


def test_a_key_that_has_not_begun_is_not_rotated_again(tmp_path: Path, made: keystore.NewKeys) -> None:
    made.store.rotate(KeyUse.SIG, now=NOW, passphrase=PASSPHRASE)
    before = (tmp_path / keystore.KEYS_FILE).read_bytes()
    with refused("key-not-begun"):
        made.store.rotate(KeyUse.SIG, now=NOW + timedelta(hours=23), passphrase=PASSPHRASE)
    assert (tmp_path / keystore.KEYS_FILE).read_bytes() == before


@pytest.mark.parametrize("passphrase", ["", "x" * 12, PASSPHRASE + " "])
def test_a_wrong_passphrase_rotates_nothing_and_shuts_nobody_out(
    tmp_path: Path, made: keystore.NewKeys, passphrase: str
) -> None:
    before, held = (tmp_path / keystore.KEYS_FILE).read_bytes(), made.store.held
    with refused("wrong-passphrase"):
        made.store.rotate(KeyUse.ENC, now=NOW, passphrase=passphrase)
    assert (tmp_path / keystore.KEYS_FILE).read_bytes() == before
    assert made.store.held == held
    assert keystore.open_keystore(tmp_path, PASSPHRASE).casebook_key == made.store.casebook_key


def test_without_the_file_nothing_is_rotated(tmp_path: Path, made: keystore.NewKeys) -> None:
    held = made.store.held
    (tmp_path / keystore.KEYS_FILE).rename(tmp_path / "in the safe")
    with refused("keystore-missing"):
        made.store.rotate(KeyUse.ENC, now=NOW, passphrase=PASSPHRASE)
    assert made.store.held == held
    assert not (tmp_path / keystore.KEYS_FILE).exists()


def test_a_key_that_cannot_be_saved_is_not_held(
    tmp_path: Path, made: keystore.NewKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **_options: object) -> None:
        raise ConnectorError("folder-unwritable", folder="x")

    held = made.store.held
    monkeypatch.setattr(keystore.keyfile, "write", full)
    with refused("folder-unwritable"):
        made.store.rotate(KeyUse.ENC, now=NOW, passphrase=PASSPHRASE)
    assert made.store.held == held


def test_a_key_that_another_process_made_is_not_lost_by_the_next_rotation(
    tmp_path: Path, made: keystore.NewKeys
) -> None:
    other = keystore.open_keystore(tmp_path, PASSPHRASE)
    other.rotate(KeyUse.ENC, now=NOW, passphrase=PASSPHRASE)
    made.store.rotate(KeyUse.CLIENT, now=NOW, passphrase=PASSPHRASE)
    uses = [key.entry.use for key in keystore.open_keystore(tmp_path, PASSPHRASE).held]
    assert sorted(uses) == sorted([KeyUse.SIG, KeyUse.ENC, KeyUse.CLIENT, KeyUse.ENC, KeyUse.CLIENT])
    with refused("key-not-begun"):
        made.store.rotate(KeyUse.ENC, now=NOW, passphrase=PASSPHRASE)


def test_a_passphrase_that_a_machine_drew_is_not_stretched_and_opens_like_any_other(tmp_path: Path) -> None:
    drawn = keystore.create_keystore(tmp_path, "Jx3tq8v0mW2rY5uZ7aB9", agency=AGENCY, now=NOW, stretching=keyfile.DRAWN)
    for name in (keystore.KEYS_FILE, keystore.ROOT_FILE):
        head = json.loads((tmp_path / name).read_bytes())
        assert (head["memory_kib"], head["iterations"]) == (keyfile.DRAWN.memory_kib, keyfile.DRAWN.iterations)
    opened = keystore.open_keystore(tmp_path, "Jx3tq8v0mW2rY5uZ7aB9")
    assert [one.entry for one in opened.held] == [one.entry for one in drawn.store.held]
    with refused("wrong-passphrase"):
        keystore.open_keystore(tmp_path, "Jx3tq8v0mW2rY5uZ7aB8")


def test_a_passphrase_that_people_choose_gets_all_the_work_that_the_protocol_asks(tmp_path: Path) -> None:
    keystore.create_keystore(tmp_path, PASSPHRASE, agency=AGENCY, now=NOW)
    head = json.loads((tmp_path / keystore.KEYS_FILE).read_bytes())
    assert (head["memory_kib"], head["iterations"]) == (64 * 1024, 3)
