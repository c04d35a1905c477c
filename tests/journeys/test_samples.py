# SPDX-License-Identifier: Apache-2.0
"""An officer draws paper forms at a real hub; the agency hears of it by its tasks and answers from its casebook."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.casebook import papers, tables
from connectors.casebook.forms import evidence_of
from connectors.casebook.scans import keep_scan
from connectors.sync.connector import Connector
from consent.calendar import day_of
from consent.ids import uuid7
from deploy.play.stage import Stage
from hub.base.db import Database, Role, now
from hub.oversight import service as oversight
from tests.connectors.story import consent
from tests.journeys.theatre import OURS, Theatre, read

WORKER = "s-07"
SCAN = b"a fictional scan"

pytestmark = pytest.mark.slow


def sign(connector: Connector, case: str, partner: str) -> str:
    """Sign and register one consent whose form and scan lie in the casebook."""
    evidence = evidence_of(SCAN)
    made = consent(connector, case, partner, evidence=evidence.digest)
    with connector.casebook.transaction() as connection:
        connection.execute(
            tables.forms.insert().values(
                id="form-1", case=case, document={"evidence": evidence.digest, "signature": "self"},
                evidence_key=evidence.key, signed_at=connector.now(), recorded_by=WORKER,
            )
        )  # fmt: skip
        pen = connector.pen(WORKER)
        keep_scan(connection, pen, case=case, form="form-1", media="image/png", pages=1, body=SCAN)
    assert connector.push().refused == ()
    return made


def draw(stage: Stage, agency: str) -> None:
    """Draw all that an agency had signed in the last year."""
    stage.settle()
    officers = Database(stage.settings.database_url, Role.DPO)
    with officers.transaction(None) as session:
        at = now(session)
        day, officer = day_of(at), uuid7(at, bytes(10))
        first = day - timedelta(days=365)
        oversight.draw(session, officer=officer, first_day=first, last_day=day, size=50, agency=agency, now=at)
    officers.close()


def test_a_form_that_was_drawn_is_answered_from_the_scan_that_lies_at_the_agency(theatre: Theatre) -> None:
    theatre.play(read(OURS[0]))
    stage, company = theatre.stage, theatre.company
    assert stage is not None
    assert company is not None
    ours = company.actors["J1"].connector
    signed = sign(ours, company.case, company.actors["S1"].connector.agency)
    company.wait_until(ours.now() + timedelta(minutes=1))
    draw(stage, ours.agency)
    ours.sync()
    with ours.casebook.transaction() as connection:
        waiting = papers.drawn(connection)
        for one in waiting:
            # the stories' consents have no form in the casebook: there is no paper to be shown
            papers.answer(connection, ours.pen(WORKER), one.id, absent=one.consent != signed)
    assert ours.push().refused == ()
    with ours.casebook.transaction() as connection:
        outcomes = {one.consent: one.outcome for one in papers.drawn(connection, open_only=False)}
        assert papers.drawn(connection) == []
    assert outcomes.pop(signed) == "matches"
    assert set(outcomes.values()) == {"not_found"}
    ours.sync()
    assert not any(one.kind == papers.TASK for one in ours.hub.tasks())
