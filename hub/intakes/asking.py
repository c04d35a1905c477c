# SPDX-License-Identifier: Apache-2.0
"""What the intake agency is asked to do about a record of its own: have an oral word signed, renew what ends soon. The
asking ends with what it asked for, and with the record.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from consent.scopes import ORAL, Scope
from hub.cases.reads import Case
from hub.intakes import reads
from hub.intakes.reads import Statement
from hub.intakes.rules import CONSENT_ENDING, asked_after, goes_on, is_wholly_withdrawn, last_moment
from hub.outbox import service as outbox
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind

_ASKED: Final = (TaskKind.CONSENT_UNSIGNED, TaskKind.CONSENT_ENDING)


def begin(session: Session, case: Case, scope: Scope, row: str, *, now: datetime) -> None:
    """Ask for the signature of an oral word at once, by its last moment; of a signed record, see to it before its
    end.
    """
    ends = last_moment(scope)
    if scope.signature == ORAL and ends > now:
        _ask(session, case, TaskKind.CONSENT_UNSIGNED, scope.id, due=ends, now=now)
    due = asked_after(scope, now)
    if due is not None:
        outbox.put(session, topic=CONSENT_ENDING, about=row, order_key=f"case:{case.id}", now=now, due=due)


def renew(session: Session, case: Case, known: Statement, *, now: datetime) -> None:
    """Ask for a renewal, unless the case is closed, the record is no more, or another goes on where it ends."""
    if case.closed_at is not None or known.superseded_at is not None or is_wholly_withdrawn(known.withdrawals):
        return
    others = (each for each in reads.of_case(session, case.id) if each.row != known.row)
    if not any(goes_on(known.scope, each.scope) and _stands(each) for each in others):
        _ask(session, case, TaskKind.CONSENT_ENDING, known.consent, due=known.valid_until, now=now)


def settle(session: Session, known: Iterable[Statement], by: Scope, *, now: datetime) -> None:
    """End what was asked about the records that a new one replaces or goes on from."""
    for each in known:
        if each.consent in by.supersedes or goes_on(each.scope, by):
            end(session, each, now=now)


def end(session: Session, known: Statement, *, now: datetime) -> None:
    """End what was asked about a record: it was replaced, taken back, or its time is over."""
    for kind in _ASKED:
        tasks.finish(session, agency=known.signer, kind=kind, about=known.consent, now=now)


def _stands(known: Statement) -> bool:
    return known.superseded_at is None and not is_wholly_withdrawn(known.withdrawals)


def _ask(session: Session, case: Case, kind: TaskKind, consent: str, *, due: datetime, now: datetime) -> None:
    tasks.raise_task(session, agency=case.owner, kind=kind, about=consent, case=case.handle, due=due, now=now)
