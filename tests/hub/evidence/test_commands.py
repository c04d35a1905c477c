# SPDX-License-Identifier: Apache-2.0
"""The two ends of a bundle: `tsunagi-hub audit bundle` writes it, `tsunagi audit verify` and `who` read it anywhere."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connectors.cli.main import main as tsunagi
from consent.jwk import KeyUse, generate
from consent.tlog.notes import Verifier, cosign, read_note
from hub.base.config import Settings
from hub.cli import main as tsunagi_hub
from hub.station import open_station
from tests.hub.builders import ISSUER, active_agency, new_uuid
from tests.hub.evidence.conftest import Played
from tests.hub.evidence.mutants import take_apart

PASSPHRASE = "a long made-up passphrase"


def type_(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(tsunagi, ["audit", *words], env={"LANG": "C.UTF-8"})
    assert result.exit_code == code, (words, result.exit_code, result.output, result.exception)
    return result


def answer(*words: str, code: int = 0) -> Any:
    return json.loads(type_(*words, "--json", code=code).stdout)


@pytest.fixture
def file(played: Played, tmp_path: Path) -> Path:
    path = tmp_path / "bundle.gz"
    path.write_bytes(played.bundle)
    return path


@pytest.fixture
def spoiled(played: Played, tmp_path: Path) -> Path:
    parts = take_apart(played.bundle)
    parts.items[7].body = parts.items[7].body.replace(b'"at":"2', b'"at":"3')
    path = tmp_path / "spoiled.gz"
    path.write_bytes(parts.write())
    return path


@pytest.fixture
def key(played: Played, tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(played.log.signer.verifier.text() + "\n", encoding="utf-8")
    return path


def test_a_sound_bundle_is_said_to_be_sound_in_both_languages(file: Path, key: Path) -> None:
    assert type_("verify", str(file), "--key", str(key)).stdout.startswith("Sound: nothing was found.\n")
    assert "問題は見つかりませんでした" in type_("verify", str(file), "--lang", "ja").stdout
    said = answer("verify", str(file), "--key", key.read_text("utf-8").strip())
    assert (said["verdict"], said["exit_code"], said["findings"]) == ("sound", 0, [])
    assert said["entries"] == said["size"]


def test_a_tampered_bundle_names_the_index_and_ends_with_1(spoiled: Path) -> None:
    assert "Entry 7 is not what the log's hash was made of." in type_("verify", str(spoiled), code=1).stdout
    assert "記録 7 の中身" in type_("verify", str(spoiled), "--lang", "ja", code=1).stdout
    first = answer("verify", str(spoiled), code=1)["findings"][0]
    assert first == {"code": "leaf-differs", "grade": "tampered", "index": 7, "last": 7, "about": ""}


def test_a_log_that_is_shorter_than_a_checkpoint_seen_before_is_tampered(
    played: Played, file: Path, key: Path, tmp_path: Path
) -> None:
    parts = take_apart(played.bundle)
    size = sorted(parts.notes)[-2]
    seen = tmp_path / "seen"
    seen.write_text(parts.notes[max(parts.notes)], encoding="utf-8")
    parts.items, parts.leaves = parts.items[:size], parts.leaves[:size]
    parts.notes.pop(max(parts.notes))
    parts.head["size"] = size
    short = tmp_path / "short.gz"
    short.write_bytes(parts.write())
    assert answer("verify", str(file), "--key", str(key), "--seen", str(seen))["verdict"] == "sound"
    said = answer("verify", str(short), "--key", str(key), "--seen", str(seen), code=1)
    assert said["found"] == {"log-shorter": 1}


def test_a_bundle_that_was_cut_off_is_incomplete(file: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(file.read_bytes()[:-400])
    assert answer("verify", str(cut), code=3)["verdict"] == "incomplete"


def test_a_policy_of_witnesses_asks_for_enough_cosignatures_up_to_the_end(
    played: Played, file: Path, tmp_path: Path
) -> None:
    keys = [generate(KeyUse.WITNESS) for _ in range(3)]
    names = ("officer:kakuu", "agency:kakuu", "outside:kakuu")
    lines = [f"log {played.log.signer.verifier.text()}"]
    for name, key in zip(names, keys, strict=True):
        lines.append(f"witness {name} {Verifier(name.replace(':', '.'), key.public.native, cosigns=True).text()}")
    lines += ["group others 1 officer:kakuu outside:kakuu", "group enough all agency:kakuu others", "quorum enough"]
    policy = tmp_path / "policy"
    policy.write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = answer("verify", str(file), "--policy", str(policy), code=2)
    assert said["found"] == {"no-quorum": 1}
    assert (said["findings"][0]["index"], said["findings"][0]["last"]) == (0, said["size"] - 1)
    parts = take_apart(played.bundle)
    newest = max(parts.notes)
    note = read_note(parts.notes[newest])
    at = datetime.fromisoformat(parts.head["made_at"])
    for name, key in list(zip(names, keys, strict=True))[:2]:
        parts.notes[newest] += cosign(note, name.replace(":", "."), key.native, at).line()
    cosigned = tmp_path / "cosigned.gz"
    cosigned.write_bytes(parts.write())
    assert answer("verify", str(cosigned), "--policy", str(policy))["verdict"] == "sound"
    assert answer("verify", str(file), "--policy", str(file), code=5)["error"]["code"] == "policy-unreadable"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--key", "no+key"), "log-key-bad"),
        (("--key", "{missing}"), "file-unreadable"),
        (("--seen", "{bundle}"), "key-needed"),
        (("--key", "{key}", "--seen", "{key}"), "checkpoint-unreadable"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_checked(
    words: tuple[str, ...], code: str, file: Path, key: Path, tmp_path: Path
) -> None:
    places = {"missing": str(tmp_path / "missing"), "bundle": str(file), "key": str(key)}
    said = answer("verify", str(file), *(word.format(**places) for word in words), code=5)
    assert said["error"]["code"] == code


def test_a_bundle_that_is_not_there_is_not_checked(tmp_path: Path) -> None:
    assert answer("verify", str(tmp_path / "none"), code=5)["error"]["code"] == "file-unreadable"


def test_who_received_what_is_answered_from_a_bundle(played: Played, file: Path, spoiled: Path) -> None:
    said = answer("who", played.story.case, "--bundle", str(file))
    assert [one["recipient"] for one in said["disclosures"]] == [played.story.s1.id] * 5
    assert said["verified"]["verdict"] == "sound"
    assert "not yet" in type_("who", played.story.case, "--bundle", str(file)).stdout
    assert type_("who", new_uuid(), "--bundle", str(file)).stdout == "Nothing of this case was disclosed to anybody.\n"
    assert "Tampered" in type_("who", played.story.case, "--bundle", str(spoiled), code=1).stdout


@pytest.fixture
def hub(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub of one machine with an agency in its log; gives the file with the passphrase of its people."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url.replace("postgresql+psycopg", "postgresql"))
    monkeypatch.setenv("TSUNAGI_ISSUER", ISSUER)
    monkeypatch.setenv("TSUNAGI_ENV", "test")
    monkeypatch.setenv("TSUNAGI_DATA", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")
    return secret


def test_an_officer_takes_the_whole_log_with_them_and_the_log_says_so(
    hub: Path, settings: Settings, database, tmp_path: Path
) -> None:
    active_agency(database)
    secret = ("--passphrase-file", str(hub))
    person = CliRunner().invoke(tsunagi_hub, ["staff", "enrol", "officer", *secret]).output.split()[-1]
    with open_station(Settings.from_environment(os.environ)) as at:
        at.sequence()
    out = tmp_path / "bundle.gz"
    words = ["audit", "bundle", str(out), "--staff", person, *secret]
    result = CliRunner().invoke(tsunagi_hub, words)
    assert result.exit_code == 0, result.output
    assert str(out) in result.output
    assert answer("verify", str(out))["verdict"] == "sound"
    again = CliRunner().invoke(tsunagi_hub, words)
    assert again.exit_code != 0
    with open_station(Settings.from_environment(os.environ)) as at:
        at.sequence()
    CliRunner().invoke(tsunagi_hub, ["audit", "bundle", str(tmp_path / "next.gz"), "--staff", person, *secret])
    kinds = [json.loads(item.body)["kind"] for item in take_apart((tmp_path / "next.gz").read_bytes()).items]
    assert kinds[-1] == "export:made"


def test_whoever_cannot_sign_in_gets_nothing(hub: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle.gz"
    words = ["audit", "bundle", str(out), "--staff", new_uuid(), "--passphrase-file", str(hub)]
    result = CliRunner().invoke(tsunagi_hub, words)
    assert result.exit_code == 1
    assert not out.exists()
