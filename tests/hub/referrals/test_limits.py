# SPDX-License-Identifier: Apache-2.0
"""The limits as settings: defaults, a network's own, what cannot be read, and the moments they give."""

import json
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest

from consent.calendar import Calendar
from hub.base.errors import ConfigurationError
from hub.referrals import network
from hub.referrals.lifecycle import OPEN, Event, Role, State
from hub.referrals.limits import Clock, read_limits, steps
from hub.tasks.rules import TaskKind
from tests.hub.referrals.play import jst

RAW = json.loads(files("hub.referrals").joinpath("limits.json").read_text("utf-8"))
CODES = json.loads(files("hub.referrals").joinpath("codes.json").read_text("utf-8"))
LIMITS = read_limits(RAW)
SENT = jst("2026-04-06 10:00")


def clock(state: State, urgency: str = "normal", **changes) -> Clock:
    return replace(Clock(state=state, urgency=urgency, sent_at=SENT, since=SENT), **changes)


def moments(given: Clock) -> list:
    return [moment for moment, _ in steps(given, LIMITS, Calendar())]


def test_every_open_state_has_a_time_by_which_and_no_final_one_has() -> None:
    assert set(LIMITS.ladders) == OPEN
    assert steps(clock(State.CLOSED), LIMITS, Calendar()) == ()


def test_every_step_names_tasks_and_parties_that_exist() -> None:
    for rung in (rung for ladder in LIMITS.ladders.values() for rung in ladder):
        assert set(rung.tasks) <= {"awaiting", "ball"} | {role.value for role in (Role.S, Role.R, Role.CO)}
        assert {TaskKind(kind) for kind in rung.tasks.values()}.issubset(TaskKind)
        assert rung.act is None or Event(rung.act) is Event.CONFIRM_CANCEL


@pytest.mark.parametrize(
    ("state", "urgent", "normal"),
    [
        (State.REQUESTED, ["04-06 14:00", "04-08 00:00", "04-09 00:00"], ["04-08 00:00", "04-10 00:00", "04-15 00:00"]),
        (State.RECEIVED, ["04-08 00:00", "04-09 00:00"], ["04-10 00:00", "04-15 00:00"]),
        (State.ACCEPTED, ["04-08 00:00", "04-09 00:00"], ["04-14 00:00", "04-21 00:00"]),
        (State.CANCEL_REQUESTED, ["04-09 00:00", "04-14 00:00"], ["04-09 00:00", "04-14 00:00"]),
        (State.OUTCOME_REPORTED, ["04-14 00:00", "04-21 00:00"], ["04-14 00:00", "04-21 00:00"]),
        (State.DECLINED, ["04-08 00:00", "04-09 00:00"], ["04-09 00:00", "04-11 00:00"]),
        (State.REROUTE_REVIEW, ["04-09 00:00"], ["04-14 00:00"]),
        (State.IN_PROGRESS, ["04-20 10:00", "04-30 10:00"], ["05-06 10:00", "05-16 10:00"]),
    ],
)
def test_the_column_of_limits_is_that_of_the_design(state, urgent, normal) -> None:
    assert moments(clock(state, "same_day", word_at=SENT)) == [jst(f"2026-{at}") for at in urgent]
    assert moments(clock(state, "immediate", word_at=SENT)) == moments(clock(state, "same_day", word_at=SENT))
    assert moments(clock(state, "soon", word_at=SENT)) == [jst(f"2026-{at}") for at in normal]


def test_time_spent_on_a_question_counts_for_nobody() -> None:
    assert moments(clock(State.RECEIVED, paused=timedelta(days=1)))[0] == jst("2026-04-11 00:00")


def test_after_a_no_show_the_nearer_limit_counts() -> None:
    early, late = jst("2026-04-10 00:00"), jst("2026-06-01 00:00")
    assert moments(clock(State.IN_PROGRESS, word_at=SENT, next_step_by=early))[0] == early
    assert moments(clock(State.IN_PROGRESS, word_at=SENT, next_step_by=late))[0] == jst("2026-05-06 10:00")


def test_a_days_of_the_municipality_are_no_business_days() -> None:
    closed = Calendar.read(["2026-04-07"])
    assert steps(clock(State.REQUESTED), LIMITS, closed)[0][0] == jst("2026-04-09 00:00")


@pytest.fixture
def as_before():
    yield
    network._current[0] = network.default_network()


def test_a_network_brings_its_own_limits_and_days(tmp_path, as_before) -> None:
    own = RAW | {"ladders": RAW["ladders"] | {"requested": [{**RAW["ladders"]["requested"][0], "normal": "2bd"}]}}
    (tmp_path / network.LIMITS_FILE).write_text(json.dumps(own), "utf-8")
    (tmp_path / network.CLOSED_FILE).write_text('["2026-04-07"]', "utf-8")
    used = network.use_folder(tmp_path)
    assert network.current() is used
    assert steps(clock(State.REQUESTED), used.limits, used.calendar)[0][0] == jst("2026-04-10 00:00")


def test_a_network_without_files_runs_by_the_defaults(tmp_path, as_before) -> None:
    assert network.use_folder(tmp_path) == network.default_network()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (network.LIMITS_FILE, "{"),
        (network.LIMITS_FILE, "{}"),
        (network.LIMITS_FILE, "[]"),
        (network.LIMITS_FILE, json.dumps(RAW | {"ladders": {}})),
        (network.LIMITS_FILE, json.dumps(RAW | {"pause": "2 weeks"})),
        (network.CLOSED_FILE, '["7 April"]'),
        (network.CLOSED_FILE, "7"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start(tmp_path, as_before, name, text) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(ConfigurationError):
        network.use_folder(tmp_path)


def test_every_code_of_the_slice_has_both_labels() -> None:
    for rows in CODES.values():
        assert all(row["code"] and row["ja"] and row["en"] for row in rows)
