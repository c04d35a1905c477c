# SPDX-License-Identifier: Apache-2.0
"""What the hub will destroy in the days to come, what must not be destroyed yet, and what a suspended agency leaves."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from consent import wire
from consent.calendar import day_of
from consent.receipts import PurgeAnswer, PurgeRecord
from consent.signing import Typ, peek_payload
from hub.messages import overseen as messages
from hub.referrals import overseen as referrals

WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfRemoval:
    """How many sealed messages go on a day: after delivery, or because nobody collected them."""

    day: date
    delivered: int
    uncollected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Something that an agency keeps by law although its consent was taken back: its signed word."""

    notice: str
    agency: str
    case: str
    ground: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What stands still once an agency is suspended."""

    to_collect: int
    sent_and_waiting: int
    referrals: int
    notices: int


def removals(session: Session, *, now: datetime) -> tuple[DayOfRemoval, ...]:
    """Count by day what the hub destroys within a week; needs a role that sees every row."""
    found = messages.removals(session, until=now + WEEK)
    counted: Mapping[tuple[date, bool], int] = Counter((day_of(max(one.at, now)), one.delivered) for one in found)
    return tuple(
        DayOfRemoval(day=day, delivered=counted[day, True], uncollected=counted[day, False])
        for day in sorted({day for day, _ in counted})
    )


def holds(session: Session, *, now: datetime) -> tuple[Hold, ...]:
    """Give what agencies keep by law and may not destroy yet, the soonest to end first."""
    found = [
        (one, wire.read(PurgeRecord, peek_payload(one.record, typ=Typ.PURGE)))
        for one in messages.notices(session)
        if one.answer == PurgeAnswer.KEPT_BY_LAW.value and one.record is not None
    ]
    kept = (
        Hold(notice=one.id, agency=one.agency, case=one.case_handle, ground=said.ground, until=said.until)
        for one, said in found
        if said.until is None or said.until > now
    )
    return tuple(sorted(kept, key=lambda one: (one.until is None, one.until, one.notice)))


def effect(session: Session, agency: str) -> Effect:
    """Say what would stand still if an agency were suspended now."""
    to_collect, sent = messages.waiting_of(session, agency)
    open_notices = [one for one in messages.notices(session) if one.agency == agency and one.answered_at is None]
    return Effect(
        to_collect=to_collect,
        sent_and_waiting=sent,
        referrals=referrals.waiting_for(session, agency),
        notices=len(open_notices),
    )
