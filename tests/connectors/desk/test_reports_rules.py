# SPDX-License-Identifier: Apache-2.0
"""A month is counted from facts alone; what leaves the agency hides small numbers, and what would give them away."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.casebook.figures import Facts, FollowUpFact, Newcomer, Sent, SheetFact, Span
from connectors.desk.reports import rules
from connectors.desk.reports.rules import HIDDEN, SMALL, Lists, Row, Section

LISTS = Lists(
    recipients=["fukushi_jimusho", "shakyo"],
    screening=["info_only", "refer_out"],
    traits=["debt", "illness"],
    outcomes=["granted"],
    declines=["no_capacity", "out_of_area"],
    going=["done", "no_show"],
    follow_up_results=["connected", "not_yet"],
    changes=["income", "work"],
    results=["end", "re_plan"],
    endings=["improved", "moved"],
    resources=["housing"],
)


def facts(**said: object) -> Facts:
    nothing: dict[str, object] = {
        "newcomers": [], "applications": 0, "screenings": [], "sheets": [], "sent": [], "accompaniments": [],
        "follow_ups": [], "endings": [], "meetings": 0, "meeting_lines": 0, "decisions": 0, "missing": [],
    }  # fmt: skip
    return Facts(**{**nothing, **said})  # type: ignore[arg-type]


def sent(kind: str = "shakyo", **said: object) -> Sent:
    plain: dict[str, object] = {
        "hop": 0, "events": frozenset(), "declined": None, "outcome": None, "answered_after": None, "begun_after": None
    }  # fmt: skip
    return Sent(kind=kind, **{**plain, **said})  # type: ignore[arg-type]


def sheet(case: str, code: str, change: str = "first", **answers: object) -> SheetFact:
    return SheetFact(case=case, code=code, change=change, answers=answers)


def figures(told: Facts, key: str) -> dict[str, tuple[object, ...]]:
    (found,) = [one for one in rules.report(told, LISTS) if one.key == key]
    return {row.code: row.figures for row in found.rows}


def test_a_month_without_anything_has_every_row_and_no_gap() -> None:
    for section in rules.report(facts(), LISTS):
        assert section.rows
        assert all(one in {0, None} for row in section.rows for one in row.figures)


def test_newcomers_are_counted_by_age_and_sex_and_who_did_not_say_is_counted_too() -> None:
    known = [(16, "1"), (20, "2"), (64, "2"), (65, "3"), (80, "1"), (None, None), (44, "odd")]
    told = facts(newcomers=[Newcomer(age=age, sex=sex) for age, sex in known])
    counted = figures(told, "people")
    assert counted["19"] == (1, 0, 0, 0)
    assert counted["20s"] == (0, 1, 0, 0)
    assert counted["60s"] == (0, 1, 0, 0)
    assert counted["65"] == (0, 0, 1, 0)
    assert counted["75"] == (1, 0, 0, 0)
    assert counted["no-age"] == (0, 0, 0, 1)
    assert counted["40s"] == (0, 0, 0, 1)
    assert sum(sum(row) for row in counted.values()) == len(known)  # type: ignore[misc]


def test_referrals_are_counted_by_destination_with_the_median_of_days() -> None:
    told = facts(
        sent=[
            sent(events=frozenset({"accept", "start"}), answered_after=1, begun_after=4, outcome="granted"),
            sent(events=frozenset({"decline"}), answered_after=4, declined="no_capacity"),
            sent("fukushi_jimusho", hop=1),
        ]
    )
    assert figures(told, "destinations") == {
        "shakyo": (2, 1, 1, 1, 0, 2.5, 4.0),
        "fukushi_jimusho": (1, 0, 0, 0, 1, None, None),
    }
    assert figures(told, "declines") == {"no_capacity": (1,), "out_of_area": (0,)}
    assert figures(told, "outcomes") == {"granted": (1,)}
    national = figures(told, "national")
    assert (national["referred"], national["to-assistance"]) == ((3,), (1,))


def test_plans_are_counted_without_amendments_and_job_support_by_the_services_in_them() -> None:
    told = facts(
        sheets=[
            sheet("a", "plan", services_law=["job_support", "budget"]),
            sheet("a", "plan", change="amendment", services_law=["job_support"]),
            sheet("b", "plan", services_law=["job_support"]),
            sheet("b", "plan", change="re_plan", services_else=["job_centre"]),
            sheet("c", "plan", services_law=["budget"]),
        ],
        decisions=3,
    )
    national = figures(told, "national")
    assert [national[one] for one in ("plans", "re-plans", "work-support", "decided")] == [(4,), (1,), (2,), (3,)]


def test_two_reviews_of_one_person_are_two_reviews_and_one_change() -> None:
    told = facts(
        sheets=[
            sheet("a", "review", result="re_plan", changes=["work"]),
            sheet("a", "review", result="end", changes=["work", "income"]),
        ]
    )
    assert figures(told, "results") == {"end": (1,), "re_plan": (1,)}
    assert figures(told, "changes") == {"income": (1,), "work": (1,)}
    national = figures(told, "national")
    assert (national["reviews"], national["work"], national["income"]) == ((2,), (1,), (1,))


def test_follow_ups_are_counted_when_due_and_late_ones_apart() -> None:
    told = facts(
        follow_ups=[
            FollowUpFact(due_on=date(2026, 4, 3), done_on=date(2026, 4, 3), result="connected"),
            FollowUpFact(due_on=date(2026, 4, 3), done_on=date(2026, 4, 5), result="not_yet"),
            FollowUpFact(due_on=date(2026, 4, 30), done_on=None, result=None),
        ]
    )
    counted = figures(told, "follow-ups")
    assert [counted[one] for one in ("due", "done", "done-late", "result:connected")] == [(3,), (2,), (1,), (1,)]


@pytest.mark.parametrize(
    "asked", ["2026", "2026-13", "2026-00", "1999-01", "26-04", "2026-4", "２０２６-04", "2026-05", "x"]
)
def test_what_is_no_month_or_has_not_begun_is_none(asked: str) -> None:
    assert rules.month_of(asked, date(2026, 4, 30)) is None


def test_a_month_is_whole_and_knows_its_neighbours() -> None:
    assert rules.month_of("", date(2024, 2, 10)) == Span(first=date(2024, 2, 1), last=date(2024, 2, 29))
    span = rules.month_of("2026-01", date(2026, 4, 6))
    assert span == Span(first=date(2026, 1, 1), last=date(2026, 1, 31))
    assert span is not None
    assert rules.beside(span, date(2026, 4, 6)) == ("2025-12", "2026-02")
    assert rules.beside(rules.this_month(date(2026, 12, 31)), date(2026, 12, 31)) == ("2026-11", None)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_no_small_number_leaves_and_none_is_hidden_alone(column: list[int]) -> None:
    rows = tuple(Row(code=str(n), figures=(one,)) for n, one in enumerate(column))
    (hidden,) = rules.shared([Section(key="x", names="text", columns=("number",), rows=rows)])
    shown = [row.figures[0] for row in hidden.rows]
    assert not any(isinstance(one, int) and 0 < one < SMALL for one in shown)
    assert all(after in {before, HIDDEN} for before, after in zip(column, shown, strict=True))
    assert all(after == 0 for before, after in zip(column, shown, strict=True) if before == 0)
    if shown.count(HIDDEN) == 1:
        assert sum(one > 0 for one in column) == 1


def test_the_median_of_few_is_hidden_with_their_count() -> None:
    told = facts(sent=[sent(answered_after=1) for _ in range(2)])
    (table,) = [one for one in rules.shared(rules.report(told, LISTS)) if one.key == "destinations"]
    assert table.rows[1].figures[0] == HIDDEN
    assert table.rows[1].figures[5] == HIDDEN


def test_a_bar_is_as_long_as_its_number_and_a_hidden_number_has_none() -> None:
    told = facts(
        newcomers=[Newcomer(age=30, sex="1")] * 6 + [Newcomer(age=30, sex="2")] * 2 + [Newcomer(age=20, sex="2")] * 4
    )
    (people,) = [one for one in rules.report(told, LISTS) if one.key == "people"]
    assert dict(zip([row.code for row in people.rows], rules.lengths(people), strict=True))["30s"] == 100
    assert rules.lengths(people)[1] == 50
    (hidden,) = rules.shared([people])
    assert rules.lengths(hidden)[1] == 0


def test_a_small_part_cannot_be_worked_out_from_a_whole_that_another_table_tells() -> None:
    told = facts(newcomers=[Newcomer(age=30, sex="1")] * 6 + [Newcomer(age=20, sex="2")])
    tables = {one.key: one for one in rules.shared(rules.report(told, LISTS))}
    assert tables["national"].rows[0].figures == (7,)
    shown = [one for row in tables["people"].rows for one in row.figures]
    assert shown.count(HIDDEN) == 2
