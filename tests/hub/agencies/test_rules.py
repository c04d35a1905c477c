# SPDX-License-Identifier: Apache-2.0
"""Names that look alike, and when two people have agreed."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.agencies.rules import (
    APPROVAL_LASTS,
    OFFICER,
    OPERATOR,
    Approval,
    both_agreed,
    look_alike,
    may_be_shown,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("abc", "ＡＢＣ"),
        ("paypal", "раураl"),  # Cyrillic
        ("rnodern", "modern"),
        ("カフェ", "力フェ"),
        ("ロータリー", "口ータリー"),
        ("架空 福祉", "架空福祉"),
        ("架空\u200b福祉", "架空福祉"),
        ("㍿架空", "株式会社架空"),
    ],
)
def test_these_look_alike(one: str, other: str) -> None:
    assert look_alike(one) == look_alike(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("架空市社会福祉協議会", "架空町社会福祉協議会"), ("東センター", "西センター"), ("abc", "abd")],
)
def test_these_do_not(one: str, other: str) -> None:
    assert look_alike(one) != look_alike(other)


@given(st.text(max_size=40))
def test_width_and_case_change_nothing(name: str) -> None:
    assert look_alike(unicodedata.normalize("NFKC", name).casefold()) == look_alike(name)


@given(st.text(max_size=20), st.sampled_from([" ", "\u3000", "\u200b", "\u00ad"]), st.integers(0, 20))
def test_what_is_not_seen_changes_nothing(name: str, unseen: str, place: int) -> None:
    assert look_alike(name[:place] + unseen + name[place:]) == look_alike(name)


@pytest.mark.parametrize("name", ["架空市社会福祉協議会", "髙﨑 𠮷田 神", "Fictional City"])
def test_names_of_every_kind_may_be_shown(name: str) -> None:
    assert may_be_shown(name)


def words(*said: tuple[str, str, timedelta]) -> list[Approval]:
    return [Approval(staff=staff, role=role, at=NOW - ago) for staff, role, ago in said]


JUST_NOW = timedelta()


@pytest.mark.parametrize(
    ("said", "agreed"),
    [
        ([("a", OPERATOR, JUST_NOW), ("b", OFFICER, JUST_NOW)], True),
        ([("a", OPERATOR, APPROVAL_LASTS), ("b", OFFICER, JUST_NOW)], True),
        ([("a", OPERATOR, APPROVAL_LASTS + timedelta(seconds=1)), ("b", OFFICER, JUST_NOW)], False),
        ([("a", OPERATOR, JUST_NOW), ("b", OPERATOR, JUST_NOW)], False),
        ([("a", OFFICER, JUST_NOW), ("b", OFFICER, JUST_NOW)], False),
        ([("a", OPERATOR, JUST_NOW), ("a", OFFICER, JUST_NOW)], False),
        ([("a", OPERATOR, JUST_NOW), ("a", OFFICER, JUST_NOW), ("b", OFFICER, JUST_NOW)], True),
        ([("a", "auditor", JUST_NOW), ("b", OFFICER, JUST_NOW)], False),
        ([], False),
    ],
)
def test_it_takes_an_operator_and_an_officer_who_are_two_people(
    said: list[tuple[str, str, timedelta]], agreed: bool
) -> None:
    assert both_agreed(words(*said), NOW) is agreed
