# SPDX-License-Identifier: Apache-2.0
"""Read the forms of meetings: a new one, who came, what came of a line."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final

from connectors.casebook.agenda import Line, Outcome
from connectors.casebook.meetings import Meeting, Member
from connectors.casebook.seating import CONFERENCE
from connectors.desk.meetings import rules
from connectors.desk.meetings.service import Attendance
from connectors.desk.web.filling import Filled
from connectors.desk.web.visits import Visit
from consent.vocabulary.codes import CODE_LISTS

_ATTENDED: Final = {"yes": True, "no": False}
_FURTHEST: Final = timedelta(days=366)


def read_new(filled: Filled, visit: Visit, kind: str, candidates: Collection[str]) -> Meeting | None:
    """Read a new meeting of a kind; none where something is missing or wrong."""
    held_at = filled.moment("day", "time", required=True)
    if held_at is not None and held_at < visit.at - timedelta(days=1):
        filled.blame("day", "meetings.fault-past")
    place = filled.line("place", required=True)
    purpose = filled.text("purpose", required=kind == CONFERENCE, longest=1000)
    members = filled.several("members", candidates, required=True)
    last = _last_day(filled, visit) if kind == CONFERENCE else None
    if kind == CONFERENCE and not filled.has("secrecy"):
        filled.blame("secrecy", "meetings.fault-secrecy")
    if not filled.is_fine or held_at is None:
        return None
    until = rules.ends_at(kind, held_at, last)
    if held_at >= until:
        filled.blame("last", "meetings.fault-ends-before")
        return None
    return Meeting(
        id=visit.site.connector.new_id(),
        hub_id=None,
        kind=kind,
        held_at=held_at,
        until=until,
        place=place,
        purpose=purpose,
        ended_at=None,
        convened_at=visit.at,
        members=tuple(Member(agency=one, person="", attended=None) for one in members),
    )


def read_attendance(filled: Filled, held: Meeting) -> Sequence[Attendance]:
    """Read who comes for each member, and whether they came."""
    found = []
    for one in held.members:
        said = filled.code(f"attended-{one.agency}", _ATTENDED)
        found.append(
            Attendance(
                agency=one.agency,
                person=filled.line(f"person-{one.agency}"),
                attended=_ATTENDED[said] if said else None,
            )
        )
    return found


def read_outcome(filled: Filled, visit: Visit, line: Line) -> Outcome | None:
    """Read what came of a line; what was found missing is words of need, and names nobody."""
    said = {one: filled.code(f"check-{one}", "check_result") for one in CODE_LISTS["meeting_check"]}
    decision = filled.code("decision", "meeting_decision", required=True)
    law = filled.several("law", "service_by_law")
    beside = filled.several("beside", "service_beside_law")
    next_on = _next_day(filled, visit, decision)
    outcome = Outcome(
        checks={one: answer for one, answer in said.items() if answer},
        missing=filled.text("missing", longest=1000),
        decision=decision,
        next_on=next_on,
        indicator=filled.text("indicator", longest=1000),
        services=rules.services_of(law, beside),
        minutes={one: text for one in line.categories if one != "identity" and (text := filled.text(f"minutes-{one}"))},
    )
    if decision in rules.TO_DECIDE and not rules.settled_checks(outcome):
        missing = next(one for one in CODE_LISTS["meeting_check"] if one not in outcome.checks)
        filled.blame(f"check-{missing}", "meetings.fault-checks")
    return outcome if filled.is_fine else None


def _next_day(filled: Filled, visit: Visit, decision: str | None) -> date | None:
    is_needed = decision in rules.TO_DECIDE
    return filled.day("next_on", required=is_needed, first=visit.today, last=visit.today + _FURTHEST)


def _last_day(filled: Filled, visit: Visit) -> date | None:
    return filled.day("last", required=True, first=visit.today, last=rules.last_possible_day(visit.today))
