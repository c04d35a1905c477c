# SPDX-License-Identifier: Apache-2.0
"""Look at rows, batch by batch: will it be added, does it look like somebody who is here, what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.desk.exchange import answers, matching, reads, rules
from connectors.desk.exchange.answers import Row, Staff
from connectors.desk.exchange.matching import Index
from connectors.desk.exchange.reads import Job, RowLine
from connectors.desk.exchange.tables import import_rows
from connectors.desk.web.filling import Fault

BATCH: Final = 200
"""Rows of one transaction: some hundredths of a second, so that no page waits for long."""


def check_some(connection: Connection, job: Job, *, staff: Staff, index: Index, today: date) -> bool:
    """Look at the next rows of an import; say whether there are more. Everything is kept in this transaction."""
    rows = reads.rows_of(connection, job.id, "read", limit=BATCH)
    if rows:
        matching.catch_up(connection, job.id, index, rows[0].n)
    found: dict[int, tuple[Row, str]] = {}
    for row in rows:
        values, odd = answers.values_of(row.line, job.columns)
        found[row.n] = (answers.read_row(values, odd, staff=staff, today=today), rules.digest(values))
    before = matching.taken_before(connection, job.id, [digest for _, digest in found.values()])
    for row in rows:
        read, digest = found[row.n]
        known = _judge(row, read, digest, index, before)
        connection.execute(
            sa.update(import_rows)
            .where(import_rows.c.job == job.id, import_rows.c.n == row.n)
            .values(digest=digest, found_by=reads.keys_to(read.keys), number=read.number or None, **known)
        )
    return len(rows) == BATCH


def _judge(row: RowLine, read: Row, digest: str, index: Index, before: Mapping[str, str]) -> dict[str, Any]:
    """Say what a row is, and take it into the index for those below."""
    if read.faults:
        return _faulty(read.faults)
    if digest in before:
        return {"state": "known", "looks_like": before[digest], "outcome": "left", "choice": "leave"}
    if digest in index.digests:
        return {"state": "repeated", "looks_like": index.digests[digest], "outcome": "left", "choice": "leave"}
    whose = index.numbers.get(read.number) if read.number else None
    looks_like = index.find(read.keys)
    if read.number in index.numbers and whose != looks_like:
        return _faulty({"number": Fault(key="exchange.fault-number-taken")})
    index.take(row.n, read.keys, digest=digest, number=read.number)
    if looks_like is not None:
        return {"state": "alike", "looks_like": looks_like}
    return {"state": "new", "choice": "add"}


def _faulty(faults: Mapping[str, Fault]) -> dict[str, Any]:
    said = [[code, fault.key, dict(fault.places)] for code, fault in faults.items()]
    return {"state": "faulty", "faults": said, "outcome": "left", "choice": "leave"}
