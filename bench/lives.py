# SPDX-License-Identifier: Apache-2.0
"""A log of any length, for measuring, in the bytes that the hub writes, with real keys and real signatures.

It is made of the lives of cases: opened, three consents, renewals of their status (two a day and consent: a month has
180), four messages with manifest, hub's receipt, hand-over and both receipts, the moves of a referral, four questions,
now and then a withdrawal; many at once, as offices work. A checkpoint is signed for every hundred entries.
"""

from __future__ import annotations

import random
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from consent.decisions import decide_parts
from consent.envelope.manifest import ByConsent, Manifest, MessageKind, PartLabel, manifest_hash, sign_manifest
from consent.evidence.bundle import EVERYTHING, WIDTH, Head, Told, Writer
from consent.ids import uuid7
from consent.jwk import KeyUse, PrivateKey, generate
from consent.keys import Suite, entry_hash, new_entry, sign_entry
from consent.questions import ConsentBasis, Facts, Question
from consent.receipts import (
    AcceptedRecord,
    ConsentRecord,
    Delivery,
    PartReceipt,
    PartResult,
    ReceiptRecord,
    Record,
    WithdrawalRecord,
    sign_statement,
    statement_hash,
)
from consent.scopes import Party, Registered, Scope, Withdrawal
from consent.tlog import notes, tree
from hub.audit.rules import AuditKind, Entry, entry_bytes, timestamp
from hub.messages.rules import decision_logged

START: Final = datetime(2026, 4, 1, tzinfo=UTC)
STEP: Final = timedelta(seconds=20)
LIVES: Final = 200
"""Cases that are open at once."""
A_CHECKPOINT: Final = 100
PURPOSE: Final = "sogo_shien_shikin"
CATEGORIES: Final = ("identity", "income_assets")
KINDS: Final = ("jiritsu", "shakyo", "fukushi_jimusho", "hellowork")

Documents = Mapping[str, str]
Made = tuple[Entry, Documents]


@dataclass(frozen=True, kw_only=True)
class Office:
    """An agency with the keys it signs with."""

    id: str
    kind: str
    root: PrivateKey
    sig: PrivateKey
    enc: PrivateKey

    @property
    def party(self) -> Party:
        """Give it as a decision names it."""
        return Party(agency=self.id, kind=self.kind)


class World:
    """A clock that goes on with every entry, ids, and a hub."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.at = START
        self.hub = generate(KeyUse.SIG)
        self.log = generate(KeyUse.WITNESS)
        self.offices = [self._office(KINDS[n % len(KINDS)]) for n in range(20)]

    def id(self) -> str:
        """Make an id of now."""
        return uuid7(self.at, self.random.randbytes(10))

    def hex(self) -> str:
        """Make what looks like a hash."""
        return self.random.randbytes(32).hex()

    def _office(self, kind: str) -> Office:
        keys = {use: generate(use) for use in (KeyUse.ROOT, KeyUse.SIG, KeyUse.ENC)}
        return Office(id=self.id(), kind=kind, root=keys[KeyUse.ROOT], sig=keys[KeyUse.SIG], enc=keys[KeyUse.ENC])

    def registrations(self) -> Iterator[Made]:
        """Register every office and its key."""
        for office in self.offices:
            facts = {"kind": office.kind, "root": office.root.kid, "name_was_checked": False}
            yield _entry(AuditKind.AGENCY_REGISTERED, "hub", (office.id,), subject=office.id, facts=facts), {}
            key = new_entry(
                office.sig.public, agency=office.id, not_before=START, not_after=START + timedelta(days=400)
            )
            signed = sign_entry(key, by_self=office.sig, by_root=office.root)
            said = {"use": "sig", "suite": None, "kid": key.kid, "seq": 1, "entry": entry_hash(key), "by": "root"}
            documents = {"by_self": signed.by_self or "", "by_root": signed.by_root or ""}
            yield _entry(AuditKind.KEY_PUBLISHED, office.id, (office.id,), subject=office.id, facts=said), documents


class Life:
    """One case from its opening on, entry by entry."""

    def __init__(self, world: World, renewals: int) -> None:
        self.world = world
        self.renewals = renewals
        self.intake, self.partner = world.random.sample(world.offices, 2)
        self.handle = str(uuid.UUID(bytes=world.random.randbytes(16), version=4))
        self.scopes: list[Registered] = []
        self.withdrawals: list[Withdrawal] = []
        self.prev: str | None = None
        self.thread = world.id()
        self.sent = 0

    def entries(self) -> Iterator[Made]:
        """Live."""
        yield self._plain(AuditKind.CASE_OPENED, {"step": "1", "state": "found"})
        for _ in range(3):
            yield self._consent()
        for n in range(4):
            for _ in range(self.renewals // 4):
                yield self._renewal()
            yield self._asked()
            yield from self._message()
            for state in ("requested", "received", "accepted", "contacted")[n:]:
                yield self._plain(AuditKind.REFERRAL_MOVED, {"from": state, "to": state, "by": "u-101"})
        if self.world.random.random() < 0.2:
            yield self._withdrawal()
            yield self._asked()

    def _plain(self, kind: AuditKind, facts: Mapping[str, Any], *, subject: str | None = None) -> Made:
        parties = (self.intake.id, self.partner.id)
        made = Entry(
            kind=kind,
            actor=self.intake.id,
            parties=parties,
            case=self.handle,
            subject=subject or self.handle,
            facts=dict(facts),
        )
        return made, {}

    def _signed(self, kind: AuditKind, record: Record, subject: str, facts: Mapping[str, Any], role: str) -> Made:
        token = sign_statement(record, self.intake.sig)
        entry, _ = self._plain(kind, {"owner": self.intake.id, "hash": statement_hash(token), **facts}, subject=subject)
        return entry, {role: token}

    def _consent(self) -> Made:
        at = self.world.at
        scope = Scope(
            id=self.world.id(), case=self.handle, form=self.world.id(), kind="intake_form",
            hub_parties=frozenset({self.intake.id}), partners=frozenset({self.partner.id}),
            purposes=frozenset({PURPOSE}), categories=frozenset(CATEGORIES), valid_from=at - timedelta(hours=1),
            valid_until=at + timedelta(days=180), signature="self", signed_at=at - timedelta(hours=1),
            written_by="person", read_aloud=True, form_version="2026-1", template="kakuu-2026", evidence="ab" * 32,
        )  # fmt: skip
        self.scopes.append(Registered(scope=scope, registered_at=at))
        terms = {
            "form": scope.form, "hub_parties": sorted(scope.hub_parties), "partners": sorted(scope.partners),
            "direction": scope.direction.value, "purposes": sorted(scope.purposes),
            "categories": sorted(scope.categories), "valid_from": timestamp(scope.valid_from),
            "valid_until": timestamp(scope.valid_until), "signature": scope.signature,
            "signed_at": timestamp(scope.signed_at), "supersedes": [],
        }  # fmt: skip
        record = ConsentRecord.of(scope, self.intake.id)
        return self._signed(AuditKind.CONSENT_REGISTERED, record, scope.id, terms, "consent")

    def _renewal(self) -> Made:
        facts = {"owner": self.intake.id, "hash": self.world.hex(), "as_of": timestamp(self.world.at)}
        return self._plain(AuditKind.CONSENT_STATUS_RENEWED, facts, subject=self.scopes[0].scope.id)

    def _withdrawal(self) -> Made:
        scope, at = self.scopes[-1].scope.id, self.world.at
        record = WithdrawalRecord(
            id=self.world.id(), agency=self.intake.id, case=self.handle, scopes=frozenset({scope}), to=frozenset(),
            categories=frozenset(), at=at,
        )  # fmt: skip
        self.withdrawals.append(record.withdrawal())
        facts = {"withdrawal": record.id, "to": [], "categories": []}
        return self._signed(AuditKind.WITHDRAWAL_REGISTERED, record, scope, facts, "withdrawal")

    def _decided(self) -> dict[str, Any]:
        at = self.world.at
        facts = Facts(
            intake_side=frozenset({self.intake.id}),
            scopes=tuple(sorted(self.scopes, key=lambda one: (one.registered_at, one.scope.id))),
            withdrawals=tuple(self.withdrawals),
        )
        question = Question(
            sender=self.intake.party, recipient=self.partner.party, purpose=PURPOSE, category=CATEGORIES[0],
            basis=ConsentBasis(), at=at,
        )  # fmt: skip
        decided = decide_parts(question, facts, CATEGORIES)
        return {
            "from": {"agency": self.intake.id, "kind": self.intake.kind},
            "to": {"agency": self.partner.id, "kind": self.partner.kind},
            "owner": self.intake.id,
            "purpose": PURPOSE,
            "basis": {"kind": "consent"},
            "at": timestamp(at),
            "parts": [decision_logged(category, decision) for category, decision in decided],
        }

    def _asked(self) -> Made:
        return self._plain(AuditKind.DECISION_ASKED, self._decided())

    def _message(self) -> Iterator[Made]:
        world, row = self.world, self.world.id()
        self.sent += 1
        labels = tuple(
            PartLabel(
                n=n, category=category, media="application/json", size_bucket=4096, ct=world.hex(), com=world.hex()
            )
            for n, category in enumerate(CATEGORIES, 1)
        )
        manifest = Manifest(
            id=world.id(), thread=self.thread, seq=self.sent, prev=self.prev, sender=self.intake.id,
            recipient=self.partner.id, to_kid=self.partner.enc.kid, case=self.handle, suite=Suite.A,
            created_at=world.at, not_after=world.at + timedelta(days=20), purpose=PURPOSE, urgency="normal",
            request_kind="service", kind=MessageKind.REFERRAL, basis=ByConsent(), parts=labels,
        )  # fmt: skip
        token = sign_manifest(manifest, self.intake.sig)
        self.prev = manifest_hash(token)
        yield self._accepted(manifest, token, row)
        handed = {"message": manifest.id, "manifest": self.prev, **self._decided()}
        yield self._plain(AuditKind.MESSAGE_HANDED_OVER, handed, subject=row)
        for kind in (Delivery.DELIVERY, Delivery.READ):
            yield self._receipt(kind, manifest, row)

    def _accepted(self, manifest: Manifest, token: str, row: str) -> Made:
        decided = self._decided()
        parts = [
            {"n": label.n, "ct": label.ct, **part} for label, part in zip(manifest.parts, decided["parts"], strict=True)
        ]
        facts = {
            "message": manifest.id, "manifest": manifest_hash(token), "thread": self.thread, "seq": manifest.seq,
            "kind": "referral", **decided, "consents": [], "against_exclusion": False, "parts": parts,
        }  # fmt: skip
        entry, _ = self._plain(AuditKind.MESSAGE_ACCEPTED, facts, subject=row)
        return entry, {"manifest": token}

    def _receipt(self, kind: Delivery, manifest: Manifest, row: str) -> Made:
        read = kind is Delivery.READ
        results = () if read else tuple(PartReceipt(n=n, result=PartResult.OK) for n in range(1, len(CATEGORIES) + 1))
        record = ReceiptRecord(
            id=self.world.id(), agency=self.partner.id, sender=self.intake.id, message=manifest.id,
            manifest=self.prev or "", kind=kind, results=results, by="u-201" if read else None, at=self.world.at,
        )  # fmt: skip
        token = sign_statement(record, self.partner.sig)
        facts: dict[str, Any] = {
            "receipt": record.id, "hash": statement_hash(token), "manifest": record.manifest,
            "results": [part.result.value for part in results], **({"by": "u-201"} if read else {}),
        }  # fmt: skip
        entry = Entry(
            kind=AuditKind.RECEIPT_READ if read else AuditKind.RECEIPT_DELIVERED,
            actor=self.partner.id,
            parties=(self.intake.id, self.partner.id),
            case=self.handle,
            subject=row,
            facts=facts,
        )
        return entry, {"receipt": token}


def _entry(kind: AuditKind, actor: str, parties: tuple[str, ...], *, subject: str, facts: Mapping[str, Any]) -> Entry:
    return Entry(kind=kind, actor=actor, parties=parties, subject=subject, facts=dict(facts))


def entries(world: World, size: int, renewals: int) -> Iterator[Made]:
    """Give registrations, then the lives of many cases in turn."""
    count = 0
    for made in world.registrations():
        yield made
        count += 1
    lives: deque[Iterator[Made]] = deque(Life(world, renewals).entries() for _ in range(LIVES))
    while count < size:
        life = lives.popleft()
        made = next(life, None)  # type: ignore[assignment]  # None ends a life
        lives.append(Life(world, renewals).entries() if made is None else life)
        if made is not None:
            yield made
            count += 1


def write(path: Path, size: int, *, renewals: int = 180, seed: int = 1) -> notes.Verifier:
    """Write a bundle of that many entries, `renewals` of them for each case; give the log's key."""
    world = World(seed)
    log = notes.Verifier("hub.example/v1/audit", world.log.public.native)  # type: ignore[arg-type]  # Ed25519 by use
    head = Head(holder=EVERYTHING, log=log.text(), receipt=world.hub.public.jwk(), size=size, made_at=START)
    edge = tree.Frontier()
    with path.open("wb") as out:
        writer = Writer(out, head)
        for office in world.offices:
            writer.agency(Told(id=office.id, kind=office.kind, root=office.root.public.jwk()))
        waiting: list[tuple[bytes, Documents]] = []
        for index, (entry, documents) in enumerate(entries(world, size, renewals)):
            body, signed = _body(world, entry, documents)
            waiting.append((body, signed))
            world.at += STEP
            if len(waiting) == WIDTH or index == size - 1:
                edge = _tile(writer, world, log, edge, waiting, last=index == size - 1)
                waiting = []
        writer.end()
    return log


def _body(world: World, entry: Entry, documents: Documents) -> tuple[bytes, Documents]:
    name = world.id()
    body = entry_bytes(entry, entry_id=name, at=world.at, blind=world.random.randbytes(16))
    if entry.kind is AuditKind.MESSAGE_ACCEPTED:
        facts: Any = entry.facts
        record = AcceptedRecord(
            hub="https://hub.example", sender=entry.actor, recipient=facts["to"]["agency"], message=facts["message"],
            manifest=facts["manifest"], accepted_at=world.at, entry=name, logged_by=world.at + timedelta(seconds=60),
        )  # fmt: skip
        documents = {**documents, "accepted": sign_statement(record, world.hub)}
    return body, documents


def _tile(
    writer: Writer,
    world: World,
    log: notes.Verifier,
    edge: tree.Frontier,
    waiting: list[tuple[bytes, Documents]],
    *,
    last: bool,
) -> tree.Frontier:
    leaves = [tree.leaf_hash(body) for body, _ in waiting]
    writer.leaves(edge.size, b"".join(leaves))
    for leaf, (body, documents) in zip(leaves, waiting, strict=True):
        writer.entry(edge.size, body, documents)
        edge, _ = edge.extend([leaf])
        if edge.size % A_CHECKPOINT == 0 or (last and leaf is leaves[-1]):
            signed = notes.Checkpoint(origin=log.name, size=edge.size, root=edge.root())
            writer.checkpoint(notes.sign_checkpoint(signed, world.log.native).write())  # type: ignore[arg-type]
    return edge
