# SPDX-License-Identifier: Apache-2.0
"""`MemoryHub`: a hub without a database or a network, for tests; consent is decided by the engine of a real one.

`agency = hub.join(request)` takes in the bytes of a `registration.json`; `open_connector(…, hub=Seat(hub, agency))`
then works with it. Signatures, keys, the chain of a thread, decisions, receipts and the log are real; limits, timers
and roles are not here.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, NoReturn, TypeVar

from connectors.base.clock import Clock, system_clock
from connectors.base.errors import HubAwayError
from connectors.sdk import answers, threads
from connectors.sdk.problems import PartDecision, problem_of
from connectors.sdk.webhook_calls import Webhook
from connectors.testing.log import MemoryLog
from consent import decisions, keys, receipts
from consent.envelope import manifest as manifests
from consent.envelope.manifest import Manifest
from consent.errors import TsunagiError
from consent.ids import RANDOM_BYTES, uuid7
from consent.jwk import KeyUse, PublicKey
from consent.questions import Basis
from consent.receipts import AcceptedRecord, ConsentRecord, Record
from consent.registration import read_registration
from consent.scopes import Conference, Exclusion, Party, Registered, Withdrawal

Made = TypeVar("Made")
AnyRecord = TypeVar("AnyRecord", bound=Record)


def refuse(status: int, code: str, **more: object) -> NoReturn:
    """Refuse as the hub does, with a problem."""
    raise problem_of(status, {"code": code, **more})


@dataclass(kw_only=True)
class Member:
    """An agency, its root key and its key entries."""

    agency: answers.Agency
    root: dict[str, str]
    keys: list[answers.PublishedKey] = field(default_factory=list)

    @property
    def party(self) -> Party:
        """Give it as a decision sees it."""
        return Party(agency=self.agency.id, kind=self.agency.kind)


@dataclass(kw_only=True)
class Kept:
    """A registered consent with the record that was signed."""

    shown: answers.Consent
    record: ConsentRecord


class MemoryHub:
    """What all seats share. `away = True` makes every call fail as if the line were down.

    `one_need_at_a_time = True` refuses a second open referral of a need (`duplicate-need`), as a real hub always does.
    """

    def __init__(self, *, clock: Clock = system_clock) -> None:
        """Begin with nobody; the hub's keys are made here."""
        self.clock = clock
        self.lock = threading.RLock()
        self.away = False
        self.one_need_at_a_time = False
        self.receipt_key = keys.generate(KeyUse.SIG)
        self.log = MemoryLog("hub.test/v1/audit")
        self.members: dict[str, Member] = {}
        self.cases: dict[str, answers.Case] = {}
        self.case_steps: dict[str, list[answers.Step]] = {}
        self.case_notes: dict[str, list[answers.Note]] = {}
        self.consents: dict[str, Kept] = {}
        self.exclusions: dict[str, list[answers.Exclusion]] = {}
        self.withdrawals: dict[str, list[Withdrawal]] = {}
        self.meetings: dict[str, answers.MeetingDetail] = {}
        self.messages: dict[str, threads.HandedOver] = {}
        self.referrals: dict[str, threads.ReferralDetail] = {}
        self.notices: list[tuple[str, threads.Notice]] = []
        self.tasks: list[tuple[str, answers.Task]] = []
        self.samples: dict[str, tuple[str, answers.PaperSample]] = {}
        self.events: list[tuple[str, answers.Event]] = []
        self.anchors: dict[tuple[str, date], answers.Anchored] = {}
        self.webhooks: dict[str, tuple[str, Webhook]] = {}
        self._answered: dict[tuple[str, str], object] = {}

    def join(self, request: bytes) -> str:
        """Take an agency in by its request, confirmed at once; give its id.

        *Raises* `TsunagiError`: the request or its key entries do not hold.
        """
        asked = read_registration(request)
        root = PublicKey.from_jwk(asked.root, KeyUse.ROOT)
        name = {"ja": asked.name_ja, "en": asked.name_en}
        shown = answers.Agency(id=asked.agency, kind=asked.kind, name=name, state="active")
        member = Member(agency=shown, root=dict(asked.root))
        self.members[asked.agency] = member
        for signed in asked.entries:
            behind = [PublicKey.from_jwk(keys.peek_entry(one.signed).jwk, KeyUse.SIG) for one in member.keys[:1]]
            self.publish(member, signed, previous=behind[0] if behind else None, root=root if signed.by_root else None)
        return asked.agency

    def publish(
        self, member: Member, signed: keys.SignedEntry, *, previous: PublicKey | None, root: PublicKey | None
    ) -> answers.PublishedKey:
        """Take a key entry that `previous` or `root` vouches for, log it, and show it in the directory."""
        entry = keys.read_entry(signed, previous=previous, root=root)
        facts = {"kid": entry.kid, "entry": keys.entry_hash(entry)}
        logged = self.write("key:published", (entry.agency,), facts)
        shown = answers.PublishedKey(
            use=entry.use.value, suite=entry.suite, kid=entry.kid, seq=entry.seq, removal=False, signed=signed,
            published_at=self.clock(), ends_at=entry.not_after, log_entry=logged,
        )  # fmt: skip
        member.keys.append(shown)
        current = answers.CurrentKey(
            use=shown.use, suite=shown.suite, kid=shown.kid, jwk=entry.jwk, not_before=entry.not_before,
            ends_at=entry.not_after,
        )  # fmt: skip
        member.agency = replace(member.agency, keys=(*member.agency.keys, current))
        return shown

    # ── what every call needs ──

    def once(self, agency: str, key: str | None, deed: Callable[[], Made]) -> Made:
        """Do a deed once for an idempotency key."""
        if self.away:
            raise HubAwayError("hub-away", url="memory")
        if key is None:
            return deed()
        if (agency, key) not in self._answered:
            self._answered[agency, key] = deed()
        answer: Any = self._answered[agency, key]
        made: Made = answer
        return made

    def new_id(self) -> str:
        """Make an id of the hub's."""
        return uuid7(self.clock(), secrets.token_bytes(RANDOM_BYTES))

    def write(self, kind: str, parties: Sequence[str], facts: dict[str, Any]) -> str:
        """Put an entry into the log; give its id."""
        return self.log.append(kind, self.new_id(), parties=parties, facts=facts, at=self.clock())

    def tell(self, agencies: Sequence[str], event: str, about: str) -> None:
        """Put an event into the feeds of agencies."""
        for agency in agencies:
            told = answers.Event(id=self.new_id(), event=event, about=about, at=self.clock())
            self.events.append((agency, told))

    def member(self, agency: str) -> Member:
        """Give an agency, or refuse as unknown."""
        return self.members.get(agency) or refuse(404, "not-found")

    def sig_key(self, agency: str, kid: str) -> PublicKey:
        """Give an agency's `sig` key that is good now."""
        now = self.clock()
        for key in self.member(agency).agency.keys:
            if (key.use, key.kid) == (KeyUse.SIG, kid) and key.not_before <= now < key.ends_at:
                return PublicKey.from_jwk(key.jwk, KeyUse.SIG)
        refuse(400, "bad-signature")

    def signed(self, token: str, kind: type[AnyRecord], agency: str) -> AnyRecord:
        """Verify a statement of the calling agency."""
        shape: Any = kind
        try:
            kid, signer = receipts.peek_statement(token, shape)
            record = receipts.read_statement(token, kind, self.sig_key(agency, kid))
        except TsunagiError as refused:
            refuse(400, refused.code)
        return record if signer == agency else refuse(400, "bad-signature")

    # ── deciding ──

    def facts(self, case: str) -> decisions.Facts:
        """Gather what a decision about a case rests on."""
        known = [kept for kept in self.consents.values() if kept.record.case == case]
        owner = {self.cases[case].owner} if case in self.cases else set()
        hubs = {party for kept in known for party in kept.record.hub_parties}
        return decisions.Facts(
            intake_side=frozenset(owner | hubs),
            closed_at=self.cases[case].closed_at if case in self.cases else None,
            scopes=tuple(
                Registered(scope=one.record.scope(), registered_at=one.shown.registered_at) for one in known
            ),
            exclusions=tuple(
                Exclusion(
                    id=one.id, case=case, to=frozenset(one.to), categories=frozenset(one.categories),
                    from_time=one.from_time, revoked_at=one.revoked_at,
                )
                for one in self.exclusions.get(case, ())
            ),
            withdrawals=tuple(self.withdrawals.get(case, ())),
            conferences=tuple(
                Conference(id=one.id, members=frozenset(one.accepted), until=one.ended_at or one.until)
                for one in self.meetings.values()
                if one.kind == "shien_kaigi"
            ),
        )  # fmt: skip

    def decide(self, sender: str, to: str, case: str, purpose: str, categories: Sequence[str], basis: Basis,
               sent_at: Any = None) -> tuple[PartDecision, ...]:  # fmt: skip
        """Decide each category, as the API shows it."""
        question = decisions.Question(
            sender=self.member(sender).party, recipient=self.member(to).party, purpose=purpose, category="",
            basis=basis, at=self.clock(), sent_at=sent_at,
        )  # fmt: skip
        decided = decisions.decide_parts(question, self.facts(case), categories)
        return tuple(_shown(category, answer) for category, answer in decided)

    def require(self, decided: Sequence[PartDecision]) -> None:
        """Refuse the whole message for one refused part."""
        if not all(one.permitted for one in decided):
            shown = [{name: getattr(one, name) for name in PartDecision.__slots__} for one in decided]
            refuse(403, "consent-refused", decisions=shown, decision_id=self.write("message:refused", (), {}))

    # ── messages ──

    def accept(self, agency: str, token: str, parts: Sequence[str], thread: str | None) -> threads.HandedOver:
        """Verify a message, decide its parts, store it, and sign for it; the same bytes again are the same message."""
        manifest = self._manifest(token, agency)
        known = next(
            (one for one in self.messages.values() if (one.sender, one.message) == (agency, manifest.id)), None
        )
        if known is not None:
            return known if known.manifest == token else refuse(409, "message-id-reused")
        self._require_place(manifest, thread)
        labels = [part.category for part in manifest.parts]
        basis = manifests.basis_of(manifest)
        decided = self.decide(agency, manifest.recipient, manifest.case, manifest.purpose, labels, basis)
        named = manifest.basis.consents if isinstance(manifest.basis, manifests.ByConsent) else ()
        if any(one.id not in self.consents or self.consents[one.id].shown.hash != one.hash for one in named):
            refuse(409, "consent-mismatch")
        self.require(decided)
        stored = self._store(manifest, token, parts)
        self.messages[stored.id] = stored
        self.tell((manifest.recipient,), "message:waiting", stored.id)
        return stored

    def hand_over(self, agency: str, message: str) -> threads.HandedOver:
        """Hand a message over, deciding again; what may not go any more is destroyed."""
        stored = self.messages.get(message)
        if stored is None or agency not in {stored.sender, stored.recipient}:
            refuse(404, "not-found")
        if stored.sender == agency:
            return replace(stored, parts=None)
        if stored.delivery == "destroyed" or stored.not_after <= self.clock():
            refuse(410, "gone")
        basis = manifests.basis_of(self._read(stored.manifest, stored.sender))
        labels = [label.category for label in stored.labels]
        try:
            self.require(
                self.decide(
                    stored.sender, agency, stored.case, stored.purpose, labels, basis, sent_at=stored.accepted_at
                )
            )
        except Exception:
            self.messages[message] = replace(stored, delivery="refused", parts=None)
            raise
        return stored if stored.parts else refuse(410, "gone")

    def manifest_of(self, stored: threads.HandedOver) -> Manifest:
        """Read the manifest of a message that was taken in."""
        return self._read(stored.manifest, stored.sender)

    def _manifest(self, token: str, agency: str) -> Manifest:
        manifest = self._read(token, manifests.peek(token)[1])
        if manifest.sender != agency:
            refuse(403, "wrong-party")
        now, theirs = self.clock(), self.member(manifest.recipient).agency.keys
        good = [key.kid for key in theirs if key.use == KeyUse.ENC and key.not_before <= now < key.ends_at]
        if [manifest.to_kid] != good[-1:]:
            refuse(409, "key-not-current")
        return manifest

    def _read(self, token: str, sender: str) -> Manifest:
        try:
            return manifests.read_manifest(token, self.sig_key(sender, manifests.peek(token)[0]))
        except TsunagiError as refused:
            refuse(400, refused.code)

    def _require_place(self, manifest: Manifest, thread: str | None) -> None:
        """Require that a message continues its sender's own chain in the thread (protocol §2)."""
        if thread is not None and manifest.thread != thread:
            refuse(400, "thread-mismatch")
        mine = [one for one in self.messages.values() if (one.thread, one.sender) == (manifest.thread, manifest.sender)]
        last = max(mine, key=lambda one: one.seq, default=None)
        expected = (last.seq + 1, manifests.manifest_hash(last.manifest)) if last else (1, None)
        if (manifest.seq, manifest.prev) != expected:
            refuse(409, "chain-broken")

    def _store(self, manifest: Manifest, token: str, parts: Sequence[str]) -> threads.HandedOver:
        own, now, hash_ = self.new_id(), self.clock(), manifests.manifest_hash(token)
        between = (manifest.sender, manifest.recipient)
        entry = self.write("message:accepted", between, {"message": manifest.id, "manifest": hash_})
        record = AcceptedRecord(
            hub="memory", sender=manifest.sender, recipient=manifest.recipient, message=manifest.id, manifest=hash_,
            accepted_at=now, entry=entry, logged_by=now + timedelta(minutes=1),
        )  # fmt: skip
        return threads.HandedOver(
            id=own, message=manifest.id, thread=manifest.thread, seq=manifest.seq, sender=manifest.sender,
            recipient=manifest.recipient, case=manifest.case, kind=manifest.kind.value, purpose=manifest.purpose,
            accepted_at=now, not_after=manifest.not_after, delivery="queued", manifest=token, parts=tuple(parts),
            labels=tuple(threads.Label(n=one.n, category=one.category) for one in manifest.parts),
            receipt=receipts.sign_statement(record, self.receipt_key),
        )  # fmt: skip


def _shown(category: str, answer: decisions.Permitted | decisions.Refused) -> PartDecision:
    if isinstance(answer, decisions.Permitted):
        return PartDecision(category=category, outcome="permitted", basis=answer.basis, consent=answer.scope)
    reason, remedy = answer.reason.value, answer.remedy.value
    return PartDecision(category=category, outcome="refused", reason=reason, remedy=remedy, consent=answer.scope)
