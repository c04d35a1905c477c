# SPDX-License-Identifier: Apache-2.0
"""What is written into a sheet: taken however people write it, or refused field by field; no answer is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sheets.answers import carried, check, check_after, is_empty
from connectors.sheets.catalogue import ORDER
from tests.connectors.sheets.filled import ASSESSMENT, NATIONAL, PLAN, PLAN_KEPT, TRIAGE, filled


@pytest.mark.parametrize(("code", "body"), [("plan", PLAN), ("triage", TRIAGE), ("assessment", ASSESSMENT)])
def test_a_sheet_that_is_filled_in_can_be_settled(code: str, body: dict[str, Any]) -> None:
    assert check(NATIONAL.newest(code), body).faults == ()


def test_days_and_figures_are_taken_as_people_write_them_and_kept_in_one_way() -> None:
    assert check(NATIONAL.newest("plan"), PLAN).answers == PLAN_KEPT
    said = {**ASSESSMENT, "left_on": "令和7年12月", "leave_by": "R8.5.1", "rent": "５２,０００"}
    taken = check(NATIONAL.newest("assessment"), said).answers
    assert (taken["left_on"], taken["leave_by"], taken["rent"]) == ("2025-12", "2026-05-01", 52000)
    assert taken["income_own"] == 120000


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"chief": " "}, ("chief", "required")),
        ({"chief": "x" * 20_001}, ("chief", "too-long")),
        ({"chief": "a\x07b"}, ("chief", "unfit-sign")),
        ({"chief": ["a"]}, ("chief", "unreadable")),
        ({"history.unasked": "because"}, ("history", "unknown-choice")),
        ({"history.unasked": "not_asked", "history": "前に一度"}, ("history", "unasked-and-answered")),
        ({"urgent.unasked": "not_asked"}, ("urgent", "unknown-choice")),
        ({"route": "by_balloon"}, ("route", "unknown-choice")),
        ({"route": "other"}, ("route", "other-words")),
        ({"route.other": "手紙で"}, ("route", "other-not-chosen")),
        ({"route": "other", "route.other": "a\nb"}, ("route", "one-line")),
        ({"route": "agency"}, ("route_agency", "required")),
        ({"traits": ["habits", "nothing_known"]}, ("traits", "unknown-choice")),
        ({"traits": "habits"}, ("traits", "unreadable")),
        ({"arrears": ["none", "tax"]}, ("arrears", "none-and-some")),
        ({"assessed_on": "昨日"}, ("assessed_on", "day-unreadable")),
        ({"assessed_on": "2026-02-30"}, ("assessed_on", "day-impossible")),
        ({"left_on": "去年"}, ("left_on", "day-unreadable")),
        ({"rent": "五万"}, ("rent", "number")),
        ({"rent": "②"}, ("rent", "number")),
        ({"rent": 99999999999}, ("rent", "number")),
        ({"rent": 1.5}, ("rent", "unreadable")),
        ({"grade": "x" * 201}, ("grade", "too-long")),
        ({"members": "母"}, ("members", "unreadable")),
        ({"members": [{"relation": "母"}] * 61}, ("members", "too-many-rows")),
        ({"members": [{"living": "sometimes"}]}, ("members", "row-unreadable")),
        ({"members": [{"shoe": "28"}]}, ("members", "unreadable")),
        ({"blood_group": "O"}, ("", "unknown-field")),
    ],
)
def test_what_cannot_be_taken_is_named_with_its_field(change: dict[str, Any], fault: tuple[str, str]) -> None:
    found = check(NATIONAL.newest("assessment"), ASSESSMENT | change).faults
    assert [(one.field, one.code) for one in found] == [fault]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"term_until": "2026-04-01"}, ("term_until", "days-order")),
        ({"deeds": [{"actor": "person"}]}, ("deeds", "row-incomplete")),
        ({"deeds": [{"actor": "", "deed": " "}]}, ("deeds", "required")),
        ({"meeting_on": "2026-04-22"}, ("", "unknown-field")),
    ],
)
def test_a_plan_that_does_not_hold_together_is_refused(change: dict[str, Any], fault: tuple[str, str]) -> None:
    found = check(NATIONAL.newest("plan"), PLAN | change).faults
    assert [(one.field, one.code) for one in found] == [fault]


def test_a_referral_elsewhere_says_to_whom_and_whether_we_go_along() -> None:
    found = check(NATIONAL.newest("triage"), TRIAGE | {"screening": "refer_out"}).faults
    assert [(one.field, one.code) for one in found] == [("refer_to", "required"), ("handover", "required")]


def test_what_the_meeting_said_is_checked_for_itself() -> None:
    plan = NATIONAL.newest("plan")
    taken = check_after(plan, {"meeting_on": "令和8年4月22日", "decision": "decided"})
    assert taken.faults == ()
    assert taken.answers == {"meeting_on": "2026-04-22", "decision": "decided"}
    assert [one.field for one in check_after(plan, {"decision": "perhaps"}).faults] == ["decision"]


def test_answers_move_into_a_later_version_and_what_has_no_place_there_is_named() -> None:
    old, new = NATIONAL.newest("assessment"), NATIONAL.newest("triage")
    kept, left = carried(old, new, ASSESSMENT)
    assert kept["route"] == "self_visit"
    assert kept["strengths"] == ASSESSMENT["strengths"]
    assert set(left) == {key.partition(".")[0] for key in ASSESSMENT} - {key.partition(".")[0] for key in kept}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ORDER).flatmap(filled))
def test_no_answer_is_lost_and_checking_again_changes_nothing(written: tuple[str, dict[str, Any]]) -> None:
    definition, body = NATIONAL.newest(written[0]), written[1]
    checked = check(definition, body)
    blamed = {one.field for one in checked.faults}
    told = {key for key, said in body.items() if not is_empty(said)}
    assert {key for key in told if key.partition(".")[0] not in blamed} <= set(checked.answers)
    assert set(checked.answers) <= told
    again = check(definition, checked.answers)
    assert again.answers == checked.answers


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.text(max_size=20),
        st.recursive(st.none() | st.text(max_size=9) | st.integers() | st.floats(), st.lists, max_leaves=4),
    )
)
def test_whatever_is_sent_gets_an_answer_and_never_a_failure(body: dict[str, Any]) -> None:
    assert check(NATIONAL.newest("plan"), body).faults
