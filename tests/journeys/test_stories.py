# SPDX-License-Identifier: Apache-2.0
"""Every story goes as it expects: at the hub, and in the sender's casebook before. Times run on through the files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.play import report
from deploy.play.company import Company
from deploy.play.report import REFUSED, Played
from tests.journeys.theatre import DEMO, LONG, OURS, Theatre, answered, expected, read, run

ON_ONE_STAGE = [path for path in OURS if not path.name.startswith(LONG)]
GRANTS_REFUSED = {"T09": 9, "T10": 3}
"""A consent on a closed case: the files expect nothing of a grant; this is where the hub must say no."""
on_one_stage = pytest.mark.xdist_group("theatre")
"""One process plays them all, one after the other: a second hub and its agencies would cost more than it gains."""
STOPPED = {"refused", "destroyed", "undeliverable"}


def named(path: Path) -> str:
    return path.stem


def differing(played: list[Played]) -> list[str]:
    return [report.line(one) for one in played if not one.agrees]


@on_one_stage
@pytest.mark.slow
@pytest.mark.timeout(900)  # a year, with the keys of thirteen agencies
def test_the_eight_given_stories_go_as_expected_side_by_side(theatre: Theatre) -> None:
    """Eight persons of one town in the same year, as in life; each by itself is what `make play` plays."""
    told = [read(path) for path in DEMO]
    played = theatre.play_side_by_side(told)
    assert {story: differing(events) for story, events in played.items()} == {one.id: [] for one in told}
    assert {story: len(events) for story, events in played.items()} == {one.id: len(one.events) for one in told}
    for company in theatre.companies.values():
        assert_everything_collected_was_opened(company)


@on_one_stage
@pytest.mark.slow
@pytest.mark.parametrize("path", ON_ONE_STAGE, ids=named)
def test_a_story_goes_as_it_expects_and_what_was_collected_was_opened(theatre: Theatre, path: Path) -> None:
    told = read(path)
    played = theatre.play(told)
    assert differing(played) == []
    refused = [(one.n, one.got) for one in played if one.type == "consent_grant" and one.outcome == REFUSED]
    assert refused == [(n, "REFUSED:case-closed") for story, n in GRANTS_REFUSED.items() if story == told.id]
    assert theatre.company is not None
    assert_everything_collected_was_opened(theatre.company)


def assert_everything_collected_was_opened(company: Company) -> None:
    """What the hub handed over, the receiver could verify, decide on and open: else its receipt would say so."""
    waiting = {one.message for one in company.sent}
    for referral in company.referrals:
        for sent in company.actors[referral.sender].connector.hub.referral(referral.id).deliveries:
            if sent.id in waiting or sent.delivery in STOPPED:
                continue
            assert sent.delivery == "opened", (referral, sent.delivery)
            assert {part.result for part in sent.parts} == {"ok"}


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
