# SPDX-License-Identifier: Apache-2.0
"""Which consents end soon, for the board: the consents slice knows which, this says whose they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables
from connectors.casebook import tables_files as own
from connectors.desk.board.rows import Row, Some
from connectors.desk.board.scope import WHO, Scope, covers
from connectors.desk.consents import reads as consents

SOON: Final = timedelta(days=30)
_BEHIND: Final = (
    sa.select(tables.cases.c.handle, *WHO)
    .select_from(
        tables.cases.outerjoin(own.case_files, own.case_files.c.case == tables.cases.c.handle).outerjoin(
            tables.persons, tables.persons.c.id == tables.cases.c.person
        )
    )
    .where(tables.cases.c.handle.in_(sa.bindparam("handles", expanding=True)))
)


@cache
def _on_board(reach: str) -> Callable[[sa.ColumnElement[str]], sa.ColumnElement[bool]]:
    """Give the condition that a case is open and on this board."""

    def is_on(case: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        joined = tables.cases.outerjoin(own.case_files, own.case_files.c.case == tables.cases.c.handle)
        query: sa.Select[Any] = sa.select(tables.cases.c.handle).select_from(joined)
        return query.where(tables.cases.c.handle == case, tables.cases.c.closed_at.is_(None), covers(reach)).exists()

    return is_on


def ending_soon(connection: Connection, scope: Scope, *, limit: int) -> Some:
    """Give the consents that end within a month and that nothing has renewed or ended before, the next first."""
    among = consents.Among(is_among=_on_board(scope.reach), places=scope.places)
    found = consents.ending_soon(connection, scope.now + SOON, now=scope.now, limit=limit, among=among)
    rows = connection.execute(_BEHIND, {"handles": [one.case for one in found]}).all() if found else []
    behind = {row.handle: row for row in rows}
    made = [
        Row(
            about=f"consent:{one.consent}",
            kind="consent",
            case=one.case,
            name=behind[one.case].name,
            number=behind[one.case].number,
            due=one.until,
        )
        for one in found
    ]
    return Some(rows=made, total=len(made))
