# SPDX-License-Identifier: Apache-2.0
"""The signed half of a message: who tells whom, why, on which basis, which parts (protocol §2).

The hub reads this and nothing more. The parts themselves are looked at in `labels`.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Annotated, Literal, NoReturn, assert_never

from pydantic import Field

from consent import questions, signing, wire
from consent.errors import DocumentRefusedError, SealRefusedError
from consent.keys import PrivateKey, PublicKey, Suite
from consent.signing import Typ
from consent.vocabulary.codes import is_known

MAX_PARTS = 16
MAX_WAIT = timedelta(days=30)
"""Longer than Golden Week and New Year: how long ciphertext may wait."""
MAX_SIZE = 11 * 1024 * 1024
"""The largest padded part: 10 MB and what padding adds."""


class MessageKind(StrEnum):
    """What a message is to the referral it belongs to."""

    REFERRAL = "referral"
    REPLY = "reply"
    QUESTION = "question"
    ACCOMPANIMENT = "accompaniment"
    FOLLOW_UP = "follow_up"
    OUTCOME = "outcome"
    DOCUMENT = "document"
    NOTICE = "notice"


def _known(code_list: str) -> Callable[[str], bool]:
    return partial(is_known, code_list)


def _known_or_empty(code_list: str) -> Callable[[str], bool]:
    return lambda code: code == "" or is_known(code_list, code)


Category = Annotated[str, wire.Code(_known("categories"))]
Purpose = Annotated[str, wire.Code(_known("purposes"))]
_Staff = Annotated[str, Field(pattern="^([A-Za-z0-9][A-Za-z0-9._:-]{0,63})?$")]


@wire.document
class ConsentEvidence:
    """A registered record the sender relied on, its hash, the stapled status's hash (protocol §4)."""

    id: wire.Id
    hash: wire.Digest
    status: wire.Digest


@wire.document
class ByConsent:
    """The person's consent. `consents` is evidence and may be empty; the hub decides on any live scope."""

    kind: Literal["consent"] = "consent"
    consents: Annotated[tuple[ConsentEvidence, ...], Field(max_length=MAX_PARTS)] = ()


@wire.document
class ByEmergency:
    """Life, body or property.

    What is missing (null or empty) is for the decision to refuse, not for the parser.
    """

    kind: Literal["emergency"] = "emergency"
    threat: Annotated[str, wire.Code(_known_or_empty("threat"))] | None = None
    difficulty: Annotated[str, wire.Code(_known_or_empty("consent_difficulty"))] | None = None
    requester: _Staff | None = None
    approver: _Staff | None = None
    approver_role: Annotated[str, wire.Code(_known_or_empty("staff_role"))] | None = None
    approved_at: wire.Moment | None = None
    valid_until: wire.Moment | None = None


@wire.document
class ByConference:
    """A 支援会議 of which both sides are members."""

    kind: Literal["shien_kaigi"] = "shien_kaigi"
    conference: wire.Id | None = None


@wire.document
class ByStatute:
    """A registered ground of statute."""

    kind: Literal["statute"] = "statute"
    ground: Annotated[str, wire.Code(_known_or_empty("statute_ground"))] | None = None


ManifestBasis = ByConsent | ByEmergency | ByConference | ByStatute


@wire.document
class PartLabel:
    """What the manifest says of one part.

    `ct` binds the sealed bytes, `com` commits the sender to one plaintext.
    """

    n: Annotated[int, Field(ge=1, le=MAX_PARTS)]
    category: Category
    media: Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9][a-z0-9.+-]{0,63}$")]
    size_bucket: Annotated[int, Field(ge=1, le=MAX_SIZE)]
    ct: wire.Digest
    com: wire.Digest


@wire.document
class Manifest:
    """Exactly the members of protocol §2; `sender` and `recipient` are written `from` and `to`."""

    v: wire.Version = 1
    id: wire.Id
    thread: wire.Id
    seq: Annotated[int, Field(ge=1)]
    prev: wire.Digest | None
    sender: Annotated[wire.Id, Field(alias="from")]
    recipient: Annotated[wire.Id, Field(alias="to")]
    to_kid: wire.Kid
    case: wire.Id
    suite: Suite
    created_at: wire.Moment
    not_after: wire.Moment
    purpose: Purpose
    urgency: Annotated[str, wire.Code(_known("urgency"))]
    request_kind: Annotated[str, wire.Code(_known("request_kind"))]
    kind: MessageKind
    basis: Annotated[ManifestBasis, Field(discriminator="kind")]
    parts: Annotated[tuple[PartLabel, ...], Field(max_length=MAX_PARTS)]


def sign_manifest(manifest: Manifest, key: PrivateKey) -> str:
    """Sign a manifest with the sender's `sig` key, after reading it as its receiver will.

    Raises:
        DocumentRefusedError: the receiver would refuse it.
        SealRefusedError: `suite-not-supported`.
        SignatureRefusedError: `key-not-valid`.
    """
    payload = wire.compact(manifest)
    _read(payload)
    return signing.sign(payload, typ=Typ.MANIFEST, key=key)


def read_manifest(token: str, key: PublicKey) -> Manifest:
    """Verify and read a manifest; the caller owes that `key` is the named sender's and valid now.

    Raises:
        SignatureRefusedError: as `signing.verify`.
        DocumentRefusedError: as `wire.read`; `too-large` for more than 16 parts; `bad-date` when it waits
            longer than 30 days or ends before it begins; `same-agency`; `wrong-type` when numbers or `prev`
            do not fit together.
        SealRefusedError: `suite-not-supported`.
    """
    return _read(signing.verify(token, typ=Typ.MANIFEST, key=key))


def peek(token: str) -> tuple[str, str]:
    """Give the kid and the sender that a manifest names, unverified: to look up the key, for nothing else.

    Raises:
        SignatureRefusedError: the header, as `signing.verify`.
        DocumentRefusedError: the payload is not JSON or names no sender.
    """
    kid, payload = signing.peek(token, typ=Typ.MANIFEST)
    sender = wire.parse(payload).get("from")
    if not isinstance(sender, str) or not wire.is_id(sender):
        raise DocumentRefusedError("wrong-type", "/from")
    return kid, sender


def manifest_hash(token: str) -> str:
    """Name a manifest in the next one's `prev` and in receipts: SHA-256 of the token in hexadecimal."""
    return signing.digest(token)


def basis_of(manifest: Manifest) -> questions.Basis:
    """Say on which basis the message claims to go, in the words of `questions`."""
    return basis_from(manifest.basis)


def basis_from(basis: ManifestBasis) -> questions.Basis:
    """Say a basis as it stands in a manifest in the words of `questions`: for a preview, before there is one."""
    match basis:
        case ByConsent():
            return questions.ConsentBasis()
        case ByConference(conference=conference):
            return questions.ConferenceBasis(conference=conference)
        case ByStatute(ground=ground):
            return questions.StatuteBasis(ground=ground)
        case ByEmergency() as given:
            return questions.EmergencyBasis(
                threat=given.threat,
                difficulty=given.difficulty,
                requester=given.requester,
                approver=given.approver,
                approver_role=given.approver_role,
                approved_at=given.approved_at,
                valid_until=given.valid_until,
            )
        case _:  # pragma: no cover - the parser knows four kinds
            assert_never(basis)


def _read(payload: bytes) -> Manifest:
    manifest = wire.read(Manifest, payload)
    if manifest.suite is not Suite.A:
        raise SealRefusedError("suite-not-supported", "/suite")
    if not manifest.created_at < manifest.not_after <= manifest.created_at + MAX_WAIT:
        raise DocumentRefusedError("bad-date", "/not_after")
    if (manifest.seq == 1) != (manifest.prev is None):
        _refuse("/prev")
    if manifest.sender == manifest.recipient:
        raise DocumentRefusedError("same-agency", "/to")
    if [part.n for part in manifest.parts] != list(range(1, len(manifest.parts) + 1)):
        _refuse("/parts")
    return manifest


def _refuse(pointer: str) -> NoReturn:
    raise DocumentRefusedError("wrong-type", pointer)
