# SPDX-License-Identifier: Apache-2.0
"""The meter against passing round: hops, declines on one need, days without an owner; and what follows from too many.

A need is a case and a purpose. From the second decline, or after a fortnight unaccepted, it goes to a 支援調整会議 and
not to a next office. The network sees the counts, no names and no cases.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.base import rounds
from hub.referrals import reads, tables
from hub.referrals.lifecycle import FINAL, Event, State
from hub.referrals.moves import mark
from hub.referrals.network import current
from hub.referrals.reads import Referral
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What the meter shows for one need as far as the caller sees it; `unowned_days` are whole days."""

    hops: int
    declines: int
    unowned_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkMeter:
    """What the network sees: open referrals, needs referred on, needs in review, needs nobody has for a fortnight."""

    open: int
    referred_on: int
    in_review: int
    unowned_long: int


_r, _m = tables.referrals.c, tables.moves.c
_DECLINES = rounds.Prepared(
    sa.select(sa.func.count().label("declines"))
    .select_from(tables.moves.join(tables.referrals, _r.id == _m.referral))
    .where(
        _r.case_handle == sa.bindparam("of_case", type_=_r.case_handle.type),
        _r.purpose == sa.bindparam("of_purpose", type_=sa.Text),
        _m.event == Event.DECLINE.value,
    )
)


def ask_declines(*, case: str, purpose: str) -> rounds.Asked:
    """Make the question that `declines` asks, for whoever foresees it."""
    return _DECLINES.of(of_case=case, of_purpose=purpose)


def declines(session: Session, *, case: str, purpose: str) -> int:
    """Count the declines of one need in the referrals that the caller is a party of."""
    return int(rounds.ask(session, ask_declines(case=case, purpose=purpose))[0].rows[0]["declines"])


def read(session: Session, referral: Referral, *, now: datetime) -> Meter:
    """Read the meter of a referral's need."""
    seen = declines(session, case=referral.case_handle, purpose=referral.purpose)
    own = referral.prior_declines + (referral.state in {State.DECLINED, State.REROUTE_REVIEW})
    waited = timedelta(0) if referral.unowned_since is None else now - referral.unowned_since
    return Meter(hops=referral.hop, declines=max(seen, own), unowned_days=max(0, waited.days))


def after_decline(session: Session, referral: Referral, *, now: datetime) -> Referral:
    """Ask the coordinator for a conference when this was one decline too many."""
    if referral.prior_declines + 1 < current().limits.declines:
        return referral
    return ask_conference(session, referral, now=now)


def ask_conference(session: Session, referral: Referral, *, now: datetime) -> Referral:
    """Give the coordinator the task to bring the need before a 支援調整会議."""
    tasks.raise_task(
        session,
        agency=referral.coordinator,
        kind=TaskKind.CONFERENCE_NEEDED,
        about=referral.id,
        case=referral.case_handle,
        due=referral.due_at,
        now=now,
    )
    return mark(session, referral, conference_asked_at=referral.conference_asked_at or now)


def ask_for_unowned(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Ask for a conference on every need that nobody has taken on for the fortnight; give their number."""
    since = now - timedelta(days=current().limits.unowned_days)
    found = reads.unowned(session, since=since, limit=limit)
    for referral in found:
        ask_conference(session, referral, now=now)
    return len(found)


def network(session: Session, *, now: datetime) -> NetworkMeter:
    """Count for the whole network; needs a role that sees every row (worker, officer)."""
    r = tables.referrals.c
    is_open = r.state.not_in(sorted(FINAL))
    long = now - timedelta(days=current().limits.unowned_days)
    row = session.execute(
        sa.select(
            sa.func.count().filter(is_open).label("open"),
            sa.func.count().filter(r.hop > 0).label("referred_on"),
            sa.func.count().filter(r.state == State.REROUTE_REVIEW.value).label("in_review"),
            sa.func.count().filter(is_open, r.unowned_since <= long).label("unowned_long"),
        )
    ).one()
    return NetworkMeter(**row._asdict())
