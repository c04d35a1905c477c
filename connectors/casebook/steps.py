# SPDX-License-Identifier: Apache-2.0
"""How each of our cases stands in the thirteen steps: the hub's word mirrored, what waits for it, what it refused.

For pages that must open with the line down. The machine is the hub's: nothing here says which move is possible, only
what the hub offered last (`actions`, `next_steps`) and what became of the moves that were queued.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.casebook import deeds, tables, tables_mirror
from connectors.casebook.deeds import Deed
from connectors.casebook.tables_steps import case_courses
from connectors.sdk import answers
from connectors.sdk.reading import plain, read

CONTACT_ATTEMPT: Final = "contact_attempt"
CONTACT_MADE: Final = "contact_made"
DECISION_CONFIRMED: Final = "decision_confirmed"
DECISION_LOOKED_FOR_EVERY: Final = timedelta(minutes=5)
"""How often a case that waits for the municipality is looked at."""
_CONFERENCE: Final = "7"
_DEEDS: Final = ("case_move", "note")
_FIRST: Final = ("1", "found")
"""Where the hub puts a case that it is told of; one that waits to be told stands nowhere else."""
_FIRST_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A case as the hub showed it last. `told`: the hub has answered about it at all.

    `waiting`: moves and notes that it has not been given yet; `refused`: those it did not take and nobody looked at.
    """

    shown: answers.CaseDetail
    told: bool
    fetched_at: datetime | None
    waiting: tuple[Deed, ...] = ()
    refused: tuple[Deed, ...] = ()

    @property
    def may_move(self) -> bool:
        """Say whether the hub offered a move and none waits before it."""
        return "move" in self.shown.actions and not any(one.what == "case_move" for one in self.waiting)

    def may(self, action: str) -> bool:
        """Say whether the hub offered this, and no move waits before it."""
        return self.may_move and action in self.shown.actions

    @property
    def confirmations(self) -> tuple[answers.Note, ...]:
        """Give the municipality's words that it has decided, oldest first."""
        return tuple(one for one in self.shown.notes if one.kind == DECISION_CONFIRMED)


def keep_detail(connection: Connection, detail: answers.CaseDetail, *, now: datetime) -> None:
    """Keep a case with its history and notes, unless a newer version is here."""
    values = _values(detail, plain(answers.CaseDetail, detail), now) | {"is_stale": False}
    statement = insert(case_courses).values(case=detail.case, **values)
    newer = case_courses.c.version <= statement.excluded.version
    connection.execute(statement.on_conflict_do_update(index_elements=["case"], set_=values, where=newer))


def keep_head(connection: Connection, case: answers.Case, *, now: datetime) -> None:
    """Keep what the hub answered to a deed: where the case stands. Its history is fetched in the next round."""
    known = _known(connection, case.case)
    history = known.history if known else ()
    if known is None or known.version != case.version:
        history = (*history, answers.Step(step=case.step, state=case.state, at=case.moved_at))
    members = {name: getattr(case, name) for name in answers.Case.__dataclass_fields__}
    detail = answers.CaseDetail(**members, history=history, notes=known.notes if known else ())
    values = _values(detail, plain(answers.CaseDetail, detail), now) | {"is_stale": True}
    statement = insert(case_courses).values(case=case.case, **values)
    newer = case_courses.c.version <= statement.excluded.version
    connection.execute(statement.on_conflict_do_update(index_elements=["case"], set_=values, where=newer))


def wants_a_look(connection: Connection, cases: Iterable[str]) -> None:
    """Note that something happened at cases which the mirror does not show yet."""
    statement = sa.update(case_courses).where(case_courses.c.case.in_(list(cases)))
    connection.execute(statement.values(is_stale=True))


def heed_tasks(connection: Connection, tasks: Iterable[answers.Task]) -> None:
    """Look again at the cases of tasks that are new here: a partner's word about a case comes with a task."""
    known = set(connection.execute(sa.select(tables_mirror.tasks.c.id)).scalars())
    wants_a_look(connection, {one.case for one in tasks if one.id not in known and one.case is not None})


def stale(connection: Connection, *, agency: str, now: datetime, limit: int) -> list[str]:
    """Name our cases whose course is to be fetched anew: never seen, changed since, or waiting for a decision.

    Only cases of which the hub has taken word. A municipality's word is a note at our case, of which the feed says
    nothing.
    """
    own, kept = tables.cases.c, case_courses.c
    told = sa.select(tables.outgoing.c.about).where(tables.outgoing.c.what == "case", tables.outgoing.c.state == "sent")
    query = (
        sa.select(own.handle)
        .select_from(tables.cases.outerjoin(case_courses, kept.case == own.handle))
        .where(
            own.owner == agency,
            own.handle.in_(told),
            sa.or_(
                kept.case.is_(None),
                kept.is_stale,
                sa.and_(kept.step == _CONFERENCE, kept.fetched_at <= now - DECISION_LOOKED_FOR_EVERY),
            ),
        )
        .order_by(kept.case.is_(None), own.created_at.desc())
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def course_of(connection: Connection, case: str, *, owner: str, opened_at: datetime) -> Course:
    """Give how a case stands; one of which the hub has not been told stands at the beginning, with nothing offered."""
    row = connection.execute(sa.select(case_courses).where(case_courses.c.case == case)).one_or_none()
    shown = read(answers.CaseDetail, row.document) if row else _beginning(case, owner, opened_at)
    about = [one for one in deeds.waiting_about(connection, case) if one.what in _DEEDS]
    refused = [one for one in deeds.refused(connection) if one.about == case and one.what in _DEEDS]
    return Course(
        shown=shown,
        told=row is not None,
        fetched_at=row.fetched_at if row else None,
        waiting=tuple(about),
        refused=tuple(refused),
    )


def standings(connection: Connection, cases: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Give step and state of several cases, those of which the hub has said anything."""
    kept = case_courses.c
    rows = connection.execute(sa.select(kept.case, kept.step, kept.state).where(kept.case.in_(cases)))
    return {row.case: (row.step, row.state) for row in rows}


def at_steps(connection: Connection, steps: Sequence[str], *, agency: str) -> list[str]:
    """Name our open cases that stand at one of these steps, the one that stands there longest first."""
    kept, own = case_courses.c, tables.cases.c
    query = (
        sa.select(kept.case)
        .join(tables.cases, own.handle == kept.case)
        .where(kept.step.in_(steps), own.owner == agency, own.closed_at.is_(None))
        .order_by(kept.moved_at, kept.case)
    )
    return list(connection.execute(query).scalars())


def _known(connection: Connection, case: str) -> answers.CaseDetail | None:
    query = sa.select(case_courses.c.document).where(case_courses.c.case == case)
    document = connection.execute(query).scalar_one_or_none()
    return None if document is None else read(answers.CaseDetail, document)


def _values(case: answers.CaseDetail, document: Any, now: datetime) -> dict[str, Any]:
    return {
        "step": case.step,
        "state": case.state,
        "version": case.version,
        "moved_at": case.moved_at,
        "document": document,
        "fetched_at": now,
    }


def _beginning(case: str, owner: str, opened_at: datetime) -> answers.CaseDetail:
    step, state = _FIRST
    made = answers.CaseDetail(
        id="", case=case, owner=owner, step=step, state=state, version=_FIRST_VERSION, opened_at=opened_at,
        moved_at=opened_at,
    )  # fmt: skip
    return replace(made, history=(answers.Step(step=step, state=state, at=opened_at),))
