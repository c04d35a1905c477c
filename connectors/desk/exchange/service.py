# SPDX-License-Identifier: Apache-2.0
"""Imports from file to undo: begun with the rows as they are, looked at, decided on, added or taken back in batches.

A long work is a state of the import and an outcome per row. Each batch is one transaction, so that it goes on where it
was, whoever stopped it. `work` does as many batches as fit into a moment; a page that reloads itself calls it again.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import PurePath
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access
from connectors.casebook.statements import Pen
from connectors.casebook.store import Casebook
from connectors.desk.exchange import adding, checking, matching, reads, rules, sheets, undoing, workbooks
from connectors.desk.exchange.adding import Adding
from connectors.desk.exchange.answers import Staff
from connectors.desk.exchange.reads import Job
from connectors.desk.exchange.sheets import MOST_ABOVE, MOST_ROWS, Line, SheetError
from connectors.desk.exchange.tables import import_rows, imports
from connectors.desk.staff import reads as staff
from connectors.desk.web.filling import Fault
from connectors.desk.web.texts import text
from consent.calendar import day_of
from consent.vocabulary.codes import Language

CHOICES: Final = ("same", "other", "leave")
"""What a person may decide about a row that looks like somebody."""
_LONGEST_NAME: Final = 120
_NEXT: Final = {"checking": "ready", "adding": "done", "undoing": "undone"}
_UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Who works on an import, where the days and texts come from: a visitor of the desk, or the command line."""

    pen: Pen
    language: Language

    @property
    def today(self) -> date:
        """Give the day in Japan."""
        return day_of(self.pen.now)

    def say(self, key: str, **places: str) -> str:
        """Give a text of the desk."""
        return text(key, self.language, **places)

    def said_of(self, code: str, fault: Fault) -> str:
        """Say what is wrong with a cell: the column, and the sentence."""
        column = rules.labels(self.language).get(code, code)
        return self.say("exchange.fault-of-column", column=column, sentence=self.say(fault.key, **fault.places))


def read_file(data: bytes, name: str, kind: str) -> list[Line]:
    """Read a file as what it was declared.

    *Raises* `SheetError`: `ending` (its name says another kind), and as `sheets.read_csv`, `workbooks.read_workbook`.
    """
    sheets.refuse_obvious(data)
    if not name.strip().lower().endswith(sheets.ENDINGS[kind]):
        raise SheetError("ending")
    if kind == sheets.XLSX:
        return workbooks.read_workbook(data)
    return sheets.read_csv(data, kind, rules.proves_encoding)


def begin(connection: Connection, pen: Pen, *, name: str, kind: str, lines: Sequence[Line]) -> str:
    """Take a file in as it is; give the import's id. Nothing is added before somebody says so.

    *Raises* `SheetError`: `no-rows`, `too-many-rows`.
    """
    at = rules.header_among([line.cells for line in lines[:MOST_ABOVE]])
    header, rows = lines[at].cells, lines[at + 1 :]
    if not rows:
        raise SheetError("no-rows")
    if len(rows) > MOST_ROWS:
        raise SheetError("too-many-rows", most=str(MOST_ROWS))
    columns, unknown = rules.columns_of(header)
    job = pen.new_id()
    connection.execute(
        sa.insert(imports).values(
            id=job,
            staff=pen.staff,
            state="mapping" if unknown or not rules.is_usable(columns) else "checking",
            kind=kind,
            file_name=shown_name(name),
            header=list(header),
            columns=columns,
            worker=pen.staff,
            total=len(rows),
            begun_at=pen.now,
            changed_at=pen.now,
        )
    )
    connection.execute(
        sa.insert(import_rows),
        [{"job": job, "n": one.n, "cells": list(one.cells), "odd": _odd(one), "state": "read"} for one in rows],
    )
    access.record(connection, staff=pen.staff, action="import:begun", about=str(len(rows)), now=pen.now)
    return job


def choose_columns(connection: Connection, pen: Pen, job: Job, columns: Sequence[str]) -> None:
    """Say what each column is.

    *Raises* `ConnectorError("import-state")`: it is past that.
    """
    _expect(job, "mapping")
    connection.execute(sa.update(imports).where(imports.c.id == job.id).values(columns=list(columns)))
    _turn(connection, pen, job, "checking")


def decide(connection: Connection, pen: Pen, job: Job, choices: Mapping[int, str], *, rest: str | None = None) -> None:
    """Say of rows that look like somebody whether they are; `rest` is for all that are not decided.

    *Raises* `ConnectorError("import-state")`.
    """
    _expect(job, "ready")
    alike = sa.and_(import_rows.c.job == job.id, import_rows.c.state == "alike")
    for n, choice in choices.items():
        connection.execute(sa.update(import_rows).where(alike, import_rows.c.n == n).values(choice=choice))
    if rest is not None:
        connection.execute(sa.update(import_rows).where(alike, import_rows.c.choice.is_(None)).values(choice=rest))
    access.record(connection, staff=pen.staff, action="import:decided", about=job.id, now=pen.now)


def confirm(connection: Connection, pen: Pen, job: Job) -> None:
    """Have the rows added.

    *Raises* `ConnectorError`: `import-state`, `import-undecided`.
    """
    _expect(job, "ready")
    if job.undecided:
        raise ConnectorError("import-undecided")
    _turn(connection, pen, job, "adding")


def undo(connection: Connection, pen: Pen, job: Job) -> None:
    """Have all that an import brought taken back.

    *Raises* `ConnectorError`: `import-state`, `import-touched` where somebody has worked with it since.
    """
    _expect(job, "done")
    if undoing.touched(connection, job.id):
        raise ConnectorError("import-touched")
    _turn(connection, pen, job, "undoing")


def drop(connection: Connection, pen: Pen, job: Job) -> None:
    """Throw an import away that added nobody, or what is kept of the rows of one that is over.

    *Raises* `ConnectorError("import-state")`: it is being worked on.
    """
    if job.state in {"adding", "undoing"}:
        raise ConnectorError("import-state")
    if job.state in {"done", "undone"}:
        emptied: dict[str, Any] = {"cells": [], "odd": {}, "found_by": None, "number": None}
        connection.execute(sa.update(import_rows).where(import_rows.c.job == job.id).values(emptied))
        _turn(connection, pen, job, "put-away" if job.state == "done" else "undone")
        return
    connection.execute(sa.delete(import_rows).where(import_rows.c.job == job.id))
    connection.execute(sa.delete(imports).where(imports.c.id == job.id))
    access.record(connection, staff=pen.staff, action="import:dropped", about=job.id, now=pen.now)


def work(casebook: Casebook, hand: Hand, find: Callable[[Connection], Job], *, seconds: float) -> Job:
    """Work on an import for a moment, batch by batch; give it as it stands then. `find` gives it."""
    until = time.monotonic() + seconds
    with casebook.transaction() as connection:
        job = find(connection)
        if not job.is_working:
            return job
        step = _step(connection, hand, job)
    while True:
        with casebook.transaction() as connection:
            # another window may have brought it to an end, or gone on to what comes next
            if reads.state_of(connection, job.id) != job.state:
                return find(connection)
            if not step(connection, job):
                _turn(connection, hand.pen, job, _NEXT[job.state])
                return find(connection)
            if time.monotonic() > until:
                return find(connection)


def shown_name(name: str) -> str:
    """Clean a file's name for showing: the last part alone, without signs that turn or hide others, not too long."""
    last = PurePath(name.replace("\\", "/")).name
    plain = "".join(sign for sign in last if unicodedata.category(sign) not in _UNSHOWN)
    return plain[:_LONGEST_NAME]


def _step(connection: Connection, hand: Hand, job: Job) -> Callable[[Connection, Job], bool]:
    """Prepare the work of a moment: what every batch of it needs is read once."""
    if job.state == "undoing":
        watched = undoing.watch(connection, job.id)
        return lambda inside, found: undoing.undo_some(inside, hand.pen, found, watched)
    members = staff.colleagues(connection)
    known = Staff.of([(one.id, one.name) for one in members], job.worker)
    if job.state == "checking":
        index = matching.index_of(connection)
        return partial(_check, staff=known, index=index, today=hand.today)
    teams = {one.id: one.team for one in members}
    made = Adding(pen=hand.pen, today=hand.today, staff=known, teams=teams, say=hand.say)
    return lambda inside, found: adding.add_some(inside, made, found)


def _check(connection: Connection, job: Job, *, staff: Staff, index: matching.Index, today: date) -> bool:
    return checking.check_some(connection, job, staff=staff, index=index, today=today)


def _expect(job: Job, state: str) -> None:
    if job.state != state:
        raise ConnectorError("import-state")


def _turn(connection: Connection, pen: Pen, job: Job, state: str) -> None:
    connection.execute(sa.update(imports).where(imports.c.id == job.id).values(state=state, changed_at=pen.now))
    access.record(connection, staff=pen.staff, action=f"import:{state}", about=job.id, now=pen.now)


def _odd(line: Line) -> dict[str, str]:
    return {str(place): kind for place, kind in line.odd.items()}
