# SPDX-License-Identifier: Apache-2.0
"""Withdrawals and stop-use notices that nobody answers within three business days are listed and asked for again."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from consent.calendar import Calendar
from hub.base.errors import ConflictError, NotFoundError
from hub.messages import jobs
from hub.oversight import reads, service
from hub.oversight.jobs import remind_of_notices
from tests.hub.builders import new_uuid
from tests.hub.messages.story import Keeping
from tests.hub.oversight.conftest import Office


def raise_notice(office: Office):
    story = office.story
    consent = story.consent()
    sent = story.send()
    story.collect(sent.message)
    story.acknowledge(sent)
    story.withdraw(consent)
    with story.jobs.transaction(None) as session:
        jobs.noticing.raise_notices(
            session,
            jobs.reads.of_case(session, story.message(sent.message).case_row or ""),
            now=story.time(),
        )
    (notice,) = story.notices()
    return notice


def test_it_is_listed_after_three_business_days_and_not_before(office: Office) -> None:
    notice = raise_notice(office)
    assert notice.due_at == Calendar().add_business_days(notice.raised_at, 3)
    assert office.look(reads.unanswered, at=notice.due_at - timedelta(seconds=1)) == ()
    (late,) = office.look(reads.unanswered, at=notice.due_at)
    assert (late.notice.id, late.reminders, late.reminded_at) == (notice.id, 0, None)


def test_an_answer_takes_it_off_the_list(office: Office) -> None:
    story = office.story
    notice = raise_notice(office)
    with Keeping(story.database, story.s1.id) as session:
        record = story.purge(notice)
        jobs.noticing.answer(session, agency=story.s1.id, notice=notice.id, record=record, now=story.time())
    assert office.look(reads.unanswered, at=notice.due_at) == ()
    with pytest.raises(ConflictError, match="already-answered"):
        office.look(service.remind, notice.id, officer=office.officer, at=notice.due_at)


def test_the_hub_reminds_when_it_is_due_and_every_three_business_days(office: Office) -> None:
    story = office.story
    notice = raise_notice(office)
    again = Calendar().add_business_days(notice.due_at, 3)
    for at in (notice.due_at - timedelta(hours=1), notice.due_at, again - timedelta(hours=1), again):
        office.tick(remind_of_notices, at=at)
    assert [entry["facts"]["number"] for entry in story.entries("purge:reminded")] == [1, 2]
    assert story.count("events", f"event = 'notice:reminded' and agency = '{story.s1.id}'") == 2
    (late,) = office.look(reads.unanswered, at=again)
    assert (late.reminders, late.reminded_at) == (2, again)


def test_an_officer_may_remind_and_the_task_is_there_again(office: Office) -> None:
    story = office.story
    notice = raise_notice(office)
    with story.jobs.transaction(None) as session:
        session.execute(sa.text("update tasks set done_at = now() where kind = 'purge_answer'"))
    assert office.look(service.remind, notice.id, officer=office.officer, at=notice.due_at) == 1
    assert story.entries("purge:reminded")[0]["actor"] == office.officer
    assert story.count("tasks", f"kind = 'purge_answer' and done_at is null and agency = '{story.s1.id}'") == 1


def test_what_is_not_due_or_not_there_is_not_reminded_of(office: Office) -> None:
    notice = raise_notice(office)
    with pytest.raises(ConflictError, match="not-due"):
        office.look(service.remind, notice.id, officer=office.officer)
    with pytest.raises(NotFoundError):
        office.look(service.remind, new_uuid(), officer=office.officer)


def test_a_spoken_withdrawal_that_its_agency_does_not_sign_is_listed(office: Office) -> None:
    story = office.story
    story.withdraw(story.consent())
    at = Calendar().add_business_days(story.time(), 3)
    assert office.look(reads.uncountersigned, calendar=Calendar(), at=at - timedelta(seconds=1)) == ()
    (found,) = office.look(reads.uncountersigned, calendar=Calendar(), at=at)
    assert (found.owner, found.case_handle) == (story.j1.id, story.case)
