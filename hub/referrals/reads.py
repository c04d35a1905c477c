# SPDX-License-Identifier: Apache-2.0
"""What can be read of referrals: where they stand, what happened, who answers. No content, no names, no keys.

Row-level security narrows every query to what the caller sends, receives or coordinates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.base import rounds
from hub.base.rounds import Asked, Row, Told
from hub.referrals import tables
from hub.referrals.lifecycle import FINAL, Event, Role, State
from hub.referrals.limits import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """One referral as it stands; what each member means is said at the columns."""

    id: str
    root: str
    parent: str | None
    hop: int
    prior_declines: int
    case_handle: str
    case_row: str | None
    sender: str
    recipient: str
    coordinator: str
    thread: str
    opening: str
    purpose: str
    urgency: str
    request_kind: str | None
    basis: str
    needs: tuple[str, ...]
    telephone_at: datetime | None
    telephone_result: str | None
    sent_at: datetime
    state: State
    version: int
    ball: str | None
    awaiting: str | None
    due_at: datetime | None
    step: int
    step_at: datetime | None
    clock_at: datetime
    since: datetime
    word_at: datetime | None
    review_at: datetime | None
    next_step_by: datetime | None
    asked_at: datetime | None
    pause_until: datetime | None
    paused_seconds: int
    opened_at: datetime | None
    accepted_at: datetime | None
    closed_at: datetime | None
    returned: int
    worker: str | None
    worker_role: str | None
    sender_worker: str | None
    sender_worker_role: str | None
    next_on: date | None
    outcome: str | None
    content_stopped_at: datetime | None
    unowned_since: datetime | None
    conference_asked_at: datetime | None
    updated_at: datetime

    def agency(self, role: Role) -> str:
        """Give the agency that has this role; the hub and the officer are no agencies."""
        return {Role.S: self.sender, Role.R: self.recipient, Role.CO: self.coordinator}[role]

    def roles(self, agency: str) -> frozenset[Role]:
        """Give the roles of an agency: one can be sender and coordinator at once."""
        return frozenset(role for role in (Role.S, Role.R, Role.CO) if self.agency(role) == agency)

    @property
    def parties(self) -> tuple[str, ...]:
        """Give everyone who may see it, each once."""
        return tuple(dict.fromkeys((self.sender, self.recipient, self.coordinator)))

    @property
    def clock(self) -> Clock:
        """Give the moments that its limits run from."""
        return Clock(
            state=self.state,
            urgency=self.urgency,
            sent_at=self.clock_at,
            since=self.since,
            word_at=self.word_at,
            review_at=self.review_at,
            next_step_by=self.next_step_by,
            paused=timedelta(seconds=self.paused_seconds),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One move of a referral's history; `agency` is None where the hub or an officer moved it."""

    version: int
    event: Event
    frm: State
    to: State
    agency: str | None
    role: Role
    at: datetime
    body_digest: str
    facts: dict[str, Any]
    entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accompaniment:
    """One accompaniment as the hub keeps it: codes and dates (referral-loop, Accompaniment)."""

    referral: str
    n: int
    version: int
    agency: str
    state: str
    on: date
    minutes: int | None
    role: str
    destination: str
    purpose: str
    result: str | None
    next_step_on: date | None
    message: str | None
    body_digest: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """One follow-up: when to ask, whom was asked, what came of it."""

    referral: str
    n: int
    agency: str
    due_on: date
    set_at: datetime
    done_at: datetime | None
    channel: str | None
    asked: tuple[str, ...] | None
    result: str | None
    next_due_on: date | None
    body_digest: str
    tasked: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which referrals a list asks for."""

    role: Role | None = None
    state: State | None = None
    overdue: bool | None = None
    updated_after: datetime | None = None
    case: str | None = None


Position = tuple[datetime, str]
"""Where a page ended: updated at, id."""

_open = tables.referrals.c.state.not_in(sorted(FINAL))
_columns = [tables.referrals.c[name] for name in Referral.__dataclass_fields__]
_move_columns = [tables.moves.c[name] for name in Moved.__dataclass_fields__]
_accompaniment_columns = [tables.accompaniments.c[name] for name in Accompaniment.__dataclass_fields__]
_follow_up_columns = [tables.follow_ups.c[name] for name in FollowUp.__dataclass_fields__]


_ID = tables.referrals.c.id.type
_of_referral, _of_root, _of_opening = (
    sa.bindparam(name, type_=_ID) for name in ("of_referral", "of_root", "of_opening")
)
_one = sa.select(*_columns).where(tables.referrals.c.id == _of_referral)
_REFERRAL, _REFERRAL_HELD = rounds.Prepared(_one), rounds.Prepared(_one.with_for_update())
_opened = sa.select(*_columns).where(tables.referrals.c.opening == _of_opening)
_OPENED, _OPENED_HELD = rounds.Prepared(_opened), rounds.Prepared(_opened.with_for_update())
_NEED = ("sender", "case_handle", "recipient", "purpose")
_OPEN_NEED = rounds.Prepared(
    sa.select(tables.referrals.c.id).where(
        # written as the index is, else the planner does not see that it fits
        sa.text(tables.STILL_OPEN),
        *(
            tables.referrals.c[name] == sa.bindparam(f"of_{name}", type_=tables.referrals.c[name].type)
            for name in _NEED
        ),
    )
)
_HOPS = rounds.Prepared(
    sa.select(*_columns)
    .where(tables.referrals.c.root == _of_root)
    .order_by(tables.referrals.c.hop, tables.referrals.c.sent_at, tables.referrals.c.id)
)
_HISTORY = rounds.Prepared(
    sa.select(*_move_columns).where(tables.moves.c.referral == _of_referral).order_by(tables.moves.c.version)
)
_ACCOMPANIMENTS = rounds.Prepared(
    sa.select(*_accompaniment_columns)
    .where(tables.accompaniments.c.referral == _of_referral)
    .order_by(tables.accompaniments.c.n)
)
_FOLLOW_UPS = rounds.Prepared(
    sa.select(*_follow_up_columns).where(tables.follow_ups.c.referral == _of_referral).order_by(tables.follow_ups.c.n)
)


def ask_referral(referral: str, *, lock: bool = False) -> Asked:
    """Make the question that `referral` asks, for whoever foresees it."""
    return (_REFERRAL_HELD if lock else _REFERRAL).of(of_referral=referral)


def ask_opened_by(opening: str, *, lock: bool = False) -> Asked:
    """Make the question that `opened_by` asks, for whoever foresees it."""
    return (_OPENED_HELD if lock else _OPENED).of(of_opening=opening)


def ask_open_need(*, sender: str, case: str, recipient: str, purpose: str) -> Asked:
    """Make the question that `open_need` asks, for whoever foresees it."""
    return _OPEN_NEED.of(of_sender=sender, of_case_handle=case, of_recipient=recipient, of_purpose=purpose)


def ask_hops(root: str) -> Asked:
    """Make the question that `hops` asks, for whoever foresees it."""
    return _HOPS.of(of_root=root)


def ask_history(referral: str) -> Asked:
    """Make the question that `history` asks, for whoever foresees it."""
    return _HISTORY.of(of_referral=referral)


def ask_beside(referral: str) -> tuple[Asked, Asked]:
    """Make the questions that `accompaniments` and `follow_ups` ask, for whoever foresees them."""
    return _ACCOMPANIMENTS.of(of_referral=referral), _FOLLOW_UPS.of(of_referral=referral)


def as_referral(row: Row) -> Referral:
    """Make a referral of a row that holds its columns."""
    return Referral(**{**row, "state": State(row["state"]), "needs": tuple(row["needs"])})


def _first(told: Told) -> Referral | None:
    return as_referral(told.rows[0]) if told.rows else None


def _referrals(session: Session, statement: sa.Select[Any]) -> tuple[Referral, ...]:
    return tuple(as_referral(row._asdict()) for row in session.execute(statement))


def referral(session: Session, referral: str, *, lock: bool = False) -> Referral | None:
    """Give the referral that the caller is a party of; `lock` holds it until the end of the transaction."""
    return _first(rounds.ask(session, ask_referral(referral, lock=lock))[0])


def opened_by(session: Session, opening: str, *, lock: bool = False) -> Referral | None:
    """Give the referral that the message of that row opened."""
    return _first(rounds.ask(session, ask_opened_by(opening, lock=lock))[0])


def open_need(session: Session, *, sender: str, case: str, recipient: str, purpose: str) -> str | None:
    """Give the id of the sender's open referral for the same need, if there is one."""
    (told,) = rounds.ask(session, ask_open_need(sender=sender, case=case, recipient=recipient, purpose=purpose))
    return str(told.rows[0]["id"]) if told.rows else None


def page(
    session: Session, wanted: Wanted, *, agency: str, now: datetime, after: Position | None, limit: int
) -> tuple[Referral, ...]:
    """List what the caller is a party of, longest unchanged first, from behind `after`."""
    c = tables.referrals.c
    columns = {Role.S: c.sender, Role.R: c.recipient, Role.CO: c.coordinator}
    mine = [columns[wanted.role] == agency] if wanted.role else [sa.or_(*(col == agency for col in columns.values()))]
    if wanted.state is not None:
        mine.append(c.state == wanted.state)
    if wanted.overdue is not None:
        late = sa.and_(c.due_at.is_not(None), c.due_at <= now)
        mine.append(late if wanted.overdue else sa.not_(late))
    if wanted.updated_after is not None:
        mine.append(c.updated_at > wanted.updated_after)
    if wanted.case is not None:
        mine.append(c.case_handle == wanted.case)
    if after is not None:
        mine.append(
            sa.tuple_(c.updated_at, c.id)
            > sa.tuple_(sa.literal(after[0], c.updated_at.type), sa.literal(after[1], c.id.type))
        )
    return _referrals(session, sa.select(*_columns).where(*mine).order_by(c.updated_at, c.id).limit(limit))


def hops(session: Session, root: str) -> tuple[Referral, ...]:
    """Give the referrals of one need that the caller is a party of, in the order of their hops."""
    return tuple(as_referral(row) for row in rounds.ask(session, ask_hops(root))[0].rows)


def open_of_case(session: Session, case_row: str) -> tuple[Referral, ...]:
    """Give the open referrals of a case, held until the end of the transaction."""
    found = sa.select(*_columns).where(tables.referrals.c.case_row == case_row, _open)
    return _referrals(session, found.order_by(tables.referrals.c.id).with_for_update())


def history(session: Session, referral: str) -> tuple[Moved, ...]:
    """Give the moves of a referral in their order."""
    return tuple(_as_moved(row) for row in rounds.ask(session, ask_history(referral))[0].rows)


def _as_moved(row: Row) -> Moved:
    typed = {"event": Event(row["event"]), "frm": State(row["frm"]), "to": State(row["to"]), "role": Role(row["role"])}
    return Moved(**{**row, **typed})


def accompaniments(session: Session, referral: str) -> tuple[Accompaniment, ...]:
    """Give the accompaniments of a referral in their order."""
    (told,) = rounds.ask(session, _ACCOMPANIMENTS.of(of_referral=referral))
    return tuple(Accompaniment(**row) for row in told.rows)


def follow_ups(session: Session, referral: str) -> tuple[FollowUp, ...]:
    """Give the follow-ups of a referral in their order."""
    return tuple(_as_follow_up(row) for row in rounds.ask(session, _FOLLOW_UPS.of(of_referral=referral))[0].rows)


def _as_follow_up(row: Row) -> FollowUp:
    return FollowUp(**{**row, "asked": None if row["asked"] is None else tuple(row["asked"])})


def step_reached(session: Session, *, now: datetime, limit: int) -> tuple[Referral, ...]:
    """Give the referrals whose next step or pause is over, held; what another worker holds is left to it."""
    c = tables.referrals.c
    found = sa.select(*_columns).where(c.step_at.is_not(None), c.step_at <= now).order_by(c.step_at).limit(limit)
    return _referrals(session, found.with_for_update(skip_locked=True))


def unowned(session: Session, *, since: datetime, limit: int) -> tuple[Referral, ...]:
    """Give the open referrals that nobody has taken on since that moment; no conference was asked for."""
    c = tables.referrals.c
    late = (c.unowned_since.is_not(None), c.unowned_since <= since, c.conference_asked_at.is_(None))
    found = sa.select(*_columns).where(_open, *late).order_by(c.unowned_since).limit(limit)
    return _referrals(session, found.with_for_update(skip_locked=True))


def follow_ups_due(session: Session, *, by: date, limit: int) -> Sequence[tuple[FollowUp, Referral]]:
    """Give the follow-ups due by that day that nobody was told of, each with its referral."""
    c = tables.follow_ups.c
    found = sa.select(*_follow_up_columns).where(c.done_at.is_(None), c.due_on <= by, c.due_told_at.is_(None))
    return _with_referrals(session, found.order_by(c.due_on).limit(limit))


def follow_ups_overdue(session: Session, *, before: date, limit: int) -> Sequence[tuple[FollowUp, Referral]]:
    """Give the follow-ups due before that day and not done, of which only their being due was told."""
    c = tables.follow_ups.c
    late = (c.done_at.is_(None), c.due_on < before, c.due_told_at.is_not(None), c.overdue_told_at.is_(None))
    return _with_referrals(session, sa.select(*_follow_up_columns).where(*late).order_by(c.due_on).limit(limit))


def _with_referrals(session: Session, statement: sa.Select[Any]) -> Sequence[tuple[FollowUp, Referral]]:
    rows = session.execute(statement.with_for_update(skip_locked=True)).all()
    found = [_as_follow_up(row._asdict()) for row in rows]
    ids = {one.referral for one in found}
    of = {one.id: one for one in _referrals(session, sa.select(*_columns).where(tables.referrals.c.id.in_(ids)))}
    return [(one, of[one.referral]) for one in found]


def accompaniments_past(session: Session, *, before: date, limit: int) -> tuple[Accompaniment, ...]:
    """Give the planned accompaniments whose day has passed and of which nobody was reminded."""
    c = tables.accompaniments.c
    late = (c.state.in_(["proposed", "agreed"]), c.on < before, c.reminded_at.is_(None))
    found = sa.select(*_accompaniment_columns).where(*late).order_by(c.on).limit(limit)
    rows = session.execute(found.with_for_update(skip_locked=True))
    return tuple(Accompaniment(**row._asdict()) for row in rows)


def for_digest(session: Session, *, now: datetime, limit: int) -> tuple[Referral, ...]:
    """Give the referrals that lie in review beyond their limit: the officer's digest (row 9)."""
    c = tables.referrals.c
    late = (c.state == State.REROUTE_REVIEW, c.due_at <= now)
    return _referrals(session, sa.select(*_columns).where(*late).order_by(c.due_at).limit(limit))
