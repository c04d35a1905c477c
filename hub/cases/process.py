# SPDX-License-Identifier: Apache-2.0
"""The thirteen-step machine of a case, pure: it advises and rarely forbids. What the guideline calls the
usual order is data here; a move beside it is *unusual* and needs a reason code, for practice is 臨機応変.
What no reason can excuse (leaving a closed case, a state that a step does not know) is refused. Every pair of
position and move is decided. Who may move, what must be shown for a decision or a closure, and the database
live elsewhere.

    from step   usual next                      states of the step
    1 find      2 3                             found
    2 consult   3 4 13                          consulting screened referred_out seeking_consent
    3 apply     2 4 5                           applied seeking_consent
    4 urgent    2 3 5 6 7 8 9 10 11 12          whatever it was: urgency is a flag, not a state
    5 assess    4 6                             assessing
    6 plan      4 5 7                           planning
    7 confer    4 5 6 8 11 12 13                conference
    8 decide    4 9                             decided
    9 support   4 10 11                         supporting
    10 monitor  4 9 11                          supporting
    11 review   4 7 9 12 13                     evaluating
    12 re-plan  4 5 6 7                         replanning
    13 close    9 11 12 while still talking     closing, then closed, follow_up, ended for good

`suspended` (中断) may stand at every step before 13 and is no closure: the case is still ours and consent
runs on.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FIRST_STEP: Final = "1"
EMERGENCY_STEP: Final = "4"
DECISION_STEP: Final = "8"
CLOSING_STEP: Final = "13"
SUSPENDED: Final = "suspended"
CLOSED: Final = "closed"
FINAL_STATES: Final = frozenset({CLOSED, "follow_up", "ended"})

STATES: Final[dict[str, tuple[str, ...]]] = {
    "1": ("found",),
    "2": ("consulting", "screened", "referred_out", "seeking_consent"),
    "3": ("applied", "seeking_consent"),
    "4": (
        "consulting", "screened", "referred_out", "seeking_consent", "applied", "assessing",
        "planning", "conference", "decided", "supporting", "evaluating", "replanning",
    ),
    "5": ("assessing",),
    "6": ("planning",),
    "7": ("conference",),
    "8": ("decided",),
    "9": ("supporting",),
    "10": ("supporting",),
    "11": ("evaluating",),
    "12": ("replanning",),
    "13": ("closing", "closed", "follow_up", "ended"),
}  # fmt: skip

USUAL: Final[dict[str, frozenset[str]]] = {
    "1": frozenset({"2", "3"}),
    "2": frozenset({"3", "4", "13"}),
    "3": frozenset({"2", "4", "5"}),
    "4": frozenset({"2", "3", "5", "6", "7", "8", "9", "10", "11", "12"}),
    "5": frozenset({"4", "6"}),
    "6": frozenset({"4", "5", "7"}),
    "7": frozenset({"4", "5", "6", "8", "11", "12", "13"}),
    "8": frozenset({"4", "9"}),
    "9": frozenset({"4", "10", "11"}),
    "10": frozenset({"4", "9", "11"}),
    "11": frozenset({"4", "7", "9", "12", "13"}),
    "12": frozenset({"4", "5", "6", "7"}),
    "13": frozenset({"9", "11", "12"}),
}

_AFTER_CLOSING: Final = {CLOSED: frozenset({"follow_up", "ended"}), "follow_up": frozenset({"ended"})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a case stands: guideline step `1`…`13` and state, both codes of the vocabulary."""

    step: str
    state: str


class Course(StrEnum):
    """How a legal move relates to the guideline's order."""

    USUAL = "usual"
    UNUSUAL = "unusual"
    UNCHANGED = "unchanged"


class Obstacle(StrEnum):
    """Why a move is refused, whatever the reason given."""

    CASE_CLOSED = "case-closed"
    STATE_NOT_OF_STEP = "state-not-of-step"
    MOVE_NOT_POSSIBLE = "move-not-possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """A legal move: where it leads, and whether the guideline would have expected it."""

    to: Position
    course: Course


START: Final = Position(step=FIRST_STEP, state="found")


def advise(at: Position, step: str, state: str | None = None) -> Advised | Obstacle:
    """Judge one move; without `state` the step's first state is meant, at step 4 the present one.

    Source: guideline steps ① to ⑬, architecture "The process machine advises".
    """
    to = Position(step=step, state=state or _implied_state(at, step))
    if to == at:
        return Advised(to=to, course=Course.UNCHANGED)
    obstacle = _obstacle(at, to)
    if obstacle is not None:
        return obstacle
    is_usual = to.step == at.step or to.step in USUAL[at.step]
    return Advised(to=to, course=Course.USUAL if is_usual else Course.UNUSUAL)


def usual_steps(at: Position) -> tuple[str, ...]:
    """List the steps that the guideline expects next, in its order; none once the case is closed."""
    if at.state in FINAL_STATES:
        return ()
    return tuple(sorted(USUAL[at.step], key=int))


def is_closed(state: str) -> bool:
    """Tell whether a state is final for the case: re-opening is a new application, never a move."""
    return state in FINAL_STATES


def _implied_state(at: Position, step: str) -> str:
    if step not in STATES:
        return ""
    if step == EMERGENCY_STEP and at.state in STATES[EMERGENCY_STEP]:
        return at.state
    return STATES[step][0]


def _obstacle(at: Position, to: Position) -> Obstacle | None:
    if at.state in FINAL_STATES:
        is_after = to.step == CLOSING_STEP and to.state in _AFTER_CLOSING.get(at.state, ())
        return None if is_after else Obstacle.CASE_CLOSED
    if to.state == SUSPENDED:
        can_pause = to.step == at.step and to.step != CLOSING_STEP
        return None if can_pause else Obstacle.STATE_NOT_OF_STEP
    if to.state not in STATES.get(to.step, ()):
        return Obstacle.STATE_NOT_OF_STEP
    if to.state in FINAL_STATES and to.state != CLOSED:
        return Obstacle.MOVE_NOT_POSSIBLE
    return None
