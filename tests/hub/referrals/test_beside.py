# SPDX-License-Identifier: Apache-2.0
"""What runs beside a referral: 同行支援 and 確認・フォロー, planned, done, forgotten."""

import pytest

from hub.referrals.lifecycle import State
from tests.hub.referrals.play import Play, jst


def going(play: Play, **changes) -> dict:
    members = {
        "state": "agreed",
        "on": "2026-04-08",
        "role": "counsellor",
        "destination": play.s1.id,
        "purpose": "apply",
    }
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def accompany(play: Play, referral: str, **changes):
    agency = changes.pop("agency", play.j1)
    return play.call(agency, f"/v1/referrals/{referral}/accompaniments", going(play, **changes))


def carried_on(play: Play, referral: str, n: int, version: int, **changes):
    agency = changes.pop("agency", play.j1)
    headers = {"If-Match": f'"{version}"'}
    path = f"/v1/referrals/{referral}/accompaniments/{n}"
    return play.client.by(agency.id).patch(path, json=going(play, **changes), headers=headers)


def refused(answer) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


# ── accompaniment ──


def test_an_accompaniment_is_planned_and_done(play: Play) -> None:
    referral = play.sent()
    planned = accompany(play, referral)
    assert (planned.status_code, planned.get_json()["n"], planned.headers["ETag"]) == (201, 1, '"1"')
    play.at("2026-04-08 13:00")
    done = carried_on(play, referral, 1, 1, state="done", result="application_accepted", minutes=130)
    assert (done.status_code, done.get_json()["version"], done.get_json()["minutes"]) == (200, 2, 130)
    (shown,) = play.get(play.s1, referral)["accompaniments"]
    assert (shown["state"], shown["result"]) == ("done", "application_accepted")
    assert play.story.logged().count("accompaniment:recorded") == 1
    assert play.story.logged().count("accompaniment:changed") == 1
    assert play.told(play.s1)[-1] == "accompaniment:done"


def test_one_that_happened_is_written_down_afterwards(play: Play) -> None:
    answer = accompany(play, play.sent(), state="done", on="2026-04-06", result="consultation_only")
    assert answer.status_code == 201


def test_the_same_record_again_is_one_record(play: Play) -> None:
    referral = play.sent()
    assert [accompany(play, referral).get_json()["n"] for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "done", "on": "2026-04-05", "result": "consultation_only"}, "bad-date"),
        ({"state": "done", "on": "2026-04-07", "result": "consultation_only"}, "bad-date"),
        ({"state": "agreed", "on": "2026-04-05"}, "bad-date"),
        ({"state": "agreed", "on": "2026-10-04"}, "bad-date"),
        ({"state": "done", "on": "2026-04-06"}, "result-mismatch"),
        ({"state": "agreed", "result": "consultation_only"}, "result-mismatch"),
        ({"state": "no_show", "on": "2026-04-06"}, "next-step-required"),
        ({"state": "no_show", "on": "2026-04-06", "next_step_on": "2026-04-10"}, "bad-date"),
        ({"role": "king"}, "unknown-code"),
        ({"note": "架空田 一郎"}, "unknown-member"),
    ],
)
def test_dates_and_results_fit_what_happened(play: Play, changes, code) -> None:
    """REF-11, and row 17: a no-show needs a next step within three business days."""
    assert refused(accompany(play, play.sent(), **changes)) == (422, code)


def test_a_day_180_days_ahead_is_the_last_that_can_be_planned(play: Play) -> None:
    assert accompany(play, play.sent(), on="2026-10-03").status_code == 201


def test_a_finished_accompaniment_stays_as_it_is(play: Play) -> None:
    referral = play.sent()
    accompany(play, referral, state="done", on="2026-04-06", result="consultation_only")
    changed = carried_on(play, referral, 1, 1, state="called_off", on="2026-04-06")
    assert refused(changed) == (409, "bad-transition")


def test_a_change_names_the_version_it_saw_and_the_same_again_is_the_same(play: Play) -> None:
    referral = play.sent()
    accompany(play, referral, state="proposed")
    assert refused(carried_on(play, referral, 1, 9)) == (412, "stale")
    for _ in range(2):
        answer = carried_on(play, referral, 1, 1)
        assert (answer.status_code, answer.get_json()["version"]) == (200, 2)


def test_going_elsewhere_is_another_accompaniment(play: Play) -> None:
    referral = play.sent()
    accompany(play, referral, state="proposed")
    assert refused(carried_on(play, referral, 1, 1, destination=play.f1.id)) == (422, "destination-fixed")


def test_only_who_goes_along_writes_it_down(play: Play) -> None:
    referral = play.sent()
    accompany(play, referral, state="proposed")
    assert refused(carried_on(play, referral, 1, 1, agency=play.s1)) == (403, "wrong-party")
    assert accompany(play, referral, agency=play.f1).status_code == 404
    assert carried_on(play, referral, 2, 1).status_code == 404


def test_an_accompaniment_is_a_word_about_a_referral_under_way(play: Play) -> None:
    """Row 17."""
    referral = play.brought("in_progress")
    play.at("2026-04-20 10:00")
    answer = accompany(play, referral, state="done", on="2026-04-20", result="consultation_only")
    assert answer.status_code == 201, answer.get_json()
    after = play.stored(referral)
    assert after.word_at >= jst("2026-04-20 10:00")
    assert play.get(play.j1, referral)["history"][-1]["event"] == "accompany"


def test_a_no_show_owes_its_next_step(play: Play) -> None:
    referral = play.brought("in_progress")
    answer = accompany(play, referral, state="no_show", on="2026-04-06", next_step_on="2026-04-08")
    assert answer.status_code == 201, answer.get_json()
    assert play.stored(referral).due_at == jst("2026-04-09 00:00")


def test_a_planned_day_that_passed_asks_for_its_result_once(play: Play) -> None:
    referral = play.sent()
    accompany(play, referral)
    play.tick("2026-04-08 23:00")
    assert "accompaniment_due" not in play.tasks(play.j1)
    for _ in range(2):
        play.tick("2026-04-09 00:00")
    assert "accompaniment_due" in play.tasks(play.j1)
    carried_on(play, referral, 1, 1, state="done", result="consultation_only")
    assert "accompaniment_due" not in play.tasks(play.j1)


# ── follow-up ──


def follow(play: Play, referral: str, agency=None, **due):
    return play.call(agency or play.j1, f"/v1/referrals/{referral}/follow-ups", due)


def asked(play: Play, referral: str, n: int = 1, agency=None, **changes):
    body = {"channel": "telephone", "asked": ["person", "agency"], "result": "connected"} | changes
    return play.call(agency or play.j1, f"/v1/referrals/{referral}/follow-ups/{n}/done", body)


@pytest.mark.parametrize(
    ("preset", "day"),
    [
        ("3d", "2026-04-09"),
        ("2w", "2026-04-20"),
        ("1m", "2026-05-06"),
        ("3m", "2026-07-06"),
        ("6m", "2026-10-06"),
    ],
)
def test_presets_name_a_day(play: Play, preset, day) -> None:
    assert follow(play, play.sent(), preset=preset).get_json()["due_on"] == day


@pytest.mark.parametrize(
    ("due", "code"),
    [
        ({}, "follow-up-required"),
        ({"due": "2026-04-20", "preset": "2w"}, "follow-up-required"),
        ({"due": "2026-04-05"}, "bad-date"),
        ({"preset": "9y"}, "unknown-code"),
    ],
)
def test_a_follow_up_has_one_day_to_come(play: Play, due, code) -> None:
    assert refused(follow(play, play.sent(), **due)) == (422, code)


def test_a_follow_up_is_asked_of_the_person_and_of_the_agency_and_sets_the_next(play: Play) -> None:
    referral = play.brought("closed")
    got = asked(play, referral, result="not_yet", next_due="2026-06-01").get_json()["items"]
    assert [(one["n"], one["due_on"], one["result"]) for one in got] == [
        (1, "2026-05-06", "not_yet"),
        (2, "2026-06-01", None),
    ]
    assert got[0]["asked"] == ["agency", "person"]
    assert play.story.logged().count("follow_up:done") == 1
    assert play.stored(referral).state is State.CLOSED


def test_a_follow_up_is_written_down_once(play: Play) -> None:
    referral = play.brought("closed")
    assert [asked(play, referral).status_code for _ in range(2)] == [200, 200]
    assert refused(asked(play, referral, result="refused")) == (409, "follow-up-done")
    assert play.story.logged().count("follow_up:done") == 1


def test_who_set_a_follow_up_asks(play: Play) -> None:
    """REF-04."""
    referral = play.brought("closed")
    assert refused(asked(play, referral, agency=play.s1)) == (403, "wrong-party")
    assert asked(play, referral, n=7).status_code == 404


def test_the_next_day_of_a_follow_up_is_to_come(play: Play) -> None:
    assert refused(asked(play, play.brought("closed"), next_due="2026-04-06")) == (422, "bad-date")


def test_a_due_follow_up_is_a_task_for_whoever_is_awaited(play: Play) -> None:
    referral = play.brought("in_progress")
    follow(play, referral, preset="3d")
    play.tick("2026-04-09 00:00")
    assert (play.tasks(play.s1), play.tasks(play.j1)) == ({"follow_up_due"}, set())
    play.tick("2026-04-10 00:00")
    assert play.tasks(play.j1) == {"follow_up_overdue"}
    asked(play, referral)
    assert (play.tasks(play.s1), play.tasks(play.j1)) == (set(), set())


def test_one_due_today_is_a_task_at_once(play: Play) -> None:
    referral = play.brought("accepted")
    follow(play, referral, due="2026-04-06")
    assert play.tasks(play.s1) == {"follow_up_due"}
    play.tick()
    assert play.rows("select count(*) from tasks") == [(1,)]


def test_after_closure_the_task_is_the_senders(play: Play) -> None:
    play.brought("closed")
    for _ in range(2):
        play.tick("2026-05-06 00:00")
    assert play.tasks(play.j1) == {"follow_up_due"}
    play.tick("2026-05-07 00:00")
    assert play.tasks(play.j1) == {"follow_up_due", "follow_up_overdue"}
    assert play.story.logged().count("follow_up:overdue") == 1
