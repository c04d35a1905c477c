# SPDX-License-Identifier: Apache-2.0
"""The checks before a message is decided on: whose word it is, whether it can be delivered, whether it was seen
before, and where it falls in its thread. `service.accept` puts them in order; writing down is in `storing`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeGuard

from sqlalchemy.orm import Session

from consent import signing, wire
from consent.envelope import labels
from consent.envelope.manifest import MAX_PARTS, ByConsent, Manifest, manifest_hash, peek, read_manifest
from consent.errors import DocumentRefusedError, SealRefusedError, SignatureRefusedError, TsunagiError
from consent.signing import Typ
from consent.vocabulary.codes import is_known
from hub.agencies import reads as agencies
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base.errors import (
    ConflictError,
    ForbiddenError,
    HubError,
    InvalidError,
    MalformedError,
    NotFoundError,
    TooLargeError,
)
from hub.base.rounds import Asked
from hub.cases import reads as cases
from hub.intakes import reads as intakes
from hub.messages import known, reads
from hub.messages.rules import Head, Link, Place, place, released, window_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A manifest that its sender's key has signed, with the token it came in and the token's hash."""

    manifest: Manifest
    token: str
    own: str

    @property
    def link(self) -> Link:
        """Give its place in the sender's chain."""
        return Link(seq=self.manifest.seq, prev=self.manifest.prev, own=self.own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a message falls: its thread (None: it opens one), next or held, and the held ones that it sets free."""

    thread: reads.Thread | None
    place: Place
    frees: tuple[int, ...]
    head: Head
    """The end of the chain once this message is in."""


@contextmanager
def reading(pointer: str) -> Iterator[None]:
    """Answer what the consent library refuses about the document at `pointer` as the API does (bad-input JOS-*)."""
    try:
        yield
    except (SignatureRefusedError, SealRefusedError, DocumentRefusedError) as error:
        kind: type[HubError] = InvalidError if isinstance(error, DocumentRefusedError) else MalformedError
        kind = {"malformed-json": MalformedError, "too-large": TooLargeError}.get(error.code, kind)
        raise kind(error.code, pointer=pointer + error.pointer) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a manifest names, unverified: enough to foresee what will be asked, and for nothing else."""

    kid: str
    sender: str
    recipient: str
    thread: str
    message: str
    case: str
    purpose: str


def named(token: str) -> Named | None:
    """Give what a manifest names; None for one that will be refused anyhow."""
    try:
        kid, sender = peek(token)
        said = wire.parse(signing.peek_payload(token, typ=Typ.MANIFEST))
    except TsunagiError:
        return None
    to, thread, message, case, purpose = (said.get(name) for name in ("to", "thread", "id", "case", "purpose"))
    if not (_id(to) and _id(thread) and _id(message) and _id(case)):
        return None
    if not isinstance(purpose, str) or not is_known("purposes", purpose):
        return None
    return Named(kid=kid, sender=sender, recipient=to, thread=thread, message=message, case=case, purpose=purpose)


def ask_ahead(named: Named) -> tuple[Asked, ...]:
    """Make the questions that accepting an opening message asks first.

    They decide nothing: `read` and what follows ask the same, find the answers there, and refuse what is to be refused.
    """
    return (
        agencies.ask_sig_key(named.sender, named.kid),
        known.ask_sent(sender=named.sender, message=named.message),
        agencies.ask_enc_kids(named.recipient),
        known.ask_thread(agency=named.sender, other=named.recipient, thread=named.thread),
        agencies.ask_party(named.sender),
        agencies.ask_party(named.recipient),
        cases.ask_resolve(named.case, sender=named.sender, recipient=named.recipient),
    )


def _id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and wire.is_id(value)


def require_count(parts: Sequence[str]) -> None:
    """Require no more parts than a message may have, before anything is read."""
    if len(parts) > MAX_PARTS:
        raise TooLargeError(pointer="/parts")


def read(session: Session, token: str, *, now: datetime) -> Signed:
    """Verify a manifest with the key that its sender has in the directory now, and read it strictly."""
    with reading("/manifest"):
        kid, sender = peek(token)
        key = agencies.sig_key(session, sender, kid, now)
        return Signed(manifest=read_manifest(token, key), token=token, own=manifest_hash(token))


def require_parties(manifest: Manifest, *, agency: str) -> None:
    """Require that the caller sends in its own name and to another agency."""
    if manifest.sender != agency:
        raise ForbiddenError("wrong-party", pointer="/manifest/from")
    if manifest.recipient == agency:
        raise InvalidError("same-agency", pointer="/manifest/to")


def require_address(manifest: Manifest, *, thread: str | None, to: str | None) -> None:
    """Require that a manifest is of the thread and for the agency that it was posted to (bad-input JOS-27)."""
    if thread is not None and manifest.thread != thread:
        raise MalformedError("thread-mismatch", pointer="/manifest/thread")
    if to is not None and manifest.recipient != to:
        raise MalformedError("recipient-mismatch", pointer="/manifest/to")


def require_parts(manifest: Manifest, parts: Sequence[str]) -> None:
    """Require that the sealed parts are those of the manifest: number, hashes, headers, labels, sizes."""
    if not manifest.parts:
        # with nothing to decide on, purpose and case would reach the recipient undecided
        raise InvalidError("no-parts", pointer="/manifest/parts")
    with reading(""):
        labels.check_parts(manifest, parts)


def seen(session: Session, signed: Signed, *, now: datetime) -> reads.Message | None:
    """Give the message already taken under this id, if its bytes are the same.

    *Raises* ConflictError `message-id-reused`: the bytes differ; the first stays, and the log keeps both hashes.
    """
    known = reads.sent(session, sender=signed.manifest.sender, message=signed.manifest.id)
    if known is None or known.manifest_hash == signed.own:
        return known
    entry = Entry(
        kind=AuditKind.MESSAGE_EQUIVOCATED,
        actor=known.sender,
        parties=(known.sender, known.recipient),
        case=known.case_handle,
        subject=known.id,
        facts={"message": known.message, "first": known.manifest_hash, "second": signed.own},
    )
    audit.append(session, entry, now=now)
    raise ConflictError("message-id-reused", pointer="/manifest/id", keep=True)


def require_deliverable(session: Session, manifest: Manifest, *, now: datetime) -> None:
    """Require the recipient's current key, and times that hold at the hub's own (protocol §2).

    That the recipient is active is asked where it is decided on, of the same row.
    """
    if agencies.current_enc_kid(session, manifest.recipient, now) != manifest.to_kid:
        raise ConflictError("key-not-current", pointer="/manifest/to_kid")
    fault = window_fault(created_at=manifest.created_at, not_after=manifest.not_after, now=now)
    if fault is not None:
        raise InvalidError(fault, pointer="/manifest")


def require_named_consents(session: Session, manifest: Manifest, case_row: str | None) -> None:
    """Require that the consents which the sender names as evidence are registered, byte for byte (protocol §2)."""
    if not isinstance(manifest.basis, ByConsent) or not manifest.basis.consents:
        return
    known = (
        set()
        if case_row is None
        else {(record.consent, record.record_hash) for record in intakes.of_case(session, case_row)}
    )
    if any((named.id, named.hash) not in known for named in manifest.basis.consents):
        raise ConflictError("consent-mismatch", pointer="/manifest/basis/consents")


def find_spot(session: Session, signed: Signed, *, opens: bool, now: datetime) -> Spot | None:
    """Find the thread, hold it, and say where the message falls; None: another request has just taken it in.

    *Raises* NotFoundError: no such thread between the two. MalformedError `thread-mismatch`: it is about another
    case. ConflictError `thread-exists`, `chain-broken`.
    """
    manifest = signed.manifest
    found = reads.thread(
        session, agency=manifest.sender, other=manifest.recipient, thread=manifest.thread, lock=not opens
    )
    if opens:
        return _opening(session, signed, found, now=now)
    if found is None:
        raise NotFoundError
    if found.case_handle != manifest.case:
        raise MalformedError("thread-mismatch", pointer="/manifest/case")
    held = reads.held(session, thread_row=found.id, sender=manifest.sender)
    falls = place(found.head(manifest.sender), signed.link, held)
    if falls is Place.BROKEN:
        if seen(session, signed, now=now) is not None:
            return None
        raise ConflictError("chain-broken", pointer="/manifest/prev")
    if falls is Place.HELD:
        return Spot(thread=found, place=falls, frees=(), head=found.head(manifest.sender))
    frees = released(manifest.seq, held)
    last = held[frees[-1]] if frees else signed.link
    return Spot(thread=found, place=falls, frees=frees, head=Head(seq=last.seq, own=last.own))


def _opening(session: Session, signed: Signed, found: reads.Thread | None, *, now: datetime) -> Spot | None:
    if found is not None:
        if seen(session, signed, now=now) is not None:
            return None
        raise ConflictError("thread-exists", pointer="/manifest/thread")
    if signed.manifest.seq != 1:
        raise ConflictError("chain-broken", pointer="/manifest/seq")
    return Spot(thread=None, place=Place.NEXT, frees=(), head=Head(seq=1, own=signed.own))
