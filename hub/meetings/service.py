# SPDX-License-Identifier: Apache-2.0
"""Convene meetings, accept membership, keep the agenda and the decisions, end them. What a conference permits
is decided in `consent.decisions`; here is only who sits in it and until when.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.agencies import reads as agencies
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry, Json, timestamp
from hub.base.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, StaleError
from hub.base.ids import new_id
from hub.cases import reads as cases
from hub.meetings import reads
from hub.meetings.reads import Meeting
from hub.meetings.rules import ItemList, MeetingKind, is_code, is_membership, is_period
from hub.meetings.tables import meeting_acceptances, meeting_items, meetings
from hub.outbox import service as outbox
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeeting:
    """A meeting asked for: its kind, whom to invite, until when, and the case it is for, if it is for one."""

    kind: MeetingKind
    members: tuple[str, ...]
    until: datetime
    case: str | None = None


def convene(session: Session, wanted: NewMeeting, *, agency: str, now: datetime) -> Meeting:
    """Convene a meeting; those invited belong to it once they accept.

    Raises:
        ForbiddenError: `may-not-convene`, a 支援会議 needs the flag set by operator and officer (law art. 9).
        InvalidError: `bad-period`, `bad-members`, `unknown-agency`, `unknown-case`.
    """
    _check_convenor(session, wanted.kind, agency)
    if not is_period(wanted.until, now):
        raise InvalidError("bad-period", pointer="/until")
    if not is_membership(wanted.members, agency):
        raise InvalidError("bad-members", pointer="/members")
    for place, member in enumerate(wanted.members):
        if agencies.party(session, member) is None:
            raise InvalidError("unknown-agency", pointer=f"/members/{place}")
    case = None if wanted.case is None else cases.find(session, wanted.case, agency=agency)
    if wanted.case is not None and case is None:
        raise InvalidError("unknown-case", pointer="/case")
    meeting = _write_meeting(session, wanted, case, agency, now)
    facts: dict[str, Json] = {
        "kind": meeting.kind.value,
        "members": list(meeting.members),
        "until": timestamp(meeting.until),
        "owner": None if case is None else case.owner,
    }
    _log(session, AuditKind.MEETING_CONVENED, meeting, actor=agency, now=now, facts=facts)
    for member in meeting.members:
        outbox.tell(session, agency=member, event=AuditKind.MEETING_CONVENED.value, about=meeting.id, now=now)
        tasks.raise_task(
            session,
            agency=member,
            kind=TaskKind.MEETING_INVITED,
            about=meeting.id,
            case=meeting.case,
            due=None,
            now=now,
        )
    return meeting


def accept(session: Session, meeting_id: str, *, agency: str, now: datetime) -> Meeting:
    """Accept membership for an agency that was invited; twice is once.

    Raises:
        NotFoundError: there is no such meeting, or this agency was not invited.
        ConflictError: `meeting-ended`.
    """
    meeting = _open_meeting(session, meeting_id, now)
    if agency not in {meeting.convenor, *meeting.members}:
        raise NotFoundError
    if agency in meeting.accepted:
        return meeting
    session.execute(sa.insert(meeting_acceptances).values(meeting_id=meeting.id, agency=agency, accepted_at=now))
    _bump(session, meeting)
    accepted = _again(session, meeting.id)
    _log(
        session,
        AuditKind.MEETING_ACCEPTED,
        accepted,
        actor=agency,
        now=now,
        facts={"kind": meeting.kind.value},
    )
    tasks.finish(session, agency=agency, kind=TaskKind.MEETING_INVITED, about=meeting.id, now=now)
    outbox.tell(session, agency=meeting.convenor, event=AuditKind.MEETING_ACCEPTED.value, about=meeting.id, now=now)
    return accepted


def put_on_agenda(
    session: Session, meeting_id: str, *, agency: str, code: str | None, case: str | None, now: datetime
) -> Meeting:
    """Put a case or a point on the agenda, as a member who accepted.

    Raises:
        ConflictError: `meeting-ended`. ForbiddenError: `not-a-member`.
        InvalidError: `bad-kind`, `item-empty`, `unknown-case`.
    """
    return _add(session, meeting_id, ItemList.AGENDA, agency=agency, code=code, case=case, now=now)


def record_decision(
    session: Session, meeting_id: str, *, agency: str, code: str, case: str | None, now: datetime
) -> Meeting:
    """Record what was decided, as a code; refusals as for the agenda."""
    return _add(session, meeting_id, ItemList.DECISION, agency=agency, code=code, case=case, now=now)


def end(session: Session, meeting_id: str, *, agency: str, now: datetime, seen_version: int | None) -> Meeting:
    """End a meeting, as its convenor; what it carried ends with it. Twice is once.

    Raises:
        ForbiddenError: `not-yours`. StaleError: it changed since the caller saw it.
    """
    meeting = _seen(session, meeting_id)
    if meeting.convenor != agency:
        raise ForbiddenError("not-yours")
    if meeting.ended_at is not None:
        return meeting
    if seen_version is not None and seen_version != meeting.version:
        raise StaleError
    session.execute(
        sa.update(meetings).where(meetings.c.id == meeting.id).values(ended_at=now, version=meetings.c.version + 1)
    )
    ended = _again(session, meeting.id)
    _log(session, AuditKind.MEETING_ENDED, ended, actor=agency, now=now, facts={"kind": meeting.kind.value})
    for member in meeting.members:
        outbox.tell(session, agency=member, event=AuditKind.MEETING_ENDED.value, about=meeting.id, now=now)
        tasks.finish(session, agency=member, kind=TaskKind.MEETING_INVITED, about=meeting.id, now=now)
    return ended


def _check_convenor(session: Session, kind: MeetingKind, agency: str) -> None:
    if kind is not MeetingKind.CONFERENCE:
        return
    known = agencies.agency(session, agency)
    if known is None or not known.may_convene:
        raise ForbiddenError("may-not-convene")


def _write_meeting(
    session: Session, wanted: NewMeeting, case: cases.Case | None, agency: str, now: datetime
) -> Meeting:
    meeting_id = new_id(now)
    session.execute(
        sa.insert(meetings).values(
            id=meeting_id,
            kind=wanted.kind.value,
            convenor=agency,
            case_id=None if case is None else case.id,
            case_handle=None if case is None else case.handle,
            members=list(wanted.members),
            until=wanted.until,
            convened_at=now,
            version=1,
        )
    )
    return _again(session, meeting_id)


def _add(
    session: Session,
    meeting_id: str,
    to: ItemList,
    *,
    agency: str,
    code: str | None,
    case: str | None,
    now: datetime,
) -> Meeting:
    meeting = _open_meeting(session, meeting_id, now)
    if agency not in meeting.accepted:
        raise ForbiddenError("not-a-member")
    if code is None and case is None:
        raise InvalidError("item-empty")
    if code is not None and not is_code(code):
        raise InvalidError("bad-kind", pointer="/code")
    if case is not None and cases.find(session, case, agency=agency) is None:
        raise InvalidError("unknown-case", pointer="/case")
    session.execute(
        sa.insert(meeting_items).values(
            id=new_id(now),
            meeting_id=meeting.id,
            list=to.value,
            code=code,
            case_handle=case,
            author=agency,
            at=now,
        )
    )
    _bump(session, meeting)
    kind = AuditKind.MEETING_DECIDED if to is ItemList.DECISION else AuditKind.MEETING_AGENDA_SET
    facts: dict[str, Json] = {"kind": meeting.kind.value, "code": code, "about": case}
    _log(session, kind, meeting, actor=agency, now=now, facts=facts)
    return _again(session, meeting.id)


def _seen(session: Session, meeting_id: str) -> Meeting:
    meeting = reads.meeting(session, meeting_id, lock=True)
    if meeting is None:
        raise NotFoundError
    return meeting


def _open_meeting(session: Session, meeting_id: str, now: datetime) -> Meeting:
    meeting = _seen(session, meeting_id)
    if meeting.ended_at is not None or meeting.until <= now:
        raise ConflictError("meeting-ended")
    return meeting


def _again(session: Session, meeting_id: str) -> Meeting:
    meeting = reads.meeting(session, meeting_id)
    if meeting is None:
        raise RuntimeError("meeting-not-visible")
    return meeting


def _bump(session: Session, meeting: Meeting) -> None:
    session.execute(sa.update(meetings).where(meetings.c.id == meeting.id).values(version=meetings.c.version + 1))


def _log(
    session: Session,
    kind: AuditKind,
    meeting: Meeting,
    *,
    actor: str,
    now: datetime,
    facts: Mapping[str, Json],
) -> None:
    parties = (meeting.convenor, *meeting.members)
    entry = Entry(kind=kind, actor=actor, parties=parties, case=meeting.case, subject=meeting.id, facts=facts)
    audit.append(session, entry, now=now)
