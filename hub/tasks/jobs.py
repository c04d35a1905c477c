# SPDX-License-Identifier: Apache-2.0
"""What the worker tells people when something does not go by itself."""

from sqlalchemy.orm import Session

from hub.audit import service as audit
from hub.audit.reads import LogDamagedError
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base.db import now
from hub.outbox.rules import Work
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind


def give_up(session: Session, work: Work) -> None:
    """Tell people that *work* has failed for the fifth time: the log, the operator, and the agency it was
    for.
    """
    at = now(session)
    parties = (work.agency,) if work.agency else ()
    entry = Entry(
        kind=AuditKind.DELIVERY_GIVEN_UP,
        actor=HUB,
        parties=parties,
        subject=work.id,
        facts={"topic": work.topic, "attempts": work.attempt},
    )
    audit.append(session, entry, now=at)
    for agency in (None, *parties):
        tasks.raise_task(session, agency=agency, kind=TaskKind.WORK_GIVEN_UP, about=work.id, due=at, now=at)


def tell_damage(session: Session, damage: LogDamagedError) -> None:
    """Put on the operator's list that the log is not what was signed, once for each finding."""
    at = now(session)
    about = f"{damage.code}:{damage.place}"
    tasks.raise_task(session, agency=None, kind=TaskKind.LOG_DAMAGED, about=about, due=at, now=at)
