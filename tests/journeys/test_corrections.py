# SPDX-License-Identifier: Apache-2.0
"""After a story on a real hub an agency corrects what it said; it is confirmed, and the hub reads no word of it."""

from __future__ import annotations

import json

import pytest

from connectors.casebook import corrected, corrections, earlier
from connectors.casebook.corrections import Made, Wording
from connectors.sync.connector import Connector
from deploy.demo.search import search
from deploy.play.stage import Stage
from tests.journeys.theatre import OURS, Theatre, read

RIGHT = "かなりあ架空野は正しくは架空原"
WORKER = "s-07"

pytestmark = pytest.mark.slow


def look(connector: Connector, correction: str) -> Made:
    with connector.casebook.transaction() as connection:
        found = corrections.made(connection, correction, connector.agency)
    assert found is not None
    for one in found.told:
        connector.refresh_referral(one.referral)
    with connector.casebook.transaction() as connection:
        again = corrections.made(connection, correction, connector.agency)
    assert again is not None
    return again


def entries(stage: Stage, connector: Connector, messages: set[str]) -> list[str]:
    """Give the kinds of what the hub's log says of some messages."""
    found = [json.loads(one.entry) for one in connector.hub.log_entries()]
    return [str(one["kind"]) for one in found if any(message in json.dumps(one) for message in messages)]


def test_a_correction_goes_through_a_real_hub_to_every_earlier_thread_and_is_confirmed(theatre: Theatre) -> None:
    theatre.play(read(OURS[0]))
    stage, company = theatre.stage, theatre.company
    assert stage is not None
    assert company is not None
    ours, *receivers = (company.actors[one].connector for one in ("J1", "S1", "M1"))
    ours.sync()
    with ours.casebook.transaction() as connection:
        reached = earlier.reach(connection, ours.pen(WORKER), case=company.case, category="identity")
        assert {(one.agency, one.is_reachable) for one in reached} == {(one.agency, True) for one in receivers}
        wording = Wording(
            id=ours.new_id(), case=company.case, message=reached[0].parts[0].message, category="identity", text=RIGHT
        )
        everybody = {one.referral for one in reached}
        sealed = corrections.make_known(connection, ours.pen(WORKER), wording, everybody, own=ours.own_key())
    assert [one.code for one in ours.push().settled] == [None] * 2
    stage.settle()
    for one in receivers:
        one.sync()
        with one.casebook.transaction() as connection:
            marks = corrected.marks_of(connection, company.case, one.agency)
        (own,) = [addressee for addressee in reached if addressee.agency == one.agency]
        assert {place[0] for place in marks} == {part.message for part in own.parts}
    assert look(ours, wording.id).open == 2
    first = receivers[0]
    (notice,) = [one.message or "" for one in look(ours, wording.id).told if one.agency == first.agency]
    assert [part.media for part in first.read(notice, ours.agency, staff=WORKER)] == [corrected.MEDIA]
    first.push()
    stage.settle()
    seen = look(ours, wording.id)
    assert {one.agency for one in seen.told if one.confirmed_at} == {first.agency}
    assert all(one.arrived_at for one in seen.told)
    assert "message:accepted" in entries(stage, ours, set(sealed))
    assert search(stage.settings, [RIGHT], stage.traces).found == ()
