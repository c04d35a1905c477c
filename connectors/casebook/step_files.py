# SPDX-License-Identifier: Apache-2.0
"""What only this agency knows of a case's steps: strengths and problems, triage, urgency, attempts, endings, origins.

The hub learns codes, channels and times through what is queued beside it (`deeds`); every word here stays here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import access
from connectors.casebook import tables_steps as own
from connectors.casebook.statements import Pen

STRENGTH: Final = "strength"
PROBLEM: Final = "problem"
SIDES: Final = (STRENGTH, PROBLEM)

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A strength of the person or a problem they have, in the words of whoever wrote it down."""

    id: str
    case: str
    kind: str
    at: datetime
    staff: str
    text: str
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to reach the person; `made`: they were reached. `id` is the key of the note queued for the hub."""

    id: str
    case: str
    at: datetime
    staff: str
    channel: str
    made: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """What a first consultation came to (step ②); `manner`: how a referral out goes on."""

    id: str
    case: str
    at: datetime
    staff: str
    result: str
    manner: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """One emergency route that was taken (step ④), with its own clock; `outcome` is written when it is done."""

    id: str
    case: str
    route: str
    at: datetime
    due_at: datetime
    staff: str
    text: str
    done_at: datetime | None = None
    done_by: str | None = None
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a case ended (step ⑬), as the agency knows it; `document`: with whom it was talked over, who follows up."""

    id: str
    case: str
    at: datetime
    staff: str
    reason: str
    document: Mapping[str, Any]


def write_side(connection: Connection, pen: Pen, side: Side) -> None:
    """Write a strength or a problem down; the same id again changes nothing."""
    _insert(connection, pen, own.case_sides, side, side.kind)


def strike_side(connection: Connection, pen: Pen, side: str, *, case: str) -> bool:
    """Strike out what does not hold any more; say no where there is nothing to strike."""
    table = own.case_sides
    changed = connection.execute(
        sa.update(table)
        .where(table.c.id == side, table.c.case == case, table.c.ended_at.is_(None))
        .values(ended_at=pen.now)
    )
    if changed.rowcount:
        access.record(connection, staff=pen.staff, action="side:struck", about=side, case=case, now=pen.now)
    return bool(changed.rowcount)


def sides_of(connection: Connection, case: str) -> Sequence[Side]:
    """Give the strengths and problems that hold, oldest first."""
    return _rows(connection, own.case_sides, Side, case, own.case_sides.c.ended_at.is_(None))


def write_attempt(connection: Connection, pen: Pen, attempt: Attempt) -> None:
    """Write down that somebody tried to reach the person."""
    _insert(connection, pen, own.contact_attempts, attempt, "made" if attempt.made else "attempt")


def attempts_of(connection: Connection, case: str) -> Sequence[Attempt]:
    """Give who tried when to reach the person, oldest first."""
    return _rows(connection, own.contact_attempts, Attempt, case)


def write_triage(connection: Connection, pen: Pen, triage: Triage) -> None:
    """Write down what the first consultation came to."""
    _insert(connection, pen, own.triages, triage, triage.result)


def triages_of(connection: Connection, case: str) -> Sequence[Triage]:
    """Give what consultations came to, oldest first."""
    return _rows(connection, own.triages, Triage, case)


def write_urgency(connection: Connection, pen: Pen, urgency: Urgency) -> None:
    """Write down that an emergency route was taken."""
    _insert(connection, pen, own.urgencies, urgency, urgency.route)


def finish_urgency(connection: Connection, pen: Pen, urgency: str, *, case: str, outcome: str) -> bool:
    """Note what came of an emergency route; say no where it is done already or is not of this case."""
    table = own.urgencies
    changed = connection.execute(
        sa.update(table)
        .where(table.c.id == urgency, table.c.case == case, table.c.done_at.is_(None))
        .values(done_at=pen.now, done_by=pen.staff, outcome=outcome)
    )
    if changed.rowcount:
        access.record(connection, staff=pen.staff, action="urgency:done", about=urgency, case=case, now=pen.now)
    return bool(changed.rowcount)


def urgencies_of(connection: Connection, case: str) -> Sequence[Urgency]:
    """Give the emergency routes that were taken, oldest first."""
    return _rows(connection, own.urgencies, Urgency, case)


def write_ending(connection: Connection, pen: Pen, ending: Ending) -> None:
    """Write down how a case ends, and what was agreed about what follows."""
    _insert(connection, pen, own.case_endings, ending, ending.reason)


def endings_of(connection: Connection, case: str) -> Sequence[Ending]:
    """Give how a case was ended, also where the hub refused it, oldest first."""
    return _rows(connection, own.case_endings, Ending, case)


def follows(connection: Connection, pen: Pen, *, case: str, earlier: str) -> None:
    """Note that a new case follows an ended one of the same person."""
    connection.execute(sa.insert(own.case_origins).values(case=case, earlier=earlier, at=pen.now, staff=pen.staff))
    access.record(connection, staff=pen.staff, action="case:follows", about=earlier, case=case, now=pen.now)


def earlier_case(connection: Connection, case: str) -> str | None:
    """Name the ended case that this one follows."""
    table = own.case_origins.c
    return connection.execute(sa.select(table.earlier).where(table.case == case)).scalar_one_or_none()


def later_cases(connection: Connection, case: str) -> Sequence[str]:
    """Name the cases that follow this one."""
    table = own.case_origins.c
    return list(connection.execute(sa.select(table.case).where(table.earlier == case).order_by(table.at)).scalars())


def _insert(connection: Connection, pen: Pen, table: sa.Table, kept: Any, about: str) -> None:
    values = {name: getattr(kept, name) for name in kept.__dataclass_fields__}
    done = connection.execute(sa.insert(table).prefix_with("OR IGNORE").values(**values))
    if done.rowcount:
        what = table.name.replace("_", "-")
        access.record(connection, staff=pen.staff, action=f"{what}:written", about=about, case=kept.case, now=pen.now)


def _rows(
    connection: Connection, table: sa.Table, shape: type[Kept], case: str, *where: sa.ColumnElement[bool]
) -> list[Kept]:
    query = sa.select(table).where(table.c.case == case, *where).order_by(table.c.at, table.c.id)
    names = list(shape.__dataclass_fields__)  # type: ignore[attr-defined]  # a dataclass of this module
    return [shape(**{name: getattr(row, name) for name in names}) for row in connection.execute(query)]
