# SPDX-License-Identifier: Apache-2.0
"""The edges of consent at a whole hub with a clock that the test moves (CON rows): refused by name, nothing stored.

The exact instants are tested where the rule is (`tests/consent`); here, that the hub asks that rule at its own time.
"""

from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import TestResponse

from consent.calendar import moment
from consent.envelope.sealing import Sealed
from hub import worker
from hub.base.clock import set_play_clock
from tests.hub.builders import active_agency
from tests.security.stage import Stage, manifest_of, resigned

SECOND = timedelta(seconds=1)


def reason(stage: Stage, answer: TestResponse) -> str:
    assert stage.refused(answer, 403, "consent-refused")
    (decision,) = answer.get_json()["decisions"]
    assert decision["remedy"]
    return str(decision["reason"])


def sent(stage: Stage, sealed: Sealed, *, at: datetime) -> TestResponse:
    """Send when the hub's clock stands at `at` (each transaction moves it on by a microsecond)."""
    set_play_clock(stage.place.admin_url, at)
    return stage.submit(sealed.manifest, sealed.parts)


def test_con_01_a_consent_does_not_carry_at_its_last_instant(stage: Stage) -> None:
    end = stage.story.time() + timedelta(days=3)
    stage.story.consent(valid_until=end)
    early, late = stage.story.seal("identity"), stage.story.seal("identity")
    assert sent(stage, early, at=end - SECOND).status_code == 201
    before = stage.facts()
    assert reason(stage, sent(stage, late, at=end)) == "EXPIRED"
    assert stage.facts() == before


def test_con_02_a_consent_carries_from_its_first_instant(stage: Stage) -> None:
    begin = stage.story.time() + timedelta(days=3)
    stage.story.consent(valid_from=begin)
    early, late = stage.story.seal("identity"), stage.story.seal("identity")
    before = stage.facts()
    assert reason(stage, sent(stage, early, at=begin - SECOND)) == "NOT_YET_VALID"
    assert stage.facts() == before
    assert sent(stage, late, at=begin).status_code == 201


def test_con_04_a_bare_date_ends_at_midnight_in_japan(stage: Stage) -> None:
    end = moment("2026-04-11")
    assert end == datetime(2026, 4, 10, 15, 0, tzinfo=UTC)
    stage.story.consent(valid_until=end)
    early, late = stage.story.seal("identity"), stage.story.seal("identity")
    assert sent(stage, early, at=end - SECOND).status_code == 201
    assert reason(stage, sent(stage, late, at=end)) == "EXPIRED"


@pytest.mark.slow
def test_con_09_two_hundred_waiting_messages_stop_with_one_withdrawal(stage: Stage) -> None:
    story = stage.story
    consent = story.consent()
    rows = [story.send("identity").message for _ in range(200)]
    story.withdraw(consent)
    worker.run_due(stage.settings)
    told = f"agency = '{story.j1.id}' and event = 'message:withdrawn-before-delivery'"
    assert story.count("events", told) == len(rows)
    for row in rows:
        assert stage.refused(stage.by(story.s1).get(f"/v1/messages/{row}"), 403, "consent-refused")
    assert story.count("messages", "delivery = 'refused'") == len(rows)
    assert story.count("message_parts", "sealed is not null") == 0
    assert "message:handed_over" not in story.logged()


def test_con_10_who_had_opened_it_hears_of_a_withdrawal_within_one_sweep(stage: Stage) -> None:
    story = stage.story
    consent = story.consent()
    accepted = story.send("identity")
    assert stage.by(story.s1).get(f"/v1/messages/{accepted.message}").status_code == 200
    story.acknowledge(accepted)
    assert stage.by(story.j1).post(f"/v1/consents/{consent}/withdraw", {}).status_code == 200
    worker.run_due(stage.settings)
    (notice,) = stage.by(story.s1).get("/v1/notices").get_json()["items"]
    assert (notice["case"], notice["answer"]) == (story.case, None)
    # a sweep comes round at least every minute, also without Redis
    assert worker.SWEEP <= 60


def test_con_13_what_was_sealed_on_the_older_record_is_refused_as_superseded(stage: Stage) -> None:
    old = stage.story.consent(categories=("identity", "debt_arrears", "health"))
    waiting = stage.story.seal("health")
    stage.story.consent(categories=("identity", "debt_arrears"), supersedes=frozenset({old}))
    before = stage.facts()
    answer = stage.submit(waiting.manifest, waiting.parts)
    assert reason(stage, answer) == "SUPERSEDED"
    assert stage.facts() == before


def test_con_15_another_purpose_is_not_covered(wall: Stage) -> None:
    before = wall.facts()
    assert reason(wall, wall.send("identity", purpose="saimu_seiri")) == "PURPOSE_NOT_COVERED"
    assert wall.facts() == before


@pytest.mark.parametrize("purpose", ["loan_assessment", "identity"])
def test_con_16_a_code_of_no_list_is_an_error_in_a_manifest_and_in_a_question(wall: Stage, purpose) -> None:
    sealed, before = wall.story.seal("identity"), wall.facts()
    (label,) = manifest_of(sealed)["parts"]
    for changes in ({"purpose": purpose}, {"parts": [label | {"category": "sogo_shien_shikin"}]}):
        answer = wall.submit(resigned(wall.story.j1, sealed, **changes), sealed.parts)
        assert answer.get_json()["code"] == "unknown-code", changes
        assert answer.status_code == 422
    question = {"case": wall.story.case, "to": wall.story.s1.id, "purpose": purpose, "categories": ["identity"]}
    assert wall.refused(wall.by(wall.story.j1).post("/v1/decisions", question), 422, "unknown-code")
    assert wall.facts() == before


def test_con_18_the_same_organisation_in_another_capacity_is_another_agency(stage: Stage) -> None:
    lender = active_agency(stage.story.database, "shakyo")
    stage.story.consent()
    before = stage.facts()
    assert reason(stage, stage.send("identity", recipient=lender)) == "PARTY_NOT_COVERED"
    assert stage.facts() == before


def test_ref_12_a_referral_to_oneself_is_refused(wall: Stage) -> None:
    sealed, before = wall.story.seal("identity"), wall.facts()
    answer = wall.submit(resigned(wall.story.j1, sealed, to=wall.story.j1.id), sealed.parts)
    assert wall.refused(answer, 422, "same-agency")
    assert wall.facts() == before
