# SPDX-License-Identifier: Apache-2.0
"""What a person allowed, refused and took back, as this agency knows it: its own signed statements, and what names it.

Own statements are signed here and queued for the hub. What other intake agencies registered comes in through
`connectors.sync`, verified there. Tokens are kept byte for byte and read again, never written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import access, outgoing, people, tables
from consent import receipts, signing, wire
from consent.jwk import PrivateKey
from consent.receipts import (
    ConsentRecord,
    ExclusionRecord,
    ExclusionRevocationRecord,
    StatusRecord,
    WithdrawalRecord,
)
from consent.scopes import Exclusion, Registered, Scope, Withdrawal, signature_valid

STATUS_TERM: Final = timedelta(hours=24)
"""How long a status speaks; it is renewed at half time (protocol §4)."""


_CONSENTS: Final = sa.select(tables.consents, tables.superseded.c.at.label("superseded_at")).outerjoin(
    tables.superseded,
    sa.and_(tables.superseded.c.id == tables.consents.c.id, tables.superseded.c.signer == tables.consents.c.signer),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """What signing needs: the agency, its `sig` key, where new ids come from, who holds the pen and when."""

    agency: str
    key: PrivateKey
    new_id: Callable[[], str]
    staff: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownConsent:
    """A consent record, the hub's time of registration (none while it waits), its newest status, and from when on a
    newer record has taken its place, as the hub says.
    """

    record: ConsentRecord
    token: str
    registered_at: datetime | None
    status: str | None
    status_as_of: datetime | None
    superseded_at: datetime | None

    def registered(self, now: datetime) -> Registered:
        """Give it as the decision sees it; what still waits for the hub counts from now."""
        return Registered(
            scope=self.record.scope(), registered_at=self.registered_at or now, superseded_at=self.superseded_at
        )


# ── own statements: signed and queued ──


def record_consents(connection: Connection, scopes: Iterable[Scope], pen: Pen) -> list[str]:
    """Sign one record per scope, with the first word that it is live, and queue them; give the records' ids.

    *Raises* `DocumentRefusedError` for a scope that the hub would not read.
    """
    ids = []
    for scope in scopes:
        record = ConsentRecord.of(scope, pen.agency)
        token = receipts.sign_statement(record, pen.key)
        people.announce(connection, scope.case, now=pen.now)
        keep_consent(connection, record, token, registered_at=None)
        _queue(connection, "consent", record.id, "/v1/consents", token, pen)
        _log(connection, "consent:signed", record.id, scope.case, pen)
        _renew(connection, record, token, pen)
        ids.append(record.id)
    return ids


def exclude(connection: Connection, record: ExclusionRecord, pen: Pen) -> None:
    """Sign the person's refusal and queue it for the hub."""
    token = receipts.sign_statement(record, pen.key)
    keep_exclusion(connection, record.exclusion(), token)
    people.announce(connection, record.case, now=pen.now)
    _queue(connection, "exclusion", record.id, f"/v1/cases/{record.case}/exclusions", token, pen)
    _log(connection, "exclusion:signed", record.id, record.case, pen)


def revoke_exclusion(connection: Connection, exclusion: Exclusion, pen: Pen) -> str:
    """Sign the person's explicit end of a refusal and queue it for the hub; give the word's id.

    *Raises* `ConnectorError("exclusion-unknown")`: it is not one that this agency signed, or it has ended.
    """
    row = connection.execute(
        sa.select(tables.exclusions.c.token).where(
            tables.exclusions.c.id == exclusion.id,
            tables.exclusions.c.case == exclusion.case,
            tables.exclusions.c.revoked_at.is_(None),
        )
    ).one_or_none()
    if row is None or row.token is None or receipts.peek_statement(row.token, ExclusionRecord)[1] != pen.agency:
        raise ConnectorError("exclusion-unknown")
    record = ExclusionRevocationRecord(
        id=pen.new_id(), agency=pen.agency, case=exclusion.case, revokes=exclusion.id, at=pen.now
    )
    keep_exclusion(connection, replace(exclusion, revoked_at=pen.now), row.token)
    path = f"/v1/cases/{record.case}/exclusions/{exclusion.id}/revoke"
    _queue(connection, "revocation", record.id, path, receipts.sign_statement(record, pen.key), pen)
    _log(connection, "exclusion:revoked", exclusion.id, record.case, pen)
    return record.id


def withdraw(connection: Connection, record: WithdrawalRecord, pen: Pen) -> None:
    """Sign what the person takes back and queue it; one signed word may name several records of the case, or all.

    *Raises* `ConnectorError("consent-unknown")` where the case has no record that could be taken back.
    """
    token = receipts.sign_statement(record, pen.key)
    keep_withdrawal(connection, record.withdrawal(), record.case, token)
    own = [known for known in consents_of(connection, record.case) if known.record.agency == pen.agency]
    named = [known for known in own if known.record.id in record.scopes or not record.scopes]
    if not named:
        raise ConnectorError("consent-unknown")
    # what still waits for the hub may be refused there; the word is about the others all the same
    at = min(named, key=lambda known: (known.registered_at is None, known.record.id))
    path = f"/v1/consents/{at.record.id}/withdraw"
    _queue(connection, "withdrawal", record.id, path, token, pen)
    _log(connection, "consent:withdrawn", record.id, record.case, pen)


def renew_statuses(connection: Connection, pen: Pen) -> int:
    """Say anew of each own consent that it is live, where half of the last word's term is over; give how many.

    A consent that has ended, been taken back or been replaced gets no further status (consent.md, "Withdrawal…").
    """
    mine = (tables.consents.c.signer == pen.agency, tables.consents.c.registered_at.is_not(None))
    rows = connection.execute(_CONSENTS.where(*mine)).all()
    held = [_known(row) for row in rows]
    over = _taken_back(connection, held) | _replaced(held)
    due = [
        known
        for known in held
        if known.record.id not in over
        and pen.now < known.record.valid_until
        and (known.status_as_of is None or pen.now >= known.status_as_of + STATUS_TERM / 2)
    ]
    for known in due:
        _renew(connection, known.record, known.token, pen)
    return len(due)


def _renew(connection: Connection, record: ConsentRecord, consent_token: str, pen: Pen) -> None:
    status = StatusRecord(
        id=pen.new_id(),
        agency=pen.agency,
        case=record.case,
        consent=record.id,
        hash=receipts.statement_hash(consent_token),
        as_of=pen.now,
        next_by=pen.now + STATUS_TERM,
    )
    token = receipts.sign_statement(status, pen.key)
    keep_status(connection, record.id, record.agency, token, as_of=pen.now)
    _queue(connection, "status", record.id, f"/v1/consents/{record.id}/status", token, pen)


# ── keeping ──


def keep_consent(connection: Connection, record: ConsentRecord, token: str, *, registered_at: datetime | None) -> None:
    """Keep a consent record; the caller has signed or verified it."""
    statement = insert(tables.consents).values(
        id=record.id,
        signer=record.agency,
        case=record.case,
        form=record.form,
        token=token,
        registered_at=registered_at,
    )
    known = {"registered_at": registered_at}
    connection.execute(statement.on_conflict_do_update(index_elements=["id", "signer"], set_=known))


def registered(connection: Connection, consent: str, signer: str, *, at: datetime) -> None:
    """Note when the hub registered an own record."""
    connection.execute(sa.update(tables.consents).where(_is(consent, signer)).values(registered_at=at))


def refused(connection: Connection, consent: str, signer: str, *, code: str) -> None:
    """Note that the hub did not register an own record: it permits nothing, and is written anew where it should."""
    connection.execute(sa.update(tables.consents).where(_is(consent, signer)).values(refused=code))


def keep_status(connection: Connection, consent: str, signer: str, token: str, *, as_of: datetime) -> None:
    """Keep a status of a consent if it is the newest."""
    newer = sa.or_(tables.consents.c.status_as_of.is_(None), tables.consents.c.status_as_of < as_of)
    statement = sa.update(tables.consents).where(_is(consent, signer), newer)
    connection.execute(statement.values(status=token, status_as_of=as_of))


def drop_status(connection: Connection, consent: str, signer: str) -> None:
    """Forget the status of an own consent that the hub did not take: nothing may be stapled that nobody can see.

    When it was signed stays, so that the next one is signed at half time and not at once.
    """
    connection.execute(sa.update(tables.consents).where(_is(consent, signer)).values(status=None))


def keep_end(connection: Connection, consent: str, signer: str, *, at: datetime) -> None:
    """Keep from when on a newer record, which may not name this agency, has taken a record's place."""
    statement = insert(tables.superseded).values(id=consent, signer=signer, at=at)
    connection.execute(statement.on_conflict_do_nothing())


def _is(consent: str, signer: str) -> sa.ColumnElement[bool]:
    return sa.and_(tables.consents.c.id == consent, tables.consents.c.signer == signer)


def keep_exclusion(connection: Connection, exclusion: Exclusion, token: str | None) -> None:
    """Keep a refusal as far as this agency may know it."""
    values = {
        "to": sorted(exclusion.to),
        "categories": sorted(exclusion.categories),
        "from_time": exclusion.from_time,
        "revoked_at": exclusion.revoked_at,
        "token": token,
    }
    statement = insert(tables.exclusions).values(id=exclusion.id, case=exclusion.case, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def keep_withdrawal(connection: Connection, withdrawal: Withdrawal, case: str, token: str | None) -> None:
    """Keep what was taken back."""
    statement = insert(tables.withdrawals).values(
        id=withdrawal.id,
        case=case,
        scopes=sorted(withdrawal.scopes),
        to=sorted(withdrawal.to),
        categories=sorted(withdrawal.categories),
        at=withdrawal.at,
        token=token,
    )
    connection.execute(statement.on_conflict_do_nothing())


# ── reading ──


def consents_of(connection: Connection, case: str) -> list[KnownConsent]:
    """Give a case's consent records in the order of their ids, which is the order of signing.

    Those that the hub refused are not among them.
    """
    query = _CONSENTS.where(tables.consents.c.case == case, tables.consents.c.refused.is_(None))
    rows = connection.execute(query.order_by(tables.consents.c.id))
    return [_known(row) for row in rows]


def case_of(connection: Connection, consent: str) -> str | None:
    """Name the case of a consent record that is known here."""
    return connection.execute(sa.select(tables.consents.c.case).where(tables.consents.c.id == consent)).scalar()


def cases(connection: Connection) -> list[str]:
    """Name every case of which a consent record is known here."""
    return list(connection.execute(sa.select(tables.consents.c.case).distinct()).scalars())


def exclusions_of(connection: Connection, case: str) -> list[Exclusion]:
    """Give a case's refusals, with the time each was revoked, if it was."""
    rows = connection.execute(sa.select(tables.exclusions).where(tables.exclusions.c.case == case))
    return [
        Exclusion(
            id=row.id,
            case=row.case,
            to=frozenset(row.to),
            categories=frozenset(row.categories),
            from_time=row.from_time,
            revoked_at=row.revoked_at,
        )
        for row in rows
    ]


def withdrawals_of(connection: Connection, case: str) -> list[Withdrawal]:
    """Give what was taken back in a case."""
    return withdrawals_in(connection, [case]).get(case, [])


def withdrawals_in(connection: Connection, cases: Sequence[str]) -> dict[str, list[Withdrawal]]:
    """Give what was taken back in several cases, by case; a case in which nothing was is not in it."""
    found: dict[str, list[Withdrawal]] = {}
    for row in connection.execute(sa.select(tables.withdrawals).where(tables.withdrawals.c.case.in_(cases))):
        word = Withdrawal(
            id=row.id,
            scopes=frozenset(row.scopes),
            to=frozenset(row.to),
            categories=frozenset(row.categories),
            at=row.at,
        )
        found.setdefault(row.case, []).append(word)
    return found


def _known(row: sa.Row[tuple[object, ...]]) -> KnownConsent:
    """Read a row; its token was signed or verified when it was kept."""
    payload = signing.peek_payload(row.token, typ=receipts.TYPS[ConsentRecord])
    return KnownConsent(
        record=wire.read(ConsentRecord, payload),
        token=row.token,
        registered_at=row.registered_at,
        status=row.status,
        status_as_of=row.status_as_of,
        superseded_at=row.superseded_at,
    )


def _taken_back(connection: Connection, held: Iterable[KnownConsent]) -> frozenset[str]:
    """Name the records that were wholly taken back; a word that names none is about all signed until then."""
    rows = connection.execute(sa.select(tables.withdrawals)).all()
    whole = [row for row in rows if not row.to and not row.categories]
    named = frozenset(scope for row in whole for scope in row.scopes)
    latest: dict[str, datetime] = {}
    for row in whole:
        if not row.scopes:
            latest[row.case] = max(row.at, latest.get(row.case, row.at))
    signed = ((one.record.id, one.record.signed_at, latest.get(one.record.case)) for one in held)
    return named | {consent for consent, at, until in signed if until is not None and at <= until}


def _replaced(held: Iterable[KnownConsent]) -> frozenset[str]:
    """Name the records that another has ended; one whose signature does not count ends nothing (consent.md)."""
    ending = (
        one.record for one in held if one.registered_at and signature_valid(one.record.scope(), one.registered_at)
    )
    told = {one.record.id for one in held if one.superseded_at}
    return frozenset(old for record in ending for old in record.supersedes) | told


def _queue(connection: Connection, what: str, about: str, path: str, token: str, pen: Pen) -> None:
    body = {"record": token}
    outgoing.put(connection, key=pen.new_id(), what=what, about=about, path=path, body=body, now=pen.now)


def _log(connection: Connection, action: str, about: str, case: str, pen: Pen) -> None:
    access.record(connection, staff=pen.staff, action=action, about=about, case=case, now=pen.now)
