# SPDX-License-Identifier: Apache-2.0
"""When a withdrawal is nothing new."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.scopes import Direction, Withdrawal
from hub.intakes.rules import (
    CLOCK_AHEAD,
    ENDING_NOTICE,
    Taking,
    asked_after,
    goes_on,
    is_from_the_future,
    is_taken_already,
    is_wholly_withdrawn,
    last_moment,
)
from tests.hub.builders import new_agency
from tests.hub.casework import DAY, scope

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
names = st.frozensets(st.sampled_from(("one", "two", "three")), max_size=3)
takings = st.builds(Taking, to=names, categories=names)


def done(to=(), categories=()):
    return Withdrawal(id="w", to=frozenset(to), categories=frozenset(categories), at=NOON)


def asked(to=(), categories=()):
    return Taking(to=frozenset(to), categories=frozenset(categories))


def test_nothing_is_taken_where_nothing_was_withdrawn():
    assert not is_taken_already(asked(), ())


@pytest.mark.parametrize(
    ("taking", "earlier", "is_nothing_new"),
    [
        (asked(), done(), True),
        (asked(to=["one"]), done(), True),
        (asked(categories=["one"]), done(to=["one"]), False),
        (asked(), done(to=["one"]), False),
        (asked(to=["one", "two"]), done(to=["one"]), False),
        (asked(to=["one"]), done(to=["one", "two"]), True),
        (asked(to=["one"], categories=["one"]), done(to=["one"]), True),
        (asked(to=["one"]), done(to=["one"], categories=["one"]), False),
    ],
)
def test_a_withdrawal_is_nothing_new_when_an_earlier_one_takes_back_all_of_it(taking, earlier, is_nothing_new):
    assert is_taken_already(taking, [earlier]) is is_nothing_new


@given(takings)
def test_the_same_withdrawal_twice_is_always_nothing_new(taking):
    assert is_taken_already(taking, [done(taking.to, taking.categories)])


@given(takings, takings)
def test_after_a_whole_withdrawal_nothing_is_left(taking, earlier):
    assert is_taken_already(taking, [done(earlier.to, earlier.categories), done()])


def test_a_consent_is_wholly_withdrawn_only_without_limits():
    assert is_wholly_withdrawn([done()])
    assert not is_wholly_withdrawn([done(to=["one"]), done(categories=["one"])])


def test_a_record_ends_with_its_period_and_an_oral_one_after_fourteen_days():
    signed = scope("case", new_agency(), "houterasu")
    assert last_moment(signed) == signed.valid_until
    oral = replace(signed, signature="oral_pending")
    assert last_moment(oral) == oral.signed_at + timedelta(days=14)
    assert last_moment(replace(oral, valid_until=oral.signed_at + DAY)) == oral.signed_at + DAY


def test_a_time_is_from_the_future_only_beyond_what_clocks_may_differ():
    assert not is_from_the_future(NOON + CLOCK_AHEAD, NOON)
    assert is_from_the_future(NOON + CLOCK_AHEAD + timedelta(microseconds=1), NOON)


@pytest.mark.parametrize(
    ("left", "notice"),
    [(300, ENDING_NOTICE.days), (60, 30), (59, 29.5), (10, 5), (1, 0.5)],
    ids=lambda days: f"{days}d",
)
def test_a_record_is_asked_after_a_month_or_half_its_time_before_its_end(left, notice):
    signed = replace(scope("case", new_agency(), "houterasu"), valid_until=NOON + left * DAY)
    assert asked_after(signed, NOON) == signed.valid_until - notice * DAY


@pytest.mark.parametrize("signature", ["oral_pending", "none", "family_unverified"])
def test_what_permits_nothing_or_waits_for_a_signature_is_not_asked_after(signature):
    assert asked_after(replace(scope("case", new_agency(), "houterasu"), signature=signature), NOON) is None


def test_a_record_whose_time_is_over_is_not_asked_after():
    signed = replace(scope("case", new_agency(), "houterasu"), valid_until=NOON)
    assert asked_after(signed, NOON) is None


@pytest.mark.parametrize(
    ("change", "does"),
    [
        ({}, True),
        ({"categories": frozenset({"*"})}, True),
        ({"categories": frozenset({"identity"})}, False),
        ({"purposes": frozenset({"follow_up"})}, False),
        ({"partners": frozenset({"shakyo"})}, False),
        ({"signature": "oral_pending"}, False),
        ({"direction": Direction.OUT}, False),
    ],
)
def test_a_newer_record_goes_on_where_it_permits_at_least_the_same_for_longer(change, does):
    old = scope("case", new_agency(), "houterasu")
    assert goes_on(old, replace(old, **{"valid_until": old.valid_until + DAY} | change)) is does


def test_a_record_that_ends_at_the_same_moment_does_not_go_on():
    old = scope("case", new_agency(), "houterasu")
    assert not goes_on(old, replace(old, categories=frozenset({"*"})))
