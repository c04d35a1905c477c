# SPDX-License-Identifier: Apache-2.0
"""What meetings spoke of a case, the kinds apart; what waits for our answer; what may be told in a conference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import agenda, directory, meeting_papers, meetings, seating
from connectors.casebook.agenda import Line
from connectors.casebook.meeting_papers import Paper
from connectors.casebook.meetings import Meeting
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.meetings import rules
from connectors.desk.meetings.reads import names_of
from connectors.desk.web.visits import Visit
from connectors.sdk import answers


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCase:
    """What meetings spoke of a case: by kind, our lines with their meetings, ours that are open, papers that came."""

    bar: PersonBar
    lines: Mapping[str, Sequence[tuple[Line, Meeting]]]
    open: Mapping[str, Sequence[Meeting]]
    papers: Sequence[Paper]


@dataclass(frozen=True, slots=True, kw_only=True)
class Giving:
    """A conference in which something may be told: to whom, and of which cases that were spoken of there."""

    meeting: answers.MeetingDetail
    members: Sequence[tuple[str, str]]
    cases: Sequence[str]


def of_case(connection: Connection, visit: Visit, case: str) -> OfCase:
    """Give what meetings spoke of a case, the kinds apart; that somebody looked is logged.

    *Raises* as `person_bar`.
    """
    bar = person_bar(connection, visit, case)
    found = [(one, meetings.meeting(connection, one.meeting)) for one in agenda.lines_of_case(connection, case)]
    came = meeting_papers.papers(
        connection,
        forms=(meeting_papers.AGENDA, meeting_papers.MINUTES),
        recipient=visit.site.connector.agency,
        case=case,
    )
    on = {one.meeting for one, _ in found}
    return OfCase(
        bar=bar,
        lines={where: [(one, held) for one, held in found if held.kind == kind] for where, kind in rules.KINDS.items()},
        open={where: _open(connection, visit, kind, besides=on) for where, kind in rules.KINDS.items()},
        papers=came,
    )


def giving(connection: Connection, visit: Visit, meeting: str) -> Giving:
    """Give a conference of which we are a member that has accepted, and that still sits.

    *Raises* `ConnectorError`: `meeting-unknown`, `meeting-ended`, `meeting-secrecy` (nobody here has accepted it).
    """
    us = visit.site.connector.agency
    found = meetings.at_hub(connection, meeting)
    if found is None or found.kind != seating.CONFERENCE:
        raise ConnectorError("meeting-unknown")
    if found.ended_at is not None or found.until <= visit.at:
        raise ConnectorError("meeting-ended")
    if us not in found.accepted:
        raise ConnectorError("meeting-secrecy")
    names = names_of(directory.agencies(connection), visit)
    came = meeting_papers.papers(
        connection, forms=(meeting_papers.AGENDA, meeting_papers.MINUTES, meeting_papers.WORD), meeting=found.id
    )
    return Giving(
        meeting=found,
        members=[(one, names.get(one, one)) for one in found.accepted if one != us],
        cases=list(dict.fromkeys(one.case for one in came)),
    )


def count_asked(connection: Connection, visit: Visit, kind: str) -> int:
    """Count the meetings of a kind that wait for our answer."""
    us = visit.site.connector.agency
    return sum(
        us not in one.accepted and one.ended_at is None and visit.at < one.until
        for one in meetings.invitations(connection, kind, us)
    )


def _open(connection: Connection, visit: Visit, kind: str, *, besides: set[str]) -> list[Meeting]:
    found = meetings.meetings(connection, kind)
    return [held for held in found if held.is_open(visit.at) and held.id not in besides]
