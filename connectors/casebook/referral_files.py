# SPDX-License-Identifier: Apache-2.0
"""The agency's own file of a referral: the number by which people here speak of it, who looks after it, what was meant.

A file belongs to a thread, named by its first message and whose id that is. All of it stays here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import access
from connectors.casebook.statements import Pen
from connectors.casebook.tables_files import referral_files as table
from consent.calendar import day_of

_DIGITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFile:
    """A referral as people here know it; `document` holds what was filled in for it."""

    thread: str
    opener: str
    case: str
    number: str
    worker: str | None
    document: Mapping[str, Any] = field(repr=False)
    created_at: datetime


def open_file(
    connection: Connection,
    pen: Pen,
    *,
    thread: str,
    opener: str,
    case: str,
    worker: str | None,
    document: Mapping[str, Any],
) -> ReferralFile:
    """Give a thread its number, the next of its year (R-2026-0001), and keep what was meant; once per thread."""
    known = file_of(connection, thread, opener)
    if known is not None:
        return known
    number = _next_number(connection, day_of(pen.now).year)
    connection.execute(
        sa.insert(table).values(
            thread=thread,
            opener=opener,
            case=case,
            number=number,
            worker=worker,
            document=dict(document),
            created_at=pen.now,
        )
    )
    access.record(connection, staff=pen.staff, action="referral:numbered", about=thread, case=case, now=pen.now)
    return ReferralFile(
        thread=thread,
        opener=opener,
        case=case,
        number=number,
        worker=worker,
        document=document,
        created_at=pen.now,
    )


def file_of(connection: Connection, thread: str, opener: str) -> ReferralFile | None:
    """Give the file of a thread."""
    row = connection.execute(sa.select(table).where(table.c.thread == thread, table.c.opener == opener)).one_or_none()
    return None if row is None else _file(row)


def files_of(connection: Connection, threads: Iterable[str]) -> dict[tuple[str, str], ReferralFile]:
    """Give the files of several threads by thread and opener, those that have one."""
    rows = connection.execute(sa.select(table).where(table.c.thread.in_(list(threads))))
    return {(row.thread, row.opener): _file(row) for row in rows}


def assign(connection: Connection, pen: Pen, file: ReferralFile, worker: str | None) -> None:
    """Put somebody in charge of a referral."""
    _change(connection, file, worker=worker)
    access.record(
        connection, staff=pen.staff, action="referral:assigned", about=file.thread, case=file.case, now=pen.now
    )


def note(connection: Connection, file: ReferralFile, **fields: Any) -> None:
    """Write something into a file beside what is there."""
    _change(connection, file, document={**file.document, **fields})


def _change(connection: Connection, file: ReferralFile, **values: Any) -> None:
    connection.execute(
        sa.update(table).where(table.c.thread == file.thread, table.c.opener == file.opener).values(**values)
    )


def _next_number(connection: Connection, year: int) -> str:
    """Count on from the highest of the year; writers of a casebook take turns."""
    prefix = f"R-{year}-"
    counted = sa.cast(sa.func.substr(table.c.number, len(prefix) + 1), sa.Integer)
    last = connection.execute(sa.select(sa.func.max(counted)).where(table.c.number.startswith(prefix))).scalar()
    return f"{prefix}{(last or 0) + 1:0{_DIGITS}d}"


def _file(row: sa.Row[Any]) -> ReferralFile:
    return ReferralFile(
        thread=row.thread,
        opener=row.opener,
        case=row.case,
        number=row.number,
        worker=row.worker,
        document=row.document,
        created_at=row.created_at,
    )
