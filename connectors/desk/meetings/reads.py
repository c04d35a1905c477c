# SPDX-License-Identifier: Apache-2.0
"""What the pages of meetings show: lists of one kind, a meeting of ours, one to which we are asked, a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import (
    agenda,
    deeds,
    directory,
    listing,
    meeting_papers,
    meetings,
    people,
    seating,
    sheets,
    tables,
)
from connectors.casebook.agenda import Line, PaperSent
from connectors.casebook.deeds import Deed
from connectors.casebook.directory import KnownAgency
from connectors.casebook.meeting_papers import Answer, Paper
from connectors.casebook.meetings import Meeting, Member, Secrecy
from connectors.casebook.seating import Seat
from connectors.casebook.sheets import Sheet
from connectors.casebook.tables_files import case_files
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.meetings import letters, rules
from connectors.desk.web.visits import Visit
from connectors.sdk import answers

_ACTIVE = "active"
_PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A meeting of ours in a list."""

    held: Meeting
    accepted: int
    lines: int
    lacks_municipality: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The meetings of one kind: ours, and those to which others have asked us."""

    ours: Sequence[Shown]
    asked: Sequence[answers.MeetingDetail]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """A member of a meeting of ours as its page shows it."""

    member: Member
    name: str
    kind: str
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A line of the agenda without anybody's name: the case by its number."""

    line: Line
    number: str
    sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A meeting of ours."""

    held: Meeting
    sitting: Sequence[Sitting]
    points: Sequence[Point]
    lacks_municipality: bool
    refused: Sequence[Deed]
    waiting: int
    words: Sequence[tuple[Paper, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A meeting to which we are asked; the papers by their slips alone."""

    meeting: answers.MeetingDetail
    convenor: str
    members: Sequence[tuple[str, bool]]
    papers: Sequence[Paper]
    secrecy: Secrecy | None
    waits: bool
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A member at a line: what it may see, and what was sent to it."""

    seat: Seat
    name: str
    person: str
    sent: Mapping[str, tuple[PaperSent, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePicture:
    """One line: whose case, who stays, what is on the table for all, what came of it."""

    held: Meeting
    line: Line
    bar: PersonBar
    places: Sequence[Place]
    shared: Sequence[tuple[str, Sequence[Answer]]]
    content: Mapping[str, Sequence[Answer]]
    plan: str | None
    planned: Sequence[str]
    earlier: Sequence[Line]


def listed(connection: Connection, visit: Visit, kind: str) -> Listed:
    """Give the meetings of one kind, the newest first."""
    us = visit.site.connector.agency
    known = {one.id: one for one in directory.agencies(connection)}
    ours = []
    for held in meetings.meetings(connection, kind):
        at_hub = meetings.at_hub(connection, held.hub_id) if held.hub_id else None
        ours.append(
            Shown(
                held=held,
                accepted=len(set(at_hub.accepted) - {us}) if at_hub else 0,
                lines=len(agenda.lines(connection, held.id)),
                lacks_municipality=rules.lacks_municipality(_kinds(held.members, known)),
            )
        )
    asked = meetings.invitations(connection, kind, us)
    return Listed(ours=ours, asked=asked, names=names_of(known.values(), visit))


def of_kind(connection: Connection, where: str, meeting: str) -> Meeting:
    """Give a meeting of ours at the address of its own kind; at the other's there is none.

    *Raises* `ConnectorError("meeting-unknown")`.
    """
    held = meetings.meeting(connection, meeting)
    if held.kind != rules.KINDS[where]:
        raise ConnectorError("meeting-unknown")
    return held


def is_ours(connection: Connection, meeting: str) -> bool:
    """Say whether this is a meeting that we convened."""
    try:
        meetings.meeting(connection, meeting)
    except ConnectorError:
        return False
    return True


def candidates(connection: Connection, visit: Visit) -> Sequence[tuple[str, str, str]]:
    """Give whom a meeting can be made of: id, name, kind; the municipality first."""
    us = visit.site.connector.agency
    found = [one for one in directory.agencies(connection) if one.id != us and one.state == _ACTIVE]
    found.sort(key=lambda one: (one.kind != rules.MUNICIPALITY, one.name_ja))
    return [(one.id, _name(one, visit), one.kind) for one in found]


def picture(connection: Connection, visit: Visit, held: Meeting) -> Picture:
    """Give a meeting of ours, whole; no person is named in it."""
    known = {one.id: one for one in directory.agencies(connection)}
    at_hub = meetings.at_hub(connection, held.hub_id) if held.hub_id else None
    accepted = frozenset(at_hub.accepted) if at_hub else frozenset()
    names = names_of(known.values(), visit)
    points = [
        Point(line=one, number=_number(connection, one.case), sent=len(agenda.papers_of(connection, one.id)))
        for one in agenda.lines(connection, held.id)
    ]
    return Picture(
        held=held,
        sitting=[
            Sitting(
                member=one,
                name=_name(known[one.agency], visit) if one.agency in known else one.agency,
                kind=known[one.agency].kind if one.agency in known else "",
                accepted=one.agency in accepted,
            )
            for one in held.members
        ],
        points=points,
        lacks_municipality=rules.lacks_municipality(_kinds(held.members, known)),
        refused=[one for one in deeds.refused(connection) if one.about == held.id],
        waiting=len(deeds.waiting_about(connection, held.id)),
        words=[(one, names.get(one.sender, one.sender)) for one in _words(connection, visit, held)],
    )


def invitation(connection: Connection, visit: Visit, where: str, meeting: str) -> Invitation:
    """Give a meeting to which another agency has asked us.

    *Raises* `ConnectorError("meeting-unknown")`.
    """
    us = visit.site.connector.agency
    found = meetings.invited(connection, meeting, us)
    if found.kind != rules.KINDS[where]:
        raise ConnectorError("meeting-unknown")
    names = names_of(directory.agencies(connection), visit)
    forms = (meeting_papers.AGENDA, meeting_papers.MINUTES, meeting_papers.WORD)
    came = [
        one
        for one in meeting_papers.papers(connection, forms=forms, meeting=found.id, recipient=us)
        if one.sender in found.accepted  # the convenor is one of them; what names a meeting from outside it is none
    ]
    return Invitation(
        meeting=found,
        convenor=names.get(found.convenor, found.convenor),
        members=[(names.get(one, one), one in found.accepted) for one in (found.convenor, *found.members)],
        papers=came,
        secrecy=meetings.secrecy_of(connection, found.id),
        waits=bool(deeds.waiting_about(connection, found.id)),
        is_open=found.ended_at is None and visit.at < found.until,
    )


def case_numbered(connection: Connection, visit: Visit, said: str) -> str | None:
    """Give our open case of a number, as people write it, or of a handle; none where there is none."""
    plain = unicodedata.normalize("NFKC", said).strip()
    number = sa.or_(case_files.c.number == plain, case_files.c.number == said.strip(), tables.cases.c.handle == plain)
    return connection.execute(
        sa.select(tables.cases.c.handle)
        .join(case_files, case_files.c.case == tables.cases.c.handle)
        .where(number, tables.cases.c.closed_at.is_(None), tables.cases.c.owner == visit.site.connector.agency)
    ).scalar_one_or_none()


def line_of(connection: Connection, held: Meeting, line: str) -> Line:
    """Give a line of this meeting.

    *Raises* `ConnectorError("line-unknown")`.
    """
    found = agenda.line(connection, line)
    if found.meeting != held.id:
        raise ConnectorError("line-unknown")
    return found


def line_picture(connection: Connection, visit: Visit, held: Meeting, line: Line) -> LinePicture:
    """Give a line with whose case it is; that somebody looked is logged.

    *Raises* as `person_bar`.
    """
    bar = person_bar(connection, visit, line.case)
    seats = agenda.seats(connection, visit.pen(), held, line)
    names = names_of(directory.agencies(connection), visit)
    persons = {one.agency: one.person for one in held.members}
    sent = _sent(connection, line)
    plan = _plan_of(connection, line.case)
    said = (sheets.definition_of(connection, plan), plan.answers) if plan else None
    content = letters.content_of(people.answers_of(connection, line.case), said)
    return LinePicture(
        held=held,
        line=line,
        bar=bar,
        places=[
            Place(
                seat=seat,
                name=names.get(seat.agency, seat.agency),
                person=persons.get(seat.agency, ""),
                sent=sent.get(seat.agency, {}),
            )
            for seat in seats
        ],
        shared=[(one, content[one]) for one in seating.shared(seats, line.categories) if one in content],
        content=content,
        plan=plan.id if plan else None,
        planned=_planned(plan),
        earlier=[
            one
            for one in agenda.lines_of_case(connection, line.case)
            if one.id != line.id and one.decided_at is not None
        ],
    )


def own_seat(visit: Visit, line: Line) -> Seat:
    """Give the seat of our own agency, which sees all that is on its table."""
    return Seat(agency=visit.site.connector.agency, permitted=frozenset(line.categories), refused={})


def present(shown: LinePicture, own: str) -> list[str]:
    """Name who sits at a line: those who stay for it, with the person who came."""
    there = [f"{one.name}（{one.person}）" if one.person else one.name for one in shown.places if not one.seat.leaves]
    return [own, *there]


def _words(connection: Connection, visit: Visit, held: Meeting) -> Sequence[Paper]:
    if not held.is_conference or held.hub_id is None:
        return ()
    us = visit.site.connector.agency
    return meeting_papers.papers(connection, forms=(meeting_papers.WORD,), meeting=held.hub_id, recipient=us)


def _plan_of(connection: Connection, case: str) -> Sheet | None:
    """Give the plan that a meeting speaks about: the one that was settled last, whether it holds already or not."""
    return next((one for one in sheets.sheets_of(connection, case, _PLAN) if one.state in sheets.HOLDS), None)


def _planned(plan: Sheet | None) -> Sequence[str]:
    """Name the services of a plan, as a suggestion for what is adopted."""
    said = plan.answers if plan else {}
    return [str(one) for name in ("services_law", "services_else") for one in said.get(name) or ()]


def _sent(connection: Connection, line: Line) -> dict[str, dict[str, tuple[PaperSent, str]]]:
    found: dict[str, dict[str, tuple[PaperSent, str]]] = {}
    for one in agenda.papers_of(connection, line.id):
        deed = deeds.find(connection, one.key)
        found.setdefault(one.agency, {})[one.what] = (one, deed.state if deed else "sent")
    return found


def _number(connection: Connection, case: str) -> str:
    listing.case_of(connection, case)
    query = sa.select(case_files.c.number).where(case_files.c.case == case)
    return connection.execute(query).scalar_one_or_none() or f"{case[:8]}…"


def _kinds(members: Iterable[Member], known: Mapping[str, KnownAgency]) -> set[str]:
    return {known[one.agency].kind for one in members if one.agency in known and one.attended is not False}


def _name(one: KnownAgency, visit: Visit) -> str:
    return one.name_ja if visit.language == "ja" else one.name_en


def names_of(found: Iterable[KnownAgency], visit: Visit) -> dict[str, str]:
    """Give what agencies are called in the language of the visit."""
    return {one.id: _name(one, visit) for one in found}
