# SPDX-License-Identifier: Apache-2.0
"""Look cases up: by handle for whoever may see them, and for a decision between two agencies. Nothing is
changed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.base import rounds
from hub.base.rounds import Asked, Told
from hub.cases.process import Position
from hub.cases.rules import CONTACT_ATTEMPT, CONTACT_MADE, DECISION_CONFIRMED, MUNICIPALITY, Attempt
from hub.cases.tables import case_notes, case_parties, case_steps, cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as it stands; `id` is the hub's row id, `handle` the owner's own."""

    id: str
    handle: str
    owner: str
    step: str
    state: str
    version: int
    opened_at: datetime
    moved_at: datetime
    closed_at: datetime | None

    @property
    def position(self) -> Position:
        """Give the place in the process."""
        return Position(step=self.step, state=self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of a case's history."""

    step: str
    state: str
    reason: str | None
    at: datetime
    closure_ground: str | None
    follow_up_on: date | None
    no_follow_up_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """That something of a kind was noted; the words are not here."""

    id: str
    author: str
    kind: str
    channel: str | None
    digest: str | None
    at: datetime


_of_case = sa.bindparam("of_case", type_=cases.c.id.type)
_sender, _recipient = (sa.bindparam(name, type_=cases.c.owner.type) for name in ("of_sender", "of_recipient"))
_names_sender = sa.exists().where(case_parties.c.case_id == cases.c.id, case_parties.c.agency == _sender)
_rank = sa.case((cases.c.owner == _sender, 0), (cases.c.owner == _recipient, 1), (_names_sender, 2), else_=3)
_RESOLVE = rounds.Prepared(
    sa.select(cases)
    .where(cases.c.handle == sa.bindparam("of_handle", type_=cases.c.handle.type))
    .order_by(_rank, cases.c.opened_at, cases.c.id)
    .limit(1)
)
_BY_ID = rounds.Prepared(sa.select(cases).where(cases.c.id == _of_case))
# shared: rows that only point at the case need not wait for one another
_HELD = rounds.Prepared(sa.select(cases).where(cases.c.id == _of_case).with_for_update(read=True))


def ask_resolve(handle: str, *, sender: str, recipient: str) -> Asked:
    """Make the question that `resolve` asks, for whoever foresees it."""
    return _RESOLVE.of(of_handle=handle, of_sender=sender, of_recipient=recipient)


def ask_by_id(case_id: str) -> Asked:
    """Make the question that `by_id` asks, for whoever foresees it."""
    return _BY_ID.of(of_case=case_id)


def ask_held(case_id: str) -> Asked:
    """Make the question that `held` asks to share a case, for whoever foresees it."""
    return _HELD.of(of_case=case_id)


def find(session: Session, reference: str, *, agency: str) -> Case | None:
    """Find the case that `agency` means by a handle or row id: its own handle first, then the oldest it may
    see.

    Another agency may have chosen the same handle; that never shows (security TEN-02).
    """
    return _one(
        session,
        sa.or_(cases.c.handle == reference, cases.c.id == reference),
        sa.case((sa.and_(cases.c.handle == reference, cases.c.owner == agency), 0), else_=1),
    )


def by_id(session: Session, case_id: str) -> Case | None:
    """Give a case by its row id, if this transaction may see it."""
    return _first(rounds.ask(session, ask_by_id(case_id))[0])


def own(session: Session, handle: str, *, owner: str) -> Case | None:
    """Give an agency's own case by its handle."""
    return _one(session, sa.and_(cases.c.handle == handle, cases.c.owner == owner), sa.literal(0))


def resolve(session: Session, handle: str, *, sender: str, recipient: str) -> Case | None:
    """Find the case that a message between two agencies is about; needs `Duty.DECIDE`.

    The sender's own case, else the recipient's, else the oldest that names the sender, else the oldest: an
    agency that copies a handle can so disturb nobody's case but its own.
    """
    return _first(rounds.ask(session, ask_resolve(handle, sender=sender, recipient=recipient))[0])


def held(session: Session, case_id: str, *, exclusive: bool) -> Case | None:
    """Give a case as last committed and hold its row: shared against a closure, exclusive for a move."""
    if not exclusive:
        return _first(rounds.ask(session, ask_held(case_id))[0])
    statement = sa.select(cases).where(cases.c.id == case_id)
    # not the strongest lock: rows that only point at the case need not wait for a move
    locked = statement.with_for_update(key_share=True)
    row = session.execute(locked).mappings().first()
    return None if row is None else Case(**row)


def page(session: Session, *, after: str | None, limit: int) -> Sequence[Case]:
    """List the cases this transaction may see, in the order of their row ids, from the one after `after`."""
    statement = sa.select(cases).order_by(cases.c.id).limit(limit)
    if after is not None:
        statement = statement.where(cases.c.id > after)
    return tuple(Case(**row) for row in session.execute(statement).mappings())


def history(session: Session, case_id: str) -> tuple[Step, ...]:
    """Give a case's moves from the first on; the owner's alone."""
    wanted = [case_steps.c[name] for name in Step.__slots__]
    statement = sa.select(*wanted).where(case_steps.c.case_id == case_id).order_by(case_steps.c.version)
    return tuple(Step(**row) for row in session.execute(statement).mappings())


def notes(session: Session, case_id: str) -> tuple[Note, ...]:
    """Give the notes of a case that this transaction may see, oldest first."""
    wanted = [case_notes.c[name] for name in Note.__slots__]
    statement = sa.select(*wanted).where(case_notes.c.case_id == case_id)
    rows = session.execute(statement.order_by(case_notes.c.at, case_notes.c.id)).mappings()
    return tuple(Note(**row) for row in rows)


def parties(session: Session, case_id: str) -> tuple[str, ...]:
    """List the agencies that records of the case name."""
    statement = sa.select(case_parties.c.agency).where(case_parties.c.case_id == case_id)
    return tuple(session.scalars(statement.order_by(case_parties.c.agency)))


def attempts(session: Session, case_id: str) -> tuple[Attempt, ...]:
    """Give the attempts to reach the person since contact was last made."""
    since = sa.select(sa.func.max(case_notes.c.at)).where(
        case_notes.c.case_id == case_id, case_notes.c.kind == CONTACT_MADE
    )
    statement = sa.select(case_notes.c.at, case_notes.c.channel).where(
        case_notes.c.case_id == case_id,
        case_notes.c.kind == CONTACT_ATTEMPT,
        case_notes.c.at > sa.func.coalesce(since.scalar_subquery(), sa.text("'-infinity'::timestamptz")),
    )
    return tuple(Attempt(at=at, channel=channel) for at, channel in session.execute(statement))


def is_decision_confirmed(session: Session, case_id: str) -> bool:
    """Tell whether the municipality confirmed the decision that stands now: since the last one was recorded.

    A confirmation is a note of the municipality's agency, or the owner's note of the paper it received.
    """
    decided = sa.select(sa.func.max(case_steps.c.at)).where(
        case_steps.c.case_id == case_id, case_steps.c.state == "decided"
    )
    confirmed = sa.exists().where(
        case_notes.c.case_id == case_id,
        case_notes.c.kind == DECISION_CONFIRMED,
        sa.or_(case_notes.c.author_kind == MUNICIPALITY, case_notes.c.author == case_notes.c.owner),
        case_notes.c.at > sa.func.coalesce(decided.scalar_subquery(), sa.text("'-infinity'::timestamptz")),
    )
    return bool(session.scalar(sa.select(confirmed)))


def _first(told: Told) -> Case | None:
    return Case(**told.rows[0]) if told.rows else None


def _one(session: Session, condition: sa.ColumnElement[bool], rank: sa.ColumnElement[Any]) -> Case | None:
    statement = sa.select(cases).where(condition).order_by(rank, cases.c.opened_at, cases.c.id).limit(1)
    row = session.execute(statement).mappings().first()
    return None if row is None else Case(**row)
