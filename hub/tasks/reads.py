# SPDX-License-Identifier: Apache-2.0
"""Read an agency's tasks and their labels."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.tasks import tables
from hub.tasks.rules import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What someone at an agency has to do, about which thing, and by when."""

    id: str
    agency: str | None
    kind: TaskKind
    about: str
    case: str | None
    due: datetime | None
    raised_at: datetime
    done_at: datetime | None


def tasks(
    session: Session, agency: str | None, *, after: str | None = None, limit: int = 50, with_done: bool = False
) -> tuple[Task, ...]:
    """List the agency's tasks (None: the operator's), oldest first, after the id *after*; open ones unless
    asked.
    """
    table = tables.tasks.c
    query = sa.select(tables.tasks).where(_owned_by(agency)).order_by(table.id).limit(limit)
    if after is not None:
        query = query.where(table.id > after)
    if not with_done:
        query = query.where(table.done_at.is_(None))
    return tuple(_task(row) for row in session.execute(query))


def task(session: Session, agency: str, task_id: str) -> Task | None:
    """Return the agency's own task with that id, or None."""
    query = sa.select(tables.tasks).where(tables.tasks.c.id == task_id, _owned_by(agency))
    row = session.execute(query).one_or_none()
    return None if row is None else _task(row)


def was_raised(session: Session, agency: str | None, kind: TaskKind, about: str) -> bool:
    """Say whether the agency (None: the operator) has, or had, a task of a kind about a thing."""
    table = tables.tasks.c
    query = sa.select(table.id).where(_owned_by(agency), table.kind == kind.value, table.about == about)
    return session.execute(query.limit(1)).first() is not None


@cache
def labels() -> dict[str, dict[str, str]]:
    """Return the catalogue of labels: kind → language → text."""
    catalogue: dict[str, dict[str, str]] = json.loads(
        files("hub.tasks").joinpath("labels.json").read_text(encoding="utf-8")
    )
    return catalogue


def label(kind: TaskKind, language: str) -> str:
    """Return what a person reads for *kind*, in *language* (`ja` or `en`)."""
    return labels()[kind.value][language]


def _owned_by(agency: str | None) -> sa.ColumnElement[bool]:
    return tables.tasks.c.agency.is_(None) if agency is None else tables.tasks.c.agency == agency


def _task(row: sa.Row[*tuple[Any, ...]]) -> Task:
    return Task(
        id=row.id,
        agency=row.agency,
        kind=TaskKind(row.kind),
        about=row.about,
        case=row.case_handle,
        due=row.due_at,
        raised_at=row.raised_at,
        done_at=row.done_at,
    )
