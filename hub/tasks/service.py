# SPDX-License-Identifier: Apache-2.0
"""Raise and finish tasks. An agency's request may raise or finish a task of another, but never read one."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.base.ids import new_id
from hub.tasks.rules import TaskKind


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
    statement = sa.select(
        sa.func.tsn_raise_task(
            sa.cast(new_id(now), sa.Uuid(as_uuid=False)),
            sa.cast(agency, sa.Uuid(as_uuid=False)),
            kind.value,
            about,
            sa.cast(case, sa.Uuid(as_uuid=False)),
            sa.cast(due, sa.DateTime(timezone=True)),
            sa.cast(now, sa.DateTime(timezone=True)),
        )
    )
    return str(session.execute(statement).scalar_one())


def finish(session: Session, *, agency: str | None, kind: TaskKind, about: str, now: datetime) -> bool:
    """Finish the open task of that name because what it asked for has happened; say whether there was one."""
    statement = sa.select(
        sa.func.tsn_finish_task(
            sa.cast(agency, sa.Uuid(as_uuid=False)), kind.value, about, sa.cast(now, sa.DateTime(timezone=True))
        )
    )
    return bool(session.execute(statement).scalar_one())
