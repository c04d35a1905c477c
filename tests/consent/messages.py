# SPDX-License-Identifier: Apache-2.0
"""Keys of fictional agencies and a message between them, for the tests of envelopes and statements."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consent.envelope.manifest import ByConsent, Manifest, MessageKind, read_manifest
from consent.envelope.sealing import Draft, PlainPart, Sealed, seal
from consent.keys import KeyUse, PrivateKey, generate

NOW = datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
SENDER = "0190a000-0000-7000-8000-00000000000a"
RECIPIENT = "0190a000-0000-7000-8000-00000000000b"
OTHER = "0190a000-0000-7000-8000-00000000000c"
CASE = "4d1f8a52-2f0e-4b6a-9a4e-0c1d2e3f4a5b"
MESSAGE = "0190a001-0000-7000-8000-000000000001"
DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency with one key of each use that it needs here."""

    id: str
    sig: PrivateKey
    enc: PrivateKey


def agency(agency_id: str) -> Agency:
    return Agency(agency_id, generate(KeyUse.SIG), generate(KeyUse.ENC))


JIRITSU = agency(SENDER)
HOUTERASU = agency(RECIPIENT)
SHAKYO = agency(OTHER)

DRAFT = Draft(
    id=MESSAGE,
    thread=MESSAGE,
    seq=1,
    prev=None,
    sender=SENDER,
    recipient=RECIPIENT,
    case=CASE,
    created_at=NOW,
    not_after=NOW + timedelta(days=7),
    purpose="saimu_seiri",
    urgency="soon",
    request_kind="interview",
    kind=MessageKind.REFERRAL,
    basis=ByConsent(),
)
PARTS = (
    PlainPart(category="identity", media="application/json", body='{"name":"架空田 一郎"}'.encode()),
    PlainPart(category="debt_arrears", media="text/plain", body="家賃の滞納が三か月".encode()),
    PlainPart(category="health", media="text/plain", body=b""),
)


def numbered(*values: Any) -> list[Any]:
    """Name parameters by their number: made of random keys, they would have another name in every worker."""
    return [pytest.param(value, id=str(n)) for n, value in enumerate(values)]


def counted(size: int) -> bytes:
    """Give 'random' bytes that a test can foretell."""
    return hashlib.shake_256(b"salt").digest(size)


def sealed(
    draft: Draft = DRAFT,
    parts: tuple[PlainPart, ...] = PARTS,
    *,
    sender: Agency = JIRITSU,
    recipient: Agency = HOUTERASU,
    **changes: Any,
) -> Sealed:
    return seal(
        replace(draft, **changes),
        parts,
        recipient=recipient.enc.public,
        own=sender.enc.public,
        sig=sender.sig,
        randomness=counted,
    )


def manifest_of(message: Sealed, sender: Agency = JIRITSU) -> Manifest:
    return read_manifest(message.manifest, sender.sig.public)
