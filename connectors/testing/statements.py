# SPDX-License-Identifier: Apache-2.0
"""The half of a seat that is about agencies, cases and what people said: each call as short as a test can do with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from typing_extensions import override

from connectors.sdk import answers, threads
from connectors.sdk.interface import Body
from connectors.testing import courses
from connectors.testing.memory import Kept, Member, refuse
from connectors.testing.view import View
from consent import keys, receipts
from consent.envelope import manifest as manifests
from consent.envelope.manifest import ByConsent, ManifestBasis
from consent.errors import TsunagiError
from consent.jwk import KeyUse, PublicKey
from consent.receipts import (
    AcceptedRecord,
    ConsentRecord,
    ExclusionRecord,
    ExclusionRevocationRecord,
    StatusRecord,
    WithdrawalRecord,
)
from consent.scopes import Withdrawal, check_scope, signature_valid


class Statements(View):
    """Directory, cases, consents, refusals."""

    # ── the directory ──

    @override
    def agencies(self, *, kind: str | None = None, purpose: str | None = None) -> Iterator[answers.Agency]:
        del purpose
        return (
            self._directory_entry(one) for one in list(self._hub.members.values()) if kind in {None, one.agency.kind}
        )

    @override
    def agency(self, agency: str) -> answers.Agency:
        return self._directory_entry(self._hub.member(agency))

    def _directory_entry(self, member: Member) -> answers.Agency:
        now = self._hub.clock()
        lasting = [key for key in member.agency.keys if now < key.ends_at]
        return replace(
            member.agency,
            keys=tuple(key for key in lasting if key.not_before <= now),
            next_keys=tuple(key for key in lasting if key.not_before > now),
        )

    @override
    def agency_keys(self, agency: str) -> answers.AgencyKeys:
        member = self._hub.member(agency)
        shown = tuple(replace(key, logged=self._entry(key), proof=self._proof(key)) for key in member.keys)
        return answers.AgencyKeys(agency=agency, root=member.root, keys=shown)

    @override
    def publish_key(self, signed: keys.SignedEntry, *, idempotency_key: str | None = None) -> answers.PublishedKey:
        member = self._hub.member(self._agency)
        use = keys.peek_entry(signed).use
        voucher = KeyUse.SIG if use is KeyUse.ENC else use
        last = [key for key in member.agency.keys if key.use == voucher][-1]
        previous = PublicKey.from_jwk(last.jwk, voucher)
        return self._once(idempotency_key, lambda: self._hub.publish(member, signed, previous=previous, root=None))

    # ── cases ──

    @override
    def cases(self) -> Iterator[answers.Case]:
        seen = [case for case in list(self._hub.cases.values()) if self._sees(case.case)]
        return (courses.shown_to(self._hub, self._agency, case) for case in seen)

    @override
    def case(self, case: str) -> answers.CaseDetail:
        return courses.shown_to(self._hub, self._agency, self._case(case))

    @override
    def open_case(self, case: str, *, idempotency_key: str | None = None) -> answers.Case:
        return self._once(idempotency_key, lambda: courses.opened(self._hub, self._agency, case))

    @override
    def move_case(self, case: str, move: Body, *, version: int, idempotency_key: str | None = None) -> answers.Case:
        def deed() -> answers.Case:
            return courses.moved(self._hub, self._agency, self._case(case), move, version=version)

        return self._once(idempotency_key, deed)

    @override
    def note(self, case: str, note: Body, *, idempotency_key: str | None = None) -> answers.Noted:
        def deed() -> answers.Noted:
            return courses.noted(self._hub, self._agency, self._case(case), note)

        return self._once(idempotency_key, deed)

    def _case(self, case: str) -> answers.Case:
        if not self._sees(case):
            refuse(404, "not-found")
        return self._hub.cases[case]

    # ── consents ──

    @override
    def consents(self, case: str) -> Iterator[answers.Consent]:
        if not self._finds(case):
            refuse(404, "not-found")
        of_case = [kept for kept in self._hub.consents.values() if kept.record.case == case]
        return (kept.shown for kept in of_case if self._is_named(kept.record))

    @override
    def statement(self, case: str) -> answers.DisclosureStatement:
        known = self._hub.cases.get(case)
        if known is None or known.owner != self._agency:
            refuse(404, "not-found")
        of_case = [one for one in self._hub.messages.values() if one.case == case]
        items = tuple(self._disclosure(one) for one in sorted(of_case, key=lambda one: (one.accepted_at, one.id)))
        return answers.DisclosureStatement(case=case, made_at=self._hub.clock(), items=items)

    def _disclosure(self, one: threads.HandedOver) -> answers.Disclosure:
        basis = self._hub.manifest_of(one).basis
        named = [consent.id for consent in basis.consents] if isinstance(basis, ByConsent) else []
        only = named[0] if len(named) == 1 else None
        accepted = receipts.read_statement(one.receipt, AcceptedRecord, self._hub.receipt_key.public)
        return answers.Disclosure(
            message=one.id, at=one.accepted_at, sender=one.sender, recipient=one.recipient, purpose=one.purpose,
            kind=one.kind, basis=basis.kind, decision=accepted.entry, state=one.delivery,
            shared=tuple(answers.SharedPart(category=label.category, consent=only) for label in one.labels),
            delivered_at=one.delivered_at, opened_at=one.opened_at,
        )  # fmt: skip

    @override
    def consent(self, consent: str) -> answers.Consent:
        return self._consent(consent).shown

    @override
    def register_consent(self, record: str, *, idempotency_key: str | None = None) -> answers.Consent:
        return self._once(idempotency_key, lambda: self._register(record))

    @override
    def withdraw(
        self,
        consent: str,
        *,
        record: str | None = None,
        to: Sequence[str] = (),
        categories: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> answers.Consent:
        kept, at = self._consent(consent), self._hub.clock()
        taken = Withdrawal(
            id=self._hub.new_id(), scopes=frozenset({consent}), to=frozenset(to), categories=frozenset(categories),
            at=at,
        )  # fmt: skip
        if record is not None:
            said = self._hub.signed(record, WithdrawalRecord, self._agency)
            taken = replace(said.withdrawal(), at=at)
        self._hub.withdrawals.setdefault(kept.record.case, []).append(taken)
        for one in self._hub.consents.values():
            if one.record.case == kept.record.case and (not taken.scopes or one.shown.id in taken.scopes):
                told = answers.Withdrawn(at=at, to=tuple(sorted(taken.to)), categories=tuple(sorted(taken.categories)))
                whole = one.shown.withdrawn or not (taken.to or taken.categories)
                one.shown = replace(one.shown, withdrawn=whole, withdrawals=(*one.shown.withdrawals, told))
                self._hub.tell(tuple(one.record.partners), "withdrawal:registered", one.shown.id)
        return kept.shown

    @override
    def renew_status(self, consent: str, record: str, *, idempotency_key: str | None = None) -> answers.Consent:
        kept = self._consent(consent)
        said = self._hub.signed(record, StatusRecord, self._agency)
        if kept.shown.withdrawn:
            refuse(409, "consent-withdrawn")
        status = answers.Status(
            record=record, hash=receipts.statement_hash(record), as_of=said.as_of, next_by=said.next_by
        )
        kept.shown = replace(kept.shown, status=status)
        return kept.shown

    @override
    def exclusions(self, case: str) -> tuple[answers.Exclusion, ...]:
        return tuple(self._exclusions(case)) if self._finds(case) else refuse(404, "not-found")

    @override
    def exclude(self, case: str, record: str, *, idempotency_key: str | None = None) -> answers.Exclusion:
        said = self._hub.signed(record, ExclusionRecord, self._agency)
        made = answers.Exclusion(
            id=said.id, agency=self._agency, to=tuple(sorted(said.to)), categories=tuple(sorted(said.categories)),
            from_time=said.from_time, record=record, registered_at=self._hub.clock(),
        )  # fmt: skip
        self._hub.exclusions.setdefault(case, []).append(made)
        self._hub.tell(tuple(self._hub.members), "exclusion:registered", said.id)
        return made

    @override
    def revoke_exclusion(
        self, case: str, exclusion: str, record: str, *, idempotency_key: str | None = None
    ) -> answers.Exclusion:
        self._hub.signed(record, ExclusionRevocationRecord, self._agency)
        kept = self._hub.exclusions.get(case, [])
        places = [place for place, one in enumerate(kept) if one.id == exclusion]
        if not places:
            refuse(404, "not-found")
        kept[places[0]] = replace(kept[places[0]], revoked_at=self._hub.clock())
        return kept[places[0]]

    @override
    def ask(
        self, *, case: str, to: str, purpose: str, categories: Sequence[str], basis: ManifestBasis | None = None
    ) -> threads.Decided:
        asked = manifests.basis_from(basis or ByConsent())
        decided = self._hub.decide(self._agency, to, case, purpose, categories, asked)
        return threads.Decided(decision_id=self._hub.write("decision:asked", (self._agency,), {}), decisions=decided)

    def _register(self, token: str) -> answers.Consent:
        record = self._hub.signed(token, ConsentRecord, self._agency)
        now = self._hub.clock()
        case = self._hub.cases.get(record.case)
        if case is None or case.owner != self._agency:
            refuse(422, "unknown-case")
        if case.closed_at is not None:
            refuse(409, "case-closed")
        try:
            check_scope(record.scope(), now)
        except TsunagiError as refused:
            refuse(422, refused.code)
        partner = min(record.partners)
        shown = answers.Consent(
            id=record.id, case=record.case, agency=self._agency, partner=partner, record=token,
            hash=receipts.statement_hash(token), registered_at=now, valid_until=record.valid_until, withdrawn=False,
        )  # fmt: skip
        if signature_valid(record.scope(), now):
            self._supersede(record)
        self._hub.consents[record.id] = Kept(shown=shown, record=record)
        self._hub.tell((partner,), "consent:registered", record.id)
        return shown

    def _supersede(self, record: ConsentRecord) -> None:
        for old in map(self._hub.consents.get, record.supersedes):
            if old is not None and old.record.case == record.case and old.shown.superseded_at is None:
                old.shown = replace(old.shown, superseded_at=self._hub.clock())
                self._hub.tell(tuple(old.record.partners), "consent:superseded", old.shown.id)

    def _entry(self, key: answers.PublishedKey) -> str:
        return next(entry.entry for entry, _ in self._hub.log.entries if entry.id == key.log_entry)

    def _proof(self, key: answers.PublishedKey) -> str:
        return next(self._hub.log.proof(entry.index) for entry, _ in self._hub.log.entries if entry.id == key.log_entry)
