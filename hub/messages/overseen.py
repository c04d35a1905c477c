# SPDX-License-Identifier: Apache-2.0
"""What an officer and the worker see of messages across all agencies: labels, states and times, never a sealed part.

Needs a role that sees every row (worker, officer), or the duty of a statement, which shows an owner its own cases.
Times are found by row ids, which sort by the moment of acceptance: no index of their own is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.calendar import JST
from consent.ids import RANDOM_BYTES, uuid7
from hub.messages import reads, tables
from hub.messages.known import MESSAGE_COLUMNS, Message
from hub.messages.reads import Labelled, Notice
from hub.messages.rules import ARRIVED, KEPT_AFTER_DELIVERY, UNDELIVERED

_m, _p, _r, _o, _n = (
    one.c for one in (tables.messages, tables.parts, tables.receipts, tables.overrides, tables.notices)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyUse:
    """One use of the emergency door: the message with its labels, and who asked."""

    disclosure: Labelled
    requester: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """That a named worker of `agency` opened a message, by the time the hub took the receipt."""

    agency: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Sealed parts that the hub will destroy at `at` for want of a reason to keep them."""

    message: str
    recipient: str
    delivered: bool
    at: datetime


def of_handle(session: Session, case: str) -> tuple[Labelled, ...]:
    """Give every message about a case handle, oldest first, whatever became of it."""
    return _found(session, _m.case_handle == case)


def of_case_row(session: Session, case_row: str) -> tuple[Labelled, ...]:
    """Give every message about one case of the hub, oldest first; its owner asks with the duty of a statement."""
    return _found(session, _m.case_row == case_row)


def accepted(session: Session, *, since: datetime, until: datetime, agency: str | None = None) -> tuple[Labelled, ...]:
    """Give the messages accepted from a moment until before another, of one agency (either side) or of all."""
    party = sa.true() if agency is None else sa.or_(_m.sender == agency, _m.recipient == agency)
    return _found(session, party, _between(_m.id, since, until))


def emergency_uses(session: Session, *, since: datetime, until: datetime) -> tuple[EmergencyUse, ...]:
    """Give the uses of the emergency door in a period, oldest first."""
    return _uses(session, _between(_o.message_row, since, until))


def emergency_use(session: Session, message: str) -> EmergencyUse | None:
    """Give the use of the emergency door by which that message went, or None."""
    found = _uses(session, _o.message_row == message)
    return found[0] if found else None


def readings(session: Session, *, since: datetime, until: datetime) -> tuple[Reading, ...]:
    """Give what was opened in a period, oldest first."""
    found = sa.select(_r.recipient, _r.message_row, _r.received_at).where(
        _r.kind == "read", _between(_r.id, since, until)
    )
    rows = session.execute(found.order_by(_r.received_at, _r.id))
    return tuple(Reading(agency=row.recipient, message=row.message_row, at=row.received_at) for row in rows)


def sent_by_day(session: Session, *, since: datetime, until: datetime) -> Mapping[str, Mapping[date, int]]:
    """Count what each agency sent on each Japanese calendar day."""
    return _by_day(session, _m.sender, _m.accepted_at, _between(_m.id, since, until))


def read_by_day(session: Session, *, since: datetime, until: datetime) -> Mapping[str, Mapping[date, int]]:
    """Count what each agency opened on each Japanese calendar day."""
    return _by_day(session, _r.recipient, _r.received_at, sa.and_(_r.kind == "read", _between(_r.id, since, until)))


def notices(session: Session, *, unanswered_since: datetime | None = None) -> tuple[Notice, ...]:
    """Give the stop-use notices of all agencies, oldest first; with a moment only those due by then and unanswered."""
    found = sa.select(*(_n[name] for name in Notice.__dataclass_fields__)).order_by(_n.due_at, _n.id)
    if unanswered_since is not None:
        found = found.where(_n.answered_at.is_(None), _n.due_at <= unanswered_since)
    return tuple(reads.as_notice(row) for row in session.execute(found))


def removals(session: Session, *, until: datetime) -> tuple[Removal, ...]:
    """Give whose sealed parts the hub destroys before a moment, soonest first."""
    delivered = _m.delivery.in_(sorted(ARRIVED))
    at = sa.case(
        (delivered, sa.func.least(_m.delivered_at + sa.literal(KEPT_AFTER_DELIVERY, sa.Interval), _m.not_after)),
        else_=_m.not_after,
    )
    found = sa.select(_m.id, _m.recipient, delivered.label("delivered"), at.label("at")).where(
        _m.emptied_at.is_(None), at < until
    )
    rows = session.execute(found.order_by(at, _m.id))
    return tuple(
        Removal(message=row.id, recipient=row.recipient, delivered=bool(row.delivered), at=row.at) for row in rows
    )


def waiting_of(session: Session, agency: str) -> tuple[int, int]:
    """Count what waits for an agency to collect, and what it sent that waits for others."""
    waits = _m.delivery.in_(sorted(UNDELIVERED))
    to_it, from_it = (sa.func.count().filter(side == agency) for side in (_m.recipient, _m.sender))
    row = session.execute(sa.select(to_it.label("to_it"), from_it.label("from_it")).where(waits)).one()
    return row.to_it, row.from_it


def first_id(at: datetime) -> str:
    """Give the smallest id that the hub could have made at a moment."""
    return uuid7(at, bytes(RANDOM_BYTES))


def _between(column: sa.ColumnElement[str], since: datetime, until: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(column >= first_id(since), column < first_id(until))


def _found(session: Session, *conditions: sa.ColumnElement[bool]) -> tuple[Labelled, ...]:
    found = sa.select(*MESSAGE_COLUMNS).where(*conditions).order_by(_m.accepted_at, _m.id)
    return reads.labelled(session, tuple(_message(row) for row in session.execute(found)))


def _message(row: sa.Row[tuple[object, ...]]) -> Message:
    return reads.as_message(row._asdict())


def _uses(session: Session, *conditions: sa.ColumnElement[bool]) -> tuple[EmergencyUse, ...]:
    requesters = {
        row.message_row: row.requester
        for row in session.execute(sa.select(_o.message_row, _o.requester).where(*conditions))
    }
    if not requesters:
        return ()
    found = _found(session, _m.id.in_(sorted(requesters)))
    return tuple(EmergencyUse(disclosure=one, requester=requesters[one.message.id]) for one in found)


def _by_day(
    session: Session,
    agency: sa.ColumnElement[str],
    at: sa.ColumnElement[datetime],
    condition: sa.ColumnElement[bool],
) -> Mapping[str, Mapping[date, int]]:
    local = sa.cast(sa.func.timezone(str(JST.utcoffset(None)), at), sa.Date)
    counted = sa.select(agency.label("agency"), local.label("day"), sa.func.count().label("number"))
    days: dict[str, dict[date, int]] = {}
    for row in session.execute(counted.where(condition).group_by(agency, local)):
        days.setdefault(row.agency, {})[row.day] = row.number
    return days
