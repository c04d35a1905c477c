# SPDX-License-Identifier: Apache-2.0
"""Whatever is typed wrongly: a sentence that says what to do, its exit code, and nothing half-made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors.cli import errors
from connectors.cli.desk import Surroundings
from connectors.cli.main import main
from tests.connectors.cli.office import PASSPHRASE, STAFF, Office, Town, passphrase_file

SOME_ID = "0192f000-0000-7000-8000-000000000001"
INIT = ("agency", "init", "--kind", "jiritsu", "--name", "架空市相談センター", "--hub", "https://hub.example")


def typed(*words: str, asked: bool = False, keys: str = "") -> tuple[int, str, str]:
    around = Surroundings(is_asked=lambda: asked)
    result = CliRunner().invoke(main, list(words), obj=around, input=keys)
    return result.exit_code, result.stdout, result.stderr


# ── where the agency is ──


def test_no_folder_named() -> None:
    code, _, said = typed("person", "find", "架空田")
    assert code == 1
    assert "--folder" in said


def test_a_folder_that_holds_no_agency(tmp_path: Path) -> None:
    code, _, said = typed("person", "find", "架空田", "--folder", str(tmp_path / "nowhere"))
    assert code == 1
    assert "tsunagi agency init" in said
    assert not (tmp_path / "nowhere").exists()


def test_a_settings_file_that_cannot_be_read(j1: Office) -> None:
    (j1.folder / "agency.json").write_text("{", encoding="utf-8")
    assert "agency.json cannot be read" in j1.type("person", "find", "架空田", code=1).stderr


def test_a_casebook_that_was_damaged(j1: Office) -> None:
    j1.json("person", "find", "架空田")
    for beside in j1.folder.glob("casebook.db-*"):
        beside.unlink()
    (j1.folder / "casebook.db").write_bytes(b"\x00" * 8192)
    assert "Restore it from its copy" in j1.type("person", "find", "架空田", code=1).stderr


def test_a_casebook_that_breaks_while_it_is_read(j1: Office) -> None:
    for number in range(60):
        j1.json("person", "add", "--name", f"架空田 {number}" + "郎" * 100)
    path = j1.folder / "casebook.db"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4] + b"\x00" * (len(whole) - len(whole) * 3 // 4))
    said = j1.type("export", "people", code=1).stderr  # which page breaks first depends on the tables
    assert "restore it from its copy" in said.lower()


def test_a_person_without_a_name(j1: Office) -> None:
    assert "--name" in j1.type("person", "add", "--name", " ", code=1).stderr


def test_an_agency_is_never_made_over_another(j1: Office) -> None:
    before = (j1.folder / "keys.json").read_bytes()
    assert "not overwritten" in j1.type(*INIT, code=1).stderr
    assert (j1.folder / "keys.json").read_bytes() == before


def test_an_agency_in_a_folder_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    office = Office(folder=tmp_path / "file" / "agency", secret=passphrase_file(tmp_path))
    assert "cannot be written" in office.type(*INIT, code=1).stderr
    assert {path.name for path in tmp_path.iterdir()} == {"file", "passphrase"}


def test_a_name_that_the_hub_would_refuse_leaves_nothing(tmp_path: Path) -> None:
    office = Office(folder=tmp_path / "agency", secret=passphrase_file(tmp_path))
    office.type(*INIT[:5], "", "--hub", "https://hub.example", code=1)
    assert not office.folder.exists()


def test_a_hub_without_https(tmp_path: Path) -> None:
    office = Office(folder=tmp_path / "agency", secret=passphrase_file(tmp_path))
    said = office.type(*INIT[:6], "--hub", "http://hub.example", code=1).stderr
    assert "must begin with https" in said
    assert not office.folder.exists()


# ── the passphrase ──


def test_a_wrong_passphrase(j1: Office) -> None:
    j1.secret.write_text("quite another passphrase", encoding="utf-8")
    assert "passphrase is wrong" in j1.type("person", "find", "架空田", code=1).stderr


def test_a_passphrase_that_is_too_short_leaves_nothing(tmp_path: Path) -> None:
    office = Office(folder=tmp_path / "agency", secret=passphrase_file(tmp_path))
    office.secret.write_text("short", encoding="utf-8")
    assert "12 characters" in office.type(*INIT, code=1).stderr
    assert not office.folder.exists()


def test_a_passphrase_file_that_others_can_read(j1: Office) -> None:
    j1.secret.chmod(0o640)
    assert "chmod 600" in j1.type("person", "find", "架空田", code=1).stderr


def test_a_passphrase_file_that_is_not_there(j1: Office) -> None:
    j1.secret.unlink()
    assert "cannot be read" in j1.type("person", "find", "架空田", code=1).stderr


def test_a_passphrase_file_that_is_empty(j1: Office) -> None:
    j1.secret.write_text("\n", encoding="utf-8")
    assert "first line" in j1.type("person", "find", "架空田", code=1).stderr


def test_nobody_there_to_ask_for_the_passphrase(j1: Office) -> None:
    code, _, said = typed("person", "find", "架空田", "--folder", str(j1.folder))
    assert code == 1
    assert "--passphrase-file" in said


def test_a_passphrase_is_asked_for_without_being_shown(tmp_path: Path) -> None:
    folder = tmp_path / "agency"
    code, out, said = typed(*INIT, "--folder", str(folder), asked=True, keys=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert code == 0
    assert PASSPHRASE not in out + said
    code, out, _ = typed(
        "person", "find", "架空田", "--folder", str(folder), "--json", asked=True, keys=f"{PASSPHRASE}\n"
    )
    assert (code, json.loads(out)) == (0, {"people": []})


# ── how a command is written ──


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nothing",), "There is no command nothing."),
        (("person", "find", "--nothing"), "There is no option --nothing."),
        (("person", "find"), "Give TEXT."),
        (("person", "add"), "Give --name."),
        (("person", "add", "--name"), "Write a value after --name."),
        (("person", "find", "a", "b"), "not written as it should be"),
        (("person", "find", "a", "--lang", "fr"), "The value of --lang will not do."),
        (("case", "show", "12"), "CASE takes an id exactly as the lists print it"),
        (("case", "step", SOME_ID, "14"), "STEP takes one of these: 1 ("),
        (("follow-up", "done", SOME_ID, "zero"), "N takes a number from 1 on."),
        (("follow-up", "set", SOME_ID, "--on", "tomorrow"), "--on takes a day, like"),
        (("form", "record", SOME_ID, "--signed-at", "now"), "--signed-at takes a time, like"),
        (("answers", "set", SOME_ID, "name"), "Write TOLD as name=value."),
        (("person", "find", "a", "--staff", "架空 花子"), "never a name"),
        (("keys", "rotate", "--use", "root"), "--use takes one of these: sig (signing), enc (sealing), client"),
    ],
)
def test_a_command_that_is_written_wrongly(words: tuple[str, ...], sentence: str) -> None:
    code, out, said = typed(*words)
    assert code == 2
    assert sentence in said
    assert "--help" in said
    assert out == ""


def test_a_wrong_value_is_not_repeated() -> None:
    _, _, said = typed("person", "find", "a", "--staff", "架空田 一郎")
    assert "架空田" not in said


def test_the_same_in_japanese() -> None:
    assert typed("person", "add", "--lang", "ja")[2].startswith("--name を指定してください。")
    assert typed("person", "add", "--lang=ja")[2].startswith("--name を指定してください。")


def test_the_language_is_that_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    assert "使い方" in typed("person", "--help")[1]


def test_a_mistake_is_one_json_document_as_well() -> None:
    code, out, _ = typed("person", "add", "--json")
    assert code == 2
    assert json.loads(out)["error"]["code"] == "usage"


def test_what_is_cancelled_changes_nothing(tmp_path: Path) -> None:
    code, _, said = typed(*INIT, "--folder", str(tmp_path / "agency"), asked=True, keys="")
    assert code == errors.CANCELLED
    assert "Nothing has changed" in said
    assert not (tmp_path / "agency").exists()


# ── what is not there ──


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("case", "open", SOME_ID), "no person with that id"),
        (("case", "show", SOME_ID), "no case with that handle"),
        (("answers", "show", SOME_ID), "no case with that handle"),
        (("answers", "set", SOME_ID, "nickname=x"), "There is no such field. These are: name, kana"),
        (("answers", "set", SOME_ID, "name=@nowhere.txt"), "nowhere.txt cannot be read"),
        (("consent", "show", SOME_ID), "no consent record with that id"),
        (("consent", "withdraw", SOME_ID), "no case with that handle"),
        (("consent", "revoke-exclusion", SOME_ID, SOME_ID), "no such refusal"),
        (("inbox", "read", SOME_ID), "no such message"),
        (("referral", "send", SOME_ID, "--to", "架空", "--purpose", "follow_up"), "not in the directory"),
        (("case", "step", SOME_ID, "13", "--follow-up-on", "2030-01-01"), "goes with the ground"),
        (("form", "record", SOME_ID, "--partner", "shakyo", "--purpose", "shokuryo"), "Name the scan"),
        (("audit", "proof", "first"), "by its number or its id"),
    ],
)
def test_a_thing_that_is_not_there(j1: Office, words: tuple[str, ...], sentence: str) -> None:
    assert sentence in j1.type(*words, code=1).stderr


def test_reading_and_accepting_need_a_named_worker(j1: Office) -> None:
    for words in (
        ("inbox", "read", SOME_ID),
        ("referral", "accept", SOME_ID, "--role", "counsellor", "--next-on", "2030-01-01"),
    ):
        assert "--staff" in j1.type(*words, code=1, staff=None).stderr


def test_an_agency_named_by_a_kind_that_two_have(town: Town, j1: Office, s1: Office) -> None:
    town.folder = town.folder / "next"
    town.folder.mkdir()
    town.found("shakyo", "隣架空市社会福祉協議会")
    j1.json("sync")
    case = j1.open_case()
    said = j1.type("referral", "preview", case, "--to", "shakyo", "--purpose", "follow_up", code=1).stderr
    assert "Name it by its id" in said
    assert s1.id in said


def test_nothing_to_send(j1: Office, s1: Office) -> None:
    person = j1.json("person", "add", "--name", "架空田 二郎")["id"]
    case = j1.json("case", "open", person)["case"]
    send = ("referral", "send", case, "--to", s1.id, "--purpose", "koguchi_shikin")
    assert "There is nothing to send" in j1.type(*send, code=1).stderr
    assert "CATEGORY=WORDS" in j1.type(*send, "--part", "gossip=x", code=1).stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--signature", "self_dictated", "--written-by", f"counsellor:{STAFF}"), "say why with --proxy-reason"),
        (("--signed-at", "2020-01-01", "--until", "2020-06-30"), "Name a second person with --witness"),
        (("--until", "2099-12-31"), "over 12 months"),
        (("--tick", "shakyo-typo:health"), "CATEGORY or PARTNER:CATEGORY"),
        (("--written-by", "somebody"), "not in the code lists"),
    ],
)
def test_a_form_that_cannot_be_registered(j1: Office, s1: Office, words: tuple[str, ...], sentence: str) -> None:
    case = j1.open_case()
    scan = j1.folder.parent / "scan.pdf"
    scan.write_bytes(b"fictional")
    said = ("--partner", s1.id, "--purpose", "koguchi_shikin", "--scan", str(scan))
    assert sentence in j1.type("form", "record", case, *said, *words, code=1).stderr
    assert j1.json("consent", "list", case)["consents"] == []


def test_what_looks_like_a_my_number_is_stopped(j1: Office, s1: Office) -> None:
    case = j1.open_case(address="123456789018")
    j1.consent(case, s1.id)
    send = ("referral", "send", case, "--to", s1.id, "--purpose", "koguchi_shikin", "--later")
    assert "My Number" in j1.type(*send, code=1).stderr
    j1.json(*send, "--not-my-number")
