# SPDX-License-Identifier: Apache-2.0
"""Who vouches for which key, from when to when: key entries, chains, the words of a root (protocol §3).

The keys themselves are in `jwk`; they are named here too, so that callers need one import.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Literal

from mnemonic import Mnemonic

from consent import signing, wire
from consent.errors import DocumentRefusedError, SealRefusedError, SignatureRefusedError
from consent.jwk import KeyUse, PrivateKey, PublicKey, generate, thumbprint
from consent.signing import Typ

__all__ = [
    "KeyEntry", "KeyUse", "PrivateKey", "PublicKey", "SignedEntry", "Suite", "check_chain", "entry_hash",
    "fingerprint_words", "generate", "new_entry", "peek_entry", "read_entry", "revoke", "same_words",
    "sign_entry", "thumbprint",
]  # fmt: skip

Language = Literal["ja", "en"]
_FINGERPRINT_BYTES = 16
"""128 bits: nobody finds a second key with the same twelve words."""


class Suite(StrEnum):
    """How content keys are sealed (protocol §2).

    B (HPKE with X-Wing) is reserved: it can be named, not yet used.
    """

    A = "A"
    B = "B"


@wire.document
class KeyEntry:
    """One link of an agency's chain of keys for one use; exactly these members (protocol §3).

    An entry with the kid of the one before it and an earlier `not_after` revokes that key.
    `prev` is the SHA-256 of the entry before, null in the first. Times are half-open: `[not_before,
    not_after)`.
    """

    v: wire.Version = 1
    agency: wire.Id
    use: KeyUse
    suite: Suite | None
    kid: wire.Kid
    jwk: dict[str, str]
    not_before: wire.Moment
    not_after: wire.Moment
    seq: int
    prev: wire.Digest | None

    def key(self) -> PublicKey:
        """Read the public key of the entry.

        Raises:
            SignatureRefusedError: `key-not-valid`, also when the kid is not the key's thumbprint.
        """
        key = PublicKey.from_jwk(self.jwk, self.use)
        if key.kid != self.kid or key.jwk() != self.jwk:
            raise SignatureRefusedError("key-not-valid")
        return key

    def is_valid_at(self, at: datetime) -> bool:
        """Say whether `at` lies in the entry's window."""
        return self.not_before <= at < self.not_after

    def require_valid_at(self, at: datetime) -> PublicKey:
        """Give the key if its window holds `at`.

        Raises:
            SignatureRefusedError: `key-not-valid`.
        """
        if not self.is_valid_at(at):
            raise SignatureRefusedError("key-not-valid")
        return self.key()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEntry:
    """The signatures over one entry's bytes: proof of possession, and whoever vouches.

    `by_previous` is the key before in the chain, or the agency's current `sig` key (an enc key cannot sign,
    so its entries carry that one alone). A revocation needs no `by_self`: a lost key cannot give it, and
    removal is safe.
    """

    by_self: str | None = None
    by_previous: str | None = None
    by_root: str | None = None


def new_entry(
    key: PublicKey, *, agency: str, not_before: datetime, not_after: datetime, after: KeyEntry | None = None
) -> KeyEntry:
    """Write the next entry of a chain; `after` is its last entry so far, None for the first."""
    return KeyEntry(
        agency=agency, use=key.use, suite=Suite.A if key.use is KeyUse.ENC else None,
        kid=key.kid, jwk=key.jwk(),
        not_before=not_before, not_after=not_after,
        seq=after.seq + 1 if after else 1, prev=entry_hash(after) if after else None,
    )  # fmt: skip


def revoke(entry: KeyEntry, *, after: KeyEntry, at: datetime) -> KeyEntry:
    """Write the entry that ends a key at `at`; `after` is the last entry of the chain."""
    return replace(entry, not_after=max(at, entry.not_before), seq=after.seq + 1, prev=entry_hash(after))


def sign_entry(
    entry: KeyEntry,
    *,
    by_self: PrivateKey | None = None,
    by_previous: PrivateKey | None = None,
    by_root: PrivateKey | None = None,
) -> SignedEntry:
    """Sign the bytes of an entry with each key given.

    Raises:
        SignatureRefusedError: `key-not-valid`, a key cannot sign, or `by_self` is not the entry's own.
    """
    if by_self is not None and by_self.kid != entry.kid:
        raise SignatureRefusedError("key-not-valid")
    payload = wire.compact(entry)

    def signature(key: PrivateKey | None) -> str | None:
        return None if key is None else signing.sign(payload, typ=Typ.KEY, key=key)

    return SignedEntry(by_self=signature(by_self), by_previous=signature(by_previous), by_root=signature(by_root))


def peek_entry(signed: SignedEntry) -> KeyEntry:
    """Read an entry without verifying it, to learn whose keys to look up and for nothing else.

    Raises:
        SignatureRefusedError, DocumentRefusedError: as `read_entry`, but for the signatures.
    """
    token = signed.by_previous or signed.by_root or signed.by_self
    if token is None:
        raise SignatureRefusedError("malformed")
    return _read(signing.peek_payload(token, typ=Typ.KEY))


def read_entry(
    signed: SignedEntry,
    *,
    previous: PublicKey | None = None,
    root: PublicKey | None = None,
    removal: bool = False,
) -> KeyEntry:
    """Verify every signature of an entry with the keys that the caller trusts, and read it (protocol §3).

    The caller owes: that these keys are to be trusted now, that the entry follows (`check_chain`), and
    `removal` only where the kid stands in the chain already: then proof of possession may be missing.

    Raises:
        SignatureRefusedError: what `signing.verify` raises; `key-not-valid` when nobody trusted vouches, a
            signature is there whose key was not given, or proof of possession is missing; `malformed` when
            the bytes differ.
        DocumentRefusedError: the entry is not one, or not in compact form.
        SealRefusedError: `suite-not-supported`.
    """
    vouched = [(signed.by_previous, previous), (signed.by_root, root)]
    given = [(token, key) for token, key in vouched if token is not None]
    if not given:
        raise SignatureRefusedError("key-not-valid")
    payloads = {_verified(token, key) for token, key in given}
    entry = _read(min(payloads))
    own = entry.key()
    if signed.by_self is not None:
        payloads.add(_verified(signed.by_self, own))
    elif own.use is not KeyUse.ENC and not removal:
        raise SignatureRefusedError("key-not-valid")
    if len(payloads) != 1:
        raise SignatureRefusedError("malformed")
    return entry


def entry_hash(entry: KeyEntry) -> str:
    """Name an entry for the next one's `prev`: SHA-256 of its compact bytes in hexadecimal."""
    return hashlib.sha256(wire.compact(entry)).hexdigest()


def check_chain(entries: Sequence[KeyEntry]) -> None:
    """Check that entries, first to last, are one chain: same agency, use, suite; seq from 1; prev linked.

    Raises:
        SignatureRefusedError: `key-not-valid` with the place of the first entry that does not follow.
    """
    before: KeyEntry | None = None
    for place, entry in enumerate(entries):
        if not _follows(entry, before):
            raise SignatureRefusedError("key-not-valid", f"/{place}")
        before = entry


def fingerprint_words(root: PublicKey, language: Language) -> tuple[str, ...]:
    """Say a root key in twelve words (protocol §3): BIP 39 over the first 128 bits of its thumbprint."""
    start = wire.from_base64url(root.kid)[:_FINGERPRINT_BYTES]
    sentence = _words(language).to_mnemonic(start)
    return tuple(unicodedata.normalize("NFC", sentence).split())


def same_words(root: PublicKey, heard: str) -> bool:
    """Say whether the words that someone heard, in either language, are those of this root key."""
    words = tuple(unicodedata.normalize("NFKC", heard).lower().split())
    languages: tuple[Language, ...] = ("ja", "en")
    return any(words == fingerprint_words(root, language) for language in languages)


@cache
def _words(language: Language) -> Mnemonic:
    return Mnemonic({"ja": "japanese", "en": "english"}[language])


def _verified(token: str, key: PublicKey | None) -> bytes:
    if key is None:
        raise SignatureRefusedError("key-not-valid")
    return signing.verify(token, typ=Typ.KEY, key=key)


def _read(payload: bytes) -> KeyEntry:
    entry = wire.read(KeyEntry, payload)
    # prev names the compact form, so no other form may stand in a chain
    if wire.compact(entry) != payload:
        raise DocumentRefusedError("malformed-json")
    suits = entry.suite is not None if entry.use is KeyUse.ENC else entry.suite is None
    if not suits or entry.use is KeyUse.ROOT or entry.seq < 1 or (entry.seq == 1) != (entry.prev is None):
        raise DocumentRefusedError("wrong-type")
    if entry.suite is Suite.B:
        raise SealRefusedError("suite-not-supported", "/suite")
    return entry


def _follows(entry: KeyEntry, before: KeyEntry | None) -> bool:
    if entry.not_before > entry.not_after:
        return False
    if before is None:
        return entry.seq == 1 and entry.prev is None
    same = (entry.agency, entry.use, entry.suite) == (before.agency, before.use, before.suite)
    return same and entry.seq == before.seq + 1 and entry.prev == entry_hash(before)
