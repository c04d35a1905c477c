# SPDX-License-Identifier: Apache-2.0
"""What an officer and the worker see of referrals across all agencies: needs that are passed round, the month's counts.

Needs a role that sees every row.
"""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.ids import RANDOM_BYTES, uuid7
from hub.referrals import reads, tables
from hub.referrals.reads import Referral

_r = tables.referrals.c


def passed_round(session: Session, *, hops: int, since: datetime, until: datetime) -> tuple[Referral, ...]:
    """Give the referrals of a period that are at least the so-manieth referring on of their need."""
    found = sa.select(tables.referrals).where(_r.hop >= hops, _r.sent_at >= since, _r.sent_at < until)
    return tuple(reads.as_referral(row._asdict()) for row in session.execute(found.order_by(_r.id)))


def by_state(session: Session, *, since: datetime, until: datetime) -> Mapping[str, int]:
    """Count the referrals that were sent in a period by where they stand now."""
    first, last = (uuid7(at, bytes(RANDOM_BYTES)) for at in (since, until))
    counted = sa.select(_r.state, sa.func.count().label("number")).where(_r.id >= first, _r.id < last)
    return {row.state: row.number for row in session.execute(counted.group_by(_r.state))}


def waiting_for(session: Session, agency: str) -> int:
    """Count the open referrals whose next move is this agency's: what stands still when it is suspended."""
    counted = sa.select(sa.func.count()).where(_r.ball == agency, sa.text(tables.STILL_OPEN))
    return int(session.execute(counted).scalar_one())
