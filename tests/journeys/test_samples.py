# SPDX-License-Identifier: Apache-2.0
"""An officer draws paper forms at a real hub; the agency hears of it by its tasks and answers from its casebook."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.casebook import papers
from connectors.casebook.scans import keep_scan
from consent.calendar import day_of
from consent.ids import uuid7
from hub.base.db import Database, Role, now
from hub.oversight import service as oversight
from tests.journeys.theatre import OURS, Theatre, read

WORKER = "s-07"

pytestmark = pytest.mark.slow


def test_a_form_that_was_drawn_is_answered_from_the_scan_that_lies_at_the_agency(theatre: Theatre) -> None:
    if theatre.company is None:
        theatre.play(read(OURS[0]))
    stage, company = theatre.stage, theatre.company
    assert stage is not None
    assert company is not None
    stage.settle()
    officers = Database(stage.settings.database_url, Role.DPO)
    with officers.transaction(None) as session:
        at = now(session)
        day, officer = day_of(at), uuid7(at, bytes(10))
        first = day - timedelta(days=365)
        oversight.draw(session, officer=officer, first_day=first, last_day=day, size=50, agency=None, now=at)
    officers.close()
    outcomes = {}
    for actor in company.troupe.values():
        connector = actor.connector
        connector.sync()
        with connector.casebook.transaction() as connection:
            for one in papers.drawn(connection):
                # what lies here is not what was signed for: that is said, and that is what comes out
                paper = papers.paper_of(connection, one.consent)
                keep_scan(
                    connection, connector.pen(WORKER), case=one.case, form=paper.form, media="image/png", pages=1,
                    body=b"another paper",
                )  # fmt: skip
                papers.answer(connection, connector.pen(WORKER), one.id)
        assert connector.push().refused == ()
        with connector.casebook.transaction() as connection:
            outcomes |= {one.id: one.outcome for one in papers.drawn(connection, open_only=False)}
    assert set(outcomes.values()) == {"differs"}
