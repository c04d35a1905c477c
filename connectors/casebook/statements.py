# SPDX-License-Identifier: Apache-2.0
"""The signed statements a casebook keeps: consents, exclusions and withdrawals, its own and those that name it.

Own ones are signed here and queued for the hub; those of other intake agencies come in through `connectors.sync`,
verified there with the signer's key. Tokens are kept byte for byte and read again, never written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.casebook import access, outgoing, tables
from consent import receipts, signing, wire
from consent.jwk import PrivateKey
from consent.receipts import ConsentRecord, ExclusionRecord, StatusRecord, WithdrawalRecord
from consent.scopes import Scope

STATUS_TERM: Final = timedelta(hours=24)
"""How long a status speaks; it is renewed at half time (protocol §4)."""

AnyRecord = TypeVar("AnyRecord", ConsentRecord, ExclusionRecord, WithdrawalRecord)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """What signing needs: the agency, its `sig` key, where new ids come from, who holds the pen and when."""

    agency: str
    key: PrivateKey
    new_id: Callable[[], str]
    staff: str
    now: datetime


def record_consents(connection: Connection, scopes: Iterable[Scope], pen: Pen) -> list[str]:
    """Sign one record per scope and queue it for the hub; give the records' ids.

    *Raises* `DocumentRefusedError` for a scope that the hub would not read.
    """
    ids = []
    for scope in scopes:
        record = ConsentRecord.of(scope, pen.agency)
        token = receipts.sign_statement(record, pen.key)
        _keep_own(connection, "consent", record.id, scope.case, token, pen, form=scope.form)
        outgoing.put(
            connection,
            key=pen.new_id(),
            what="consent",
            about=record.id,
            path="/v1/consents",
            body={"record": token},
            now=pen.now,
        )
        access.record(
            connection,
            staff=pen.staff,
            action="consent:signed",
            about=record.id,
            case=scope.case,
            now=pen.now,
        )
        ids.append(record.id)
    return ids


def exclude(connection: Connection, record: ExclusionRecord, pen: Pen) -> None:
    """Sign the person's refusal and queue it for the hub."""
    token = receipts.sign_statement(record, pen.key)
    _keep_own(connection, "exclusion", record.id, record.case, token, pen)
    path = f"/v1/cases/{record.case}/exclusions"
    outgoing.put(
        connection,
        key=pen.new_id(),
        what="exclusion",
        about=record.id,
        path=path,
        body={"record": token},
        now=pen.now,
    )
    access.record(
        connection, staff=pen.staff, action="exclusion:signed", about=record.id, case=record.case, now=pen.now
    )


def withdraw(connection: Connection, record: WithdrawalRecord, pen: Pen) -> None:
    """Sign what the person takes back and queue it for the hub, once for each consent that it names."""
    token = receipts.sign_statement(record, pen.key)
    _keep_own(connection, "withdrawal", record.id, record.case, token, pen)
    for consent in sorted(record.scopes):
        outgoing.put(
            connection,
            key=pen.new_id(),
            what="withdrawal",
            about=record.id,
            path=f"/v1/consents/{consent}/withdraw",
            body={"record": token},
            now=pen.now,
        )
    access.record(
        connection,
        staff=pen.staff,
        action="consent:withdrawn",
        about=record.id,
        case=record.case,
        now=pen.now,
    )


def renew_statuses(connection: Connection, pen: Pen) -> int:
    """Say anew of each own consent that it is live, where half of the last word's term is over; give how many.

    A consent that has ended or been taken back gets no further status (consent.md, "Withdrawal, expiry, closure").
    """
    taken_back = _taken_back(connection)
    renewed = 0
    rows = connection.execute(
        sa.select(tables.statements).where(
            tables.statements.c.kind == "consent",
            tables.statements.c.signer == pen.agency,
            tables.statements.c.registered_at.is_not(None),
        )
    ).all()
    for row in rows:
        record = _read(row.token, ConsentRecord)
        fresh = row.status_until is not None and pen.now < row.status_until - STATUS_TERM / 2
        if fresh or record.id in taken_back or pen.now >= record.valid_until:
            continue
        _renew(connection, record, row.token, pen)
        renewed += 1
    return renewed


def _renew(connection: Connection, record: ConsentRecord, token: str, pen: Pen) -> None:
    status = StatusRecord(
        id=pen.new_id(),
        agency=pen.agency,
        case=record.case,
        consent=record.id,
        hash=receipts.statement_hash(token),
        as_of=pen.now,
        next_by=pen.now + STATUS_TERM,
    )
    signed = receipts.sign_statement(status, pen.key)
    keep_status(connection, record.id, pen.agency, signed, status.next_by)
    outgoing.put(
        connection,
        key=pen.new_id(),
        what="status",
        about=record.id,
        path=f"/v1/consents/{record.id}/status",
        body={"record": signed},
        now=pen.now,
    )


def keep_status(connection: Connection, consent: str, signer: str, token: str, until: datetime) -> None:
    """Keep the newest status of a consent."""
    connection.execute(
        sa.update(tables.statements)
        .where(tables.statements.c.id == consent, tables.statements.c.signer == signer)
        .values(status=token, status_until=until)
    )


def keep(
    connection: Connection,
    *,
    kind: str,
    record: ConsentRecord | ExclusionRecord | WithdrawalRecord,
    token: str,
    registered_at: datetime,
    ended_at: datetime | None = None,
) -> None:
    """Keep a statement as the hub serves it; the caller has verified it."""
    values = {"registered_at": registered_at, "ended_at": ended_at}
    statement = insert(tables.statements).values(
        id=record.id, signer=record.agency, kind=kind, case=record.case, token=token, **values
    )
    connection.execute(statement.on_conflict_do_update(index_elements=["id", "signer"], set_=values))


def consents_of(connection: Connection, case: str) -> list[tuple[ConsentRecord, datetime | None]]:
    """Give a case's consent records with the hub's time of registration (none while they wait)."""
    return [(record, row.registered_at) for record, row in _all(connection, case, "consent", ConsentRecord)]


def exclusions_of(connection: Connection, case: str) -> list[tuple[ExclusionRecord, datetime | None]]:
    """Give a case's exclusions with the time each was revoked, if it was."""
    return [(record, row.ended_at) for record, row in _all(connection, case, "exclusion", ExclusionRecord)]


def withdrawals_of(connection: Connection, case: str) -> list[WithdrawalRecord]:
    """Give what was taken back in a case."""
    return [record for record, _ in _all(connection, case, "withdrawal", WithdrawalRecord)]


def _all(
    connection: Connection, case: str, kind: str, shape: type[AnyRecord]
) -> list[tuple[AnyRecord, sa.Row[tuple[object, ...]]]]:
    rows = connection.execute(
        sa.select(tables.statements)
        .where(tables.statements.c.case == case, tables.statements.c.kind == kind)
        .order_by(tables.statements.c.id)
    )
    return [(_read(row.token, shape), row) for row in rows]


def _read(token: str, shape: type[AnyRecord]) -> AnyRecord:
    """Read a token that was verified when it was kept."""
    return wire.read(shape, signing.peek_payload(token, typ=receipts.TYPS[shape]))


def _taken_back(connection: Connection) -> set[str]:
    rows = connection.execute(sa.select(tables.statements.c.token).where(tables.statements.c.kind == "withdrawal"))
    taken: set[str] = set()
    for row in rows:
        record = _read(row.token, WithdrawalRecord)
        if not record.to and not record.categories:
            taken |= record.scopes
    return taken


def _keep_own(
    connection: Connection, kind: str, statement: str, case: str, token: str, pen: Pen, *, form: str | None = None
) -> None:
    connection.execute(
        sa.insert(tables.statements).values(
            id=statement, signer=pen.agency, kind=kind, case=case, token=token, form=form, registered_at=None
        )
    )
