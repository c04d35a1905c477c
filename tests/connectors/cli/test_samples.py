# SPDX-License-Identifier: Apache-2.0
"""A sample of paper is listed and answered by typing, from the file that was signed for, or with that there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.testing.papers import draw
from tests.connectors.cli.office import Office, Town

NOBODY = "0196b3a0-0000-7000-8000-000000000001"


@pytest.fixture
def sample(town: Town, j1: Office, s1: Office) -> str:
    j1.consent(j1.open_case(), s1.id)
    j1.json("sync")
    (consent,) = town.hub.consents
    return draw(town.hub, j1.id, consent).id


@pytest.fixture
def scan(j1: Office, sample: str) -> Path:
    return j1.folder.parent / "scan.pdf"


def outcome(town: Town, sample: str) -> str | None:
    return town.hub.samples[sample][1].outcome


def test_it_is_listed_and_answered_from_the_file_that_was_signed_for(
    town: Town, j1: Office, sample: str, scan: Path
) -> None:
    assert [one["id"] for one in j1.json("sample", "list")["samples"]] == [sample]
    assert sample in j1.type("sample", "list").stdout
    done = j1.json("sample", "answer", sample, "--scan", str(scan))
    assert (done["outcome"], done["sent"], outcome(town, sample)) == ("matches", True, "matches")
    assert "No sample of paper" in j1.type("sample", "list").stdout
    assert "matches" in j1.type("sample", "list", "--done").stdout


def test_another_file_differs_and_no_paper_is_an_answer(town: Town, j1: Office, sample: str, tmp_path: Path) -> None:
    other = tmp_path / "other.pdf"
    other.write_bytes(b"another paper")
    assert "differs" in j1.type("sample", "answer", sample, "--scan", str(other)).stdout
    (consent,) = town.hub.consents
    again = draw(town.hub, j1.id, consent).id
    assert j1.json("sample", "answer", again, "--absent")["outcome"] == "not_found"
    assert outcome(town, again) == "not_found"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("SAMPLE",), "scan-needed"),
        (("SAMPLE", "--absent", "--scan", "x"), "sample-absent-or-scan"),
        (("SAMPLE", "--scan", "/nowhere/at/all"), "file-unreadable"),
        ((NOBODY, "--absent"), "sample-unknown"),
    ],
)
def test_what_cannot_be_answered_changes_nothing(
    town: Town, j1: Office, sample: str, words: tuple[str, ...], error: str
) -> None:
    said = [sample if word == "SAMPLE" else word for word in words]
    assert j1.json("sample", "answer", *said, code=1)["error"]["code"] == error
    assert outcome(town, sample) is None


def test_with_the_hub_away_it_waits_and_is_answered_once(town: Town, j1: Office, sample: str, scan: Path) -> None:
    j1.json("sample", "list")
    town.hub.away = True
    assert j1.json("sample", "answer", sample, "--scan", str(scan), code=4)["sent"] is False
    assert j1.json("sample", "answer", sample, "--absent", code=1)["error"]["code"] == "sample-answered"
    town.hub.away = False
    j1.json("sync")
    assert outcome(town, sample) == "matches"
    assert j1.json("sample", "answer", sample, "--absent", code=1, staff=None)["error"]["code"] == "staff-needed"
