# SPDX-License-Identifier: Apache-2.0
"""What is a scenario file and what is none; a malformed one ends with 2 and nothing of it is repeated."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.play import __main__ as player
from deploy.play import story
from tests.journeys.theatre import DEMO, OURS, run

SECRET = "架空の秘密"
Story = dict[str, Any]


def whole() -> Story:
    share = {"from": "J1", "to": "S1", "purpose": "koguchi_shikin", "categories": ["identity"]}
    scope = {
        "id": "c1", "hub": ["J1"], "partners": ["S1"], "purposes": ["koguchi_shikin"], "categories": ["identity"],
        "valid_from": "2027-01-01", "valid_until": "2027-03-01",
    }  # fmt: skip
    return {
        "agencies": {"J1": "自立相談支援センター", "S1": "社会福祉協議会"},
        "events": [
            {"at": "2027-01-01", "type": "consent_grant", "scope": scope},
            {"at": "2027-01-02T10:00", "type": "share", **share},
            {
                "at": "2027-01-03T10:00",
                "type": "conference",
                "id": "k1",
                "members": ["J1", "S1"],
                "until": "2027-02-01",
            },
            {"at": "2027-01-04T10:00", "type": SECRET},
        ],
    }


def without(*names: str) -> Callable[[Story], object]:
    def change(told: Story) -> object:
        for event in told["events"]:
            for name in names:
                event.pop(name, None)
        return told

    return change


def setting(place: str, value: object) -> Callable[[Story], object]:
    def change(told: Story) -> object:
        *path, last = (int(step) if step.isdigit() else step for step in place.split("."))
        inner: Any = told
        for step in path:
            inner = inner[step]
        inner[last] = value
        return told

    return change


MALFORMED: dict[str, Callable[[Story], object]] = {
    "a list": lambda told: [told],
    "no agencies": lambda told: {"events": told["events"]},
    "no agency at all": setting("agencies", {}),
    "no events": lambda told: {"agencies": told["agencies"]},
    "events that are no list": setting("events", {}),
    "a hub party that is none of the agencies": setting("hub_party", SECRET),
    "no scope": without("scope"),
    "a scope without partners": lambda told: told["events"][0]["scope"].pop("partners") and told,
    "no sender": without("from"),
    "no recipient": without("to"),
    "no purpose": without("purpose"),
    "no categories": without("categories"),
    "an empty list of categories": setting("events.1.categories", []),
    "no time": without("at"),
    "no type": without("type"),
    "an empty type": setting("events.3.type", ""),
    "a time that is a number": setting("events.1.at", 1),
    "a time that is none": setting("events.1.at", "2027-13-01"),
    "an unknown sender": setting("events.1.from", SECRET),
    "an unknown recipient": setting("events.1.to", SECRET),
    "an unknown member": setting("events.2.members", ["J1", SECRET]),
    "a conference without members": setting("events.2.members", []),
    "a basis that does not exist": setting("events.1.basis", SECRET),
    "an expectation that is no word": setting("events.3.expect_record", SECRET),
    "not in time order": setting("events.3.at", "2027-01-03T09:59"),
    "not in time order across a zone": setting("events.3.at", "2027-01-03T00:59Z"),
    "a withdrawal that says nothing": setting("events.3.type", "consent_withdraw"),
    "an exclusion that says nothing": setting("events.3.type", "exclusion"),
}


def play(path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["play", str(path), "--json"])
    return player.main()


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_file_ends_with_2_and_is_not_repeated(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "story.json"
    path.write_text(json.dumps(MALFORMED[kind](whole()), ensure_ascii=False), "utf-8")
    assert play(path, monkeypatch) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("The scenario file is malformed: ")
    assert SECRET not in said.err


@pytest.mark.parametrize("content", [b"", b"{", b"null", b'"story"', b"\xff\xfe{}", b"[" * 100_000])
def test_what_is_no_json_document_ends_with_2(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "story.json"
    path.write_bytes(content)
    assert play(path, monkeypatch) == 2


def test_a_file_that_is_not_there_ends_with_2_as_a_process_too(tmp_path: Path) -> None:
    done = run("deploy.play", str(tmp_path / "nowhere.json"))
    assert (done.returncode, done.stdout) == (2, "")


def test_the_whole_file_is_none_of_the_malformed_ones(tmp_path: Path) -> None:
    path = tmp_path / "story.json"
    path.write_text(json.dumps(whole()), "utf-8")
    told = story.read(path)
    assert [event.type for event in told.events] == ["consent_grant", "share", "conference", SECRET]
    assert told.cast() == ("J1", "S1")


@pytest.mark.parametrize("path", [*DEMO, *OURS], ids=lambda path: path.stem)
def test_every_story_of_ours_reads(path: Path) -> None:
    told = story.read(path)
    assert told.events
    assert [event.n for event in told.events] == list(range(1, len(told.events) + 1))


def test_a_bare_date_is_midnight_in_japan_and_a_time_without_zone_is_japanese() -> None:
    assert story.moment("2027-01-01").isoformat() == "2027-01-01T00:00:00+09:00"
    assert story.moment("2027-01-01T10:00").isoformat() == "2027-01-01T10:00:00+09:00"
    assert story.moment("2027-01-01T01:00Z") == story.moment("2027-01-01T10:00")
