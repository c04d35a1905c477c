# SPDX-License-Identifier: Apache-2.0
"""The log of played stories, checked offline: every decision comes out the same again, for the officer and,
as far as it may read, for each agency with the bundle that its own connector wrote.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.casebook import disclosed
from connectors.sync import bundling
from consent.evidence.bundle import EVERYTHING
from consent.evidence.compare import Deed, Kind, compare
from consent.evidence.records import Holder, Records
from consent.evidence.verify import Report, Trusted, verify
from deploy.play.company import Actor, Company
from deploy.play.stage import Stage
from hub.base import hubkeys
from hub.base.db import now
from hub.evidence import reads
from hub.station import open_station
from tests.journeys.theatre import LONG, OURS, Theatre, read

FEW = ("T06",)
"""`TSUNAGI_STORIES=all`: every story but the longest."""
STORIES = [path for path in OURS if os.environ.get("TSUNAGI_STORIES") == "all" or path.name.startswith(FEW)]


def officers(stage: Stage, place: Path) -> Report:
    stage.settle()
    with open_station(stage.settings) as at, place.open("wb") as out:
        receipt: hubkeys.Receipts = at.jobs.givens[hubkeys.RECEIPTS]
        keys = reads.Keys(log=at.signer.verifier, receipt=receipt.key.public.jwk())
        with at.jobs.transaction(None) as session:
            reads.write(session, out, keys, now=now(session))
    return verify(place, Trusted(log=keys.log))


@pytest.mark.slow
def test_the_log_of_played_stories_gives_every_decision_again(theatre: Theatre, tmp_path: Path) -> None:
    for path in STORIES:
        if not path.name.startswith(LONG):
            theatre.play(read(path))
    assert theatre.stage is not None
    assert theatre.company is not None
    whole = officers(theatre.stage, tmp_path / "whole.gz")
    assert whole.findings == ()
    assert whole.head is not None
    assert whole.head.holder == EVERYTHING
    assert whole.counts.decisions > 10
    assert whole.counts.unseen == 0
    assert_three_records_agree_and_a_lie_is_named(theatre.company, tmp_path / "whole.gz")
    for actor in theatre.company.actors.values():
        place = tmp_path / f"{actor.connector.agency}.gz"
        with place.open("wb") as out:
            written = bundling.write(actor.connector, out)
        own = verify(place)
        assert own.findings == (), actor
        assert own.head is not None
        assert own.head.holder == actor.connector.agency
        assert 0 < own.counts.entries == written < whole.counts.entries
        assert own.newest is not None
        assert own.newest.size >= whole.counts.entries


def held_by(actor: Actor) -> Records:
    with actor.connector.casebook.transaction() as connection:
        held = tuple(disclosed.held(connection, actor.connector.agency))
    return Records(holder=Holder(agency=actor.connector.agency, made_at=actor.connector.now()), held=held)


def assert_three_records_agree_and_a_lie_is_named(company: Company, whole: Path) -> None:
    sides = [held_by(actor) for actor in company.troupe.values()]
    with whole.open("rb") as stream:
        assert compare(stream, *sides) == ()
    sender = next(side for side in sides if any(one.sender == side.holder.agency for one in side.held))
    missing = next(one for one in sender.held if one.sender == sender.holder.agency)
    fewer = replace(sender, held=tuple(one for one in sender.held if one is not missing))
    with whole.open("rb") as stream:
        (found,) = compare(stream, *(fewer if side is sender else side for side in sides))
    assert (found.record, found.deed, found.message) == (Kind.SENT, Deed.DROPPED, missing.message)
