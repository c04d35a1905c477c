# SPDX-License-Identifier: Apache-2.0
"""同行支援: somebody goes along with the person. The hub keeps when, how long, in which role, where, to what end.

Who else was there, what was handed in and the narrative are the agency's own record, sealed to the other side where
it needs them. While the receiver has the person, an accompaniment also counts as a word about the referral (row 17).
"""

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry, Json
from hub.base.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, StaleError
from hub.outbox import service as outbox
from hub.referrals import moves, reads, tables
from hub.referrals.facts import facts_of, require_side, setting_of
from hub.referrals.lifecycle import Allowed, Event, Role, decide
from hub.referrals.reads import Accompaniment, Referral
from hub.referrals.rules import ACCOMPANIMENT_MOVES, Details, accompaniment_fault
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """What an agency says of an accompaniment: a whole record each time, codes and dates only."""

    state: str
    on: date
    role: str
    destination: str
    purpose: str
    minutes: int | None = None
    result: str | None = None
    next_step_on: date | None = None
    message: str | None = None

    def facts(self) -> dict[str, Json]:
        """Give what was said as audit facts."""
        members = {name: getattr(self, name) for name in Going.__slots__}
        return {n: v.isoformat() if isinstance(v, date) else v for n, v in members.items() if v is not None}


def record(session: Session, referral: Referral, going: Going, *, agency: str, now: datetime) -> Accompaniment:
    """Write an accompaniment down, planned or past; the same words again are the same record.

    Raises:
        ForbiddenError: `wrong-party`, the coordinator only reads.
        InvalidError: `bad-date` (REF-11), `result-mismatch`, `next-step-required`.
    """
    require_side(referral, agency)
    known = reads.accompaniments(session, referral.id)
    digest = moves.digest(Event.ACCOMPANY, going.facts())
    for one in known:
        if one.agency == agency and one.version == 1 and one.body_digest == digest:
            return one
    _check(referral, going, now)
    n = len(known) + 1
    row = {"referral": referral.id, "n": n, "version": 1, "agency": agency, "body_digest": digest}
    row |= _said(going) | {"destination": going.destination, "created_at": now, "updated_at": now}
    session.execute(sa.insert(tables.accompaniments).values(row))
    _noted(session, referral, going, n=n, kind=AuditKind.ACCOMPANIMENT_RECORDED, agency=agency, now=now)
    return reads.accompaniments(session, referral.id)[n - 1]


def change(
    session: Session, referral: Referral, n: int, going: Going, *, agency: str, version: str | None, now: datetime
) -> Accompaniment:
    """Carry an accompaniment on: proposed → agreed → done, no_show or called_off.

    Raises:
        NotFoundError: no such number. ForbiddenError: `wrong-party`, whoever goes along writes it down.
        StaleError: another version. ConflictError: `bad-transition`.
        InvalidError: as `record`; `destination-fixed`: going elsewhere is another accompaniment.
    """
    one = next((one for one in reads.accompaniments(session, referral.id) if one.n == n), None)
    if one is None:
        raise NotFoundError
    if one.agency != agency:
        raise ForbiddenError("wrong-party")
    digest = moves.digest(Event.ACCOMPANY, going.facts())
    if one.body_digest == digest:
        return one
    if version != str(one.version):
        raise StaleError
    if going.state not in ACCOMPANIMENT_MOVES[one.state]:
        raise ConflictError("bad-transition")
    if going.destination != one.destination:
        raise InvalidError("destination-fixed", pointer="/destination")
    _check(referral, going, now)
    c = tables.accompaniments.c
    values = _said(going) | {"version": one.version + 1, "body_digest": digest, "updated_at": now, "reminded_at": None}
    session.execute(sa.update(tables.accompaniments).where(c.referral == referral.id, c.n == n).values(values))
    tasks.finish(session, agency=agency, kind=TaskKind.ACCOMPANIMENT_DUE, about=referral.id, now=now)
    _noted(session, referral, going, n=n, kind=AuditKind.ACCOMPANIMENT_CHANGED, agency=agency, now=now)
    return reads.accompaniments(session, referral.id)[n - 1]


def _check(referral: Referral, going: Going, now: datetime) -> None:
    fault = accompaniment_fault(
        state=going.state,
        on=going.on,
        result=going.result,
        next_step_on=going.next_step_on,
        setting=setting_of(referral, now),
    )
    if fault is not None:
        raise InvalidError(fault.code, pointer=fault.pointer)


def _said(going: Going) -> dict[str, object]:
    return {name: getattr(going, name) for name in Going.__slots__ if name != "destination"}


def _noted(
    session: Session, referral: Referral, going: Going, *, n: int, kind: AuditKind, agency: str, now: datetime
) -> None:
    entry = Entry(
        kind=kind,
        actor=agency,
        parties=referral.parties,
        case=referral.case_handle,
        subject=referral.id,
        facts={"n": n, **going.facts()},
    )
    audit.append(session, entry, now=now)
    other = referral.recipient if agency == referral.sender else referral.sender
    outbox.tell(session, agency=other, event=f"accompaniment:{going.state}", about=referral.id, now=now)
    role = Role.S if agency == referral.sender else Role.R
    allowed = decide(Event.ACCOMPANY, referral.state, {role}, facts_of(referral, now))
    if isinstance(allowed, Allowed):
        details = Details(what=going.state, next_step_on=going.next_step_on)
        moves.make(
            session, referral, allowed, actor=moves.by(agency), details=details, also={"accompaniment": n}, now=now
        )
