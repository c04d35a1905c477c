# SPDX-License-Identifier: Apache-2.0
"""Look through a day that is over for what is out of the ordinary, and put it before the officer, each thing once.

Who is watched is an agency, never a person: the hub knows no worker's name. Needs a role that sees every row.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from consent.calendar import end_of_day, start_of_day
from hub.audit import overseen as log
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry, Json
from hub.base.ids import new_id
from hub.messages import overseen as messages
from hub.oversight import tables
from hub.oversight.rules import HOPS, PAST_DAYS, REFUSALS, AnomalyKind, at_night, is_unusual, usual
from hub.referrals import overseen as referrals


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something out of the ordinary on one day, before anybody has looked at it."""

    kind: AnomalyKind
    agency: str
    about: str
    measure: int
    usual: int | None = None


def watch(session: Session, day: date, *, now: datetime) -> int:
    """Look through a Japanese calendar day that is over, once, write down what was found and give how many things."""
    if session.execute(sa.select(sa.exists().where(tables.watched_days.c.day == day))).scalar_one():
        return 0
    since, until = start_of_day(day), end_of_day(day)
    found = [
        *_night_readings(session, since, until),
        *_volumes(session, day),
        *_refusals(session, since, until),
        *_passed_round(session, since, until),
    ]
    noted = sum(_note(session, one, day, now=now) for one in found)
    session.execute(sa.insert(tables.watched_days).values(day=day, found=noted, at=now))
    return noted


def _night_readings(session: Session, since: datetime, until: datetime) -> Iterable[Finding]:
    at_nights = Counter(
        one.agency for one in messages.readings(session, since=since, until=until) if at_night(one.at)
    )  # fmt: skip
    for agency, count in sorted(at_nights.items()):
        yield Finding(kind=AnomalyKind.NIGHT_READING, agency=agency, about=agency, measure=count)


def _volumes(session: Session, day: date) -> Iterable[Finding]:
    """Compare each agency's day with the days of its own past, never with another agency."""
    since, until = start_of_day(day - timedelta(days=PAST_DAYS)), end_of_day(day)
    past = [day - timedelta(days=back) for back in range(1, PAST_DAYS + 1)]
    counted: Mapping[AnomalyKind, Mapping[str, Mapping[date, int]]] = {
        AnomalyKind.VOLUME_SENT: messages.sent_by_day(session, since=since, until=until),
        AnomalyKind.VOLUME_READ: messages.read_by_day(session, since=since, until=until),
    }
    for kind, agencies in counted.items():
        for agency, days in sorted(agencies.items()):
            count, ordinary = days.get(day, 0), usual(days, past)
            if is_unusual(count, ordinary):
                yield Finding(kind=kind, agency=agency, about=agency, measure=count, usual=ordinary)


def _refusals(session: Session, since: datetime, until: datetime) -> Iterable[Finding]:
    refused = log.between(session, [AuditKind.MESSAGE_REFUSED], since=since, until=until)
    by_case = Counter((one.actor, one.case) for one in refused if one.case is not None and one.actor != HUB)
    for (agency, case), count in sorted(by_case.items()):
        if count >= REFUSALS:
            yield Finding(kind=AnomalyKind.REFUSED_AGAIN, agency=agency, about=case, measure=count)


def _passed_round(session: Session, since: datetime, until: datetime) -> Iterable[Finding]:
    for one in referrals.passed_round(session, hops=HOPS, since=since, until=until):
        yield Finding(kind=AnomalyKind.PASSED_ROUND, agency=one.coordinator, about=one.id, measure=one.hop)


def _note(session: Session, one: Finding, day: date, *, now: datetime) -> int:
    anomaly = new_id(now)
    row = {"id": anomaly, "kind": one.kind.value, "agency": one.agency, "about": one.about, "day": day}
    writing = insert(tables.anomalies).values(**row, measure=one.measure, usual=one.usual, found_at=now)
    written = session.execute(writing.on_conflict_do_nothing().returning(tables.anomalies.c.id)).one_or_none()
    if written is None:
        return 0
    # the agency is no party: who is being looked at need not know before the officer has looked
    facts: dict[str, Json] = {
        "kind": one.kind.value,
        "agency": one.agency,
        "about": one.about,
        "day": day.isoformat(),
        "measure": one.measure,
        "usual": one.usual,
    }
    entry = Entry(kind=AuditKind.ANOMALY_FOUND, actor=HUB, parties=(), subject=anomaly, facts=facts)
    audit.append(session, entry, now=now)
    return 1
