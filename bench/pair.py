# SPDX-License-Identifier: Apache-2.0
"""Two agencies that refer to each other, and the loops they are to run, made before the clock starts.

Everything that costs an agency time (sealing, signing manifests and receipts) is done here, so that what is measured
afterwards is the hub. A loop's proofs name paths that the hub chooses; they alone are made while it runs.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from consent.envelope.manifest import ByConsent, MessageKind, manifest_hash
from consent.envelope.sealing import Draft, PlainPart, seal
from consent.ids import uuid7
from consent.jwk import KeyUse, PrivateKey, generate
from consent.keys import fingerprint_words, new_entry, sign_entry
from consent.receipts import (
    ConsentRecord,
    Delivery,
    PartReceipt,
    PartResult,
    ReceiptRecord,
    sign_statement,
)
from consent.registration import Registration, write_registration
from consent.scopes import Scope
from hub.agencies import service as agencies
from hub.agencies.rules import Approver
from hub.base.db import Database, Duty, now
from hub.cases import service as cases
from hub.intakes import service as intakes

CATEGORIES = ("identity", "contact", "income_assets", "debt_arrears", "benefits")
PART_BYTES = 2048
PURPOSE = "koguchi_shikin"
TERM = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """An agency of the hub with the keys it works with."""

    id: str
    sig: PrivateKey
    enc: PrivateKey
    client: PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One referral to be sent: the body of the submission and the receiver's signed receipt, as bytes."""

    message: str
    submission: bytes
    receipt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A sender and a receiver."""

    sender: Agency
    receiver: Agency


def found_pair(database: Database, people: Sequence[Approver]) -> Pair:
    """Register and confirm a counselling centre and a council."""
    return Pair(sender=_found(database, people, "jiritsu"), receiver=_found(database, people, "shakyo"))


def prepare(database: Database, pair: Pair, count: int) -> list[Loop]:
    """Open `count` cases, register a consent for each and seal a referral for each."""
    return [_prepare(database, pair) for _ in range(count)]


def _found(database: Database, people: Sequence[Approver], kind: str) -> Agency:
    at = datetime.now(UTC)
    agency, root = _id(), generate(KeyUse.ROOT)
    sig, enc, client = (generate(use) for use in (KeyUse.SIG, KeyUse.ENC, KeyUse.CLIENT))
    made = {
        key.use: new_entry(
            key.public, agency=agency, not_before=at - timedelta(minutes=1), not_after=at + timedelta(days=365)
        )
        for key in (sig, enc, client)
    }
    registration = Registration(
        agency=agency,
        kind=kind,
        name_ja=f"架空の機関 {agency[-12:]}",
        name_en=f"Fictional agency {agency[-12:]}",
        root=root.public.jwk(),
        coordinates=kind == "jiritsu",
        entries=(
            sign_entry(made[KeyUse.SIG], by_self=sig, by_root=root),
            sign_entry(made[KeyUse.ENC], by_previous=sig),
            sign_entry(made[KeyUse.CLIENT], by_self=client, by_root=root),
        ),
    )
    with database.transaction(None, Duty.DIRECTORY) as session:
        agencies.register(session, write_registration(registration), now=now(session), name_was_checked=True)
        for person in people:
            agencies.confirm(session, agency, person, " ".join(fingerprint_words(root.public, "ja")), now=now(session))
    return Agency(id=agency, sig=sig, enc=enc, client=client)


def _prepare(database: Database, pair: Pair) -> Loop:
    case, sender, receiver = str(uuid.uuid4()), pair.sender, pair.receiver
    with database.transaction(sender.id, Duty.DECIDE) as session:
        at = now(session)
        cases.open_case(session, agency=sender.id, handle=case, now=at)
        token = sign_statement(ConsentRecord.of(_scope(pair, case, at), sender.id), sender.sig)
        intakes.register_consent(session, token, agency=sender.id, now=at)
    message = _id()
    draft = Draft(
        id=message,
        thread=message,
        seq=1,
        prev=None,
        sender=sender.id,
        recipient=receiver.id,
        case=case,
        created_at=at,
        not_after=at + timedelta(days=7),
        purpose=PURPOSE,
        urgency="normal",
        request_kind="service",
        kind=MessageKind.REFERRAL,
        basis=ByConsent(),
    )
    parts = [PlainPart(category=one, media="text/plain", body=secrets.token_bytes(PART_BYTES)) for one in CATEGORIES]
    sealed = seal(
        draft,
        parts,
        recipient=receiver.enc.public,
        own=sender.enc.public,
        sig=sender.sig,
        randomness=secrets.token_bytes,
    )
    receipt = ReceiptRecord(
        id=_id(),
        agency=receiver.id,
        sender=sender.id,
        message=message,
        manifest=manifest_hash(sealed.manifest),
        kind=Delivery.DELIVERY,
        results=tuple(PartReceipt(n=n, result=PartResult.OK) for n in range(1, len(CATEGORIES) + 1)),
        by=None,
        at=at,
    )
    return Loop(
        message=message,
        submission=json.dumps({"manifest": sealed.manifest, "parts": list(sealed.parts)}).encode(),
        receipt=json.dumps({"receipt": sign_statement(receipt, receiver.sig)}).encode(),
    )


def _scope(pair: Pair, case: str, at: datetime) -> Scope:
    return Scope(
        id=_id(),
        case=case,
        form=_id(),
        kind="intake_form",
        hub_parties=frozenset({pair.sender.id}),
        partners=frozenset({pair.receiver.id}),
        purposes=frozenset({PURPOSE}),
        categories=frozenset(CATEGORIES),
        valid_from=at,
        valid_until=at + TERM,
        signature="self",
        signed_at=at,
        written_by="person",
        form_version="bench",
        template="bench",
        evidence=secrets.token_hex(32),
    )


def _id() -> str:
    return uuid7(datetime.now(UTC), secrets.token_bytes(10))
