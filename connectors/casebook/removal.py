# SPDX-License-Identifier: Apache-2.0
"""Take a case back that never left the house: one that the hub was not told of, and the person it was opened for.

For an import that was a mistake. What the hub knows of, or what somebody has worked with, is not removed this way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import access, tables
from connectors.casebook import tables_files as own
from connectors.casebook.statements import Pen

REMOVED: Final = "import-row:undone"
"""The line of the access log that a removal leaves."""


def remove_quiet_case(connection: Connection, pen: Pen, case: str) -> bool:
    """Remove a quiet case with what was told and noted at it; say no, and do nothing, where the hub knows of it."""
    quiet = connection.execute(sa.delete(own.quiet_cases).where(own.quiet_cases.c.case == case))
    if not quiet.rowcount:
        return False
    for table, column in ((tables.answers, tables.answers.c.case), (own.journal, own.journal.c.case),
                          (own.case_files, own.case_files.c.case), (tables.cases, tables.cases.c.handle)):  # fmt: skip
        connection.execute(sa.delete(table).where(column == case))
    access.record(connection, staff=pen.staff, action=REMOVED, about=case, case=case, now=pen.now)
    return True


def remove_entry(connection: Connection, entry: str) -> None:
    """Remove an entry of the journal."""
    connection.execute(sa.delete(own.journal).where(own.journal.c.id == entry))


def restore_record(
    connection: Connection, pen: Pen, *, person: str, born_on: date | None, fields: Mapping[str, Any], phone_key: str
) -> None:
    """Write a person's record as it was before an import filled its gaps."""
    values = {"born_on": born_on, "document": dict(fields), "phone_key": phone_key, "updated_at": pen.now}
    connection.execute(sa.update(own.person_records).where(own.person_records.c.person == person).values(values))
    access.record(connection, staff=pen.staff, action=REMOVED, about=person, now=pen.now)


def remove_person(connection: Connection, pen: Pen, person: str) -> bool:
    """Remove somebody who has no case here; say no, and do nothing, where they have one."""
    if connection.execute(sa.select(tables.cases.c.handle).where(tables.cases.c.person == person)).first() is not None:
        return False
    connection.execute(sa.delete(own.person_records).where(own.person_records.c.person == person))
    connection.execute(sa.delete(tables.persons).where(tables.persons.c.id == person))
    access.record(connection, staff=pen.staff, action=REMOVED, about=person, now=pen.now)
    return True
