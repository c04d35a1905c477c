# SPDX-License-Identifier: Apache-2.0
"""Write one change of a case's consents with all it leaves behind: the row, the gate's next version, the
audit entry, the outbox row, the word to the agencies concerned. Whether the change may be made is checked in
`service`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from consent.receipts import ExclusionRecord, ExclusionRevocationRecord, StatusRecord, statement_hash
from consent.scopes import ANY, ORAL, VALID_SIGNATURES, Scope, matches, signature_valid
from hub.agencies import reads as agencies
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry, Json, timestamp
from hub.base.ids import is_id, new_id
from hub.cases import reads as cases
from hub.cases import service as case_service
from hub.cases.reads import Case
from hub.intakes import asking, reads, telling
from hub.intakes.reads import Refusal, Statement
from hub.intakes.rules import CONSENT_CHANGED, CONSENT_LAPSED, Taking, is_from_the_future, last_moment
from hub.intakes.tables import consent_gates, consent_statuses, consents, exclusions, withdrawals
from hub.outbox import service as outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Whose word a withdrawal is: its id, the signed text if there is one, and who brought it."""

    id: str
    token: str | None
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trace:
    kind: AuditKind
    case: Case
    actor: str
    subject: str
    facts: Mapping[str, Json]
    told: tuple[str, ...] = ()
    # Those who may read the entry besides the case's owner.
    readers: tuple[str, ...] = ()
    # The row that the event is about and whom it names, so that those can be told who are named by kind.
    row: str
    named: Collection[str] = ()


def add_consent(session: Session, case: Case, scope: Scope, token: str, *, now: datetime) -> bool:
    """Write a registered consent and the end of those it takes the place of, unless one of that id has come in
    between; say whether it was written.
    """
    partner = next(iter(scope.partners))
    before = reads.of_case(session, case.id)
    row = new_id(now)
    statement = _new_consent(row, case, scope, partner, token, now, ended=_is_ended(scope, before))
    if session.scalar(statement) is None:
        return False
    others = _agencies({*scope.hub_parties, partner} - {case.owner})
    for named in others:
        case_service.name_party(session, case, agency=named, now=now)
    trace = _Trace(
        kind=AuditKind.CONSENT_REGISTERED,
        case=case,
        actor=case.owner,
        subject=scope.id,
        facts={"hash": statement_hash(token), **_terms(scope)},
        told=others,
        readers=others,
        row=row,
        named=(partner,),
    )
    _leave(session, trace, now)
    _supersede(session, case, scope, before, now)
    if signature_valid(scope, now):
        asking.settle(session, before, scope, now=now)
    _foresee(session, case, scope, row, now)
    asking.begin(session, case, scope, row, now=now)
    return True


def add_withdrawal(
    session: Session, case: Case, known: Statement, taking: Taking, word: Word, *, now: datetime
) -> None:
    """Write that this much of a consent is taken back from now on."""
    row = new_id(now)
    session.execute(
        sa.insert(withdrawals).values(
            id=row,
            withdrawal=word.id,
            consent_id=known.row,
            case_id=known.case_row,
            owner=known.signer,
            partner=known.partner,
            to=sorted(taking.to),
            categories=sorted(taking.categories),
            record=word.token,
            at=now,
        )
    )
    concerned = _concerned(known, taking)
    trace = _Trace(
        kind=AuditKind.WITHDRAWAL_REGISTERED,
        case=case,
        actor=word.actor,
        subject=known.consent,
        facts={
            "withdrawal": word.id,
            "to": sorted(taking.to),
            "categories": sorted(taking.categories),
            "hash": None if word.token is None else statement_hash(word.token),
        },
        told=concerned,
        readers=concerned,
        row=row,
        named=(known.partner,),
    )
    _leave(session, trace, now)
    if taking == Taking():
        asking.end(session, known, now=now)


def countersign(session: Session, case: Case, known: Statement, word: Word, *, now: datetime) -> None:
    """Put the intake agency's signature under withdrawals of a consent that came without one."""
    if word.token is None:
        return
    unsigned = sa.and_(withdrawals.c.consent_id == known.row, withdrawals.c.record.is_(None))
    statement = sa.update(withdrawals).where(unsigned).values(record=word.token)
    for withdrawal in session.scalars(statement.returning(withdrawals.c.withdrawal)).all():
        trace = _Trace(
            kind=AuditKind.WITHDRAWAL_COUNTERSIGNED,
            case=case,
            actor=word.actor,
            subject=known.consent,
            facts={"withdrawal": withdrawal, "hash": statement_hash(word.token)},
            row=known.row,
        )
        _log(session, trace, now)


def add_exclusion(session: Session, case: Case, record: ExclusionRecord, token: str, *, now: datetime) -> None:
    """Write the person's refusal; one spoken now begins now, even where the agency's clock runs a little
    ahead.
    """
    begins = record.from_time if is_from_the_future(record.from_time, now) else min(record.from_time, now)
    row = new_id(now)
    session.execute(
        sa.insert(exclusions).values(
            id=row,
            exclusion=record.id,
            signer=record.agency,
            case_id=case.id,
            to=sorted(record.to),
            categories=sorted(record.categories),
            from_time=begins,
            record=token,
            record_hash=statement_hash(token),
            registered_at=now,
        )
    )
    trace = _Trace(
        kind=AuditKind.EXCLUSION_REGISTERED,
        case=case,
        actor=record.agency,
        subject=record.id,
        facts={
            "hash": statement_hash(token),
            "to": sorted(record.to),
            "categories": sorted(record.categories),
            "from": timestamp(begins),
        },
        told=_bound_parties(session, case, record.to),
        row=row,
        named=record.to,
    )
    _leave(session, trace, now)
    if begins > now:
        # nothing will be written when it begins, and still the answer changes then
        _announce(session, case, now, due=begins)


def end_exclusion(
    session: Session, case: Case, known: Refusal, record: ExclusionRevocationRecord, token: str, *, now: datetime
) -> None:
    """Write that the person took one refusal back."""
    ended = sa.update(exclusions).where(exclusions.c.id == known.row)
    session.execute(ended.values(revoked_at=now, revocation=token))
    trace = _Trace(
        kind=AuditKind.EXCLUSION_REVOKED,
        case=case,
        actor=record.agency,
        subject=known.exclusion,
        facts={"revocation": record.id, "hash": statement_hash(token)},
        told=_bound_parties(session, case, known.to),
        row=known.row,
        named=known.to,
    )
    _leave(session, trace, now)


def keep_status(
    session: Session, case: Case, known: Statement, record: StatusRecord, token: str, *, now: datetime
) -> None:
    """Keep a status if it is the newest. Nobody's answer differs for it, so no gate is passed and no work put
    out.
    """
    values = {
        "record": token,
        "record_hash": statement_hash(token),
        "as_of": record.as_of,
        "next_by": record.next_by,
    }
    statement = insert(consent_statuses).values(
        consent_id=known.row, owner=known.signer, partner=known.partner, **values
    )
    newest = statement.on_conflict_do_update(
        index_elements=["consent_id"], set_=values, where=consent_statuses.c.as_of < record.as_of
    )
    if session.scalar(newest.returning(consent_statuses.c.consent_id)) is None:
        return
    facts = {"hash": statement_hash(token), "as_of": timestamp(record.as_of)}
    _note(session, case, known, AuditKind.CONSENT_STATUS_RENEWED, facts, now=now)


def note_lapse(session: Session, case: Case, known: Statement, *, now: datetime) -> None:
    """Write that a record's time is over, and tell its own agency as well: nobody acted when it ended."""
    facts = {"hash": known.record_hash}
    _note(session, case, known, AuditKind.CONSENT_LAPSED, facts, actor=HUB, also=(known.signer,), now=now)
    asking.end(session, known, now=now)


def _is_ended(scope: Scope, before: Iterable[Statement]) -> bool:
    """Tell whether an earlier record has taken the place of one that comes only now."""
    return any(scope.id in each.scope.supersedes and signature_valid(each.scope, each.registered_at) for each in before)


def _supersede(session: Session, case: Case, scope: Scope, before: Iterable[Statement], now: datetime) -> None:
    """Write when the records that a new one takes the place of have ended, and tell those whom each of them names.

    They need not be those whom the new one names, and then hear of their own record alone. A signature that does not
    count now ends nothing (consent.decisions).
    """
    if not signature_valid(scope, now):
        return
    for old in before:
        if old.consent not in scope.supersedes or old.superseded_at is not None:
            continue
        session.execute(sa.update(consents).where(consents.c.id == old.row).values(superseded_at=now))
        _note(session, case, old, AuditKind.CONSENT_SUPERSEDED, {"hash": old.record_hash}, now=now)


def _foresee(session: Session, case: Case, scope: Scope, row: str, now: datetime) -> None:
    """Put out what must follow when the record begins and when it runs out: nothing will be written then, and still
    the answer changes.
    """
    ends = last_moment(scope)
    if scope.valid_from > now:
        _announce(session, case, now, due=scope.valid_from)
    if ends > now and (scope.signature == ORAL or scope.signature in VALID_SIGNATURES):
        outbox.put(session, topic=CONSENT_LAPSED, about=row, order_key=f"case:{case.id}", now=now, due=ends)
    _announce(session, case, now, due=max(ends, now))


def _note(
    session: Session,
    case: Case,
    known: Statement,
    kind: AuditKind,
    facts: Mapping[str, Json],
    *,
    now: datetime,
    actor: str | None = None,
    also: tuple[str, ...] = (),
) -> None:
    """Log and tell what concerns one whole record and changes nobody's answer in this transaction."""
    concerned = _concerned(known, Taking())
    trace = _Trace(
        kind=kind,
        case=case,
        actor=actor or known.signer,
        subject=known.consent,
        facts=facts,
        told=(*also, *concerned),
        readers=concerned,
        row=known.row,
        named=(known.partner,),
    )
    _log(session, trace, now)
    _tell(session, trace, now)


def _new_consent(
    row: str, case: Case, scope: Scope, partner: str, token: str, now: datetime, *, ended: bool
) -> sa.sql.dml.ReturningInsert[tuple[str]]:
    statement = insert(consents).values(
        id=row,
        consent=scope.id,
        signer=case.owner,
        case_id=case.id,
        case_handle=case.handle,
        hub_parties=sorted(scope.hub_parties),
        partner=partner,
        record=token,
        record_hash=statement_hash(token),
        valid_until=scope.valid_until,
        registered_at=now,
        superseded_at=now if ended else None,
    )
    return statement.on_conflict_do_nothing(index_elements=["signer", "consent"]).returning(consents.c.id)


def _terms(scope: Scope) -> dict[str, Json]:
    # what an auditor needs to decide again, years later, without the record
    return {
        "form": scope.form,
        "hub_parties": sorted(scope.hub_parties),
        "partners": sorted(scope.partners),
        "direction": scope.direction.value,
        "purposes": sorted(scope.purposes),
        "categories": sorted(scope.categories),
        "valid_from": timestamp(scope.valid_from),
        "valid_until": timestamp(scope.valid_until),
        "signature": scope.signature,
        "signed_at": timestamp(scope.signed_at),
        "supersedes": sorted(scope.supersedes),
    }


def _agencies(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if is_id(name)))


def _concerned(known: Statement, taking: Taking) -> tuple[str, ...]:
    # a withdrawal for one agency is no news, and none of their business, to a partner it does not name
    named = not taking.to or known.partner in taking.to
    others = {*known.hub_parties, known.partner} if named else {*known.hub_parties}
    return _agencies(others - {known.signer})


def _bound_parties(session: Session, case: Case, to: Iterable[str]) -> tuple[str, ...]:
    # who has nothing to do with the case does not hear from a refusal that there is one
    named = frozenset(to)
    parties = (agencies.party(session, agency) for agency in cases.parties(session, case.id))
    return tuple(party.agency for party in parties if party and (ANY in named or matches(named, party)))


def _leave(session: Session, trace: _Trace, now: datetime) -> None:
    gate = consent_gates.c
    raised = sa.update(consent_gates).where(gate.case_id == trace.case.id).values(version=gate.version + 1)
    session.execute(raised)
    _log(session, trace, now)
    _announce(session, trace.case, now)
    _tell(session, trace, now)


def _log(session: Session, trace: _Trace, now: datetime) -> None:
    entry = Entry(
        kind=trace.kind,
        actor=trace.actor,
        parties=(trace.case.owner, *trace.readers),
        case=trace.case.handle,
        subject=trace.subject,
        # a handle is unique to its owner alone, and the actor need not be the owner
        facts={"owner": trace.case.owner, **trace.facts},
    )
    audit.append(session, entry, now=now)


def _announce(session: Session, case: Case, now: datetime, *, due: datetime | None = None) -> None:
    outbox.put(session, topic=CONSENT_CHANGED, about=case.id, order_key=f"case:{case.id}", now=now, due=due)


def _tell(session: Session, trace: _Trace, now: datetime) -> None:
    for agency in trace.told:
        outbox.tell(session, agency=agency, event=trace.kind.value, about=trace.subject, now=now)
    telling.put(session, trace.kind, trace.row, trace.named, case_row=trace.case.id, now=now)
