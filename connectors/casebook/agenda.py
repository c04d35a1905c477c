# SPDX-License-Identifier: Apache-2.0
"""The agenda of a meeting of ours: one case a line, what came of it, and which sealed papers went to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, listing, meeting_deeds, people, seating
from connectors.casebook import tables_meetings as tables
from connectors.casebook.meetings import Meeting, require_open
from connectors.casebook.statements import Pen

_CASE_ON_AGENDA: Final = "case"
"""The code of a point that is about a person, whoever may know which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one line: the checks, what is missing, the decision, when and by what sign it is looked at again."""

    checks: Mapping[str, str] = field(default_factory=dict)
    missing: str = field(default="", repr=False)
    decision: str | None = None
    next_on: date | None = None
    indicator: str = field(default="", repr=False)
    services: Mapping[str, str] = field(default_factory=dict, repr=False)
    minutes: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case on the agenda; `categories`: what of it is to be on the table."""

    id: str
    meeting: str
    case: str
    n: int
    categories: tuple[str, ...]
    outcome: Outcome
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSent:
    """A sealed message that went to a member about a line: what for, with which categories."""

    message: str
    line: str
    agency: str
    what: str
    digest: str
    key: str
    categories: tuple[str, ...]
    at: datetime


def put_on_agenda(
    connection: Connection, pen: Pen, held: Meeting, *, case: str, categories: Iterable[str]
) -> tuple[Line, str]:
    """Put a case on the agenda of a meeting of ours; give the line and the key of the hub's row.

    The handle goes to the hub only where every member may know that this person is spoken of: a member that holds the
    handle from elsewhere would learn that there is a plan.

    *Raises* `ConnectorError`: `meeting-ended`, `case-unknown`, `case-twice`.
    """
    require_open(held, pen.now)
    listing.case_of(connection, case)
    there = lines(connection, held.id)
    if any(one.case == case for one in there):
        raise ConnectorError("case-twice")
    made = Line(
        id=pen.new_id(),
        meeting=held.id,
        case=case,
        n=max((one.n for one in there), default=0) + 1,
        categories=tuple(dict.fromkeys((*seating.NEEDED, *categories))),
        outcome=Outcome(),
        decided_at=None,
    )
    connection.execute(
        sa.insert(tables.meeting_lines).values(
            id=made.id, meeting=held.id, case=case, n=made.n, categories=list(made.categories),
            document=_document(made.outcome),
        )
    )  # fmt: skip
    access.record(connection, staff=pen.staff, action="meeting:case-on-agenda", about=held.id, case=case, now=pen.now)
    people.announce(connection, case, now=pen.now)
    known = case if _all_may_know(connection, pen, held, case) else None
    return made, meeting_deeds.put_on_agenda(connection, pen, meeting=held.id, code=_CASE_ON_AGENDA, case=known)


def lines(connection: Connection, meeting_id: str) -> Sequence[Line]:
    """Give the agenda of a meeting of ours, in its order."""
    table = tables.meeting_lines
    rows = connection.execute(sa.select(table).where(table.c.meeting == meeting_id).order_by(table.c.n))
    return [_line(row) for row in rows]


def line(connection: Connection, line_id: str) -> Line:
    """Give one line.

    *Raises* `ConnectorError("line-unknown")`.
    """
    table = tables.meeting_lines
    row = connection.execute(sa.select(table).where(table.c.id == line_id)).one_or_none()
    if row is None:
        raise ConnectorError("line-unknown")
    return _line(row)


def lines_of_case(connection: Connection, case: str) -> Sequence[Line]:
    """Give the lines of all our meetings that are about a case, the newest first."""
    table = tables.meeting_lines
    query = (
        sa.select(table)
        .join(tables.meetings, tables.meetings.c.id == table.c.meeting)
        .where(table.c.case == case)
        .order_by(tables.meetings.c.held_at.desc(), table.c.n)
    )
    return [_line(row) for row in connection.execute(query)]


def settle(connection: Connection, pen: Pen, held: Meeting, on: Line, outcome: Outcome) -> str | None:
    """Write what came of a line; a new decision code is queued for the hub, give the key of its row.

    *Raises* `ConnectorError("meeting-ended")`.
    """
    require_open(held, pen.now)
    table = tables.meeting_lines
    connection.execute(
        sa.update(table).where(table.c.id == on.id).values(document=_document(outcome), decided_at=pen.now)
    )
    access.record(connection, staff=pen.staff, action="meeting:line-settled", about=on.id, case=on.case, now=pen.now)
    if outcome.decision is None or outcome.decision == on.outcome.decision:
        return None
    known = on.case if _all_may_know(connection, pen, held, on.case) else None
    return meeting_deeds.decide(connection, pen, meeting=held.id, code=outcome.decision, case=known)


def seats(connection: Connection, pen: Pen, held: Meeting, on: Line) -> tuple[seating.Seat, ...]:
    """Decide for each member what it may see of a line; who is known not to have come has no seat."""
    here = [one.agency for one in held.members if one.attended is not False]
    return seating.seats(connection, pen, kind=held.kind, hub_id=held.hub_id, case=on.case, members=here)


# ── what was sent ──


def note_paper(connection: Connection, pen: Pen, sent: PaperSent) -> None:
    """Note a sealed message that went to a member."""
    values = {name: getattr(sent, name) for name in PaperSent.__dataclass_fields__}
    connection.execute(
        sa.insert(tables.meeting_papers).values({**values, "categories": list(sent.categories), "staff": pen.staff})
    )


def papers_of(connection: Connection, line_id: str) -> Sequence[PaperSent]:
    """Give what was sent about a line, oldest first."""
    table = tables.meeting_papers
    rows = connection.execute(sa.select(table).where(table.c.line == line_id).order_by(sa.literal_column("rowid")))
    return [
        PaperSent(
            message=row.message, line=row.line, agency=row.agency, what=row.what, digest=row.digest, key=row.key,
            categories=tuple(row.categories), at=row.at,
        )
        for row in rows
    ]  # fmt: skip


# ── how ──


def _all_may_know(connection: Connection, pen: Pen, held: Meeting, case: str) -> bool:
    """Say whether every member may know of a case: by consent, or because a conference sits under its own secrecy."""
    if held.is_conference:
        return True
    members = [one.agency for one in held.members]
    found = seating.seats(connection, pen, kind=held.kind, hub_id=held.hub_id, case=case, members=members)
    return all(seat.leaves is None for seat in found)


def _document(outcome: Outcome) -> dict[str, Any]:
    return {
        "checks": dict(outcome.checks),
        "missing": outcome.missing,
        "decision": outcome.decision,
        "next_on": outcome.next_on.isoformat() if outcome.next_on else None,
        "indicator": outcome.indicator,
        "services": dict(outcome.services),
        "minutes": dict(outcome.minutes),
    }


def _line(row: sa.Row[Any]) -> Line:
    said = row.document
    return Line(
        id=row.id,
        meeting=row.meeting,
        case=row.case,
        n=row.n,
        categories=tuple(row.categories),
        outcome=Outcome(
            checks=said["checks"],
            missing=said["missing"],
            decision=said["decision"],
            next_on=date.fromisoformat(said["next_on"]) if said["next_on"] else None,
            indicator=said["indicator"],
            services=said["services"],
            minutes=said["minutes"],
        ),
        decided_at=row.decided_at,
    )
