# SPDX-License-Identifier: Apache-2.0
"""A random walk through the machine with its clock: at every step one ball, one awaited agency, one time by which.

A few thousand steps in the ordinary run. The long one, 100,000 steps:
`TSUNAGI_STEPS=100000 pytest tests/hub/referrals/test_stateful.py -s`.
"""

import os
from dataclasses import fields, replace
from datetime import datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from consent.calendar import day_of
from hub.referrals import moves
from hub.referrals.facts import facts_of, setting_of
from hub.referrals.lifecycle import FINAL, Allowed, Event, Facts, Role, State, decide, fault
from hub.referrals.limits import steps
from hub.referrals.network import current
from hub.referrals.reads import Referral
from hub.referrals.rules import Details, body_fault
from tests.hub.referrals.play import jst

STEPS = int(os.environ.get("TSUNAGI_STEPS", "4000"))
WALK = 200
TAKEN = count()
ROWS: set[int] = {1}
"""The rows of the table that some walk has taken; row 1 is how each begins."""
S, R, CO = ("5" * 8, "6" * 8, "7" * 8)
AGENCIES = {Role.S: S, Role.R: R, Role.CO: CO}
START = jst("2026-04-06 10:00")


def blank(now: datetime, urgency: str, coordinator: str) -> Referral:
    known = {field.name: None for field in fields(Referral)}
    known |= {"id": "1", "root": "1", "hop": 0, "prior_declines": 0, "sender": S, "recipient": R, "step": 0}
    known |= {"coordinator": coordinator, "urgency": urgency, "needs": ("identity",), "state": State.REQUESTED}
    known |= {"sent_at": now, "clock_at": now, "since": now, "updated_at": now, "unowned_since": now}
    return moves.placed(Referral(**known | {"version": 1, "paused_seconds": 0, "returned": 0}))


class Loop(RuleBasedStateMachine):
    """One referral after another, in every order of moves and waits."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.referral = blank(self.now, "normal", CO)

    @rule(
        event=st.sampled_from([event for event in Event if event is not Event.SEND]),
        role=st.sampled_from(Role),
        details=st.builds(
            Details,
            worker=st.sampled_from([None, "u-1"]),
            worker_role=st.just("counsellor"),
            next_on=st.integers(-1, 200).map(lambda n: START.date() + timedelta(days=n)),
            reason=st.sampled_from([None, "papers", "out_of_area", "unable_to_act"]),
            what=st.sampled_from([None, "contact_made", "appointment_set", "no_show", "visit_done"]),
            on=st.integers(-1, 30).map(lambda n: START.date() + timedelta(days=n)),
            review_on=st.integers(0, 31).map(lambda n: START.date() + timedelta(days=n)),
            outcome=st.sampled_from([None, "granted"]),
            follow_up_preset=st.sampled_from([None, "1m"]),
        ),
    )
    def somebody_tries(self, event: Event, role: Role, details: Details) -> None:
        before = self.referral
        answer = decide(event, before.state, {role}, facts_of(before, self.now))
        if isinstance(answer, Allowed):
            allowed = body_fault(answer.move, details, setting_of(before, self.now)) is None
        else:
            allowed = False
            if answer.to_review:
                answer = decide(Event.CONTEST, before.state, {Role.H}, facts_of(before, self.now))
                assert isinstance(answer, Allowed)
                allowed = True
        if allowed:
            ROWS.add(answer.move.row)
            self.referral = moves.after(before, answer, details, self.now)
            assert self.referral.version == before.version + 1

    @rule(pick=st.integers(0, 10_000), what=st.sampled_from(["appointment_set", "no_show", "visit_done"]))
    def somebody_does_what_is_possible(self, pick: int, what: str) -> None:
        before, known = self.referral, facts_of(self.referral, self.now)
        tried = [decide(event, before.state, {role}, known) for event in Event for role in Role]
        # what ends a referral early would otherwise end nearly every walk
        rare = {Event.ENTER_IN_ERROR, Event.WITHDRAW} if pick % 5 else set()
        possible = [one for one in tried if isinstance(one, Allowed) and one.move.event not in rare]
        if not possible:
            return
        answer, today = possible[pick % len(possible)], day_of(self.now)
        details = Details(
            worker="u-1",
            worker_role="counsellor",
            next_on=today,
            reason="papers",
            what=what,
            on=today,
            review_on=today + timedelta(days=3),
            outcome="granted",
            follow_up_preset="1m",
        )
        assert body_fault(answer.move, details, setting_of(before, self.now)) is None
        ROWS.add(answer.move.row)
        self.referral = moves.after(before, answer, details, self.now)

    @rule(hours=st.sampled_from([0, 1, 5, 24, 72, 24 * 15, 24 * 91]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        while self.referral.step_at is not None and self.referral.step_at <= self.now:
            self._step()

    def _step(self) -> None:
        before = self.referral
        if before.pause_until is not None:
            self.referral = moves.running(before, self.now)
        else:
            ladder = steps(before.clock, current().limits, current().calendar)
            rung = ladder[before.step][1]
            if rung.act is not None:
                answer = decide(Event(rung.act), before.state, {Role.H}, facts_of(before, self.now))
                assert isinstance(answer, Allowed)
                self.referral = moves.after(before, answer, Details(), self.now)
                return
            step = before.step + 1
            upcoming = ladder[step][0] if step < len(ladder) else None
            self.referral = replace(before, step=step, step_at=upcoming)
        # a timer never moves the ball
        assert self.referral.ball == before.ball

    @precondition(lambda self: self.referral.pause_until is not None)
    @rule()
    def the_sender_answers(self) -> None:
        self.referral = moves.running(self.referral, self.now)

    @precondition(lambda self: self.referral.state in FINAL)
    @rule(
        urgency=st.sampled_from(["immediate", "same_day", "soon", "normal"]), same=st.booleans(), hop=st.integers(0, 2)
    )
    def another_need(self, urgency: str, same: bool, hop: int) -> None:
        self.now = START
        self.referral = replace(blank(self.now, urgency, S if same else CO), hop=hop)

    @invariant()
    def one_ball_one_awaited_one_time(self) -> None:
        next(TAKEN)
        r = self.referral
        assert fault(r.state, ball=r.ball, awaiting=r.awaiting, due=r.due_at is not None) is None
        parties = {r.sender, r.recipient, r.coordinator}
        assert r.state in FINAL or {r.ball, r.awaiting} <= parties
        assert r.state in FINAL or r.step > 0 or r.step_at == r.due_at
        assert (r.accepted_at is None) or r.unowned_since is None or r.state not in {State.ACCEPTED, State.IN_PROGRESS}

    @invariant()
    def every_event_is_decided(self) -> None:
        for event in Event:
            for role in Role:
                decide(event, self.referral.state, {role}, Facts())


def test_a_random_walk_never_loses_the_ball() -> None:
    run_state_machine_as_test(
        Loop,
        settings=settings(
            max_examples=STEPS * 6 // (WALK * 5) + 20,
            stateful_step_count=WALK,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    taken = next(TAKEN)
    print(f"{taken} steps, rows {sorted(ROWS)}")
    assert taken >= STEPS
    assert len(ROWS) >= 18
    assert taken < 50_000 or set(range(1, 26)) == ROWS
