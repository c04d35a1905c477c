# SPDX-License-Identifier: Apache-2.0
"""A correction by typing: who would be told, telling them, who has confirmed; refused by consent is exit code 3."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.connectors.cli.office import Office, Town

WRONG, RIGHT = "架空の誤った連絡先", "架空の正しい連絡先"
NOBODY = "0196b3a0-0000-7000-8000-000000000001"


@pytest.fixture
def case(j1: Office, s1: Office) -> str:
    made = j1.open_case()
    j1.consent(made, s1.id)
    return made


@pytest.fixture
def message(j1: Office, s1: Office, case: str) -> str:
    said = ("--purpose", "koguchi_shikin", "--part", f"contact={WRONG}")
    sent: str = j1.json("referral", "send", case, "--to", s1.id, *said)["message"]
    s1.json("sync")
    return sent


def notices(town: Town) -> list[str]:
    return [one.message for one in town.hub.messages.values() if one.kind == "notice"]


def test_it_is_previewed_sent_read_confirmed_and_seen(
    town: Town, j1: Office, s1: Office, case: str, message: str, tmp_path: Path
) -> None:
    (one,) = j1.json("correction", "preview", message, "--category", "contact")["told"]
    assert (one["agency"], one["may"], one["parts"]) == (s1.id, True, [{"message": message, "n": 1}])
    file = tmp_path / "right.txt"
    file.write_text(RIGHT, encoding="utf-8")
    made = j1.json("correction", "send", message, "--category", "contact", "--text", f"@{file}")
    (notice,) = notices(town)
    s1.json("sync")
    before = s1.type("inbox", "read", message).stdout
    assert WRONG in before
    assert RIGHT not in before
    assert f"tsunagi inbox read {notice}" in before
    assert RIGHT in s1.type("inbox", "read", notice).stdout
    (part,) = s1.json("inbox", "read", message)["parts"]
    assert [(mark["notice"], mark["text"]) for mark in part["corrected"]] == [(notice, RIGHT)]
    assert RIGHT in s1.type("inbox", "read", message).stdout
    shown = j1.json("correction", "show", made["id"])
    assert (shown["open"], shown["told"][0]["message"]) == (0, notice)
    assert [one["open"] for one in j1.json("correction", "list", case)["corrections"]] == [0]
    assert "confirmed" in j1.type("correction", "show", made["id"]).stdout


def test_what_consent_forbids_is_listed_with_why_and_ends_with_three(
    town: Town, j1: Office, s1: Office, case: str, message: str
) -> None:
    j1.json("consent", "withdraw", case)
    (one,) = j1.json("correction", "preview", message, "--category", "contact")["told"]
    assert (one["may"], one["why"], one["remedy"]) == (False, "WITHDRAWN", "respect_withdrawal")
    assert "Withdrawn" in j1.type("correction", "preview", message, "--category", "contact").stdout
    said = ("--category", "contact", "--text", RIGHT)
    failed = j1.json("correction", "send", message, *said, code=3)
    assert failed["error"]["code"] == "nobody-to-tell"
    assert notices(town) == []
    assert j1.json("correction", "list", case)["corrections"] == []


def test_telling_later_goes_with_the_next_round_and_telling_otherwise_is_noted(
    town: Town, j1: Office, s1: Office, message: str
) -> None:
    made = j1.json("correction", "send", message, "--category", "contact", "--text", RIGHT, "--later")
    assert notices(town) == []
    referral = made["told"][0]["referral"]
    told = j1.json("correction", "told", made["id"], referral, "--channel", "telephone")
    assert [(one["told_how"], one["told_by"]) for one in told["told"]] == [("telephone", "staff-7")]
    assert "Telephone" in j1.type("correction", "show", made["id"], "--later").stdout
    j1.json("sync")
    assert len(notices(town)) == 1
    assert len(j1.json("correction", "again", made["id"])["told"]) == 1
    assert len(notices(town)) == 1


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("send", NOBODY, "--category", "contact", "--text", RIGHT), 1, "message-unknown"),
        (("send", "MESSAGE", "--category", "identity", "--text", RIGHT), 1, "category-not-told"),
        (("send", "MESSAGE", "--category", "contact", "--text", "1234 5678 9018"), 1, "my-number"),
        (("send", "MESSAGE", "--category", "contact", "--text", " "), 1, "wrong-type"),
        (("send", "MESSAGE", "--category", "contact", "--text", RIGHT, "--to", NOBODY), 1, "correction-to-unknown"),
        (("send", "MESSAGE", "--category", "contact", "--text", "@/nowhere/at/all"), 1, "file-unreadable"),
        (("send", "MESSAGE", "--category", "contact"), 2, "usage"),
        (("preview", "MESSAGE", "--category", "canary"), 2, "usage"),
        (("preview", NOBODY, "--category", "contact"), 1, "message-unknown"),
        (("show", NOBODY), 1, "correction-unknown"),
        (("again", NOBODY), 1, "correction-unknown"),
        (("told", NOBODY, NOBODY, "--channel", "letter"), 1, "correction-unknown"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    town: Town, j1: Office, message: str, words: tuple[str, ...], code: int, error: str
) -> None:
    said = [message if word == "MESSAGE" else word for word in words]
    assert j1.json("correction", *said, code=code)["error"]["code"] == error
    assert notices(town) == []


def test_a_file_that_is_no_text_is_refused_and_a_worker_is_named(
    town: Town, j1: Office, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "right.bin"
    file.write_bytes(b"\xff\xfe\x00")
    said = ("correction", "send", message, "--category", "contact", "--text")
    assert j1.json(*said, f"@{file}", code=1)["error"]["code"] == "file-not-text"
    assert j1.json(*said, RIGHT, code=1, staff=None)["error"]["code"] == "staff-needed"
    assert RIGHT not in json.dumps([repr(one) for one in town.hub.messages.values()], ensure_ascii=False)
