# SPDX-License-Identifier: Apache-2.0
"""What the thirteen steps put on the board: urgent routes whose clock runs (④), dates to look at a plan (⑩)."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables
from connectors.casebook.tables_sheets import sheets
from connectors.casebook.tables_steps import urgencies as taken
from connectors.desk.board.rows import Row, Some, some
from connectors.desk.board.scope import NOW, TODAY, TOTAL, WHO, Scope, awake, covers, pressing, with_person
from consent.calendar import end_of_day

_SHOWN: Final = 60
EARLY: Final = "-14 days"
"""How long before its date a look already counts for it, as on the path (`path/planned.py`)."""
_LOOKS: Final = ("monitoring", "review")


@cache
def _urgencies(reach: str) -> sa.Select[Any]:
    return (
        sa.select(taken.c.id, taken.c.case, taken.c.due_at, *WHO, TOTAL, pressing(taken.c.due_at <= NOW))
        .select_from(with_person(taken, taken.c.case))
        .where(taken.c.done_at.is_(None), covers(reach, taken.c.staff))
        .order_by(taken.c.due_at, taken.c.id)
        .limit(_SHOWN)
    )


def urgencies(connection: Connection, scope: Scope) -> Some:
    """Give the urgent routes that nobody has brought to an end, the next to act on first."""
    return some(
        connection.execute(_urgencies(scope.reach), scope.places).all(),
        lambda row: Row(
            about=f"urgency:{row.id}",
            kind="urgency",
            case=row.case,
            name=row.name,
            number=row.number,
            due=row.due_at,
        ),
    )


@cache
def _looks(reach: str) -> sa.Select[Any]:
    asked = sa.func.json_each(sheets.c.body, "$.monitoring").table_valued("value").alias("asked")
    on = sa.func.json_extract(asked.c.value, "$.on")
    look = sheets.alias("look")
    looked = sa.exists().where(
        look.c.case == sheets.c.case,
        look.c.code.in_(_LOOKS),
        look.c.state == "settled",
        sa.func.json_extract(look.c.body, "$.on") >= sa.func.date(on, EARLY),
    )
    about = sa.literal("look:") + sheets.c.case + ":" + on
    return (
        sa.select(sheets.c.case, on.label("on"), *WHO, TOTAL, pressing(on < sa.cast(TODAY, sa.String)))
        .select_from(with_person(sheets.join(asked, sa.true()), sheets.c.case))
        .where(sheets.c.code == "plan", sheets.c.state == "adopted", on <= sa.cast(TODAY, sa.String), ~looked)
        .where(tables.cases.c.closed_at.is_(None), covers(reach), awake(about))
        .order_by(on, sheets.c.case)
        .limit(_SHOWN)
    )


def looks(connection: Connection, scope: Scope) -> Some:
    """Give the dates of plans that hold on which nobody has looked at them yet, oldest first; today's too."""
    return some(
        connection.execute(_looks(scope.reach), scope.places).all(),
        lambda row: Row(
            about=f"look:{row.case}:{row.on}",
            kind="look",
            case=row.case,
            name=row.name,
            number=row.number,
            due=end_of_day(date.fromisoformat(row.on)),
        ),
    )
