# SPDX-License-Identifier: Apache-2.0
"""The signed documents that an entry speaks of: that they are those, that who should have signed did, with a key that
was good then, and that the entry says what they say.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, cast

from consent import receipts
from consent.envelope import manifest as manifests
from consent.envelope.manifest import ByConsent
from consent.errors import SignatureRefusedError, TsunagiError
from consent.evidence import cases, replay
from consent.evidence.entries import Entry
from consent.evidence.findings import Code, Findings
from consent.evidence.keyring import Keyring
from consent.jwk import PublicKey
from consent.questions import EmergencyBasis
from consent.receipts import (
    AcceptedRecord,
    AnyRecord,
    ConsentRecord,
    Delivery,
    ExclusionRecord,
    ExclusionRevocationRecord,
    PurgeRecord,
    ReceiptRecord,
    StatusRecord,
    WithdrawalRecord,
)

Documents = Mapping[str, str]


class _DiffersError(Exception):
    """What was signed is not what the entry says; the text names the member."""


class Checker:
    """Checks entries against their documents; `keyring` stands where the log stands."""

    def __init__(self, keyring: Keyring, receipt: PublicKey, *, whole: bool) -> None:
        """Take the hub's receipt key. `whole`: the bundle's holder may read everything."""
        self._keyring = keyring
        self._receipt = receipt
        self._whole = whole
        self.checked = 0

    def check(self, entry: Entry, documents: Documents, found: Findings) -> None:
        """Check what this kind of entry comes with.

        *Raises* DocumentRefusedError: the entry lacks a fact.
        """
        wanted = _WANTED.get(entry.kind)
        if wanted is None:
            return
        for name, (check, always) in wanted.items():
            token = documents.get(name)
            if token is not None:
                self._one(entry, name, token, check, found)
            elif always and not self._is_unsigned(entry):
                found.add(Code.DOCUMENT_MISSING, entry.index, about=name)

    def _one(self, entry: Entry, name: str, token: str, check: "_Check", found: Findings) -> None:
        self.checked += 1
        try:
            check(self, entry, token)
        except _DiffersError as error:
            found.add(Code.DOCUMENT_DIFFERS, entry.index, about=f"{name}:{error}")
        except SignatureRefusedError as error:
            code = Code.KEY_NOT_VALID if error.code == "key-not-valid" else Code.SIGNATURE_BAD
            if code is Code.SIGNATURE_BAD or self._whole or self._keyring.knows(entry.actor):
                found.add(code, entry.index, about=name)
        except TsunagiError as error:
            found.add(Code.SIGNATURE_BAD, entry.index, about=f"{name}:{error.code}")

    @staticmethod
    def _is_unsigned(entry: Entry) -> bool:
        """Say whether the log itself says that nobody signed: a withdrawal by word of mouth."""
        return entry.kind == "withdrawal:registered" and entry.facts.text_or_none("hash") is None

    def statement(self, entry: Entry, token: str, shape: type[AnyRecord]) -> AnyRecord:
        """Read a statement that the entry's actor signed, under the hash that the entry names."""
        if receipts.statement_hash(token) != entry.facts.text("hash"):
            raise _DiffersError("hash")
        kid, signer = receipts.peek_statement(token, cast("type[receipts.Record]", shape))
        if signer != entry.actor:
            raise _DiffersError("agency")
        return receipts.read_statement(token, shape, self._keyring.good(signer, kid, entry.at))

    def consent(self, entry: Entry, token: str) -> None:
        """Check a registered consent."""
        record = self.statement(entry, token, ConsentRecord)
        _same(id=(record.id, entry.subject), case=(record.case, entry.case))
        said, signed = cases.scope_of(entry), record.scope()
        # what the log leaves out is the record's alone
        kept = {name: getattr(signed, name) for name in ("kind", "written_by", "form_version", "template", "evidence")}
        kept |= {name: getattr(signed, name) for name in ("proxy_reason", "read_aloud", "witness")}
        if replace(said, **kept) != signed:
            raise _DiffersError("terms")

    def status(self, entry: Entry, token: str) -> None:
        """Check the newest status of a consent."""
        record = self.statement(entry, token, StatusRecord)
        _same(case=(record.case, entry.case), as_of=(record.as_of, entry.facts.moment("as_of")))

    def exclusion(self, entry: Entry, token: str) -> None:
        """Check a person's refusal."""
        record = self.statement(entry, token, ExclusionRecord)
        begins = entry.facts.moment("from")
        _same(
            id=(record.id, entry.subject),
            case=(record.case, entry.case),
            to=(record.to, frozenset(entry.facts.texts("to"))),
            categories=(record.categories, frozenset(entry.facts.texts("categories"))),
            # one spoken now begins now, also where the agency's clock runs a little ahead
            begins=(begins in {record.from_time, entry.at}, True),
        )

    def revocation(self, entry: Entry, token: str) -> None:
        """Check that a refusal was taken back."""
        record = self.statement(entry, token, ExclusionRevocationRecord)
        revoked, said = record.revokes, entry.facts.text("revocation")
        _same(id=(record.id, said), revokes=(revoked, entry.subject), case=(record.case, entry.case))

    def withdrawal(self, entry: Entry, token: str) -> None:
        """Check a withdrawal, or the signature that came later under one by word of mouth."""
        record = self.statement(entry, token, WithdrawalRecord)
        about = not record.scopes or entry.subject in record.scopes
        _same(case=(record.case, entry.case), scopes=(about, True))
        if entry.kind == "withdrawal:registered":
            said = cases.withdrawal_of(entry)
            _same(
                id=(record.id, said.id),
                to=(record.to, said.to),
                categories=(record.categories, said.categories),
            )

    def manifest(self, entry: Entry, token: str) -> None:
        """Check the sender's signed manifest of an accepted message."""
        facts = entry.facts
        if manifests.manifest_hash(token) != facts.text("manifest"):
            raise _DiffersError("hash")
        kid, sender = manifests.peek(token)
        if sender != entry.actor:
            raise _DiffersError("from")
        said = manifests.read_manifest(token, self._keyring.good(sender, kid, entry.at))
        basis = manifests.basis_of(said)
        if isinstance(basis, EmergencyBasis):
            basis = replace(basis, approved_at=basis.approved_at or facts.moment("at"))
        named = [one.id for one in said.basis.consents] if isinstance(said.basis, ByConsent) else []
        labels = [(label.n, label.category, label.ct) for label in said.parts]
        _same(
            message=(said.id, facts.text("message")),
            thread=(said.thread, facts.text("thread")),
            seq=(said.seq, facts.plain().get("seq")),
            kind=(said.kind.value, facts.text("kind")),
            sender=(said.sender, facts.inner("from").text("agency")),
            to=(said.recipient, facts.inner("to").text("agency")),
            case=(said.case, entry.case),
            purpose=(said.purpose, facts.text("purpose")),
            basis=(basis, replay.basis_of(facts)),
            consents=(named, list(facts.texts("consents"))),
            parts=(labels, [_label(part.plain()) for part in facts.inners("parts")]),
        )

    def accepted(self, entry: Entry, token: str) -> None:
        """Check the hub's own receipt, which names this entry."""
        record = receipts.read_statement(token, AcceptedRecord, self._receipt)
        facts = entry.facts
        _same(
            entry=(record.entry, entry.id),
            manifest=(record.manifest, facts.text("manifest")),
            message=(record.message, facts.text("message")),
            sender=(record.sender, entry.actor),
            recipient=(record.recipient, facts.inner("to").text("agency")),
            accepted_at=(record.accepted_at, entry.at),
        )

    def receipt(self, entry: Entry, token: str) -> None:
        """Check a recipient's receipt."""
        record = self.statement(entry, token, ReceiptRecord)
        read = entry.kind == "receipt:read"
        _same(
            kind=(record.kind is Delivery.READ, read),
            id=(record.id, entry.facts.text("receipt")),
            manifest=(record.manifest, entry.facts.text("manifest")),
            results=([part.result.value for part in record.results], list(entry.facts.texts("results"))),
            by=(record.by, entry.facts.text_or_none("by")),
        )

    def purge(self, entry: Entry, token: str) -> None:
        """Check an answer to a stop-use notice."""
        record = self.statement(entry, token, PurgeRecord)
        _same(
            case=(record.case, entry.case),
            withdrawal=(record.withdrawal, entry.facts.text("withdrawal")),
            answer=(record.answer.value, entry.facts.text("answer")),
            ground=(record.ground, entry.facts.text_or_none("ground")),
        )


_Check = Callable[[Checker, Entry, str], None]
_WANTED: Final[Mapping[str, Mapping[str, tuple[_Check, bool]]]] = {
    "consent:registered": {"consent": (Checker.consent, True)},
    # the hub keeps the newest alone
    "consent:status_renewed": {"status": (Checker.status, False)},
    "exclusion:registered": {"exclusion": (Checker.exclusion, True)},
    "exclusion:revoked": {"exclusion": (Checker.revocation, True)},
    "withdrawal:registered": {"withdrawal": (Checker.withdrawal, True)},
    "withdrawal:countersigned": {"withdrawal": (Checker.withdrawal, True)},
    "message:accepted": {"manifest": (Checker.manifest, True), "accepted": (Checker.accepted, True)},
    "receipt:delivered": {"receipt": (Checker.receipt, True)},
    "receipt:read": {"receipt": (Checker.receipt, True)},
    "purge:answered": {"purge": (Checker.purge, True)},
}


def _same(**pairs: tuple[object, object]) -> None:
    for name, (signed, said) in pairs.items():
        if signed != said:
            raise _DiffersError(name)


def _label(part: Mapping[str, object]) -> tuple[object, object, object]:
    return part.get("n"), part.get("category"), part.get("ct")
