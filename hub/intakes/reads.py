# SPDX-License-Identifier: Apache-2.0
"""What is known of a case's consents: the facts a decision rests on, and the signed statements an agency may
fetch. Signed words from outside are verified here too. Nothing is changed, except that a case's gate comes
into being when it is first passed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from consent import receipts, wire
from consent.errors import DocumentRefusedError, SignatureRefusedError, TsunagiError
from consent.questions import Facts
from consent.receipts import (
    ConsentRecord,
    ExclusionRecord,
    ExclusionRevocationRecord,
    StatusRecord,
    WithdrawalRecord,
)
from consent.scopes import VALID_SIGNATURES, Conference, Exclusion, Party, Registered, Scope, Withdrawal
from consent.signing import Typ, peek_payload
from consent.vocabulary.codes import RECIPIENTS
from hub.agencies import reads as agencies
from hub.base import rounds
from hub.base.db import now
from hub.base.errors import HubError, InvalidError, MalformedError, TooLargeError
from hub.base.ids import is_id
from hub.base.rounds import Row
from hub.cases import reads as cases
from hub.cases.reads import Case
from hub.intakes.tables import consent_gates, consent_statuses, consents, exclusions, withdrawals

Signed = TypeVar("Signed", ConsentRecord, ExclusionRecord, ExclusionRevocationRecord, StatusRecord, WithdrawalRecord)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The intake agency's newest signed word that a consent is live."""

    record: str
    record_hash: str
    as_of: datetime
    next_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One registered consent as its parties may fetch it, with what was taken back of it and its newest
    status.
    """

    row: str
    consent: str
    signer: str
    case_row: str
    hub_parties: tuple[str, ...]
    partner: str
    record: str
    record_hash: str
    valid_until: datetime
    registered_at: datetime
    superseded_at: datetime | None
    withdrawals: tuple[Withdrawal, ...]
    status: Status | None

    @property
    def scope(self) -> Scope:
        """Read the scope from the signed record."""
        return scope_of(self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One registered exclusion as its parties may fetch it."""

    row: str
    exclusion: str
    signer: str
    case_row: str
    to: tuple[str, ...]
    categories: tuple[str, ...]
    from_time: datetime
    record: str
    record_hash: str
    registered_at: datetime
    revoked_at: datetime | None


_of_case = sa.bindparam("of_case", type_=consents.c.case_id.type)
_gate = sa.select(consent_gates.c.version).where(consent_gates.c.case_id == _of_case)
_PASS_GATE, _CHANGE_GATE = (rounds.Prepared(_gate.with_for_update(read=shared)) for shared in (True, False))
_REGISTERED = rounds.Prepared(
    sa.select(consents.c.record, consents.c.registered_at)
    .where(consents.c.case_id == _of_case)
    # by the signer's id where the time is the same: whoever decides again from the log has no row ids
    .order_by(consents.c.registered_at, consents.c.consent)
)
_EXCLUSIONS = rounds.Prepared(
    sa.select(exclusions).where(exclusions.c.case_id == _of_case).order_by(exclusions.c.registered_at, exclusions.c.id)
)
_taken_back = sa.select(withdrawals, consents.c.consent).join(consents, consents.c.id == withdrawals.c.consent_id)
_taken_back = _taken_back.order_by(withdrawals.c.at, withdrawals.c.id)
_WITHDRAWALS = rounds.Prepared(_taken_back.where(withdrawals.c.case_id == _of_case))


@lru_cache(maxsize=4096)
def scope_of(record: str) -> Scope:
    """Read the scope from a record that was verified when it was registered; the bytes never change."""
    return wire.read(ConsentRecord, peek_payload(record, typ=Typ.CONSENT)).scope()


def signed(session: Session, token: str, shape: type[Signed], *, agency: str, at: datetime) -> Signed:
    """Verify that this agency signed the statement with a key that is good at a moment, and read it (protocol
    §1).

    Raises:
        MalformedError: `bad-signature`, `malformed`, `header-not-allowed`, `wrong-type`, `malformed-json`.
        InvalidError: what `wire.read` refuses. TooLargeError.
    """
    try:
        kid, named = receipts.peek_statement(token, shape)
        record = receipts.read_statement(token, shape, agencies.sig_key(session, agency, kid, at))
    except (SignatureRefusedError, DocumentRefusedError) as error:
        raise refused(error) from error
    if named != agency:
        raise MalformedError("bad-signature", pointer="/record")
    return record


def refused(error: TsunagiError) -> HubError:
    """Say as an answer of the hub why the library refused a signed statement."""
    pointer = f"/record{error.pointer}"
    if isinstance(error, SignatureRefusedError):
        # a key that is not this agency's now makes no signature of this agency's (bad-input CON-24)
        code = "bad-signature" if error.code == "key-not-valid" else error.code
        return MalformedError(code, pointer="/record")
    if error.code == "malformed-json":
        return MalformedError(error.code, pointer=pointer)
    if error.code == "too-large":
        return TooLargeError(error.code, pointer=pointer)
    if (error.code, error.pointer) == ("bad-date", "/valid_until"):
        # a period that ends before it begins is a fault of the scope, not of the date's form (bad-input
        # CON-06)
        return InvalidError("bad-scope", pointer=pointer)
    return InvalidError(error.code, pointer=pointer)


def check_named(session: Session, named: Iterable[str], pointer: str) -> None:
    """Check that every name is a recipient kind or an agency of the directory, whatever state it is in.

    Raises:
        InvalidError: `unknown-agency`.
    """
    for name in named:
        if name not in RECIPIENTS and not (is_id(name) and agencies.agency(session, name)):
            raise InvalidError("unknown-agency", pointer=pointer)


def facts(session: Session, case: Case, *, conferences: tuple[Conference, ...] = (), lock: bool = False) -> Facts:
    """Gather what a decision about the case rests on; needs `Duty.DECIDE`. `conferences` come from `meetings`.

    `lock` holds the case and its consent gate to the end of the transaction. A change that commits first is
    then seen and counts from now, even if its own transaction began later than ours; one that comes after
    waits for us (consent.md "Withdrawal, expiry, closure", CON-08).
    """
    current = case
    rounds.foresee(session, *ask_facts(case.id, lock=lock))
    if lock:
        current = cases.held(session, case.id, exclusive=False) or case
        hold_gate(session, case.id, change=False)
    at = now(session)
    scopes = _registered(session, case.id, at)
    return Facts(
        intake_side=_intake_side(case, scopes),
        closed_at=None if current.closed_at is None else min(current.closed_at, at),
        scopes=scopes,
        exclusions=_exclusions(session, case, at),
        withdrawals=tuple(_withdrawal(row, at) for row in _rows(session, _WITHDRAWALS, case.id)),
        conferences=conferences,
    )


def ask_facts(case_id: str, *, lock: bool) -> tuple[rounds.Asked, ...]:
    """Make the questions that `facts` asks, for whoever foresees them: what is read after the locks is what counts."""
    locks = (cases.ask_held(case_id), _PASS_GATE.of(of_case=case_id)) if lock else ()
    return *locks, *(one.of(of_case=case_id) for one in (_REGISTERED, _EXCLUSIONS, _WITHDRAWALS))


def hold_gate(session: Session, case_id: str, *, change: bool) -> int:
    """Hold a case's gate to the end of the transaction, shared or for a change; return how often it changed
    before.
    """
    locked = _CHANGE_GATE if change else _PASS_GATE
    found = _rows(session, locked, case_id)
    if not found:
        session.execute(insert(consent_gates).values(case_id=case_id, version=0).on_conflict_do_nothing())
        # whoever came first may have changed what was foreseen meanwhile
        rounds.forget(session)
        found = _rows(session, locked, case_id)
    return int(found[0]["version"])


def statement(session: Session, reference: str, *, agency: str) -> Statement | None:
    """Find the record that `agency` means by the signer's id or the hub's row id: its own first, then the
    oldest.
    """
    rank = sa.case((sa.and_(consents.c.consent == reference, consents.c.signer == agency), 0), else_=1)
    condition = sa.or_(consents.c.consent == reference, consents.c.id == reference)
    found = records(session, condition, rank, consents.c.registered_at, consents.c.id, limit=1)
    return found[0] if found else None


def by_consent(session: Session, consent: str, *, signer: str) -> Statement | None:
    """Give a signer's record by the signer's own id."""
    condition = sa.and_(consents.c.consent == consent, consents.c.signer == signer)
    found = records(session, condition, consents.c.id, limit=1)
    return found[0] if found else None


def by_row(session: Session, row: str) -> Statement | None:
    """Give a record by the hub's row id, if this transaction may see it."""
    found = records(session, consents.c.id == row, limit=1)
    return found[0] if found else None


def by_record(session: Session, token: str, *, signer: str) -> Statement | None:
    """Give a signer's record by its very bytes."""
    condition = sa.and_(consents.c.record_hash == receipts.statement_hash(token), consents.c.signer == signer)
    found = records(session, condition, consents.c.id, limit=1)
    return found[0] if found else None


def of_case(session: Session, case_id: str) -> tuple[Statement, ...]:
    """Give every record of a case that this transaction may see, in the order of registration."""
    return records(session, consents.c.case_id == case_id, consents.c.id)


def statements(
    session: Session, case_id: str, *, party: Party, after: str | None = None, limit: int | None = None
) -> tuple[Statement, ...]:
    """Give the records of a case that are this agency's to see, whatever duty the transaction has."""
    condition = sa.and_(
        consents.c.case_id == case_id,
        sa.or_(
            consents.c.signer == party.agency,
            consents.c.hub_parties.contains([party.agency]),
            consents.c.partner.in_((party.agency, party.kind)),
        ),
        sa.true() if after is None else consents.c.id > after,
    )
    return records(session, condition, consents.c.id, limit=limit)


def case_row(session: Session, reference: str, *, agency: str) -> str | None:
    """Find the case that an agency means by a handle or row id when it asks for records: its own first, then the
    oldest that it may see or of which a record names it, if only by its kind. A refusal alone finds nothing: whom it
    names does not learn that there is a case.
    """
    case = cases.find(session, reference, agency=agency)
    if case is not None and case.owner == agency:
        return case.id
    # what names an agency is what row-level security shows it
    meant = sa.or_(consents.c.case_handle == reference, consents.c.case_id == reference)
    found = set(session.scalars(sa.select(consents.c.case_id).where(meant).distinct()))
    # the hub's ids carry their time
    return min(found if case is None else found | {case.id}, default=None)


def refusal(session: Session, exclusion: str, *, case_id: str) -> Refusal | None:
    """Give one exclusion of a case by its signer's id, if this transaction may see it."""
    found = _refusals(session, exclusions.c.case_id == case_id, exclusions.c.exclusion == exclusion)
    return found[0] if found else None


def refusals(session: Session, case_id: str) -> tuple[Refusal, ...]:
    """Give the exclusions of a case that this transaction may see, in the order of registration."""
    return _refusals(session, exclusions.c.case_id == case_id)


def by_exclusion(session: Session, exclusion: str, *, signer: str) -> Refusal | None:
    """Give a signer's exclusion by the signer's own id."""
    found = _refusals(session, exclusions.c.exclusion == exclusion, exclusions.c.signer == signer)
    return found[0] if found else None


def _registered(session: Session, case_id: str, at: datetime) -> tuple[Registered, ...]:
    return tuple(
        Registered(scope=scope_of(row["record"]), registered_at=min(row["registered_at"], at))
        for row in _rows(session, _REGISTERED, case_id)
    )


def _intake_side(case: Case, scopes: Sequence[Registered]) -> frozenset[str]:
    # a form that nobody signed does not make another agency one of the intake's side
    signed = (known.scope for known in scopes if known.scope.signature in VALID_SIGNATURES)
    return frozenset({case.owner}).union(*(scope.hub_parties for scope in signed))


def _exclusions(session: Session, case: Case, at: datetime) -> tuple[Exclusion, ...]:
    return tuple(
        Exclusion(
            id=known.exclusion,
            case=case.handle,
            to=frozenset(known.to),
            categories=frozenset(known.categories),
            from_time=known.from_time,
            revoked_at=None if known.revoked_at is None else min(known.revoked_at, at),
        )
        for known in map(_refusal, _rows(session, _EXCLUSIONS, case.id))
    )


def _withdrawals_of(*case_ids: str) -> sa.Select[tuple[object, ...]]:
    return _taken_back.where(withdrawals.c.case_id.in_(case_ids))


def _withdrawal(row: Row, at: datetime | None = None) -> Withdrawal:
    return Withdrawal(
        id=row["id"],
        scopes=frozenset({row["consent"]}),
        to=frozenset(row["to"]),
        categories=frozenset(row["categories"]),
        at=row["at"] if at is None else min(row["at"], at),
    )


def records(
    session: Session,
    condition: sa.ColumnElement[bool],
    *order: sa.ColumnElement[object],
    limit: int | None = None,
) -> tuple[Statement, ...]:
    """Give the records that meet a condition of this slice and that this transaction may see."""
    found = session.execute(sa.select(consents).where(condition).order_by(*order).limit(limit)).mappings().all()
    if not found:
        return ()
    taken: dict[str, list[Withdrawal]] = {}
    for row in session.execute(_withdrawals_of(*{row["case_id"] for row in found})).mappings():
        taken.setdefault(row["consent_id"], []).append(_withdrawal(dict(row)))
    statuses = _statuses(session, [row["id"] for row in found])
    return tuple(
        Statement(
            row=row["id"],
            consent=row["consent"],
            signer=row["signer"],
            case_row=row["case_id"],
            hub_parties=tuple(row["hub_parties"]),
            partner=row["partner"],
            record=row["record"],
            record_hash=row["record_hash"],
            valid_until=row["valid_until"],
            registered_at=row["registered_at"],
            superseded_at=row["superseded_at"],
            withdrawals=tuple(taken.get(row["id"], ())),
            status=statuses.get(row["id"]),
        )
        for row in found
    )


def _statuses(session: Session, rows: Sequence[str]) -> dict[str, Status]:
    found = session.execute(sa.select(consent_statuses).where(consent_statuses.c.consent_id.in_(rows)))
    return {
        row.consent_id: Status(record=row.record, record_hash=row.record_hash, as_of=row.as_of, next_by=row.next_by)
        for row in found
    }


def _refusals(session: Session, *conditions: sa.ColumnElement[bool]) -> tuple[Refusal, ...]:
    statement = sa.select(exclusions).where(*conditions).order_by(exclusions.c.registered_at, exclusions.c.id)
    return tuple(_refusal(dict(row)) for row in session.execute(statement).mappings())


def _refusal(row: Row) -> Refusal:
    return Refusal(
        row=row["id"],
        exclusion=row["exclusion"],
        signer=row["signer"],
        case_row=row["case_id"],
        to=tuple(row["to"]),
        categories=tuple(row["categories"]),
        from_time=row["from_time"],
        record=row["record"],
        record_hash=row["record_hash"],
        registered_at=row["registered_at"],
        revoked_at=row["revoked_at"],
    )


def _rows(session: Session, question: rounds.Prepared, case_id: str) -> Sequence[Row]:
    (told,) = rounds.ask(session, question.of(of_case=case_id))
    return told.rows
