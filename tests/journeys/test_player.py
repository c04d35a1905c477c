# SPDX-License-Identifier: Apache-2.0
"""The player as people run it: a story on a hub of its own, told in JSON or in lines, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.theatre import DEMO, LONG, OURS, answered, expected, read, run


@pytest.mark.slow
def test_the_player_says_by_json_what_it_got() -> None:
    """On a hub of its own, as people run it."""
    path = next(path for path in DEMO if path.name.startswith("S05"))
    done = run("deploy.play", str(path), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    for row, wanted in zip(answered(done), expected(read(path)), strict=True):
        assert (row["n"], row["type"], row["expect"]) == (wanted["n"], wanted["type"], wanted["expect"])
        assert wanted["expect"] in {None, row["got"]} if isinstance(row["got"], str) else row["got"] == row["expect"]
        assert wanted["outcome"] in {None, row["outcome"]}


@pytest.mark.slow
def test_agencies_rotate_their_keys_through_a_story_of_eighteen_months() -> None:
    path = next(path for path in OURS if path.name.startswith(LONG))
    done = run("deploy.play", str(path), "--json")
    assert done.returncode == 0, done.stdout
    assert [row["got"] for row in answered(done) if row["type"] != "consent_grant"] == [
        event.expect for event in read(path).events if event.expect
    ]


@pytest.mark.slow
def test_a_story_that_goes_otherwise_is_marked_and_ends_with_1(tmp_path: Path) -> None:
    path = next(path for path in OURS if path.name.startswith("T01"))
    wrong = json.loads(path.read_text("utf-8"))
    wrong["events"] = wrong["events"][:2]
    wrong["events"][1]["expect"]["identity"] = "ALLOW"
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(wrong), "utf-8")
    done = run("deploy.play", str(path))
    assert done.returncode == 1
    first, second, last = done.stdout.splitlines()
    assert first.startswith("ok ")
    assert second.startswith("DIFF ")
    assert "expected REFUSE[identity=ALLOW]  got REFUSE[identity=DENY:NOT_CONFERENCE_MEMBER]" in second
    assert last == "T01: 2 events, 1 differ"
