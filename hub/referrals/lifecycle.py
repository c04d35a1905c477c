# SPDX-License-Identifier: Apache-2.0
"""The referral machine: states, the twenty-five moves, who may make them, and who answers for the person.

Everything is a table that can be printed (referral-loop.md). Rules of the machine:
  * Every pair of state and event is decided for every role: a move, or a refusal with a code.
  * A referral that is not at its end has one agency that answers for the person (ball) and one whose move is
    due (awaiting); at its end it has neither.
  * Once consent is gone, a referral under way may only be brought to its end.
Times, limits and what a body must say are in `rules`; storing, consent and telling others in `service`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a referral stands (vocabulary `referral_state`)."""

    DRAFT = "draft"
    REQUESTED = "requested"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    ON_HOLD = "on_hold"
    IN_PROGRESS = "in_progress"
    CANCEL_REQUESTED = "cancel_requested"
    OUTCOME_REPORTED = "outcome_reported"
    CLOSED = "closed"
    DECLINED = "declined"
    REROUTE_REVIEW = "reroute_review"
    CANCELLED = "cancelled"
    REROUTED = "rerouted"
    WITHDRAWN = "withdrawn"
    ENTERED_IN_ERROR = "entered_in_error"


class Role(StrEnum):
    """Who acts: sending agency, receiving agency, coordinator, the hub by itself, data protection officer."""

    S = "S"
    R = "R"
    CO = "Co"
    H = "H"
    D = "D"


class Event(StrEnum):
    """What can happen to a referral; the values are the last piece of the endpoints and of `actions[]`."""

    SEND = "send"
    RECEIVE = "receive"
    ACCEPT = "accept"
    ASK = "ask"
    DECLINE = "decline"
    TAKE_BACK = "take-back"
    REFER_ON = "refer-on"
    CONTEST = "contest"
    UPHOLD = "uphold"
    SEND_BACK = "send-back"
    CONFERENCE_RESULT = "conference-result"
    CANCEL = "cancel"
    ASK_TO_CANCEL = "ask-to-cancel"
    CONFIRM_CANCEL = "confirm-cancel"
    ALREADY_SERVED = "already-served"
    START = "start"
    HOLD = "hold"
    RESUME = "resume"
    NOTE_PROGRESS = "note-progress"
    ACCOMPANY = "accompany"
    REPORT_OUTCOME = "report-outcome"
    ACKNOWLEDGE = "acknowledge"
    RETURN = "return"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    TAKE_BACK_ACCEPTANCE = "take-back-acceptance"
    ENTER_IN_ERROR = "enter-in-error"
    HAND_OVER = "hand-over"


class Guard(StrEnum):
    """A condition of a move, tested in exactly one place: here, in `rules` or when a referral is opened."""

    # when a referral is opened
    PARTS_PERMITTED = "every part is permitted now"
    RECIPIENT_READY = "the recipient is active and its key current"
    NO_OPEN_DUPLICATE = "no open referral for the same need"
    CALLED = "an immediate one was also told by telephone"
    # about what the caller says: `rules`
    SIGNED_OPEN_RECEIPT = "a signed receipt of a named worker"
    NAMED_WORKER = "a named worker in charge"
    NEXT_DATE = "a next date that is not past"
    DECLINE_REASONED = "a code, and what the code asks for"
    NOTE_AFTER_VISIT = "a note when the person has already been there"
    REASON = "a reason code"
    REVIEW_DATE = "a review date within the limit"
    DATED = "a date that fits"
    OUTCOME_CODE = "an outcome code"
    FOLLOW_UP_DECIDED = "a follow-up date, or none with a reason"
    NO_CONTENT = "without content once consent is gone"
    # about the referral: here
    FIRST_REFER_ON = "the need was not referred on before"
    RETURNS_LEFT = "returned less often than the limit"
    RETURNS_USED_UP = "returned as often as the limit"
    CLOSED_RECENTLY = "closed within the limit"
    WAS_SERVED = "the receiver once had the person"
    ACCEPTED_JUST_NOW = "accepted within the limit"
    NOTHING_MORE_OPENED = "nothing but the first message opened"
    NOT_YET_OPENED = "not yet opened, or done by the officer"


FINAL = frozenset(
    {
        State.CLOSED,
        State.CANCELLED,
        State.REROUTED,
        State.WITHDRAWN,
        State.ENTERED_IN_ERROR,
    }
)
OPEN = frozenset(State) - FINAL - {State.DRAFT}
EARLY = frozenset({State.REQUESTED, State.RECEIVED, State.DECLINED, State.REROUTE_REVIEW})
"""Open states in which nobody has taken the person on: when consent ends, these end (row 22)."""
UNDER_WAY = OPEN - EARLY
_WAITING = frozenset({State.REQUESTED, State.RECEIVED})
_SERVING = frozenset({State.ACCEPTED, State.IN_PROGRESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who answers for the person and whose move is due."""

    ball: Role
    awaiting: Role


STANDINGS: Mapping[State, Standing] = {
    State.DRAFT: Standing(ball=Role.S, awaiting=Role.S),
    State.REQUESTED: Standing(ball=Role.S, awaiting=Role.R),
    State.RECEIVED: Standing(ball=Role.S, awaiting=Role.R),
    State.DECLINED: Standing(ball=Role.S, awaiting=Role.S),
    State.REROUTE_REVIEW: Standing(ball=Role.CO, awaiting=Role.CO),
    State.ACCEPTED: Standing(ball=Role.R, awaiting=Role.R),
    State.ON_HOLD: Standing(ball=Role.R, awaiting=Role.R),
    State.IN_PROGRESS: Standing(ball=Role.R, awaiting=Role.R),
    State.CANCEL_REQUESTED: Standing(ball=Role.R, awaiting=Role.R),
    State.OUTCOME_REPORTED: Standing(ball=Role.S, awaiting=Role.S),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One row of the table of moves; `to` is None where the state stays."""

    row: int
    event: Event
    frm: frozenset[State]
    to: State | None
    who: frozenset[Role]
    guards: tuple[Guard, ...] = ()
    decides_consent: bool = False
    after_consent: bool = False
    """True for what remains possible once `content_stopped` is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the referral knows when a move is asked for; times are already compared with their limits."""

    hop: int = 0
    returned: int = 0
    returns_allowed: int = 2
    content_stopped: bool = False
    opened: bool = False
    more_opened: bool = False
    was_accepted: bool = False
    accepted_just_now: bool = False
    closed_recently: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The move may be made: its row, the state after it, and the role in which the caller makes it."""

    move: Move
    to: State
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The move may not be made, and why. `to_review`: the referral goes to a conference instead (row 8)."""

    code: str
    to_review: bool = False


def _row(  # a row of the printed table has as many columns
    row: int,
    frm: Collection[State],
    event: Event,
    to: State | None,
    who: Collection[Role],
    guards: tuple[Guard, ...] = (),
    *,
    decides_consent: bool = False,
    after_consent: bool = False,
) -> Move:
    return Move(
        row=row,
        event=event,
        frm=frozenset(frm),
        to=to,
        who=frozenset(who),
        guards=guards,
        decides_consent=decides_consent,
        after_consent=after_consent,
    )


_S, _R, _CO, _H, _D = Role.S, Role.R, Role.CO, Role.H, Role.D
_OPENING = (Guard.PARTS_PERMITTED, Guard.RECIPIENT_READY, Guard.NO_OPEN_DUPLICATE, Guard.CALLED)

# fmt: off
MOVES: tuple[Move, ...] = (
    _row(1, {State.DRAFT}, Event.SEND, State.REQUESTED, {_S}, _OPENING, decides_consent=True),
    _row(2, {State.REQUESTED}, Event.RECEIVE, State.RECEIVED, {_R}, (Guard.SIGNED_OPEN_RECEIPT,)),
    _row(3, _WAITING, Event.ACCEPT, State.ACCEPTED, {_R}, (Guard.NAMED_WORKER, Guard.NEXT_DATE)),
    _row(4, _WAITING, Event.ASK, State.RECEIVED, {_R}),
    _row(5, _WAITING | _SERVING | {State.ON_HOLD}, Event.DECLINE, State.DECLINED, {_R},
         (Guard.DECLINE_REASONED, Guard.NOTE_AFTER_VISIT)),
    _row(6, {State.DECLINED}, Event.TAKE_BACK, State.CLOSED, {_S}),
    _row(7, {State.DECLINED}, Event.REFER_ON, State.REROUTED, {_S, _CO}, (Guard.FIRST_REFER_ON, *_OPENING),
         decides_consent=True),
    _row(8, {State.DECLINED}, Event.CONTEST, State.REROUTE_REVIEW, {_H, _S, _CO}, (Guard.REASON,)),
    _row(8, {State.OUTCOME_REPORTED}, Event.CONTEST, State.REROUTE_REVIEW, {_H, _S, _CO},
         (Guard.RETURNS_USED_UP, Guard.REASON)),
    _row(9, {State.REROUTE_REVIEW}, Event.UPHOLD, State.DECLINED, {_CO}, (Guard.REASON,)),
    _row(9, {State.REROUTE_REVIEW}, Event.SEND_BACK, State.REQUESTED, {_CO}, (Guard.REASON,)),
    _row(9, {State.REROUTE_REVIEW}, Event.CONFERENCE_RESULT, State.REROUTED, {_CO},
         (Guard.REASON, *_OPENING), decides_consent=True),
    _row(10, _WAITING, Event.CANCEL, State.CANCELLED, {_S}, (Guard.REASON,)),
    _row(11, _SERVING | {State.ON_HOLD}, Event.ASK_TO_CANCEL, State.CANCEL_REQUESTED, {_S}, (Guard.REASON,),
         after_consent=True),
    _row(12, {State.CANCEL_REQUESTED}, Event.CONFIRM_CANCEL, State.CANCELLED, {_R, _H}, after_consent=True),
    _row(13, {State.CANCEL_REQUESTED}, Event.ALREADY_SERVED, State.OUTCOME_REPORTED, {_R},
         (Guard.OUTCOME_CODE, Guard.NO_CONTENT), after_consent=True),
    _row(14, {State.ACCEPTED}, Event.START, State.IN_PROGRESS, {_R}, (Guard.DATED,)),
    _row(15, _SERVING, Event.HOLD, State.ON_HOLD, {_R}, (Guard.REASON, Guard.REVIEW_DATE)),
    # resuming carries nothing, and without it the receiver could not come to row 18
    _row(16, {State.ON_HOLD}, Event.RESUME, State.IN_PROGRESS, {_R}, after_consent=True),
    _row(17, {State.IN_PROGRESS}, Event.NOTE_PROGRESS, State.IN_PROGRESS, {_R}, (Guard.DATED,)),
    _row(17, {State.IN_PROGRESS}, Event.ACCOMPANY, State.IN_PROGRESS, {_R, _S}),
    _row(18, _SERVING, Event.REPORT_OUTCOME, State.OUTCOME_REPORTED, {_R},
         (Guard.OUTCOME_CODE, Guard.NO_CONTENT), after_consent=True),
    _row(19, {State.OUTCOME_REPORTED}, Event.ACKNOWLEDGE, State.CLOSED, {_S}, (Guard.FOLLOW_UP_DECIDED,),
         after_consent=True),
    _row(20, {State.OUTCOME_REPORTED}, Event.RETURN, State.IN_PROGRESS, {_S},
         (Guard.RETURNS_LEFT, Guard.REASON)),
    _row(21, {State.CLOSED}, Event.REOPEN, State.IN_PROGRESS, {_S, _R},
         (Guard.WAS_SERVED, Guard.CLOSED_RECENTLY, Guard.REASON), decides_consent=True),
    _row(22, EARLY, Event.WITHDRAW, State.WITHDRAWN, {_S, _H}, after_consent=True),
    _row(22, UNDER_WAY, Event.WITHDRAW, None, {_S, _H}),
    _row(23, {State.ACCEPTED}, Event.TAKE_BACK_ACCEPTANCE, State.RECEIVED, {_R},
         (Guard.ACCEPTED_JUST_NOW, Guard.NOTHING_MORE_OPENED)),
    _row(24, frozenset(State) - {State.DRAFT, State.ENTERED_IN_ERROR}, Event.ENTER_IN_ERROR,
         State.ENTERED_IN_ERROR, {_S, _D}, (Guard.NOT_YET_OPENED,), after_consent=True),
    _row(25, OPEN, Event.HAND_OVER, None, {_S, _R}, (Guard.NAMED_WORKER,), after_consent=True),
)
# fmt: on

_BY_PAIR: Mapping[tuple[Event, State], Move] = {(m.event, s): m for m in MOVES for s in m.frm}
_EVER: Mapping[Event, frozenset[Role]] = {
    event: frozenset(role for m in MOVES if m.event is event for role in m.who) for event in Event
}

FACT_GUARDS: Mapping[Guard, tuple[Callable[[Facts, Role], bool], Refusal]] = {
    Guard.FIRST_REFER_ON: (lambda f, _: f.hop == 0, Refusal(code="conference-needed", to_review=True)),
    Guard.RETURNS_LEFT: (
        lambda f, _: f.returned < f.returns_allowed,
        Refusal(code="conference-needed", to_review=True),
    ),
    Guard.RETURNS_USED_UP: (lambda f, _: f.returned >= f.returns_allowed, Refusal(code="return-first")),
    Guard.CLOSED_RECENTLY: (lambda f, _: f.closed_recently, Refusal(code="too-late")),
    Guard.WAS_SERVED: (lambda f, _: f.was_accepted, Refusal(code="never-accepted")),
    Guard.ACCEPTED_JUST_NOW: (lambda f, _: f.accepted_just_now, Refusal(code="too-late")),
    Guard.NOTHING_MORE_OPENED: (lambda f, _: not f.more_opened, Refusal(code="already-opened")),
    Guard.NOT_YET_OPENED: (lambda f, role: role is Role.D or not f.opened, Refusal(code="already-opened")),
}


def decide(event: Event, state: State, roles: Collection[Role], facts: Facts) -> Allowed | Refusal:
    """Say whether a caller in these roles may make this move now; total over every event, state and role.

    Who may never make a move is told so first; then whether the state allows it; then what is known of it.
    """
    if not _EVER[event] & set(roles):
        return Refusal(code="wrong-party")
    move = _BY_PAIR.get((event, state))
    if move is None:
        return Refusal(code="bad-transition")
    # every row of an event names the same parties (a test says so), so one of the caller's roles is in it
    role = next(role for role in Role if role in move.who and role in roles)
    if facts.content_stopped and state in OPEN and not move.after_consent:
        return Refusal(code="content-stopped")
    failed = next(_failed(move, facts, role), None)
    return failed or Allowed(move=move, to=move.to or state, role=role)


def has_row(event: Event, state: State) -> bool:
    """Tell whether the table has a move for this event from this state, whoever asks."""
    return (event, state) in _BY_PAIR


def _failed(move: Move, facts: Facts, role: Role) -> Iterator[Refusal]:
    for guard in move.guards:
        if guard in FACT_GUARDS:
            holds, refusal = FACT_GUARDS[guard]
            if not holds(facts, role):
                yield refusal


def actions(state: State, roles: Collection[Role], facts: Facts) -> tuple[Event, ...]:
    """List what a caller in these roles may do now, so that no client re-implements the machine (api.md)."""
    asked = (event for event in Event if event not in {Event.SEND, Event.ACCOMPANY})
    return tuple(event for event in asked if isinstance(decide(event, state, roles, facts), Allowed))


def standing(state: State) -> Standing | None:
    """Give who answers for the person and whose move is due; None at the end."""
    return STANDINGS.get(state)


def fault(state: State, *, ball: str | None, awaiting: str | None, due: bool) -> str | None:
    """Name what breaks the invariant: one ball, one awaited, one due time; or None (referral-loop.md)."""
    if state in FINAL:
        return "a final state keeps nobody waiting" if ball or awaiting or due else None
    if not ball:
        return "nobody answers for the person"
    if not awaiting:
        return "nobody's move is due"
    return None if due else "no time by which"


def table() -> tuple[tuple[str, ...], ...]:
    """Print the moves: row, from, event, to, who, guards; one row for each row of the design's table."""
    return tuple(
        (
            str(m.row),
            ", ".join(s.value for s in State if s in m.frm),
            m.event.value,
            m.to.value if m.to else "same",
            ", ".join(r.value for r in Role if r in m.who),
            "; ".join(g.value for g in m.guards),
        )
        for m in MOVES
    )
