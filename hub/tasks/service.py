# SPDX-License-Identifier: Apache-2.0
"""Raise and finish tasks. An agency's request may raise or finish a task of another, but never read one."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.base import rounds
from hub.base.db import UtcDateTime
from hub.base.errors import NotFoundError
from hub.base.ids import new_id
from hub.tasks import reads, tables
from hub.tasks.rules import TaskKind

_FINISH = rounds.Prepared(
    sa.select(
        sa.func.tsn_finish_task(
            sa.bindparam("agency", type_=sa.Uuid(as_uuid=False)),
            sa.bindparam("kind", type_=sa.Text),
            sa.bindparam("about", type_=sa.Text),
            sa.bindparam("at", type_=UtcDateTime),
        )
    )
)


def raise_task(
    session: Session,
    *,
    agency: str | None,
    kind: TaskKind,
    about: str,
    due: datetime | None,
    now: datetime,
    case: str | None = None,
) -> str:
    """Raise a task for *agency* (None: the hub's operator), due at *due*, and return its id.

    While the same (agency, kind, about) is still open nothing is added and that task's id is returned.
    """
    raised = sa.func.tsn_raise_task(
        _uuid(new_id(now)), _uuid(agency), kind.value, about, _uuid(case), _time(due), _time(now)
    )
    return str(session.execute(sa.select(raised)).scalar_one())


def finish(session: Session, *, agency: str | None, kind: TaskKind, about: str, now: datetime) -> None:
    """Finish the open task of that name, if there is one, because what it asked for has happened."""
    rounds.later(session, _FINISH.of(agency=agency, kind=kind.value, about=about, at=now))


def done(session: Session, *, agency: str, task: str, now: datetime) -> reads.Task:
    """Mark the agency's own task done and return it; one that is done already stays as it was.

    Raises:
        NotFoundError: the agency has no such task.
    """
    table = tables.tasks.c
    session.execute(
        sa.update(tables.tasks)
        .where(table.id == task, table.agency == agency, table.done_at.is_(None))
        .values(done_at=now)
    )
    found = reads.task(session, agency, task)
    if found is None:
        raise NotFoundError
    return found


def _uuid(text: str | None) -> sa.ColumnElement[str | None]:
    return sa.cast(text, sa.Uuid(as_uuid=False))


def _time(at: datetime | None) -> sa.ColumnElement[datetime | None]:
    return sa.cast(at, UtcDateTime)
