# SPDX-License-Identifier: Apache-2.0
"""The hub in memory has the table of moves of the real one, so that pages that work with it work with the hub."""

from __future__ import annotations

from connectors.testing import moves
from hub.referrals import lifecycle
from hub.referrals.lifecycle import Event, Guard, Role

SIDES = {Role.S: moves.SENDER, Role.R: moves.RECIPIENT, Role.CO: moves.COORDINATOR}
BY_CALLS = {Event.SEND, Event.ACCOMPANY}
"""What is no move of its own there: sending a referral, an accompaniment."""
FACTS = {
    Guard.FIRST_REFER_ON: "first-refer-on", Guard.RETURNS_LEFT: "returns-left",
    Guard.RETURNS_USED_UP: "returns-used-up", Guard.CLOSED_RECENTLY: "closed-recently",
    Guard.WAS_SERVED: "was-served", Guard.ACCEPTED_JUST_NOW: "accepted-just-now",
    Guard.NOTHING_MORE_OPENED: "nothing-more-opened", Guard.NOT_YET_OPENED: "not-yet-opened",
}  # fmt: skip
BODIES = {
    Guard.NAMED_WORKER: "worker", Guard.NEXT_DATE: "next-date", Guard.REASON: "reason",
    Guard.REVIEW_DATE: "review-date", Guard.DATED: "dated", Guard.DECLINE_REASONED: "declined-for",
    Guard.NOTE_AFTER_VISIT: "note-after-visit", Guard.OUTCOME_CODE: "outcome", Guard.FOLLOW_UP_DECIDED: "follow-up",
}  # fmt: skip


def test_every_row_of_the_hubs_table_is_here_and_no_other() -> None:
    real = {
        (row.event.value, frozenset(SIDES[role] for role in row.who if role in SIDES), state.value,
         row.to.value if row.to else None, row.after_consent)
        for row in lifecycle.MOVES
        if row.event not in BY_CALLS
        for state in row.frm
    }  # fmt: skip
    here = {(row.event, row.sides, state, row.to, row.after_consent) for row in moves.TABLE for state in row.frm}
    assert here == real


def test_every_condition_of_the_hubs_table_is_here() -> None:
    known = FACTS | BODIES
    for row in lifecycle.MOVES:
        for state in row.frm if row.event not in BY_CALLS else ():
            here = moves.step_of(row.event.value, state.value)
            assert here is not None
            assert set(here.guards) == {known[guard] for guard in row.guards if guard in known}, row


def test_whose_turn_it_is_is_the_hubs() -> None:
    for state, standing in lifecycle.STANDINGS.items():
        if state is not lifecycle.State.DRAFT:
            assert moves._TURNS[state.value] == (SIDES[standing.ball], SIDES[standing.awaiting])
