# SPDX-License-Identifier: Apache-2.0
"""A message is decided on again when it is handed over; what may not go any more is destroyed (consent.md)."""

from datetime import timedelta

import pytest

from consent.envelope.opening import OpenedPart, open_parts
from hub.agencies import service as agencies
from hub.base.db import Duty, now
from hub.base.errors import ForbiddenError, GoneError, NotFoundError
from hub.messages import jobs, service
from tests.hub.builders import operator
from tests.hub.messages.story import Story, emergency, timer


def test_the_recipient_gets_the_sealed_parts_byte_for_byte_and_can_open_them(story: Story) -> None:
    story.consent()
    sealed = story.seal("identity", "income_assets")
    accepted = story.accept(sealed)
    handed = story.collect(accepted.message)
    assert handed.parts == sealed.parts
    assert handed.labelled.message.manifest == sealed.manifest
    opened = open_parts(accepted.manifest, handed.parts, story.s1.enc)
    assert all(isinstance(part, OpenedPart) for part in opened)
    assert story.logged().count("message:handed_over") == 1


def test_an_inbox_answer_marks_what_it_lists_as_offered(story: Story) -> None:
    story.consent()
    accepted = story.send("identity")
    assert story.message(accepted.message).delivery == "queued"
    assert story.offered() == [accepted.message]
    assert story.message(accepted.message).delivery == "offered"
    assert story.offered() == [accepted.message]


def test_the_sender_sees_how_its_message_stands_and_no_ciphertext(story: Story) -> None:
    story.consent()
    accepted = story.send("identity")
    seen = story.collect(accepted.message, agency=story.j1)
    assert seen.parts is None
    assert seen.labelled.labels[0].category == "identity"
    assert "message:handed_over" not in story.logged()


def test_to_anybody_else_the_message_does_not_exist(story: Story) -> None:
    story.consent()
    accepted = story.send("identity")
    with pytest.raises(NotFoundError):
        story.collect(accepted.message, agency=story.f1)


def test_a_withdrawal_before_hand_over_refuses_destroys_and_tells_the_sender(story: Story) -> None:
    consent = story.consent()
    accepted = story.send("identity", "income_assets")
    story.withdraw(consent, to=(story.s1.id,))
    with pytest.raises(ForbiddenError) as refused:
        story.collect(accepted.message)
    assert refused.value.code == "consent-refused"
    assert {one["reason"] for one in refused.value.extra["decisions"]} == {"WITHDRAWN"}
    assert story.message(accepted.message).delivery == "refused"
    assert story.sealed_parts(accepted.message) is None
    assert story.entries("message:refused")[0]["facts"]["phase"] == "hand_over"
    assert story.count("events", f"event = 'message:refused' and agency = '{story.j1.id}'") == 1
    assert story.count("tasks", f"kind = 'delivery_refused' and agency = '{story.j1.id}'") == 1


def test_a_refused_message_is_refused_again_and_told_once(story: Story) -> None:
    consent = story.consent()
    accepted = story.send("identity")
    story.withdraw(consent)
    for _ in range(2):
        with pytest.raises(ForbiddenError, match="consent-refused"):
            story.collect(accepted.message)
    assert story.count("events", "event = 'message:refused'") == 1


def test_a_new_consent_does_not_bring_back_what_was_destroyed(story: Story) -> None:
    consent = story.consent()
    accepted = story.send("identity")
    story.withdraw(consent)
    with pytest.raises(ForbiddenError):
        story.collect(accepted.message)
    story.consent()
    with pytest.raises(GoneError):
        story.collect(accepted.message)


def test_one_part_that_may_not_go_any_more_keeps_back_all(story: Story) -> None:
    consent = story.consent()
    accepted = story.send("identity", "income_assets")
    story.withdraw(consent, categories=("income_assets",))
    with pytest.raises(ForbiddenError) as refused:
        story.collect(accepted.message)
    assert [one["outcome"] for one in refused.value.extra["decisions"]] == ["permitted", "refused"]
    assert story.sealed_parts(accepted.message) is None


def test_an_exclusion_made_after_sending_stops_the_hand_over(story: Story) -> None:
    story.consent()
    accepted = story.send("identity")
    story.exclude(story.s1.id, "identity")
    with pytest.raises(ForbiddenError) as refused:
        story.collect(accepted.message)
    assert refused.value.extra["decisions"][0]["reason"] == "EXCLUDED_BY_SUBJECT"


def test_an_emergency_that_lapsed_before_hand_over_is_refused(story: Story) -> None:
    accepted = story.send("identity", purpose="emergency_response", basis=emergency())
    with pytest.raises(ForbiddenError) as refused:
        story.collect(accepted.message, at=accepted.accepted_at + timedelta(hours=72))
    assert refused.value.extra["decisions"][0]["reason"] == "EXPIRED"


def test_an_emergency_is_handed_over_within_its_time(story: Story) -> None:
    accepted = story.send("identity", purpose="emergency_response", basis=emergency())
    assert story.collect(accepted.message, at=accepted.accepted_at + timedelta(hours=71)).parts


def test_a_message_of_a_suspended_sender_waits_and_is_not_destroyed(story: Story) -> None:
    story.consent()
    accepted = story.send("identity")
    suspend(story)
    with pytest.raises(Exception, match="sender-inactive"):
        story.collect(accepted.message)
    assert story.sealed_parts(accepted.message) is not None


def test_at_the_end_of_its_wait_a_message_is_undeliverable_and_the_sender_has_a_task(story: Story) -> None:
    story.consent()
    accepted = story.send("identity")
    timer(story, jobs.destroy_old_ciphertext, at=accepted.manifest.not_after)
    assert story.message(accepted.message).delivery == "undeliverable"
    assert story.sealed_parts(accepted.message) is None
    assert story.count("tasks", f"kind = 'message_undeliverable' and agency = '{story.j1.id}'") == 1
    with pytest.raises(GoneError):
        story.collect(accepted.message)


def test_a_message_past_its_wait_is_gone_even_before_the_timer_comes_round(story: Story) -> None:
    story.consent()
    accepted = story.send("identity")
    with pytest.raises(GoneError):
        story.collect(accepted.message, at=accepted.manifest.not_after)


def test_a_cancelled_thread_loses_what_nobody_confirmed(story: Story) -> None:
    story.consent()
    accepted = story.send("identity")
    with story.database.transaction(story.j1.id) as session:
        assert (
            service.destroy_undelivered(
                session, agency=story.j1.id, other=story.s1.id, thread=accepted.thread, now=story.time()
            )
            == 1
        )
    assert story.message(accepted.message).delivery == "destroyed"
    with pytest.raises(GoneError):
        story.collect(accepted.message)
    assert story.offered() == []


def test_an_offer_without_a_receipt_for_half_an_hour_is_put_before_the_sender_once(story: Story) -> None:
    story.consent()
    accepted = story.send("identity")
    story.offered(at=accepted.accepted_at)
    missing = f"kind = 'receipt_missing' and agency = '{story.j1.id}'"
    timer(story, jobs.report_missing_receipts, at=accepted.accepted_at + timedelta(minutes=29))
    assert story.count("tasks", missing) == 0
    for minutes in (30, 31):
        timer(story, jobs.report_missing_receipts, at=accepted.accepted_at + timedelta(minutes=minutes))
    assert story.count("tasks", missing) == 1
    assert story.logged().count("receipt:overdue") == 1


def suspend(story: Story) -> None:
    with story.database.transaction(None, Duty.DIRECTORY) as session:
        agencies.suspend(session, story.j1.id, operator(), now=now(session))
