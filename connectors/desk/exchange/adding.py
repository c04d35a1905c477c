# SPDX-License-Identifier: Apache-2.0
"""Make people and cases of rows, batch by batch. A case that came so is quiet: the hub does not know of it, and there
is no consent, so nothing of it can go to anybody.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import files, journal, listing, people
from connectors.casebook import tables as casebook
from connectors.casebook.journal import Entry
from connectors.casebook.statements import Pen
from connectors.desk.exchange import answers, matching, reads
from connectors.desk.exchange.answers import Row, Staff
from connectors.desk.exchange.reads import ROW_ABOVE, Job, RowLine
from connectors.desk.exchange.tables import import_rows
from connectors.desk.intakes import service as intakes
from connectors.desk.web.filling import Fault

BATCH: Final = 20
"""Rows of one transaction; a row is about twenty statements."""


@dataclass(frozen=True, kw_only=True)
class Adding:
    """What adding rows needs: whose hand, who may be in charge with their teams, texts by their keys."""

    pen: Pen
    today: date
    staff: Staff
    teams: Mapping[str, str]
    say: Callable[[str], str]


def add_some(connection: Connection, adding: Adding, job: Job) -> bool:
    """Add the next rows of an import; say whether there are more. Everything is kept in this transaction."""
    rows = reads.rows_of(connection, job.id, pending=True, limit=BATCH)
    # the same file may have been taken in by another import since this one was looked at
    since = matching.taken_before(connection, job.id, [row.digest for row in rows if row.digest])
    for row in rows:
        known = since.get(row.digest or "")
        made = _known(known) if known else _add(connection, adding, job, row)
        last = connection.execute(sa.select(sa.func.max(casebook.access_log.c.position))).scalar_one()
        # what was taken in lies with the person now; a second copy is not kept
        emptied: dict[str, Any] = (
            {"cells": [], "odd": {}, "found_by": None} if made["outcome"] in {"added", "filled"} else {}
        )
        connection.execute(
            sa.update(import_rows)
            .where(import_rows.c.job == job.id, import_rows.c.n == row.n)
            .values(log_to=last, **emptied, **made)
        )
    return len(rows) == BATCH


def _known(person: str) -> dict[str, Any]:
    return {"outcome": "left", "state": "known", "looks_like": person, "choice": "leave"}


def _add(connection: Connection, adding: Adding, job: Job, row: RowLine) -> dict[str, Any]:
    if row.choice == "leave" or row.choice is None:
        return {"outcome": "left"}
    values, odd = answers.values_of(row.line, job.columns)
    read = answers.read_row(values, odd, staff=adding.staff, today=adding.today)
    faults = dict(read.faults)
    whose = _person(connection, job.id, row) if row.choice == "same" else None
    if whose is None and read.number and files.is_numbered(connection, read.number):
        faults.setdefault("number", Fault(key="exchange.fault-number-taken"))
    if faults:
        said = [[code, fault.key, dict(fault.places)] for code, fault in faults.items()]
        return {"outcome": "left", "state": "faulty", "faults": said}
    if whose is not None:
        return _fill(connection, adding, read, whose)
    made = people.register_person(
        connection,
        person=adding.pen.new_id(),
        name=read.told.name or read.told.kana or adding.say("intakes.nameless"),
        kana=read.told.kana,
        staff=adding.pen.staff,
        now=adding.pen.now,
    )
    case = _open(connection, adding, read, made.id)
    entry = _note(connection, adding, read, case)
    return {"outcome": "added", "person": made.id, "case": case, "entry": entry}


def _person(connection: Connection, job: str, row: RowLine) -> str | None:
    """Give who a row is the same as: somebody who was here, or who came of a row above."""
    whom = row.looks_like or ""
    if not whom.startswith(ROW_ABOVE):
        return whom if people.is_person(connection, whom) else None
    n = int(whom.removeprefix(ROW_ABOVE))
    query = sa.select(import_rows.c.person).where(import_rows.c.job == job, import_rows.c.n == n)
    return connection.execute(query).scalar_one_or_none()


def _open(connection: Connection, adding: Adding, read: Row, person: str) -> str:
    pen = adding.pen
    case = str(uuid.uuid4())
    people.open_case(connection, handle=case, person=person, owner=pen.agency, staff=pen.staff, now=pen.now, quiet=True)
    files.open_file(
        connection,
        pen,
        case=case,
        on=read.opened_on,
        worker=read.worker,
        team=adding.teams.get(read.worker, ""),
        number=read.number or None,
    )
    intakes.keep_told(connection, pen, case, read.told, adding.say)
    return case


def _note(connection: Connection, adding: Adding, read: Row, case: str) -> str | None:
    if not read.notes:
        return None
    pen = adding.pen
    entry = Entry(
        id=pen.new_id(),
        case=case,
        referral=None,
        at=pen.now,
        staff=pen.staff,
        kind="note",
        channel=None,
        text=read.notes,
    )
    journal.write(connection, pen, entry)
    return entry.id


def _fill(connection: Connection, adding: Adding, read: Row, person: str) -> dict[str, Any]:
    """Fill in what was not known of somebody; what was known stays. A case is opened where none of ours is open."""
    pen = adding.pen
    held = files.record_of(connection, person)
    handles = listing.cases_of(connection, [person])[person]
    known = [listing.case_of(connection, one) for one in handles]
    ours = [one.handle for one in known if one.closed_at is None and one.owner == pen.agency]
    before: dict[str, Any] | None = None
    if held is not None:
        born_on = held.born_on.isoformat() if held.born_on else None
        before = {"born_on": born_on, "fields": dict(held.fields)}
    opened = None if ours else _open(connection, adding, read, person)
    fields = {**read.told.record(), **(held.fields if held else {})}
    fields["untold"] = {one: why for one, why in fields.get("untold", {}).items() if not fields.get(one)}
    phones = [fields[one] for one in ("phone_mobile", "phone_home", "telephone") if fields.get(one)]
    born = (held.born_on if held else None) or read.told.born_on
    files.keep_record(connection, pen, person=person, born_on=born, fields=fields, phones=dict.fromkeys(phones))
    entry = _note(connection, adding, read, ours[0] if ours else opened or "")
    return {"outcome": "filled", "person": person, "case": opened, "entry": entry, "before": before}
