# SPDX-License-Identifier: Apache-2.0
"""Take an import back, batch by batch, as long as nobody has done anything with what it brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import files, removal
from connectors.casebook import tables as casebook
from connectors.casebook import tables_files as own
from connectors.casebook.statements import Pen
from connectors.desk.exchange import reads
from connectors.desk.exchange.reads import Job, RowLine
from connectors.desk.exchange.tables import import_rows

BATCH: Final = 50
LOOKS: Final = (":viewed", ":listed", ":searched", ":read", ":exported")
"""How actions of the access log end that change nothing."""
_REASON: Final = "reason:"
_OWN: Final = frozenset({removal.REMOVED, "import:undoing", "import:undone"})
_SETTLED: Final = ("added", "filled")


def touched(connection: Connection, job: str) -> list[int]:
    """Give the rows with whose person or case somebody has done anything since: those are not taken back.

    One statement, so that a hundred thousand lines of the log need not be looked at one by one here.
    """
    rows = (
        sa.select(import_rows.c.n, import_rows.c.person, import_rows.c.case, import_rows.c.log_to)
        .where(import_rows.c.job == job, import_rows.c.outcome.in_(_SETTLED))
        .cte("settled")
    )
    since = sa.select(sa.func.min(rows.c.log_to)).scalar_subquery()
    # several rows may be about one person: what the import itself did last with them counts
    ours = sa.select(rows.c.person, sa.func.max(rows.c.log_to).label("upto")).group_by(rows.c.person).subquery()
    with_case = _deeds(casebook.access_log.c.case, since).subquery()
    about_person = _deeds(casebook.access_log.c.about, since).subquery()
    about_case = _deeds(casebook.access_log.c.about, since).subquery()
    begun = sa.select(own.drafts.c.case).where(own.drafts.c.case.is_not(None))
    query = (
        sa.select(rows.c.n)
        .select_from(
            rows.join(ours, ours.c.person == rows.c.person)
            .outerjoin(own.quiet_cases, own.quiet_cases.c.case == rows.c.case)
            .outerjoin(with_case, with_case.c.who == rows.c.case)
            .outerjoin(about_person, about_person.c.who == rows.c.person)
            .outerjoin(about_case, about_case.c.who == rows.c.case)
        )
        .where(
            sa.or_(
                sa.and_(rows.c.case.is_not(None), own.quiet_cases.c.case.is_(None)),
                rows.c.case.in_(begun),
                *(one.c.last > ours.c.upto for one in (with_case, about_person, about_case)),
            )
        )
        .order_by(rows.c.n)
    )
    return list(connection.execute(query).scalars())


@dataclass(kw_only=True)
class Watch:
    """What a moment of undoing knows: which rows stay, and up to which line of the access log that was looked at."""

    kept: set[int]
    since: int


def watch(connection: Connection, job: str) -> Watch:
    """Look once at everything that was done with what an import brought."""
    last = connection.execute(sa.select(sa.func.max(casebook.access_log.c.position))).scalar_one() or 0
    return Watch(kept=set(touched(connection, job)), since=last)


def undo_some(connection: Connection, pen: Pen, job: Job, watched: Watch) -> bool:
    """Take the next rows back, the last first; say whether there are more. What somebody has worked with stays."""
    if connection.execute(_deeds(casebook.access_log.c.about, watched.since).limit(1)).first() is not None:
        # somebody has done something since: look again
        again = watch(connection, job.id)
        watched.kept, watched.since = again.kept, again.since
    kept = watched.kept
    query = (
        sa.select(import_rows.c.n)
        .where(import_rows.c.job == job.id, import_rows.c.outcome.in_(_SETTLED))
        .order_by(import_rows.c.n.desc())
        .limit(BATCH)
    )
    numbers = list(connection.execute(query).scalars())
    for n in numbers:
        (row,) = reads.rows_of(connection, job.id, after=n - 1, limit=1)
        outcome = "kept" if n in kept else _undo(connection, pen, row)
        connection.execute(
            sa.update(import_rows).where(import_rows.c.job == job.id, import_rows.c.n == n).values(outcome=outcome)
        )
    return len(numbers) == BATCH


def _undo(connection: Connection, pen: Pen, row: RowLine) -> str:
    if row.entry is not None:
        removal.remove_entry(connection, row.entry)
    if row.case is not None and not removal.remove_quiet_case(connection, pen, row.case):
        return "kept"
    if row.outcome == "filled":
        _restore(connection, pen, row)
    elif row.person is not None and not removal.remove_person(connection, pen, row.person):
        return "kept"
    return "undone"


def _restore(connection: Connection, pen: Pen, row: RowLine) -> None:
    """Write down of somebody what was known before a row filled the gaps."""
    if row.person is None or row.before is None:
        return
    fields: dict[str, Any] = row.before["fields"]
    born_on = row.before["born_on"]
    phones = [fields[one] for one in ("phone_mobile", "phone_home", "telephone") if fields.get(one)]
    removal.restore_record(
        connection,
        pen,
        person=row.person,
        born_on=date.fromisoformat(born_on) if born_on else None,
        fields=fields,
        phone_key=files.phone_keys(dict.fromkeys(phones)),
    )


def _deeds(who: sa.Column[str], since: sa.ScalarSelect[int] | int) -> sa.Select[Any, Any]:
    """Give the last line of the access log, after one, that says more of a thing than that somebody looked."""
    log = casebook.access_log.c
    looks = sa.or_(
        *(log.action.endswith(one, autoescape=True) for one in LOOKS),
        log.action.startswith(_REASON, autoescape=True),
        log.action.in_(sorted(_OWN)),
    )
    return (
        sa.select(who.label("who"), sa.func.max(log.position).label("last"))
        .where(log.position > since, who.is_not(None), ~looks)
        .group_by(who)
    )
