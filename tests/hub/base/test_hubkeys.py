# SPDX-License-Identifier: Apache-2.0
"""The hub's own keys: made once, kept close, and refused when they are not as they should be."""

import json
import multiprocessing
import stat
from pathlib import Path

import pytest

from consent.jwk import KeyUse
from hub.base import hubkeys
from hub.base.errors import ConfigurationError


def kids(keys: hubkeys.HubKeys) -> list[str]:
    return [key.kid for key in (keys.receipt, keys.log, keys.token)]


def load_and_tell(data: Path, told) -> None:
    told.put(kids(hubkeys.load(data)))


def test_the_first_start_makes_three_keys_of_three_uses_and_the_next_finds_them(tmp_path: Path) -> None:
    made = hubkeys.load(tmp_path)
    assert len(set(kids(made))) == 3
    assert [made.receipt.use, made.log.use, made.token.use] == [KeyUse.SIG, KeyUse.WITNESS, KeyUse.CLIENT]
    assert kids(hubkeys.load(tmp_path)) == kids(made)


def test_nobody_else_can_read_the_files_and_nothing_else_is_left(tmp_path: Path) -> None:
    hubkeys.load(tmp_path)
    folder = tmp_path / hubkeys.FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == dict.fromkeys(("receipt.json", "log.json", "token.json", "webhooks.json"), 0o600)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    hubkeys.load(tmp_path)
    (tmp_path / hubkeys.FOLDER / "log.json").chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        hubkeys.load(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"kty":"OKP"}'])
def test_a_file_that_is_no_key_is_refused_and_not_replaced(tmp_path: Path, text: str) -> None:
    hubkeys.load(tmp_path)
    path = tmp_path / hubkeys.FOLDER / "log.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        hubkeys.load(tmp_path)
    assert refused.value.code == "key-file-broken"
    assert path.read_text() == text


def test_a_key_of_another_use_is_refused(tmp_path: Path) -> None:
    hubkeys.load(tmp_path)
    folder = tmp_path / hubkeys.FOLDER
    (folder / "log.json").write_text((folder / "token.json").read_text())
    with pytest.raises(ConfigurationError):
        hubkeys.load(tmp_path)


def test_four_processes_that_start_at_once_end_with_the_same_keys(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    told = spawn.Queue()
    started = [spawn.Process(target=load_and_tell, args=(tmp_path, told)) for _ in range(4)]
    for one in started:
        one.start()
    answers = [told.get(timeout=60) for _ in started]
    for one in started:
        one.join()
    assert all(answer == answers[0] for answer in answers)
    stored = json.loads((tmp_path / hubkeys.FOLDER / "receipt.json").read_text())
    assert stored["kid"] == answers[0][0]


def test_the_key_of_the_webhooks_is_random_kept_and_not_shown(tmp_path: Path) -> None:
    made = hubkeys.load(tmp_path / "a")
    assert len(made.webhooks) == 32
    assert hubkeys.load(tmp_path / "a").webhooks == made.webhooks
    assert hubkeys.load(tmp_path / "b").webhooks != made.webhooks
    assert "webhooks" not in repr(made)


@pytest.mark.parametrize("text", ["", "{}", '{"kty":"oct","k":"AAAA"}', '{"kty":"oct","k":"!"}', '{"kty":"oct","k":5}'])
def test_a_webhooks_key_that_is_none_is_refused_and_not_replaced(tmp_path: Path, text: str) -> None:
    hubkeys.load(tmp_path)
    path = tmp_path / hubkeys.FOLDER / hubkeys.WEBHOOKS_FILE
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        hubkeys.load(tmp_path)
    assert refused.value.code == "key-file-broken"
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        hubkeys.load(tmp_path)
