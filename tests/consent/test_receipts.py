# SPDX-License-Identifier: Apache-2.0
"""Statements: each is exactly its members, under its own typ, and one that does not fit together is refused."""

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from consent import signing, wire
from consent.errors import DocumentRefusedError, SignatureRefusedError, TsunagiError
from consent.receipts import (
    TYPS,
    AcceptedRecord,
    ConsentRecord,
    Delivery,
    ExclusionRecord,
    ExclusionRevocationRecord,
    PartReceipt,
    PartResult,
    PurgeAnswer,
    PurgeRecord,
    ReceiptRecord,
    Record,
    StatusRecord,
    WithdrawalRecord,
    peek_statement,
    read_statement,
    sign_statement,
    statement_hash,
)
from consent.scopes import Direction, Exclusion, Scope, Withdrawal
from consent.vocabulary.codes import CODE_LISTS
from tests.consent.messages import CASE, DIGEST, JIRITSU, MESSAGE, NOW, OTHER, RECIPIENT, SENDER, SHAKYO

DAY = timedelta(days=1)
SCOPE = Scope(
    id=MESSAGE,
    case=CASE,
    form="form-2026-1",
    kind="intake_form",
    hub_parties=frozenset({SENDER}),
    partners=frozenset({RECIPIENT, "houterasu"}),
    direction=Direction.BOTH,
    purposes=frozenset({"saimu_seiri"}),
    categories=frozenset({"*", "health"}),
    valid_from=NOW,
    valid_until=NOW + 90 * DAY,
    signature="self",
    signed_at=NOW,
    written_by="self",
    form_version="2026-04",
    template="generic:1",
    evidence=DIGEST,
)
CONSENT = ConsentRecord.of(SCOPE, SENDER)
COMMON: dict[str, Any] = {"id": MESSAGE, "agency": SENDER, "case": CASE}
EXCLUSION = ExclusionRecord(
    **COMMON, to=frozenset({"*"}), categories=frozenset({"*"}), from_time=NOW, words_digest=DIGEST
)
REVOCATION = ExclusionRevocationRecord(**COMMON, revokes=OTHER, at=NOW)
WITHDRAWAL = WithdrawalRecord(
    **COMMON, scopes=frozenset(), to=frozenset({RECIPIENT}), categories=frozenset({"health"}), at=NOW
)
STATUS = StatusRecord(**COMMON, consent=MESSAGE, hash=DIGEST, as_of=NOW, next_by=NOW + DAY)
DELIVERED = ReceiptRecord(
    id=MESSAGE,
    agency=SENDER,
    sender=OTHER,
    message=MESSAGE,
    manifest=DIGEST,
    kind=Delivery.DELIVERY,
    results=(PartReceipt(n=1, result=PartResult.OK), PartReceipt(n=2, result=PartResult.LABEL_MISMATCH)),
    by=None,
    at=NOW,
)
READ = replace(DELIVERED, kind=Delivery.READ, results=(), by="staff-7")
ACCEPTED = AcceptedRecord(
    hub="hub.example",
    sender=SENDER,
    recipient=RECIPIENT,
    message=MESSAGE,
    manifest=DIGEST,
    accepted_at=NOW,
    entry=OTHER,
    logged_by=NOW + timedelta(seconds=60),
)
PURGED = PurgeRecord(**COMMON, withdrawal=OTHER, answer=PurgeAnswer.PURGED, ground=None, until=None, at=NOW)
KEPT = replace(PURGED, answer=PurgeAnswer.KEPT_BY_LAW, ground="record_keeping", until=NOW + 365 * DAY)
RECORDS: tuple[Record, ...] = (
    CONSENT,
    EXCLUSION,
    REVOCATION,
    WITHDRAWAL,
    STATUS,
    DELIVERED,
    READ,
    ACCEPTED,
    PURGED,
    KEPT,
)

every = pytest.mark.parametrize("record", RECORDS, ids=range(len(RECORDS)))


def refusal(record: Record, **members: Any) -> tuple[str, str]:
    payload = {**json.loads(wire.compact(record)), **{name.rstrip("_"): value for name, value in members.items()}}
    token = signing.sign(json.dumps(payload).encode(), typ=TYPS[type(record)], key=JIRITSU.sig)
    with pytest.raises(TsunagiError) as refused:
        read_statement(token, type(record), JIRITSU.sig.public)
    return refused.value.code, refused.value.pointer


@every
def test_a_statement_comes_back_as_it_was_signed(record: Record) -> None:
    token = sign_statement(record, JIRITSU.sig)
    assert read_statement(token, type(record), JIRITSU.sig.public) == record
    assert statement_hash(token) == signing.digest(token)


@every
def test_a_statement_by_another_key_is_refused(record: Record) -> None:
    token = sign_statement(record, JIRITSU.sig)
    with pytest.raises(SignatureRefusedError, match="key-not-valid"):
        read_statement(token, type(record), SHAKYO.sig.public)


@every
def test_a_statement_is_never_taken_for_another(record: Record) -> None:
    token = sign_statement(record, JIRITSU.sig)
    for other in TYPS:
        if other is not type(record):
            with pytest.raises(TsunagiError):
                read_statement(token, other, JIRITSU.sig.public)


@every
def test_every_member_is_required_and_no_other_is_taken(record: Record) -> None:
    assert refusal(record, more=1) == ("unknown-member", "")
    plain = json.loads(wire.compact(record))
    assert len(plain) == len(fields(record))
    for name in plain:
        rest = {key: value for key, value in plain.items() if key != name}
        token = signing.sign(json.dumps(rest).encode(), typ=TYPS[type(record)], key=JIRITSU.sig)
        with pytest.raises(DocumentRefusedError, match=f"^missing-member at /{name}$"):
            read_statement(token, type(record), JIRITSU.sig.public)


@every
def test_a_peek_names_the_key_and_the_agency_to_look_up(record: Record) -> None:
    token = sign_statement(record, JIRITSU.sig)
    if isinstance(record, AcceptedRecord):
        with pytest.raises(DocumentRefusedError, match="wrong-type at /agency"):
            peek_statement(token, AcceptedRecord)
    else:
        assert peek_statement(token, type(record)) == (JIRITSU.sig.kid, SENDER)


def test_a_consent_carries_the_whole_scope() -> None:
    assert CONSENT.scope() == SCOPE
    assert ConsentRecord.of(CONSENT.scope(), SENDER) == CONSENT


def test_an_oral_consent_needs_no_paper() -> None:
    oral = replace(CONSENT, signature="oral_pending", kind="oral", evidence="")
    token = sign_statement(oral, JIRITSU.sig)
    assert read_statement(token, ConsentRecord, JIRITSU.sig.public).evidence == ""


def test_an_exclusion_and_a_withdrawal_carry_what_the_decision_needs() -> None:
    assert EXCLUSION.exclusion() == Exclusion(
        id=MESSAGE, case=CASE, to=frozenset({"*"}), categories=frozenset({"*"}), from_time=NOW
    )
    assert WITHDRAWAL.withdrawal() == Withdrawal(
        id=MESSAGE, scopes=frozenset(), to=frozenset({RECIPIENT}), categories=frozenset({"health"}), at=NOW
    )


@pytest.mark.parametrize(
    ("record", "members", "expected"),
    [
        (CONSENT, {"valid_until": wire.write_moment(NOW)}, ("bad-date", "/valid_until")),
        (CONSENT, {"kind": "verbal"}, ("unknown-code", "/kind")),
        (CONSENT, {"signature": "stamp"}, ("unknown-code", "/signature")),
        (CONSENT, {"direction": "up"}, ("unknown-code", "/direction")),
        (CONSENT, {"purposes": ["x"]}, ("unknown-code", "/purposes")),
        (CONSENT, {"purposes": []}, ("wrong-type", "/purposes")),
        (CONSENT, {"purposes": ["*"]}, ("unknown-code", "/purposes")),
        (CONSENT, {"categories": ["x"]}, ("unknown-code", "/categories")),
        (CONSENT, {"partners": ["架空市"]}, ("unknown-code", "/partners")),
        (CONSENT, {"partners": ["*"]}, ("unknown-code", "/partners")),
        (CONSENT, {"hub_parties": ["jiritsu"]}, ("unknown-code", "/hub_parties")),
        (CONSENT, {"hub_parties": []}, ("wrong-type", "/hub_parties")),
        (CONSENT, {"written_by": "架空田 一郎"}, ("wrong-type", "/written_by")),
        (CONSENT, {"proxy_reason": "x"}, ("unknown-code", "/proxy_reason")),
        (CONSENT, {"read_aloud": 1}, ("wrong-type", "/read_aloud")),
        (CONSENT, {"evidence": "x"}, ("wrong-type", "/evidence")),
        (CONSENT, {"supersedes": ["x"]}, ("unknown-code", "/supersedes")),
        (CONSENT, {"case": "架空田"}, ("wrong-type", "/case")),
        (EXCLUSION, {"to": []}, ("wrong-type", "/to")),
        (EXCLUSION, {"categories": []}, ("wrong-type", "/categories")),
        (EXCLUSION, {"from_": "tomorrow"}, ("bad-date", "/from")),
        (WITHDRAWAL, {"categories": ["*"]}, ("unknown-code", "/categories")),
        (STATUS, {"next_by": wire.write_moment(NOW)}, ("bad-date", "/next_by")),
        (DELIVERED, {"by": "staff-7"}, ("wrong-type", "/by")),
        (DELIVERED, {"kind": "opened"}, ("unknown-code", "/kind")),
        (DELIVERED, {"results": [{"n": 2, "result": "ok"}]}, ("wrong-type", "/results")),
        (DELIVERED, {"results": [{"n": 1, "result": "fine"}]}, ("unknown-code", "/results/0/result")),
        (DELIVERED, {"results": [{"n": 0, "result": "ok"}]}, ("wrong-type", "/results/0/n")),
        (READ, {"by": None}, ("wrong-type", "/by")),
        (READ, {"results": [{"n": 1, "result": "ok"}]}, ("wrong-type", "/results")),
        (PURGED, {"ground": "x"}, ("wrong-type", "/ground")),
        (KEPT, {"ground": None}, ("wrong-type", "/ground")),
        (KEPT, {"until": None}, ("wrong-type", "/ground")),
        (ACCEPTED, {"hub": ""}, ("wrong-type", "/hub")),
    ],
    ids=range(34),
)
def test_a_statement_that_does_not_fit_together_is_refused(
    record: Record, members: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert refusal(record, **members) == expected


def test_what_a_receiver_would_refuse_is_not_signed() -> None:
    with pytest.raises(DocumentRefusedError, match="bad-date"):
        sign_statement(replace(CONSENT, valid_until=NOW), JIRITSU.sig)


def test_a_receipt_is_ok_when_every_part_is() -> None:
    assert not DELIVERED.is_ok()
    assert replace(DELIVERED, results=DELIVERED.results[:1]).is_ok()


def test_the_answers_are_those_of_the_vocabulary() -> None:
    assert {answer.value for answer in PurgeAnswer} == set(CODE_LISTS["withdrawal_answer"])
