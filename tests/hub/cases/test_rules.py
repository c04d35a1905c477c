# SPDX-License-Identifier: Apache-2.0
"""The hard guards of the process and the forms of a handle and of a note's kind."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cases.rules import Attempt, Closure, closure_fault, is_contact_lost, is_handle, is_token

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
TODAY = date(2026, 4, 1)
TRIED = [
    Attempt(at=NOON - timedelta(days=14), channel="telephone"),
    Attempt(at=NOON - timedelta(days=7), channel="letter"),
    Attempt(at=NOON, channel="telephone"),
]


def closing(ground="improved", on=TODAY, reason=None):
    return Closure(ground=ground, follow_up_on=on, no_follow_up_reason=reason)


def test_contact_is_lost_after_three_attempts_over_fourteen_days_by_two_channels():
    assert is_contact_lost(TRIED)


@pytest.mark.parametrize(
    "attempts",
    [
        [],
        TRIED[:2],
        [TRIED[0], TRIED[2], TRIED[2]],
        [Attempt(at=NOON - timedelta(days=14, microseconds=-1), channel="telephone"), *TRIED[1:]],
    ],
    ids=["none", "two attempts", "one channel", "a microsecond short of fourteen days"],
)
def test_contact_is_not_lost_before(attempts):
    assert not is_contact_lost(attempts)


@given(st.permutations(TRIED))
def test_the_order_in_which_attempts_were_noted_does_not_matter(attempts):
    assert is_contact_lost(attempts)


def test_a_closure_with_a_date_or_with_a_reason_for_none_is_whole():
    assert closure_fault(closing(), (), TODAY) is None
    assert closure_fault(closing(on=None, reason="not_needed"), (), TODAY) is None


def test_a_closure_without_a_decision_on_follow_up_is_incomplete():
    assert closure_fault(closing(on=None), (), TODAY) == "closure-incomplete"


def test_a_closure_that_says_both_a_date_and_none_is_incomplete():
    assert closure_fault(closing(reason="not_needed"), (), TODAY) == "closure-incomplete"


def test_a_follow_up_in_the_past_is_refused():
    assert closure_fault(closing(on=date(2026, 3, 31)), (), TODAY) == "bad-date"


def test_lost_contact_must_be_shown_and_other_grounds_need_no_attempts():
    assert closure_fault(closing(ground="lost_contact"), TRIED[:2], TODAY) == "contact-attempts-missing"
    assert closure_fault(closing(ground="lost_contact"), TRIED, TODAY) is None
    assert closure_fault(closing(ground="moved"), (), TODAY) is None


@given(st.uuids(version=4))
def test_a_random_uuid_is_a_handle(handle):
    assert is_handle(str(handle))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3f0c6f2e-7b1a-1c4d-9e5f-0a1b2c3d4e5f",
        "3f0c6f2e-7b1a-7c4d-9e5f-0a1b2c3d4e5f",
        "3F0C6F2E-7B1A-4C4D-9E5F-0A1B2C3D4E5F",
        "3f0c6f2e-7b1a-4c4d-ce5f-0a1b2c3d4e5f",
        "3f0c6f2e7b1a4c4d9e5f0a1b2c3d4e5f",
        "3f0c6f2e-7b1a-4c4d-9e5f-0a1b2c3d4e5f\n",
    ],
)
def test_a_handle_that_carries_a_time_or_another_form_is_refused(text):
    assert not is_handle(text)


@pytest.mark.parametrize("text", ["contact_attempt", "x", "a1_b", "a" * 40])
def test_a_code_word_is_a_kind_of_note(text):
    assert is_token(text)


@pytest.mark.parametrize("text", ["", "1a", "_a", "A", "a b", "a-b", "架空田", "a" * 41, "a\n"])
def test_a_sentence_is_no_kind_of_note(text):
    assert not is_token(text)
