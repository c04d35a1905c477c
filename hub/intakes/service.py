# SPDX-License-Identifier: Apache-2.0
"""Register what people agreed to, refused and took back, as signed statements of their intake agency. Each
change passes the case's gate. What it leaves behind is written in `changes`; what may be shared is decided in
`consent.decisions`, never here.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NoReturn

from sqlalchemy.orm import Session

from consent.errors import DocumentRefusedError, ScopeRefusedError
from consent.receipts import (
    ConsentRecord,
    ExclusionRecord,
    ExclusionRevocationRecord,
    StatusRecord,
    WithdrawalRecord,
)
from consent.scopes import ANY, Scope, check_scope
from hub.base.errors import ConflictError, InvalidError, NotFoundError
from hub.base.ids import new_id
from hub.cases import reads as cases
from hub.cases.reads import Case
from hub.intakes import changes, reads
from hub.intakes.changes import Word
from hub.intakes.reads import Refusal, Statement
from hub.intakes.rules import (
    Taking,
    is_from_the_future,
    is_taken_already,
    is_wholly_withdrawn,
    one_partner,
)


def register_consent(session: Session, token: str, *, agency: str, now: datetime) -> Statement:
    """Register one signed consent record of the calling intake agency; the same bytes are the same answer.

    Raises:
        MalformedError: `bad-signature` and what else makes the text no record of this agency's.
        InvalidError: `bad-scope`, `proxy-reason-required`, `needs-second-signer`, `unknown-code`,
            `unknown-agency`, `unknown-case` (consent.md "What is stored").
        ConflictError: `id-clash`, `case-closed`.
    """
    known = reads.by_record(session, token, signer=agency)
    if known is not None:
        return known
    record = reads.signed(session, token, ConsentRecord, agency=agency, at=now)
    scope = record.scope()
    _check_scope(session, scope, agency, now)
    case = cases.own(session, scope.case, owner=agency)
    if case is None:
        raise InvalidError("unknown-case", pointer="/record/case")
    held = cases.held(session, case.id, exclusive=False) or _vanished()
    reads.hold_gate(session, case.id, change=True)
    if reads.by_consent(session, scope.id, signer=agency) is None:
        if held.closed_at is not None:
            raise ConflictError("case-closed", pointer="/record/case")
        changes.add_consent(session, case, scope, token, now=now)
    known = reads.by_consent(session, scope.id, signer=agency) or _vanished()
    if known.record != token:
        raise ConflictError("id-clash", pointer="/record/id")
    return known


def withdraw(
    session: Session, known: Statement, *, agency: str, taking: Taking, token: str | None, now: datetime
) -> Statement:
    """Take a consent back at the word of its intake agency, signed or not; effective as it commits.

    What is taken back already is not taken back twice; a signed word then countersigns an unsigned one.

    Raises:
        NotFoundError: the record is another agency's.
        MalformedError, InvalidError: as `register_consent`; `record-mismatch`, it is about something else;
            `unknown-consent`, it names a record that the case does not have.
    """
    if known.signer != agency:
        raise NotFoundError
    case = cases.by_id(session, known.case_row) or _vanished()
    word = Word(id=new_id(now), token=None, actor=agency)
    concerned: tuple[Statement, ...] = (known,)
    if token is not None:
        signed = reads.signed(session, token, WithdrawalRecord, agency=agency, at=now)
        concerned = _concerned(session, signed, known, case)
        word = Word(id=signed.id, token=token, actor=agency)
        taking = Taking(to=signed.to, categories=signed.categories)
    reads.check_named(session, taking.to, "/to" if token is None else "/record/to")
    take_back(session, case, concerned, taking, word, now=now)
    return reads.by_consent(session, known.consent, signer=agency) or _vanished()


def take_back(
    session: Session, case: Case, concerned: Iterable[Statement], taking: Taking, word: Word, *, now: datetime
) -> None:
    """Take these records of a case back under its gate, whoever brought the person's word (bad-input
    CON-11).
    """
    reads.hold_gate(session, case.id, change=True)
    for before in concerned:
        # read again: another withdrawal may have committed while we waited for the gate
        known = reads.by_consent(session, before.consent, signer=before.signer) or _vanished()
        if is_taken_already(taking, known.withdrawals):
            changes.countersign(session, case, known, word, now=now)
        else:
            changes.add_withdrawal(session, case, known, taking, word, now=now)


def register_exclusion(session: Session, case: Case, token: str, *, agency: str, now: datetime) -> Refusal:
    """Register the person's signed refusal: it needs no scope and outlives them all, also on a closed case.

    Raises:
        NotFoundError: the case is another agency's.
        MalformedError, InvalidError: as `register_consent`; `record-mismatch`. ConflictError: `id-clash`.
    """
    if case.owner != agency:
        raise NotFoundError
    record = reads.signed(session, token, ExclusionRecord, agency=agency, at=now)
    if record.case != case.handle:
        raise InvalidError("record-mismatch", pointer="/record/case")
    reads.check_named(session, record.to - {ANY}, "/record/to")
    reads.hold_gate(session, case.id, change=True)
    if reads.by_exclusion(session, record.id, signer=agency) is None:
        changes.add_exclusion(session, case, record, token, now=now)
    known = reads.by_exclusion(session, record.id, signer=agency) or _vanished()
    if known.record != token:
        raise ConflictError("id-clash", pointer="/record/id")
    return known


def revoke_exclusion(
    session: Session, case: Case, known: Refusal, token: str, *, agency: str, now: datetime
) -> Refusal:
    """End one exclusion at the person's explicit word, signed by the intake agency; twice is once.

    Raises:
        NotFoundError: the exclusion is another agency's.
        MalformedError, InvalidError: as `register_consent`; `record-mismatch`.
    """
    if known.signer != agency:
        raise NotFoundError
    record = reads.signed(session, token, ExclusionRevocationRecord, agency=agency, at=now)
    if record.revokes != known.exclusion or record.case != case.handle:
        raise InvalidError("record-mismatch", pointer="/record/revokes")
    reads.hold_gate(session, case.id, change=True)
    standing = reads.by_exclusion(session, known.exclusion, signer=agency) or _vanished()
    if standing.revoked_at is None:
        changes.end_exclusion(session, case, standing, record, token, now=now)
    return reads.by_exclusion(session, known.exclusion, signer=agency) or _vanished()


def record_status(session: Session, known: Statement, token: str, *, agency: str, now: datetime) -> Statement:
    """Keep the intake agency's newest signed word that a consent is live (protocol §4).

    An older word than the one kept changes nothing.

    Raises:
        NotFoundError: the record is another agency's. ConflictError: `consent-withdrawn`.
        MalformedError, InvalidError: as `register_consent`; `record-mismatch`; `bad-date`, from the future.
    """
    if known.signer != agency:
        raise NotFoundError
    record = reads.signed(session, token, StatusRecord, agency=agency, at=now)
    if record.consent != known.consent or record.hash != known.record_hash:
        raise InvalidError("record-mismatch", pointer="/record/consent")
    if is_from_the_future(record.as_of, now):
        raise InvalidError("bad-date", pointer="/record/as_of")
    if is_wholly_withdrawn(known.withdrawals):
        raise ConflictError("consent-withdrawn")
    case = cases.by_id(session, known.case_row) or _vanished()
    changes.keep_status(session, case, known, record, token, now=now)
    return reads.by_consent(session, known.consent, signer=agency) or _vanished()


def _check_scope(session: Session, scope: Scope, agency: str, now: datetime) -> None:
    try:
        check_scope(scope, now)
    except (DocumentRefusedError, ScopeRefusedError) as error:
        raise reads.refused(error) from error
    if agency not in scope.hub_parties:
        raise InvalidError("bad-scope", pointer="/record/hub_parties")
    if one_partner(scope) is None:
        raise InvalidError("bad-scope", pointer="/record/partners")
    reads.check_named(session, scope.partners, "/record/partners")
    reads.check_named(session, scope.hub_parties, "/record/hub_parties")


def _concerned(session: Session, signed: WithdrawalRecord, known: Statement, case: Case) -> tuple[Statement, ...]:
    if signed.case != case.handle or (signed.scopes and known.consent not in signed.scopes):
        raise InvalidError("record-mismatch", pointer="/record/scopes")
    of_case = reads.of_case(session, case.id)
    if not signed.scopes:
        return of_case
    concerned = tuple(each for each in of_case if each.consent in signed.scopes)
    if len(concerned) != len(signed.scopes):
        raise InvalidError("unknown-consent", pointer="/record/scopes")
    return concerned


def _vanished() -> NoReturn:
    raise RuntimeError("row-not-visible")
