# SPDX-License-Identifier: Apache-2.0
"""The emergency door: complete or refused, counted, and before the officer at once (consent.md, CON-22, CON-23)."""

from datetime import timedelta

import pytest

from consent.calendar import Calendar
from hub.base.errors import ForbiddenError
from tests.hub.messages.story import Story, emergency


def send(story: Story, *categories: str, **changes):
    return story.send(*categories or ("identity",), purpose="emergency_response", basis=emergency(**changes))


def test_an_emergency_needs_no_consent_and_puts_a_review_before_the_officer(story: Story) -> None:
    accepted = send(story, "identity", "safety")
    assert {one["basis"] for one in accepted.decisions} == {"emergency"}
    review = "kind = 'emergency_review' and agency is null and done_at is null"
    assert story.count("tasks", f"{review} and about = '{accepted.message}'") == 1
    due = Calendar().add_business_days(accepted.accepted_at, 1)
    assert story.count("tasks", f"{review} and due_at = '{due.isoformat()}'") == 1
    used = story.entries("override:used")[0]
    assert used["facts"]["requester"] == "u-101"
    assert used["facts"]["approved_at"] is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"threat": None},
        {"difficulty": None},
        {"requester": None},
        {"approver": None},
        {"approver": "u-101"},
        {"approver_role": "counsellor"},
        {"approver_role": None},
    ],
    ids=lambda changes: "-".join(f"{name}={value}" for name, value in changes.items()),
)
def test_an_incomplete_emergency_is_refused(story: Story, changes: dict[str, str | None]) -> None:
    with pytest.raises(ForbiddenError) as refused:
        send(story, **changes)
    assert refused.value.extra["decisions"][0]["reason"] == "LEGAL_BASIS_INCOMPLETE"
    assert story.count("tasks", "kind = 'emergency_review'") == 0


def test_an_emergency_carries_the_minimum_only(story: Story) -> None:
    with pytest.raises(ForbiddenError) as refused:
        send(story, "identity", "debt_arrears")
    outcomes = [(one["outcome"], one["reason"]) for one in refused.value.extra["decisions"]]
    assert outcomes == [("permitted", None), ("refused", "BASIS_CATEGORY_NOT_PERMITTED")]


def test_the_sixth_use_of_one_worker_in_a_day_is_refused_and_both_sides_alerted(story: Story) -> None:
    for _ in range(5):
        send(story)
    with pytest.raises(ForbiddenError, match="override-limit"):
        send(story)
    assert story.count("messages") == 5
    assert story.count("tasks", "kind = 'override_limit' and agency is null") == 1
    assert story.count("tasks", f"kind = 'override_limit' and agency = '{story.j1.id}'") == 1
    assert story.logged().count("override:limited") == 1


def test_another_worker_has_uses_of_her_own(story: Story) -> None:
    for _ in range(5):
        send(story)
    assert send(story, requester="u-102").message


def test_the_next_day_begins_a_new_count(story: Story) -> None:
    for _ in range(5):
        send(story)
    tomorrow = story.time() + timedelta(days=1)
    sealed = story.seal("identity", purpose="emergency_response", basis=emergency())
    assert story.accept(sealed, at=tomorrow).message


def test_a_refused_emergency_is_not_counted(story: Story) -> None:
    for _ in range(5):
        with pytest.raises(ForbiddenError, match="consent-refused"):
            send(story, "debt_arrears")
    assert send(story).message


def test_a_use_against_the_persons_exclusion_goes_and_is_flagged(story: Story) -> None:
    story.consent()
    story.exclude(story.s1.id, "identity")
    send(story)
    assert story.entries("message:accepted")[0]["facts"]["against_exclusion"] is True
