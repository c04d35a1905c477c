# SPDX-License-Identifier: Apache-2.0
"""The guards about a body alone, at their edges."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import Calendar
from hub.referrals import network
from hub.referrals.lifecycle import MOVES, Event, Guard
from hub.referrals.rules import (
    ACCOMPANIMENT_MOVES,
    BODY_GUARDS,
    PRESETS,
    Details,
    Setting,
    accompaniment_fault,
    body_fault,
    preset_date,
)
from tests.hub.referrals.play import jst

TODAY = date(2026, 4, 6)
SETTING = Setting(
    now=jst("2026-04-06 10:00"),
    sent_at=jst("2026-04-01 10:00"),
    limits=network.default_network().limits,
    calendar=Calendar(),
)
days = st.integers(-400, 400).map(lambda n: TODAY + timedelta(days=n))
ROW = {move.event: move for move in MOVES}


@given(days)
def test_the_next_date_lies_from_today_to_half_a_year(day) -> None:
    fault = BODY_GUARDS[Guard.NEXT_DATE](Details(next_on=day), SETTING)
    assert (fault is None) is (TODAY <= day <= TODAY + timedelta(days=180))


@given(days)
def test_a_review_lies_within_thirty_days_and_not_today(day) -> None:
    fault = BODY_GUARDS[Guard.REVIEW_DATE](Details(review_on=day), SETTING)
    assert (fault is None) is (TODAY < day <= TODAY + timedelta(days=30))


@given(days, st.sampled_from(["appointment_set", "appointment_moved", "visit_done", "no_show", "contact_made"]))
def test_what_is_planned_is_to_come_and_what_happened_lies_between_sending_and_today(day, what) -> None:
    fault = BODY_GUARDS[Guard.DATED](Details(on=day, what=what), SETTING)
    planned = what.startswith("appointment")
    first, last = (TODAY, TODAY + timedelta(days=180)) if planned else (date(2026, 4, 1), TODAY)
    assert (fault is None) is (first <= day <= last)


@given(
    st.sampled_from(sorted(ACCOMPANIMENT_MOVES)), days, st.sampled_from([None, "consultation_only"]), st.none() | days
)
def test_every_accompaniment_is_decided(state, on, result, next_step_on) -> None:
    fault = accompaniment_fault(state=state, on=on, result=result, next_step_on=next_step_on, setting=SETTING)
    if fault is None:
        assert (state == "done") is (result is not None)
        assert on <= TODAY + timedelta(days=180) or state == "called_off"
        assert state != "no_show" or next_step_on is not None


@pytest.mark.parametrize(
    ("event", "details", "code"),
    [
        (Event.ACCEPT, Details(), "worker-required"),
        (Event.ACCEPT, Details(worker="u-1", worker_role="counsellor"), "bad-date"),
        (Event.DECLINE, Details(), "reason-required"),
        (Event.CANCEL, Details(), "reason-required"),
        (Event.REPORT_OUTCOME, Details(), "outcome-required"),
        (Event.START, Details(), "bad-date"),
        (Event.ACKNOWLEDGE, Details(), "follow-up-required"),
    ],
)
def test_nothing_said_is_refused_with_the_place(event, details, code) -> None:
    fault = body_fault(ROW[event], details, SETTING)
    assert fault is not None
    assert (fault.code, fault.pointer[0]) == (code, "/")


@pytest.mark.parametrize("event", [Event.ASK, Event.TAKE_BACK, Event.RESUME, Event.CONFIRM_CANCEL, Event.WITHDRAW])
def test_moves_without_guards_ask_for_nothing(event) -> None:
    assert body_fault(ROW[event], Details(), SETTING) is None


def test_presets_are_those_of_the_catalogue() -> None:
    assert {name: preset_date(name, SETTING.now).isoformat() for name in PRESETS} == {
        "3d": "2026-04-09",
        "2w": "2026-04-20",
        "1m": "2026-05-06",
        "3m": "2026-07-06",
        "6m": "2026-10-06",
    }
