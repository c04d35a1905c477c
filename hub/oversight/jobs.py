# SPDX-License-Identifier: Apache-2.0
"""What comes round by itself: each past day is looked through once, agencies that do not answer are reminded."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from consent.calendar import Calendar, day_of
from hub.base.db import now
from hub.oversight import reads, service, watching
from hub.oversight.rules import REMIND_BUSINESS_DAYS

SETTLED: Final = timedelta(minutes=10)
"""How long after midnight a day's last entries are surely in the log."""
CATCH_UP: Final = 7
"""Days that are looked through afterwards when no worker ran."""


def watch_past_days(session: Session) -> None:
    """Look through the days that are over, each once."""
    at = now(session)
    last = day_of(at - SETTLED)
    for back in range(CATCH_UP, 0, -1):
        watching.watch(session, last - timedelta(days=back), now=at)


def remind_of_notices(session: Session) -> None:
    """Remind agencies of stop-use notices that are overdue, and again every three business days until they answer."""
    at = now(session)
    for one in reads.unanswered(session, now=at):
        last = one.reminded_at
        if last is None or Calendar().add_business_days(last, REMIND_BUSINESS_DAYS) <= at:
            service.remind(session, one.notice.id, officer=None, now=at)


def escalate_reviews(session: Session) -> None:
    """Write down each emergency use that nobody judged by the end of the next business day (audit-log, Oversight)."""
    at = now(session)
    for one in reads.uses(session, now=at):
        service.escalate(session, one, now=at)


TIMERS: Final[Sequence[Callable[[Session], None]]] = (watch_past_days, remind_of_notices, escalate_reviews)
