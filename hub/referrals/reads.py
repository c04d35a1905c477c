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


def _as_referral(row: sa.Row[Any]) -> Referral:
    values = row._asdict()
    return Referral(**values | {"state": State(values["state"]), "needs": tuple(values["needs"])})


def _referrals(session: Session, statement: sa.Select[Any]) -> tuple[Referral, ...]:
    return tuple(_as_referral(row) for row in session.execute(statement))


def referral(session: Session, referral: str, *, lock: bool = False) -> Referral | None:
    """Give the referral that the caller is a party of; `lock` holds it until the end of the transaction."""
    found = sa.select(*_columns).where(tables.referrals.c.id == referral)
    return next(iter(_referrals(session, found.with_for_update() if lock else found)), None)


def opened_by(session: Session, opening: str, *, lock: bool = False) -> Referral | None:
    """Give the referral that the message of that row opened."""
    found = sa.select(*_columns).where(tables.referrals.c.opening == opening)
    return next(iter(_referrals(session, found.with_for_update() if lock else found)), None)


def open_need(session: Session, *, sender: str, case: str, recipient: str, purpose: str) -> str | None:
    """Give the id of the sender's open referral for the same need, if there is one."""
    c = tables.referrals.c
    same = (c.sender == sender, c.case_handle == case, c.recipient == recipient, c.purpose == purpose)
    return session.execute(sa.select(c.id).where(_open, *same)).scalar_one_or_none()


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
    c = tables.referrals.c
    return _referrals(session, sa.select(*_columns).where(c.root == root).order_by(c.hop, c.sent_at, c.id))


def open_of_case(session: Session, case_row: str) -> tuple[Referral, ...]:
    """Give the open referrals of a case, held until the end of the transaction."""
    found = sa.select(*_columns).where(tables.referrals.c.case_row == case_row, _open)
    return _referrals(session, found.order_by(tables.referrals.c.id).with_for_update())


def history(session: Session, referral: str) -> tuple[Moved, ...]:
    """Give the moves of a referral in their order."""
    found = sa.select(*_move_columns).where(tables.moves.c.referral == referral).order_by(tables.moves.c.version)
    return tuple(_as_moved(row) for row in session.execute(found))


def _as_moved(row: sa.Row[Any]) -> Moved:
    values = row._asdict()
    typed = {"event": Event(values["event"]), "frm": State(values["frm"]), "to": State(values["to"])}
    return Moved(**values | typed | {"role": Role(values["role"])})


def accompaniments(session: Session, referral: str) -> tuple[Accompaniment, ...]:
    """Give the accompaniments of a referral in their order."""
    c = tables.accompaniments.c
    found = sa.select(*_accompaniment_columns).where(c.referral == referral).order_by(c.n)
    return tuple(Accompaniment(**row._asdict()) for row in session.execute(found))


def follow_ups(session: Session, referral: str) -> tuple[FollowUp, ...]:
    """Give the follow-ups of a referral in their order."""
    c = tables.follow_ups.c
    found = sa.select(*_follow_up_columns).where(c.referral == referral).order_by(c.n)
    return tuple(_as_follow_up(row) for row in session.execute(found))


def _as_follow_up(row: sa.Row[Any]) -> FollowUp:
    values = row._asdict()
    return FollowUp(**values | {"asked": None if values["asked"] is None else tuple(values["asked"])})


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
    found = [_as_follow_up(row) for row in rows]
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
