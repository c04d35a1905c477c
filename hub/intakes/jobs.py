# SPDX-License-Identifier: Apache-2.0
"""What the worker does for consents: ask to renew one in time, and say that it has run out, at that moment.
`hub/station.py` names this in its table of topics.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy.orm import Session

from hub.base.db import now
from hub.cases import reads as cases
from hub.intakes import asking, changes, reads
from hub.intakes.rules import CONSENT_ENDING, CONSENT_LAPSED, is_wholly_withdrawn
from hub.outbox.rules import Work


def consent_lapsed(session: Session, work: Work) -> None:
    """Tell whom a consent names, and its own agency, that its time is over; `work.about` is the record's row.

    One that was taken back or ended by a newer record before is no news any more.
    """
    known = reads.by_row(session, work.about)
    if known is None or known.superseded_at is not None or is_wholly_withdrawn(known.withdrawals):
        return
    case = cases.by_id(session, known.case_row)
    if case is not None:
        changes.note_lapse(session, case, known, now=now(session))


def consent_ending(session: Session, work: Work) -> None:
    """Ask the agency that took a consent to renew it in time; `work.about` is the record's row."""
    known = reads.by_row(session, work.about)
    case = cases.by_id(session, known.case_row) if known is not None else None
    if known is not None and case is not None:
        asking.renew(session, case, known, now=now(session))


HANDLERS: Final[Mapping[str, Callable[[Session, Work], None]]] = {
    CONSENT_ENDING: consent_ending,
    CONSENT_LAPSED: consent_lapsed,
}
