# SPDX-License-Identifier: Apache-2.0
"""A withdrawal reaches back to what was handed over: a notice, a signed answer, the officer's list (consent.md)."""

from datetime import timedelta

import pytest

from consent.calendar import Calendar
from consent.receipts import PurgeAnswer
from hub.base.errors import ConflictError, ForbiddenError, NotFoundError
from hub.cases import reads as cases
from hub.messages import jobs, service
from hub.outbox import jobs as outbox_jobs
from hub.outbox.rules import Work
from tests.hub.messages.story import Keeping, Story, emergency, timer


def work_off(story: Story) -> None:
    """Do what the outbox holds, as the worker does."""
    topics = {"consent:changed": jobs.consent_changed, "message:gap": jobs.report_gap}
    outbox_jobs.work_off(story.jobs, topics, given_up=_fail, by="test")
    assert story.count("outbox", "fault is not null") == 0


def _fail(session, work) -> None:
    raise AssertionError(work.topic)


def opened(story: Story, *categories: str):
    accepted = story.send(*categories or ("identity", "income_assets"))
    story.collect(accepted.message)
    story.acknowledge(accepted)
    return accepted


def answer(story: Story, notice, record: str, *, agency=None):
    agency = agency or story.s1
    with Keeping(story.database, agency.id) as session:
        return service.answer_notice(session, agency=agency.id, notice=notice.id, record=record, now=story.time())


def test_who_had_opened_parts_is_asked_to_stop_using_them(story: Story) -> None:
    consent = story.consent()
    accepted = opened(story)
    story.withdraw(consent)
    work_off(story)
    (notice,) = story.notices()
    assert notice.items[0].message == accepted.manifest.id
    assert set(notice.items[0].categories) == {"identity", "income_assets"}
    assert notice.due_at == Calendar().add_business_days(notice.raised_at, 3)
    assert story.count("tasks", f"kind = 'purge_answer' and agency = '{story.s1.id}'") == 1
    assert story.count("events", f"event = 'notice:raised' and agency = '{story.s1.id}'") == 1
    assert story.logged().count("purge:asked") == 1


def test_who_collected_and_never_acknowledged_is_asked_too(story: Story) -> None:
    consent = story.consent()
    accepted = story.send("identity")
    story.collect(accepted.message)
    story.withdraw(consent)
    work_off(story)
    assert len(story.notices()) == 1


def test_a_partial_withdrawal_names_only_its_categories(story: Story) -> None:
    consent = story.consent()
    opened(story)
    story.withdraw(consent, categories=("income_assets",))
    work_off(story)
    (notice,) = story.notices()
    assert notice.items[0].categories == ("income_assets",)


def test_a_second_withdrawal_asks_only_for_what_the_first_did_not(story: Story) -> None:
    consent = story.consent()
    opened(story)
    story.withdraw(consent, categories=("income_assets",))
    work_off(story)
    story.withdraw(consent)
    work_off(story)
    first, second = story.notices()
    assert (first.items[0].categories, second.items[0].categories) == (("income_assets",), ("identity",))


def test_what_waits_is_told_to_its_sender_and_stays_until_it_is_asked_for(story: Story) -> None:
    consent = story.consent()
    accepted = story.send("identity")
    story.withdraw(consent)
    work_off(story)
    told = f"event = 'message:withdrawn-before-delivery' and agency = '{story.j1.id}'"
    assert story.count("events", told) == 1
    assert story.notices() == ()
    assert story.message(accepted.message).delivery == "queued"


def test_nothing_is_asked_while_another_consent_carries_it(story: Story) -> None:
    consent = story.consent()
    opened(story, "identity")
    story.consent(categories=("identity",))
    story.withdraw(consent)
    work_off(story)
    assert story.notices() == ()


def test_the_consent_that_counts_is_the_one_it_was_handed_over_on(story: Story) -> None:
    first = story.consent(categories=("identity",))
    accepted = story.send("identity")
    second = story.consent(categories=("identity",))
    story.withdraw(first)
    story.collect(accepted.message)
    work_off(story)
    assert story.notices() == ()
    story.withdraw(second)
    work_off(story)
    assert len(story.notices()) == 1


def test_a_consent_that_merely_ended_asks_nobody_to_stop(story: Story) -> None:
    story.consent(valid_until=story.time() + timedelta(days=1))
    opened(story, "identity")
    story.exclude(story.f1.id, "health")
    timer(story, lambda session: _changed(story, session), at=story.time() + timedelta(days=2))
    assert story.notices() == ()


def test_an_emergency_disclosure_is_not_taken_back_by_a_withdrawal(story: Story) -> None:
    consent = story.consent()
    accepted = story.send("identity", purpose="emergency_response", basis=emergency())
    story.collect(accepted.message)
    story.withdraw(consent)
    work_off(story)
    assert story.notices() == ()


def test_other_changes_of_the_case_do_not_repeat_a_notice(story: Story) -> None:
    consent = story.consent()
    opened(story)
    story.withdraw(consent)
    work_off(story)
    story.exclude(story.f1.id, "health")
    work_off(story)
    assert len(story.notices()) == 1


@pytest.mark.parametrize("said", [PurgeAnswer.PURGED, PurgeAnswer.RETURNED])
def test_a_signed_answer_ends_the_notice(story: Story, said: PurgeAnswer) -> None:
    consent = story.consent()
    opened(story)
    story.withdraw(consent)
    work_off(story)
    (notice,) = story.notices()
    answered = answer(story, notice, story.purge(notice, said))
    assert answered.answer == said
    assert story.count("tasks", "kind = 'purge_answer' and done_at is null") == 0
    assert story.entries("purge:answered")[0]["facts"]["answer"] == said
    assert story.count("events", f"event = 'notice:answered' and agency = '{story.j1.id}'") == 1


def test_kept_by_law_names_its_ground_and_until_when(story: Story) -> None:
    consent = story.consent()
    opened(story)
    story.withdraw(consent)
    work_off(story)
    (notice,) = story.notices()
    until = story.time() + timedelta(days=365)
    record = story.purge(notice, PurgeAnswer.KEPT_BY_LAW, ground="chihou-zaisei", until=until)
    assert answer(story, notice, record).answer == "kept_by_law"


def test_the_same_answer_again_is_the_same_and_another_is_refused(story: Story) -> None:
    consent = story.consent()
    opened(story)
    story.withdraw(consent)
    work_off(story)
    (notice,) = story.notices()
    record = story.purge(notice)
    answer(story, notice, record)
    assert answer(story, notice, record).record == record
    with pytest.raises(ConflictError, match="already-answered"):
        answer(story, notice, story.purge(notice, PurgeAnswer.RETURNED))
    assert story.logged().count("purge:answered") == 1


def test_an_answer_about_another_withdrawal_is_refused(story: Story) -> None:
    consent = story.consent()
    opened(story)
    story.withdraw(consent)
    work_off(story)
    (notice,) = story.notices()
    with pytest.raises(ConflictError, match="receipt-mismatch"):
        answer(story, notice, story.purge(notice, withdrawal=notice.id))


def test_only_the_agency_that_was_asked_may_answer_and_in_its_own_name(story: Story) -> None:
    consent = story.consent()
    opened(story)
    story.withdraw(consent)
    work_off(story)
    (notice,) = story.notices()
    with pytest.raises(NotFoundError):
        answer(story, notice, story.purge(notice), agency=story.j1)
    story.s1, council = story.f1, story.s1
    forged = story.purge(notice, agency=story.f1.id)
    with pytest.raises(ForbiddenError, match="wrong-party"):
        answer(story, notice, forged, agency=council)


def test_an_unanswered_notice_goes_to_the_officers_list_once(story: Story) -> None:
    consent = story.consent()
    opened(story)
    story.withdraw(consent)
    work_off(story)
    (notice,) = story.notices()
    overdue = "kind = 'purge_overdue' and agency is null and done_at is null"
    timer(story, jobs.report_overdue_notices, at=notice.due_at - timedelta(microseconds=1))
    assert story.count("tasks", overdue) == 0
    for _ in range(2):
        timer(story, jobs.report_overdue_notices, at=notice.due_at)
    assert story.count("tasks", overdue) == 1
    assert story.logged().count("purge:overdue") == 1
    answer(story, notice, story.purge(notice))
    assert story.count("tasks", overdue) == 0


def _changed(story: Story, session) -> None:
    (case,) = cases.page(session, after=None, limit=5)
    jobs.consent_changed(
        session, Work(id=case.id, topic="consent:changed", about=case.id, agency=None, attempt=1, at=story.time())
    )
