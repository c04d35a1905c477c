# SPDX-License-Identifier: Apache-2.0
"""Every story goes as it expects: at the hub, and in the sender's casebook before. Times run on through the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.play import report
from deploy.play.company import Company
from deploy.play.report import REFUSED, Played
from tests.journeys.theatre import DEMO, LONG, OURS, Theatre, read

ON_ONE_STAGE = [path for path in OURS if not path.name.startswith(LONG)]
GRANTS_REFUSED = {"T09": 9, "T10": 3}
"""A consent on a closed case: the files expect nothing of a grant; this is where the hub must say no."""
STOPPED = {"refused", "destroyed", "undeliverable"}


def named(path: Path) -> str:
    return path.stem


def differing(played: list[Played]) -> list[str]:
    return [report.line(one) for one in played if not one.agrees]


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
