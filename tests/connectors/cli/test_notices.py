# SPDX-License-Identifier: Apache-2.0
"""A request to stop using what was taken back is listed and answered by typing; each wrong answer changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.sdk.threads import Notice, NoticeItem
from consent.ids import uuid7
from tests.connectors.cli.office import Office, Town

TEXT = "架空の連絡先"


def an_id(town: Town, last: int) -> str:
    return uuid7(town.now(), bytes([last] * 10))


@pytest.fixture
def message(j1: Office, s1: Office) -> str:
    case = j1.open_case()
    j1.consent(case, s1.id)
    said = ("--purpose", "koguchi_shikin", "--part", f"contact={TEXT}")
    sent: str = j1.json("referral", "send", case, "--to", s1.id, *said)["message"]
    s1.json("sync")
    assert TEXT in s1.type("inbox", "read", sent).stdout
    return sent


@pytest.fixture
def asked(town: Town, j1: Office, s1: Office, message: str) -> str:
    """The hub asks `s1` to stop using what it has read."""
    ((case, _),) = town.hub.cases.items()
    now = town.now()
    made = Notice(
        id=an_id(town, 1),
        case=case,
        withdrawal=an_id(town, 2),
        items=(NoticeItem(message=message, sender=j1.id, categories=("contact",)),),
        raised_at=now,
        due_at=now + timedelta(days=3),
    )
    town.hub.notices.append((s1.id, made))
    return made.id


def listed(office: Office, *words: str) -> list[str]:
    return [one["id"] for one in office.json("notice", "list", *words)["notices"]]


def kept(office: Office, message: str) -> bool:
    return TEXT in office.type("inbox", "read", message).stdout


def test_a_request_is_listed_with_whose_and_what_until_it_is_answered(j1: Office, s1: Office, asked: str) -> None:
    shown = s1.type("notice", "list").stdout
    assert asked in shown
    assert "架空市相談センター" in shown
    s1.json("notice", "answer", asked, "purged")
    assert (listed(s1), listed(s1, "--done")) == ([], [asked])
    assert "No request waits for you" in s1.type("notice", "list").stdout
    assert "No request waits for you" in j1.type("notice", "list").stdout


@pytest.mark.parametrize("answer", ["purged", "returned", "Purged", "返却した"])
def test_what_is_purged_or_returned_is_gone_here_and_the_hub_has_the_word(
    town: Town, s1: Office, message: str, asked: str, answer: str
) -> None:
    done = s1.json("notice", "answer", asked, answer)
    assert (done["notice"], done["parts"], done["sent"]) == (asked, 1, True)
    assert not kept(s1, message)
    assert town.hub.notices[0][1].answer == done["answer"]


def test_what_the_law_keeps_stays_with_its_ground_and_its_end(town: Town, s1: Office, message: str, asked: str) -> None:
    said = s1.type("notice", "answer", asked, "kept_by_law", "--ground", "act-24", "--until", "2030-04-01")
    assert "stays here" in said.stdout
    assert kept(s1, message)
    assert town.hub.notices[0][1].answer == "kept_by_law"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("kept_by_law",), 1, "say why"),
        (("kept_by_law", "--ground", "act-24"), 1, "say why"),
        (("kept_by_law", "--until", "2030-04-01"), 1, "say why"),
        (("purged", "--ground", "act-24"), 1, "belong to keeping by law only"),
        (("returned", "--until", "2030-04-01"), 1, "belong to keeping by law only"),
        (("burnt",), 2, "takes one of these"),
        (("kept_by_law", "--ground", "act-24", "--until", "some day"), 2, "notice answer"),
        (("kept_by_law", "--ground", "架空の根拠 という文", "--until", "2030-04-01"), 1, "/ground"),
    ],
)
def test_a_wrong_answer_changes_nothing(
    town: Town, s1: Office, message: str, asked: str, words: tuple[str, ...], code: int, sentence: str
) -> None:
    assert sentence in s1.type("notice", "answer", asked, *words, code=code).stderr
    assert kept(s1, message)
    assert town.hub.notices[0][1].answer is None
    assert listed(s1) == [asked]


def test_a_request_that_is_not_there_or_not_ours_is_not_answered(
    town: Town, j1: Office, s1: Office, message: str, asked: str
) -> None:
    failed = s1.json("notice", "answer", an_id(town, 9), "purged", code=1)
    assert failed["error"]["code"] == "notice-unknown"
    assert j1.json("notice", "answer", asked, "purged", code=1)["error"]["code"] == "notice-unknown"
    assert kept(s1, message)


def test_a_request_is_answered_once_also_while_the_word_waits(
    town: Town, s1: Office, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s1.json("notice", "answer", asked, "purged")
    again = s1.json("notice", "answer", asked, "returned", code=1)
    assert again["error"]["code"] == "notice-answered-before"


def test_an_answer_is_a_named_workers_and_needs_the_hub(town: Town, s1: Office, message: str, asked: str) -> None:
    assert s1.json("notice", "answer", asked, "purged", code=1, staff=None)["error"]["code"] == "staff-needed"
    town.hub.away = True
    s1.type("notice", "answer", asked, "purged", code=4)
    town.hub.away = False
    assert kept(s1, message)
