# SPDX-License-Identifier: Apache-2.0
"""What an officer and the worker read of the log across all agencies, taken apart into its members.

Needs a role that sees every entry. Entries that committed a moment ago and wait for the sequencer are not here yet.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.ids import RANDOM_BYTES, uuid7
from hub.audit import tables
from hub.audit.rules import AuditKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One entry of the log as it says of itself."""

    index: int
    id: str
    kind: str
    at: datetime
    actor: str
    parties: tuple[str, ...]
    case: str | None
    subject: str | None
    facts: Mapping[str, Any]


def of_case(session: Session, case: str, kinds: Collection[AuditKind]) -> tuple[Fact, ...]:
    """Give the entries of these kinds about a case handle, in the order of the log."""
    return _facts(session, tables.log_entries.c.case_handle == case, _of(kinds))


def between(session: Session, kinds: Collection[AuditKind], *, since: datetime, until: datetime) -> tuple[Fact, ...]:
    """Give the entries of these kinds that were written from a moment until before another."""
    ids = tables.log_entries.c.id
    first, last = (uuid7(at, bytes(RANDOM_BYTES)) for at in (since, until))
    return _facts(session, sa.and_(ids >= first, ids < last), _of(kinds))


def _of(kinds: Collection[AuditKind]) -> sa.ColumnElement[bool]:
    return tables.log_entries.c.kind.in_(sorted(kind.value for kind in kinds))


def _facts(session: Session, *conditions: sa.ColumnElement[bool]) -> tuple[Fact, ...]:
    table = tables.log_entries.c
    query = sa.select(table.index.label("place"), table.body).where(table.body.is_not(None), *conditions)
    rows = session.execute(query.order_by(table.index))
    return tuple(_fact(row.place, row.body) for row in rows)


def _fact(index: int, body: bytes) -> Fact:
    said = json.loads(body)
    return Fact(
        index=index,
        id=said["id"],
        kind=said["kind"],
        at=datetime.fromisoformat(said["at"]),
        actor=said["actor"],
        parties=tuple(said["parties"]),
        case=said["case"],
        subject=said["subject"],
        facts=said["facts"],
    )
