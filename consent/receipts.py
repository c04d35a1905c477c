# SPDX-License-Identifier: Apache-2.0
"""Signed statements: consents, exclusions, withdrawals, status, receipts, purges (protocol §4, §5).

Each record is exactly what its JWS carries. Ids are the signer's UUIDv7 and unique per (signer, id). What a
statement does once it is believed is decided elsewhere.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import Field

from consent import signing, wire
from consent.envelope.manifest import MAX_PARTS
from consent.errors import DocumentRefusedError
from consent.jwk import PrivateKey, PublicKey
from consent.scopes import Direction, Exclusion, Scope, Withdrawal
from consent.signing import Typ
from consent.vocabulary.codes import is_known

ALL = "*"


def _one_of(code_list: str) -> wire.Code:
    return wire.Code(partial(is_known, code_list))


def _is_category(code: str) -> bool:
    return code == ALL or is_known("categories", code)


def _is_purpose(code: str) -> bool:
    return is_known("purposes", code)


def _is_partner(name: str) -> bool:
    return wire.is_id(name) or is_known("recipients", name)


def _is_recipient(name: str) -> bool:
    return name == ALL or _is_partner(name)


_Evidence = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
"""HMAC of the scan; empty where there is no paper, as `scopes.check_scope` allows for oral and missing signatures."""

Categories = Annotated[frozenset[str], wire.Codes(_is_category)]


class Delivery(StrEnum):
    """What a receipt says happened."""

    DELIVERY = "delivery"
    READ = "read"


class PartResult(StrEnum):
    """How one part fared at its receiver."""

    OK = "ok"
    UNDECRYPTABLE = "undecryptable"
    LABEL_MISMATCH = "label_mismatch"
    REFUSED = "refused"


class PurgeAnswer(StrEnum):
    """What an agency that had opened parts did after a withdrawal: the vocabulary's `withdrawal_answer`."""

    PURGED = "purged"
    RETURNED = "returned"
    KEPT_BY_LAW = "kept_by_law"


@wire.document
class ConsentRecord:
    """One scope for one partner, signed by the intake agency (`tsn-consent+jws`); fields as in consent.md."""

    v: wire.Version = 1
    id: wire.Id
    agency: wire.Id
    case: wire.Id
    form: wire.Opaque
    kind: Annotated[str, _one_of("consent_kind")]
    hub_parties: Annotated[frozenset[str], wire.Codes(wire.is_id, least=1)]
    partners: Annotated[frozenset[str], wire.Codes(_is_partner, least=1)]
    direction: Direction
    purposes: Annotated[frozenset[str], wire.Codes(_is_purpose, least=1)]
    categories: Annotated[frozenset[str], wire.Codes(_is_category, least=1)]
    valid_from: wire.Moment
    valid_until: wire.Moment
    signature: Annotated[str, _one_of("signature")]
    signed_at: wire.Moment
    written_by: wire.Opaque
    proxy_reason: Annotated[str, _one_of("proxy_reason")] | None
    read_aloud: bool
    witness: wire.Opaque | None
    form_version: wire.Opaque
    template: wire.Opaque
    evidence: _Evidence
    supersedes: Annotated[frozenset[str], wire.Codes(wire.is_id)]

    @classmethod
    def of(cls, scope: Scope, agency: str) -> "ConsentRecord":
        """Write a scope down as a record of this intake agency."""
        return cls(agency=agency, **{name: getattr(scope, name) for name in Scope.__slots__})

    def scope(self) -> Scope:
        """Give the scope that the record carries."""
        return Scope(**{name: getattr(self, name) for name in Scope.__slots__})


@wire.document
class ExclusionRecord:
    """The person's refusal (`tsn-exclusion+jws`); `words_digest` = SHA-256(salt ‖ words)."""

    v: wire.Version = 1
    id: wire.Id
    agency: wire.Id
    case: wire.Id
    to: Annotated[frozenset[str], wire.Codes(_is_recipient, least=1)]
    categories: Annotated[frozenset[str], wire.Codes(_is_category, least=1)]
    from_time: Annotated[wire.Moment, Field(alias="from")]
    words_digest: wire.Digest

    def exclusion(self) -> Exclusion:
        """Give the exclusion that the record carries."""
        return Exclusion(id=self.id, case=self.case, to=self.to, categories=self.categories, from_time=self.from_time)


@wire.document
class ExclusionRevocationRecord:
    """The person's explicit end of one exclusion (`tsn-exclusion+jws` as well; `revokes` tells it apart)."""

    v: wire.Version = 1
    id: wire.Id
    agency: wire.Id
    case: wire.Id
    revokes: wire.Id
    at: wire.Moment


@wire.document
class WithdrawalRecord:
    """A consent taken back (`tsn-withdrawal+jws`); an empty set means all, as in `scopes.Withdrawal`."""

    v: wire.Version = 1
    id: wire.Id
    agency: wire.Id
    case: wire.Id
    scopes: Annotated[frozenset[str], wire.Codes(wire.is_id)]
    to: Annotated[frozenset[str], wire.Codes(_is_partner)]
    categories: Annotated[frozenset[str], wire.Codes(partial(is_known, "categories"))]
    at: wire.Moment

    def withdrawal(self) -> Withdrawal:
        """Give the withdrawal that the record carries."""
        return Withdrawal(id=self.id, scopes=self.scopes, to=self.to, categories=self.categories, at=self.at)


@wire.document
class StatusRecord:
    """This consent (`hash` of its JWS) is live as of `as_of`; next word by `next_by` (protocol §4)."""

    v: wire.Version = 1
    id: wire.Id
    agency: wire.Id
    case: wire.Id
    consent: wire.Id
    hash: wire.Digest
    as_of: wire.Moment
    next_by: wire.Moment


@wire.document
class PartReceipt:
    """The result of one part, by its number in the manifest."""

    n: Annotated[int, Field(ge=1, le=MAX_PARTS)]
    result: PartResult


@wire.document
class ReceiptRecord:
    """The receiver's word (`tsn-receipt+jws`): how the parts opened, or first read by a named worker (`by`).

    `message` is the sender's id, `manifest` the hash of its token.
    """

    v: wire.Version = 1
    id: wire.Id
    agency: wire.Id
    sender: wire.Id
    message: wire.Id
    manifest: wire.Digest
    kind: Delivery
    results: Annotated[tuple[PartReceipt, ...], Field(max_length=MAX_PARTS)]
    by: wire.Opaque | None
    at: wire.Moment

    def is_ok(self) -> bool:
        """Say whether every part could be used."""
        return all(part.result is PartResult.OK for part in self.results)


@wire.document
class AcceptedRecord:
    """The hub's word (`tsn-accepted+jws`): this manifest is stored, `entry` is in the log by `logged_by`."""

    v: wire.Version = 1
    hub: Annotated[str, Field(min_length=1, max_length=255, pattern="^[!-~]+$")]
    sender: wire.Id
    recipient: wire.Id
    message: wire.Id
    manifest: wire.Digest
    accepted_at: wire.Moment
    entry: wire.Id
    logged_by: wire.Moment


@wire.document
class PurgeRecord:
    """An agency's answer to a stop-use notice (`tsn-purge+jws`); `kept_by_law` has a ground and an end."""

    v: wire.Version = 1
    id: wire.Id
    agency: wire.Id
    case: wire.Id
    withdrawal: wire.Id
    answer: PurgeAnswer
    ground: wire.Opaque | None
    until: wire.Moment | None
    at: wire.Moment


Record = (
    ConsentRecord
    | ExclusionRecord
    | ExclusionRevocationRecord
    | WithdrawalRecord
    | StatusRecord
    | ReceiptRecord
    | AcceptedRecord
    | PurgeRecord
)
AnyRecord = TypeVar("AnyRecord", bound=Record)

TYPS: Mapping[type[Any], Typ] = MappingProxyType(
    {
        ConsentRecord: Typ.CONSENT,
        ExclusionRecord: Typ.EXCLUSION,
        ExclusionRevocationRecord: Typ.EXCLUSION,
        WithdrawalRecord: Typ.WITHDRAWAL,
        StatusRecord: Typ.STATUS,
        ReceiptRecord: Typ.RECEIPT,
        AcceptedRecord: Typ.ACCEPTED,
        PurgeRecord: Typ.PURGE,
    }
)


def sign_statement(record: Record, key: PrivateKey) -> str:
    """Sign a statement with a `sig` key, after reading it as its receiver will.

    Raises:
        DocumentRefusedError: the receiver would refuse it.
        SignatureRefusedError: `key-not-valid`.
    """
    payload = wire.compact(record)
    _read(type(record), payload)
    return signing.sign(payload, typ=TYPS[type(record)], key=key)


def read_statement(token: str, record_type: type[AnyRecord], key: PublicKey) -> AnyRecord:
    """Verify and read a statement; the caller owes that `key` is the named agency's and valid when it counts.

    Raises:
        SignatureRefusedError: as `signing.verify`.
        DocumentRefusedError: as `wire.read`; `bad-date` for a period that ends before it begins; `wrong-
            type` for members that do not fit together.
    """
    return _read(record_type, signing.verify(token, typ=TYPS[record_type], key=key))


def peek_statement(token: str, record_type: type[Record]) -> tuple[str, str]:
    """Give the kid and the agency that a statement names, unverified: to look up the key, for nothing else.

    Raises:
        SignatureRefusedError: the header, as `signing.verify`.
        DocumentRefusedError: the payload is not JSON or names no agency.
    """
    kid, payload = signing.peek(token, typ=TYPS[record_type])
    agency = wire.parse(payload).get("agency")
    if not isinstance(agency, str) or not wire.is_id(agency):
        raise DocumentRefusedError("wrong-type", "/agency")
    return kid, agency


def peek_record(token: str, record_type: type[AnyRecord]) -> AnyRecord:
    """Read a statement without verifying it: of one's own, to find it again, and for nothing else.

    Raises:
        SignatureRefusedError, DocumentRefusedError: as `read_statement`, but for the signature.
    """
    return _read(record_type, signing.peek_payload(token, typ=TYPS[record_type]))


def statement_hash(token: str) -> str:
    """Name a statement: SHA-256 of the token in hexadecimal."""
    return signing.digest(token)


def _read(record_type: type[AnyRecord], payload: bytes) -> AnyRecord:
    record = wire.read(record_type, payload)
    _CHECKS.get(record_type, lambda _: None)(record)
    return record


def _check_consent(record: ConsentRecord) -> None:
    if record.valid_from >= record.valid_until:
        raise DocumentRefusedError("bad-date", "/valid_until")


def _check_status(record: StatusRecord) -> None:
    if record.as_of >= record.next_by:
        raise DocumentRefusedError("bad-date", "/next_by")


def _check_receipt(record: ReceiptRecord) -> None:
    read = record.kind is Delivery.READ
    if read != (record.by is not None):
        raise DocumentRefusedError("wrong-type", "/by")
    if [part.n for part in record.results] != list(range(1, len(record.results) + 1)) or (read and record.results):
        raise DocumentRefusedError("wrong-type", "/results")


def _check_purge(record: PurgeRecord) -> None:
    kept = record.answer is PurgeAnswer.KEPT_BY_LAW
    if kept != (record.ground is not None) or kept != (record.until is not None):
        raise DocumentRefusedError("wrong-type", "/ground")


_CHECKS: Mapping[type[Any], Callable[[Any], None]] = MappingProxyType(
    {
        ConsentRecord: _check_consent,
        StatusRecord: _check_status,
        ReceiptRecord: _check_receipt,
        PurgeRecord: _check_purge,
    }
)
