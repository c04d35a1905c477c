# SPDX-License-Identifier: Apache-2.0
"""Convene, accept, put cases on the agenda, settle a line, send each member its own papers, end a meeting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import (
    access,
    agenda,
    compose,
    deeds,
    meeting_deeds,
    meeting_papers,
    meetings,
    referral_files,
    seating,
    statements,
)
from connectors.casebook.agenda import Line, Outcome, PaperSent
from connectors.casebook.compose import Letter, WrittenPart
from connectors.casebook.meetings import Meeting
from connectors.desk.meetings import letters, reads, rules
from connectors.desk.meetings.reads import LinePicture, Place
from connectors.desk.web.visits import Visit
from consent.envelope.manifest import ByConference, ByConsent, MessageKind
from consent.errors import SealRefusedError

AGENDA, MINUTES = "agenda", "minutes"
_MY_NUMBER = "my-number"
_REQUEST_KIND = "meeting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """Who comes for a member, and whether they came."""

    agency: str
    person: str
    attended: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is to be sent about a line: the agenda's paper or the minutes; `acknowledged`: digits that are none."""

    what: str
    to: Collection[str]
    acknowledged: bool


def convene(connection: Connection, visit: Visit, made: Meeting) -> str:
    """Keep a new meeting and queue it; who convenes a conference has accepted its secrecy. Give the row's key."""
    pen = visit.pen()
    key = meetings.convene(connection, pen, made)
    if made.is_conference:
        meetings.accept_secrecy(connection, pen, meeting_id=made.id, note=rules.SECRECY_NOTE)
    return key


def accept(connection: Connection, visit: Visit, meeting_id: str, *, kind: str, secrecy: bool) -> str:
    """Accept membership; into a conference nobody comes without its secrecy. Give the row's key.

    *Raises* `ConnectorError("meeting-secrecy")`.
    """
    pen = visit.pen()
    if kind == seating.CONFERENCE:
        if not secrecy:
            raise ConnectorError("meeting-secrecy")
        meetings.accept_secrecy(connection, pen, meeting_id=meeting_id, note=rules.SECRECY_NOTE)
    return meeting_deeds.accept(connection, pen, meeting=meeting_id)


def note_members(connection: Connection, visit: Visit, held: Meeting, found: Iterable[Attendance]) -> None:
    """Write who comes for each member and whether they came.

    *Raises* `ConnectorError("meeting-ended")`.
    """
    for one in found:
        meetings.note_member(connection, visit.pen(), held, agency=one.agency, person=one.person, attended=one.attended)


def put_on_agenda(
    connection: Connection, visit: Visit, held: Meeting, *, case: str, categories: Collection[str]
) -> tuple[Line, str]:
    """Put a case on the agenda; give the line and the row's key.

    *Raises* as `agenda.put_on_agenda`.
    """
    return agenda.put_on_agenda(connection, visit.pen(), held, case=case, categories=categories)


def settle(connection: Connection, visit: Visit, held: Meeting, line: Line, outcome: Outcome) -> str | None:
    """Write what came of a line; give the key of the hub's row, if there is one.

    *Raises* `ConnectorError("meeting-ended")`.
    """
    return agenda.settle(connection, visit.pen(), held, line, outcome)


def end(connection: Connection, visit: Visit, held: Meeting) -> str:
    """End a meeting; give the row's key.

    *Raises* `ConnectorError("meeting-ended")`.
    """
    return meetings.end(connection, visit.pen(), held)


def parts_for(visit: Visit, shown: LinePicture, what: str, seat: seating.Seat) -> list[WrittenPart]:
    """Write what one member gets of a line."""
    settings = visit.site.connector.settings
    if what == AGENDA:
        return letters.agenda_parts(shown.held, shown.line, seat, shown.content, settings.name_ja)
    there = reads.present(shown, settings.name_ja)
    return letters.minutes_parts(shown.held, shown.line, seat, shown.content, present=there, convenor=settings.name_ja)


def send(connection: Connection, visit: Visit, shown: LinePicture, sending: Sending) -> Sequence[str]:
    """Seal a line's paper for each member that may have it, and queue them; give the keys of the rows.

    A member that leaves for the line gets nothing of it; what a member has already is not sent again.

    *Raises* `ConnectorError`: `meeting-ended`, `minutes-empty`, `my-number`, `status-stale`; `RefusedHereError`.
    """
    if not shown.held.is_open(visit.at):
        raise ConnectorError("meeting-ended")
    if sending.what == MINUTES and shown.line.outcome.decision is None:
        raise ConnectorError("minutes-empty")
    statements.renew_statuses(connection, visit.pen())
    keys = []
    for place in shown.places:
        if place.seat.agency in sending.to and place.seat.leaves is None:
            key = _send_one(connection, visit, shown, place, sending)
            keys += [key] if key else []
    return keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a member of a conference tells others there: of which case, as which category."""

    case: str
    category: str
    said: str = field(repr=False)
    to: Collection[str]
    acknowledged: bool


def give(connection: Connection, visit: Visit, meeting: str, word: Word) -> Sequence[str]:
    """Tell members of a conference something, by the conference alone; give the keys of the rows.

    *Raises* `RefusedHereError`: one of the two is no member, or it has ended; `ConnectorError("my-number")`.
    """
    parts = letters.word_parts(meeting, seating.CONFERENCE, word.category, word.said)
    return [
        _seal(connection, visit, word.case, one, seating.CONFERENCE, parts, meeting, acknowledged=word.acknowledged)[0]
        for one in word.to
    ]


def _send_one(connection: Connection, visit: Visit, shown: LinePicture, place: Place, sending: Sending) -> str | None:
    parts = parts_for(visit, shown, sending.what, place.seat)
    digest = letters.print_of(parts)
    before = place.sent.get(sending.what)
    if before is not None and before[0].digest == digest and before[1] != "refused":
        return None
    pen, held, line = visit.pen(), shown.held, shown.line
    key, message = _seal(
        connection, visit, line.case, place.seat.agency, held.kind, parts, held.hub_id,
        acknowledged=sending.acknowledged,
    )  # fmt: skip
    sent = PaperSent(
        message=message, line=line.id, agency=place.seat.agency, what=sending.what, digest=digest, key=key,
        categories=tuple(dict.fromkeys(part.category for part in parts)), at=pen.now,
    )  # fmt: skip
    agenda.note_paper(connection, pen, sent)
    return key


def _seal(
    connection: Connection,
    visit: Visit,
    case: str,
    recipient: str,
    kind: str,
    parts: Sequence[WrittenPart],
    meeting: str | None,
    *,
    acknowledged: bool,
) -> tuple[str, str]:
    """Seal parts for a member into the conversation about a case, or begin it; give the row's key and the message."""
    pen, purpose = visit.pen(), seating.PURPOSES[kind]
    referral, thread = meeting_papers.thread_for(
        connection, agency=pen.agency, case=case, recipient=recipient, purpose=purpose
    )
    letter = Letter(
        case=case,
        recipient=recipient,
        purpose=purpose,
        parts=tuple(parts),
        basis=ByConference(conference=meeting) if kind == seating.CONFERENCE else ByConsent(),
        request_kind=_REQUEST_KIND,
        kind=MessageKind.DOCUMENT if thread else MessageKind.REFERRAL,
        referral=referral,
        thread=thread,
        acknowledged=acknowledged,
    )
    try:
        message = compose.send(connection, letter, pen, own=visit.site.connector.own_key())
    except SealRefusedError as refused:
        if refused.code != _MY_NUMBER:
            raise
        raise ConnectorError(_MY_NUMBER) from None
    if acknowledged:
        access.record(connection, staff=pen.staff, action="my-number:denied", about=message, case=case, now=pen.now)
    key = deeds.waiting_about(connection, message)[-1].key
    if thread is None:
        document = {
            "key": key, "recipient": recipient, "purpose": purpose, "urgency": letter.urgency,
            "categories": list(dict.fromkeys(part.category for part in parts)), "fields": {}, "files": [],
        }  # fmt: skip
        referral_files.open_file(
            connection, pen, thread=message, opener=pen.agency, case=case, worker=visit.me.id, document=document
        )
    return key, message
