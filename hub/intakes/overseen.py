# SPDX-License-Identifier: Apache-2.0
"""What an officer sees of consents across all agencies: records, what became of them, what waits for a signature.

Needs a role that sees every row.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.ids import RANDOM_BYTES, uuid7
from hub.intakes import reads
from hub.intakes.reads import Statement
from hub.intakes.tables import consents, withdrawals


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """Where a record stands in the register: the hub's row, the signer's id, and whose case it is about."""

    row: str
    consent: str
    signer: str
    case_handle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncountersigned:
    """A withdrawal that came by another channel and that the intake agency has not signed yet."""

    row: str
    withdrawal: str
    owner: str
    case_handle: str
    at: datetime


def page(session: Session, *, before: str | None, limit: int) -> tuple[tuple[str, Statement], ...]:
    """Give records with their case handles, the newest first, from before a row on."""
    condition = sa.true() if before is None else consents.c.id < before
    found = reads.records(session, condition, consents.c.id.desc(), limit=limit)
    handles = _handles(session, [one.row for one in found])
    return tuple((handles[one.row], one) for one in found)


def of_handle(session: Session, case: str) -> tuple[Statement, ...]:
    """Give every record of a case handle, in the order of registration."""
    return reads.records(session, consents.c.case_handle == case, consents.c.id)


def by_copy(session: Session, consent: str, check: str) -> tuple[str, Statement] | None:
    """Give the record that a printed copy names by its id and the first digits of its hash, with its case handle."""
    condition = sa.and_(consents.c.consent == consent, consents.c.record_hash.startswith(check, autoescape=True))
    found = reads.records(session, condition, consents.c.id, limit=1)
    return (_handles(session, [found[0].row])[found[0].row], found[0]) if found else None


def registered(
    session: Session, *, since: datetime, until: datetime, signer: str | None = None
) -> tuple[Registered, ...]:
    """Give what was registered from a moment until before another, by one agency or by all, in that order."""
    first, last = (uuid7(at, bytes(RANDOM_BYTES)) for at in (since, until))
    found = sa.select(consents.c.id, consents.c.consent, consents.c.signer, consents.c.case_handle).where(
        consents.c.id >= first, consents.c.id < last
    )
    if signer is not None:
        found = found.where(consents.c.signer == signer)
    return tuple(
        Registered(row=row.id, consent=row.consent, signer=row.signer, case_handle=row.case_handle)
        for row in session.execute(found.order_by(consents.c.id))
    )


def ending(session: Session, *, now: datetime, until: datetime) -> int:
    """Count the records that end by themselves from now on until before a moment: neither replaced nor taken back."""
    taken = sa.exists().where(withdrawals.c.consent_id == consents.c.id, withdrawals.c.at <= now)
    found = sa.select(sa.func.count()).where(
        consents.c.valid_until > now, consents.c.valid_until <= until, consents.c.superseded_at.is_(None), ~taken
    )
    return session.execute(found).scalar_one()


def uncountersigned(session: Session, *, until: datetime) -> tuple[Uncountersigned, ...]:
    """Give the withdrawals until a moment that no intake agency has signed, oldest first."""
    found = (
        sa.select(withdrawals, consents.c.case_handle)
        .join(consents, consents.c.id == withdrawals.c.consent_id)
        .where(withdrawals.c.record.is_(None), withdrawals.c.at <= until)
        .order_by(withdrawals.c.at, withdrawals.c.id)
    )
    return tuple(
        Uncountersigned(row=row.id, withdrawal=row.withdrawal, owner=row.owner, case_handle=row.case_handle, at=row.at)
        for row in session.execute(found)
    )


def _handles(session: Session, rows: list[str]) -> dict[str, str]:
    found = sa.select(consents.c.id, consents.c.case_handle).where(consents.c.id.in_(rows))
    return {row.id: row.case_handle for row in session.execute(found)}
