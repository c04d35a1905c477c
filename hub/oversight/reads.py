# SPDX-License-Identifier: Apache-2.0
"""What waits for an officer and what was decided: reviews, anomalies, samples of paper, answers that do not come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.calendar import Calendar
from hub.intakes import overseen as intakes
from hub.intakes.overseen import Uncountersigned
from hub.messages import overseen as messages
from hub.messages.overseen import EmergencyUse
from hub.messages.reads import Notice
from hub.messages.rules import NOTICE_BUSINESS_DAYS
from hub.oversight import tables
from hub.oversight.rules import REVIEW_BUSINESS_DAYS, AnomalyKind, Answer, Closing, Outcome, Remark, is_final

LOOK_BACK = timedelta(days=400)
"""How far back emergency uses are listed: a year and a month."""


class ReviewState(StrEnum):
    """Where the review of a use stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    ASKED = "asked"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One officer's judgement."""

    id: str
    message: str
    agency: str
    reviewer: str
    answer: Answer
    remark: Remark
    reference: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One emergency use with what an officer needs to judge it; `due_at` is the end of the next business day."""

    use: EmergencyUse
    due_at: datetime
    reviews: tuple[Review, ...]
    state: ReviewState

    @property
    def id(self) -> str:
        """Give the hub's row of the message."""
        return self.use.disclosure.message.id

    @property
    def agency(self) -> str:
        """Give who used the door."""
        return self.use.disclosure.message.sender

    @property
    def basis(self) -> dict[str, Any]:
        """Give the claim as it was signed: threat, difficulty, who asked, who approved, until when."""
        return self.use.disclosure.message.basis

    @property
    def approver(self) -> str | None:
        """Give the agency's staff id of who approved."""
        return self.basis.get("approver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """Something out of the ordinary; `usual` is what this agency's own past lets expect."""

    id: str
    kind: AnomalyKind
    agency: str
    about: str
    day: date
    measure: int
    usual: int | None
    found_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closing: Closing | None
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One drawing of paper forms: anybody can repeat it from the log by `seed`."""

    id: str
    agency: str | None
    first_day: date
    last_day: date
    size: int
    candidates: int
    seed: str
    tree_size: int
    drawn_by: str
    drawn_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One paper form that is to be shown; `consent` is the hub's row, `record` its signer's id."""

    id: str
    draw: str
    agency: str
    consent: str
    record: str
    case_handle: str
    due_at: datetime
    outcome: Outcome | None
    answered_at: datetime | None
    answered_by: str | None
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A stop-use notice without an answer after its three business days, and how often the agency was reminded."""

    notice: Notice
    reminders: int
    reminded_at: datetime | None


def uses(session: Session, *, now: datetime, open_only: bool = True) -> tuple[Use, ...]:
    """Give the emergency uses, those first that are due first."""
    found = uses_between(session, since=now - LOOK_BACK, until=now + timedelta(minutes=1), now=now)
    return tuple(one for one in found if not open_only or one.state is not ReviewState.DONE)


def uses_between(session: Session, *, since: datetime, until: datetime, now: datetime) -> tuple[Use, ...]:
    """Give the emergency uses of a period with their judgements, oldest first."""
    found = messages.emergency_uses(session, since=since, until=until)
    judged = _reviews_of(session, [one.disclosure.message.id for one in found])
    return tuple(_use(one, judged.get(one.disclosure.message.id, ()), now) for one in found)


def use(session: Session, message: str, *, now: datetime) -> Use | None:
    """Give one emergency use with its reviews, or None."""
    found = messages.emergency_use(session, message)
    return None if found is None else _use(found, reviews(session, message), now)


def reviews(session: Session, message: str) -> tuple[Review, ...]:
    """Give the judgements on one use that this transaction may see, oldest first."""
    return _reviews_of(session, [message]).get(message, ())


def judged(session: Session, message: str, *, agency: str) -> tuple[Review, ...] | None:
    """Give an agency the judgements on its own use of the emergency door, or None where it has used none."""
    found = messages.emergency_use(session, message)
    if found is None or found.disclosure.message.sender != agency:
        return None
    return reviews(session, message)


def anomalies(session: Session, *, open_only: bool = True, limit: int = 200) -> tuple[Anomaly, ...]:
    """Give what is out of the ordinary, the newest first."""
    table = tables.anomalies.c
    found = sa.select(tables.anomalies).order_by(table.found_at.desc(), table.id.desc()).limit(limit)
    if open_only:
        found = found.where(table.closed_at.is_(None))
    return tuple(_anomaly(row) for row in session.execute(found))


def anomaly(session: Session, anomaly_id: str, *, lock: bool = False) -> Anomaly | None:
    """Give one anomaly, or None."""
    found = sa.select(tables.anomalies).where(tables.anomalies.c.id == anomaly_id)
    row = session.execute(found.with_for_update() if lock else found).one_or_none()
    return None if row is None else _anomaly(row)


def draws(session: Session, *, limit: int = 50) -> tuple[Draw, ...]:
    """Give the drawings, the newest first."""
    found = sa.select(tables.draws).order_by(tables.draws.c.id.desc()).limit(limit)
    return tuple(Draw(**row._asdict()) for row in session.execute(found))


def samples(session: Session, draw: str) -> tuple[Sample, ...]:
    """Give the forms of one drawing."""
    found = sa.select(tables.samples).where(tables.samples.c.draw == draw).order_by(tables.samples.c.id)
    return tuple(_sample(row) for row in session.execute(found))


def sample(session: Session, sample_id: str, *, lock: bool = False) -> Sample | None:
    """Give one form that is to be shown, if this transaction may see it."""
    found = sa.select(tables.samples).where(tables.samples.c.id == sample_id)
    row = session.execute(found.with_for_update() if lock else found).one_or_none()
    return None if row is None else _sample(row)


def unanswered(session: Session, *, now: datetime) -> tuple[Unanswered, ...]:
    """Give the stop-use notices that nobody answered in three business days, the oldest first."""
    found = messages.notices(session, unanswered_since=now)
    told: dict[str, list[datetime]] = {}
    table = tables.reminders.c
    asked = sa.select(table.notice, table.at).where(table.notice.in_([one.id for one in found])).order_by(table.number)
    for row in session.execute(asked):
        told.setdefault(row.notice, []).append(row.at)
    return tuple(
        Unanswered(notice=one, reminders=len(told.get(one.id, ())), reminded_at=max(told.get(one.id, ()), default=None))
        for one in found
    )


def uncountersigned(session: Session, *, now: datetime, calendar: Calendar) -> tuple[Uncountersigned, ...]:
    """Give the withdrawals whose intake agency has not signed them in three business days, the oldest first."""
    return tuple(
        one
        for one in intakes.uncountersigned(session, until=now)
        if calendar.add_business_days(one.at, NOTICE_BUSINESS_DAYS) <= now
    )


def _use(found: EmergencyUse, judged: tuple[Review, ...], now: datetime) -> Use:
    due = Calendar().add_business_days(found.disclosure.message.accepted_at, REVIEW_BUSINESS_DAYS)
    if any(is_final(one.answer) for one in judged):
        state = ReviewState.DONE
    elif judged:
        state = ReviewState.ASKED
    else:
        state = ReviewState.OVERDUE if due <= now else ReviewState.OPEN
    return Use(use=found, due_at=due, reviews=judged, state=state)


def _reviews_of(session: Session, rows: Sequence[str]) -> dict[str, tuple[Review, ...]]:
    table = tables.reviews.c
    gathered: dict[str, tuple[Review, ...]] = {}
    for row in session.execute(sa.select(tables.reviews).where(table.message.in_(rows)).order_by(table.id)):
        values = row._asdict()
        one = Review(**values | {"answer": Answer(row.answer), "remark": Remark(row.remark)})
        gathered[one.message] = (*gathered.get(one.message, ()), one)
    return gathered


def _anomaly(row: sa.Row[Any]) -> Anomaly:
    closing = None if row.closing is None else Closing(row.closing)
    return Anomaly(**row._asdict() | {"kind": AnomalyKind(row.kind), "closing": closing})


def _sample(row: sa.Row[Any]) -> Sample:
    return Sample(**row._asdict() | {"outcome": None if row.outcome is None else Outcome(row.outcome)})
