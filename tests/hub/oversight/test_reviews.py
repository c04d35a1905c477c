# SPDX-License-Identifier: Apache-2.0
"""Emergency uses are judged by a third person, in time, in codes, and the agency is told (consent.md, ux H2)."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from consent.calendar import Calendar
from hub.audit.rules import timestamp
from hub.base.errors import ConflictError, InvalidError, NotFoundError
from hub.oversight import reads, service, tables
from hub.oversight.jobs import escalate_reviews
from hub.oversight.reads import ReviewState
from hub.oversight.rules import Answer, Remark
from tests.hub.builders import new_uuid
from tests.hub.messages.story import emergency
from tests.hub.oversight.conftest import Office


def use(office: Office, **changes):
    return office.story.send(
        "identity", "safety", purpose="emergency_response", basis=emergency(**changes)
    ).message  # fmt: skip


def judge(office: Office, message: str, answer: Answer = Answer.JUSTIFIED, **options):
    given = {"reviewer": office.officer, "remark": Remark.NONE, "reference": None} | options
    return office.look(service.review, message, answer=answer, **given)


def test_a_use_waits_for_its_review_until_the_end_of_the_next_business_day(office: Office) -> None:
    message = use(office)
    (waiting,) = office.look(reads.uses)
    sent = waiting.use.disclosure.message.accepted_at
    assert (waiting.id, waiting.state) == (message, ReviewState.OPEN)
    assert (waiting.use.requester, waiting.approver) == ("u-101", "u-100")
    assert waiting.due_at == Calendar().add_business_days(sent, 1)
    (late,) = office.look(reads.uses, at=waiting.due_at)
    assert late.state is ReviewState.OVERDUE


def test_a_final_answer_ends_the_review_and_its_task_and_tells_the_agency(office: Office) -> None:
    message = use(office)
    judge(office, message, reference="R8-0123")
    assert office.look(reads.uses) == ()
    assert office.look(reads.use, message).state is ReviewState.DONE
    story = office.story
    assert story.count("tasks", "kind = 'emergency_review' and done_at is null") == 0
    assert story.count("events", f"event = 'override:reviewed' and agency = '{story.j1.id}'") == 1
    (entry,) = story.entries("override:reviewed")
    assert entry["actor"] == office.officer
    assert entry["parties"] == [story.j1.id]
    assert entry["facts"] == {"answer": "justified", "remark": "none", "reference": "R8-0123", "in_time": True}


def test_what_nobody_judged_in_time_is_written_down_once_and_asked_of_the_operator(office: Office) -> None:
    message, story = use(office), office.story
    (waiting,) = office.look(reads.uses)
    overdue = "kind = 'review_overdue' and agency is null"
    office.tick(escalate_reviews, at=waiting.due_at - timedelta(seconds=1))
    assert (story.entries("override:overdue"), story.count("tasks", overdue)) == ([], 0)
    for later in (timedelta(), timedelta(hours=1), timedelta(days=3)):
        office.tick(escalate_reviews, at=waiting.due_at + later)
    (entry,) = story.entries("override:overdue")
    assert (entry["actor"], entry["parties"], entry["subject"]) == ("hub", [story.j1.id], message)
    assert entry["facts"] == {"due": timestamp(waiting.due_at)}
    assert story.count("tasks", f"{overdue} and done_at is null") == 1
    judge(office, message)
    assert story.count("tasks", f"{overdue} and done_at is null") == 0
    office.tick(escalate_reviews, at=waiting.due_at + timedelta(days=9))
    assert len(story.entries("override:overdue")) == 1


@pytest.mark.parametrize("answer", [Answer.PROCEDURE_LACKING, Answer.NOT_JUSTIFIED, Answer.MORE_NEEDED])
def test_an_answer_against_the_agency_gives_it_a_task(office: Office, answer: Answer) -> None:
    message = use(office)
    judge(office, message, answer, remark=Remark.APPROVAL_LATE)
    assert office.story.count("tasks", f"kind = 'review_result' and agency = '{office.story.j1.id}'") == 1


def test_more_needed_leaves_it_open_for_another_answer(office: Office) -> None:
    message = use(office)
    judge(office, message, Answer.MORE_NEEDED, remark=Remark.ASK_BY_TELEPHONE)
    assert [one.state for one in office.look(reads.uses)] == [ReviewState.ASKED]
    judge(office, message, reviewer=new_uuid())
    assert [one.answer for one in office.look(reads.use, message).reviews] == [Answer.MORE_NEEDED, Answer.JUSTIFIED]


def test_who_asked_or_approved_does_not_judge(office: Office) -> None:
    for members in ({"requester": office.officer}, {"approver": office.officer}):
        message = use(office, **members)
        with pytest.raises(ConflictError, match="reviewer-involved"):
            judge(office, message)
        assert office.ask(reads.reviews, message) == ()


def test_what_is_judged_is_judged(office: Office) -> None:
    message = use(office)
    judge(office, message)
    with pytest.raises(ConflictError, match="already-reviewed"):
        judge(office, message, Answer.NOT_JUSTIFIED, remark=Remark.PERSON_NOT_TOLD)
    assert len(office.ask(reads.reviews, message)) == 1


def test_a_judgement_against_an_agency_says_what_was_wrong(office: Office) -> None:
    message = use(office)
    with pytest.raises(InvalidError, match="remark-missing"):
        judge(office, message, Answer.NOT_JUSTIFIED)


@pytest.mark.parametrize("reference", ["", "Kakuu Ichiro", "架空一郎", "R8-0123 ", "R8-", "123456789012", "R8-0123\n"])
def test_a_reference_is_the_number_of_a_file_and_nothing_else(office: Office, reference: str) -> None:
    message = use(office)
    with pytest.raises(InvalidError, match="bad-reference"):
        judge(office, message, reference=reference)
    assert office.ask(reads.reviews, message) == ()


def test_what_was_no_emergency_is_not_judged(office: Office) -> None:
    office.story.consent()
    message = office.story.send().message
    for unknown in (message, new_uuid()):
        with pytest.raises(NotFoundError):
            judge(office, unknown)


def test_a_late_review_says_that_it_was_late(office: Office) -> None:
    message = use(office)
    late = office.look(reads.use, message).due_at + timedelta(hours=1)
    office.look(
        service.review,
        message,
        reviewer=office.officer,
        answer=Answer.JUSTIFIED,
        remark=Remark.NONE,
        reference=None,
        at=late,
    )
    assert office.story.entries("override:reviewed")[0]["facts"]["in_time"] is False


def test_an_agency_reads_the_judgement_on_its_own_uses_only(office: Office) -> None:
    message = use(office)
    judge(office, message)
    story = office.story
    for agency, seen in ((story.j1, 1), (story.s1, 0)):
        with story.database.transaction(agency.id) as session:
            assert len(reads.reviews(session, message)) == seen


def test_requests_of_agencies_can_write_no_judgement(office: Office) -> None:
    message = use(office)
    writing = sa.insert(tables.reviews).values(
        id=new_uuid(),
        message=message,
        agency=office.story.j1.id,
        reviewer=office.officer,
        answer="justified",
        remark="none",
        at=office.story.time(),
    )
    with (
        pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
        office.story.database.transaction(office.story.j1.id) as session,
    ):
        session.execute(writing)
