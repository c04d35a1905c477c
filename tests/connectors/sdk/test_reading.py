# SPDX-License-Identifier: Apache-2.0
"""Answers are read leniently where a newer hub says more, and refused where one says less."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.sdk import answers
from connectors.sdk.reading import read
from tests.connectors.story import refused

CASE: dict[str, Any] = {
    "id": "1",
    "case": "2",
    "owner": "3",
    "step": "intake",
    "state": "open",
    "version": 1,
    "opened_at": "2026-04-06T01:30:00Z",
    "moved_at": "2026-04-06T01:30:00.000001Z",
    "closed_at": None,
    "next_steps": ["assessment"],
    "actions": [],
}


def test_an_answer_becomes_a_dataclass() -> None:
    case = read(answers.Case, CASE)
    assert case.moved_at == datetime(2026, 4, 6, 1, 30, 0, 1, tzinfo=UTC)
    assert case.next_steps == ("assessment",)


def test_what_a_newer_hub_adds_is_read_over() -> None:
    assert read(answers.Case, CASE | {"mood": "sunny"}) == read(answers.Case, CASE)


@pytest.mark.parametrize("missing", ["id", "version", "opened_at"])
def test_a_missing_member_makes_the_answer_unreadable(missing: str) -> None:
    with refused("answer-malformed"):
        read(answers.Case, {name: value for name, value in CASE.items() if name != missing})


@pytest.mark.parametrize(
    ("member", "value"),
    [("version", "many"), ("opened_at", "2026-04-06T01:30:00"), ("opened_at", None), ("next_steps", "assessment")],
)
def test_a_member_of_another_kind_makes_the_answer_unreadable(member: str, value: object) -> None:
    with refused("answer-malformed"):
        read(answers.Case, CASE | {member: value})


def test_a_list_without_items_is_unreadable() -> None:
    with refused("answer-malformed"):
        read(tuple[answers.Case, ...], None)
