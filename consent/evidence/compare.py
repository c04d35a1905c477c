# SPDX-License-Identifier: Apache-2.0
"""Three records of every disclosure (sent: the sender's; authorised: the log's; opened: the receiver's) held against
each other, and which one was altered, dropped or forged.

What was signed decides: a record that its own signatures do not bear out is the one at fault; whoever lacks what his
own signature elsewhere shows he had, dropped it; the hub is bound by its receipt, which names entry and manifest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import BinaryIO, Final

from consent import receipts, signing
from consent.envelope import manifest as manifests
from consent.errors import LogRefusedError, TsunagiError
from consent.evidence import bundle, entries
from consent.evidence.bundle import EVERYTHING, Head, Logged, Told
from consent.evidence.entries import Entry
from consent.evidence.keyring import Keyring
from consent.evidence.records import Held, Records
from consent.jwk import KeyUse, PublicKey
from consent.receipts import AcceptedRecord, Delivery, ReceiptRecord
from consent.signing import Typ
from consent.tlog import notes, proofs, tree
from consent.tlog.notes import Verifier

Key = tuple[str, str]
"""Sender and the sender's id of the message."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_KEYS: Final = ("key:published", "key:rotated", "key:revoked")


class Kind(StrEnum):
    """The three records."""

    SENT = "sent"
    AUTHORISED = "authorised"
    OPENED = "opened"


class Deed(StrEnum):
    """What was done to a record."""

    ALTERED = "altered"
    DROPPED = "dropped"
    FORGED = "forged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A record that does not agree with the others; `index`: its entry of the log, where there is one."""

    record: Kind
    deed: Deed
    sender: str
    message: str
    index: int | None


@dataclass(slots=True)
class _Authorised:
    """A disclosure in the log, with what was signed about it."""

    index: int
    entry: str
    recipient: str
    hash: str
    manifest: str | None
    at: datetime
    handed_over: bool = False
    receipts: list[tuple[datetime, str]] = field(default_factory=list)


class _Log:
    """The disclosures of a bundle and the keys to judge by."""

    def __init__(self, stream: BinaryIO) -> None:
        self.authorised: dict[Key, _Authorised] = {}
        self.keyring = Keyring()
        self._rows: dict[str, _Authorised] = {}
        lines = bundle.read(stream)
        head = next(lines)
        if not isinstance(head, Head):
            raise TypeError("no-head")
        self.head = head
        self.verifier = Verifier.read(head.log)
        self.receipt = PublicKey.from_jwk(head.receipt, KeyUse.SIG)
        for line in lines:
            if isinstance(line, Told):
                self.keyring.told(line)
            elif isinstance(line, Logged):
                self._take(entries.read_entry(line.index, line.body), line.read_documents())

    def shows(self, one: Held) -> bool:
        """Say whether a message of these parties would be in this bundle."""
        return self.head.holder in {EVERYTHING, one.sender, one.recipient}

    def _take(self, entry: Entry, documents: Mapping[str, str]) -> None:
        if entry.kind in _KEYS and documents:
            self.keyring.published(entry, documents)
        elif entry.kind == "message:accepted":
            facts = entry.facts
            made = _Authorised(
                entry.index,
                entry.id,
                facts.inner("to").text("agency"),
                facts.text("manifest"),
                documents.get("manifest"),
                entry.at,
            )
            self.authorised[entry.actor, facts.text("message")] = made
            self._rows[entry.subject or ""] = made
        elif entry.kind == "message:handed_over" and entry.subject in self._rows:
            self._rows[entry.subject].handed_over = True
        elif entry.kind in {"receipt:delivered", "receipt:read"} and entry.subject in self._rows:
            self._rows[entry.subject].receipts.append((entry.at, documents.get("receipt", "")))


def compare(stream: BinaryIO, *sides: Records) -> tuple[Disagreement, ...]:
    """Hold a bundle of the log, itself verified before, against the records of one agency or of both sides.

    *Raises* TsunagiError: the bundle cannot be read.
    """
    log = _Log(stream)
    sent: dict[Key, Held] = {}
    opened: dict[Key, Held] = {}
    for side in sides:
        for one in side.held:
            kept = sent if one.sender == side.holder.agency else opened
            kept[one.sender, one.message] = one
    present = {side.holder.agency: side.holder.made_at for side in sides}
    found: list[Disagreement] = []
    for key in {**log.authorised, **sent, **opened}:
        found.extend(_judge(log, key, sent.get(key), opened.get(key), present))
    return tuple(sorted(found, key=lambda one: (one.index is None, one.index or 0, one.message, one.record)))


def _judge(
    log: _Log, key: Key, sent: Held | None, opened: Held | None, present: Mapping[str, datetime]
) -> Iterator[Disagreement]:
    logged = log.authorised.get(key)
    if logged is None:
        yield from _not_logged(log, key, sent, opened)
        return

    def said(record: Kind, deed: Deed) -> Disagreement:
        return Disagreement(record=record, deed=deed, sender=key[0], message=key[1], index=logged.index)

    if not _signed_by_sender(log, key, logged.manifest, logged.hash):
        # nobody but the sender can make a disclosure; without its word the log made it up or wrote it anew
        true = any(one is not None and _manifest_holds(log, key, one.manifest) for one in (sent, opened))
        yield said(Kind.AUTHORISED, Deed.ALTERED if true else Deed.FORGED)
    elif sent is None and logged.at <= present.get(key[0], _NEVER):
        yield said(Kind.SENT, Deed.DROPPED)
    elif sent is not None:
        at_fault = _of_sent(log, key, sent, logged)
        if at_fault is not None:
            yield said(at_fault, Deed.ALTERED)
    yield from (said(kind, deed) for kind, deed in _of_opened(log, key, opened, logged, present))


def _not_logged(log: _Log, key: Key, sent: Held | None, opened: Held | None) -> Iterator[Disagreement]:
    def said(record: Kind, deed: Deed) -> Disagreement:
        return Disagreement(record=record, deed=deed, sender=key[0], message=key[1], index=None)

    one = sent or opened
    if one is None or not log.shows(one):
        return
    promised = any(each is not None and _promised(log, key, each) for each in (sent, opened))
    if promised:
        yield said(Kind.AUTHORISED, Deed.DROPPED)
    elif sent is not None and sent.accepted is not None and not _accepted_holds(log, key, sent.accepted):
        yield said(Kind.SENT, Deed.FORGED)
    if opened is not None and not promised:
        yield said(Kind.OPENED, Deed.FORGED)


def _of_sent(log: _Log, key: Key, sent: Held, logged: _Authorised) -> Kind | None:
    """Say whose record differs where the sender and the log speak of the same message."""
    same = manifests.manifest_hash(sent.manifest) == logged.hash
    accepted = None if sent.accepted is None else _accepted(log, key, sent.accepted)
    if sent.accepted is not None and accepted is None:
        return Kind.SENT
    if accepted is not None and accepted.manifest == logged.hash and accepted.entry != logged.entry:
        return Kind.AUTHORISED
    if same:
        return None
    took_this = accepted is not None and accepted.manifest == manifests.manifest_hash(sent.manifest)
    return Kind.AUTHORISED if took_this and _manifest_holds(log, key, sent.manifest) else Kind.SENT


def _of_opened(
    log: _Log, key: Key, opened: Held | None, logged: _Authorised, present: Mapping[str, datetime]
) -> Iterator[tuple[Kind, Deed]]:
    """Say what is wrong between the log and what the recipient holds."""
    signed = [(at, token) for at, token in logged.receipts if _receipt_holds(log, token, logged)]
    if opened is None:
        if any(at <= present.get(logged.recipient, _NEVER) for at, _ in signed):
            yield Kind.OPENED, Deed.DROPPED
    elif not logged.handed_over:
        yield Kind.OPENED, Deed.FORGED
    elif manifests.manifest_hash(opened.manifest) != logged.hash:
        yield (Kind.AUTHORISED if _promised(log, key, opened) else Kind.OPENED), Deed.ALTERED
    elif not _is_true(log, opened, logged, signed, until=present[logged.recipient]):
        yield Kind.OPENED, Deed.ALTERED
    elif len(signed) < len(logged.receipts):
        # the log says that a receipt came which nobody signed
        yield Kind.AUTHORISED, Deed.ALTERED


def _is_true(
    log: _Log, opened: Held, logged: _Authorised, signed: Sequence[tuple[datetime, str]], *, until: datetime
) -> bool:
    """Say whether a recipient holds its own receipts as it signed them, and every one that it gave before `until`."""
    kept = all(_receipt_holds(log, token, logged) for token in opened.receipts)
    return kept and all(token in opened.receipts for at, token in signed if at <= until)


# ── what signatures bear out ──


def _signed_by_sender(log: _Log, key: Key, token: str | None, digest: str) -> bool:
    return token is not None and manifests.manifest_hash(token) == digest and _manifest_holds(log, key, token)


def _manifest_holds(log: _Log, key: Key, token: str) -> bool:
    try:
        made = manifests.read_manifest(token, log.keyring.ever(key[0], signing.peek_kid(token, typ=Typ.MANIFEST)))
    except TsunagiError:
        return False
    return (made.sender, made.id) == key


def _accepted(log: _Log, key: Key, token: str) -> AcceptedRecord | None:
    try:
        made = receipts.read_statement(token, AcceptedRecord, log.receipt)
    except TsunagiError:
        return None
    return made if (made.sender, made.message) == key else None


def _accepted_holds(log: _Log, key: Key, token: str) -> bool:
    return _accepted(log, key, token) is not None


def _promised(log: _Log, key: Key, one: Held) -> bool:
    """Say whether the hub gave its word for this very message: its receipt, due by now, or a proof under its key."""
    digest = manifests.manifest_hash(one.manifest)
    accepted = None if one.accepted is None else _accepted(log, key, one.accepted)
    due = accepted is not None and accepted.manifest == digest and accepted.logged_by < log.head.made_at
    return _manifest_holds(log, key, one.manifest) and (due or _proved(log, one, digest))


def _proved(log: _Log, one: Held, digest: str) -> bool:
    if one.entry is None or one.proof is None:
        return False
    try:
        shown = proofs.read_proof(one.proof)
        signed = notes.open_checkpoint(shown.checkpoint, log.verifier)
        proofs.verify_inclusion(
            tree.leaf_hash(one.entry.encode()),
            index=shown.index,
            size=signed.size,
            proof=shown.hashes,
            root=signed.root,
        )
        entry = entries.read_entry(shown.index, one.entry.encode())
        told = (entry.kind, entry.facts.text("manifest"))
    except (LogRefusedError, TsunagiError):
        return False
    return signed.size <= log.head.size and told == ("message:accepted", digest)


def _receipt_holds(log: _Log, token: str, logged: _Authorised) -> bool:
    try:
        kid, signer = receipts.peek_statement(token, ReceiptRecord)
        made = receipts.read_statement(token, ReceiptRecord, log.keyring.ever(signer, kid))
    except TsunagiError:
        return False
    known = made.kind in {Delivery.DELIVERY, Delivery.READ}
    return known and (made.agency, made.manifest) == (logged.recipient, logged.hash)
