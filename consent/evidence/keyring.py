# SPDX-License-Identifier: Apache-2.0
"""The agencies' keys as the log brought them: who vouched for which, from when, until when (protocol §3).

What the hub checked when it took a key is checked again, in the order of the log, so that a key which nobody entitled
vouched for opens nothing here either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from consent import keys, signing
from consent.errors import SignatureRefusedError
from consent.evidence.bundle import Told
from consent.evidence.entries import Entry
from consent.jwk import KeyUse, PublicKey
from consent.keys import KeyEntry, SignedEntry
from consent.signing import Typ

OVERLAP: Final = timedelta(seconds=5)
"""A request that began before a revocation committed may have read the key while it was good."""


@dataclass(slots=True)
class _Key:
    public: PublicKey
    entry: KeyEntry
    ends_at: datetime

    def is_good(self, at: datetime) -> bool:
        return self.entry.not_before <= at < self.ends_at + OVERLAP


class Keyring:
    """What is known of agencies and their keys up to a place in the log."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._kinds: dict[str, str] = {}
        self._roots: dict[str, PublicKey] = {}
        self._keys: dict[tuple[str, str], _Key] = {}
        self._ends: dict[tuple[str, str, str], KeyEntry] = {}

    def told(self, told: Told) -> None:
        """Take an agency's root key and kind as the bundle's holder has them.

        *Raises* SignatureRefusedError: it is no root key.
        """
        self._roots[told.id] = PublicKey.from_jwk(told.root, KeyUse.ROOT)
        self._kinds.setdefault(told.id, told.kind)

    def registered(self, entry: Entry) -> None:
        """Take an agency's registration.

        *Raises* SignatureRefusedError `key-not-valid`: the log names another root key or kind than the bundle.
        """
        agency = entry.subject or ""
        root = self._roots.get(agency)
        if root is not None and root.kid != entry.facts.text("root"):
            raise SignatureRefusedError("key-not-valid", "/root")
        kind = entry.facts.text("kind")
        if self._kinds.setdefault(agency, kind) != kind:
            raise SignatureRefusedError("key-not-valid", "/kind")

    def kind(self, agency: str) -> str | None:
        """Give the kind of an agency, None for one that is not known here."""
        return self._kinds.get(agency)

    def published(self, entry: Entry, documents: Mapping[str, str]) -> None:
        """Take a key entry that follows in its chain, or the early end of a key.

        *Raises* TsunagiError: nobody entitled vouches for it, it does not follow, or it is another than the log says.
        """
        signed = SignedEntry(**{name: documents.get(name) for name in ("by_self", "by_previous", "by_root")})
        claimed = keys.peek_entry(signed)
        if keys.entry_hash(claimed) != entry.facts.text("entry") or claimed.agency != entry.subject:
            raise SignatureRefusedError("malformed")
        before = self._keys.get((claimed.agency, claimed.kid))
        chain = (claimed.agency, claimed.use.value, claimed.suite or "")
        root = self._roots.get(claimed.agency) if signed.by_root else None
        voucher = self._voucher(claimed, signed, removal=before is not None, at=entry.at)
        made = keys.read_entry(signed, previous=voucher, root=root, removal=before is not None)
        last = self._ends.get(chain)
        follows = (1, None) if last is None else (last.seq + 1, keys.entry_hash(last))
        if (made.seq, made.prev) != follows:
            raise SignatureRefusedError("key-not-valid", "/prev")
        self._ends[chain] = made
        if before is None:
            self._keys[made.agency, made.kid] = _Key(made.key(), made, made.not_after)
        else:
            before.ends_at = min(before.ends_at, made.not_after)

    def ended(self, agency: str, kid: str, at: datetime) -> None:
        """End a key at the word of operator and officer: removal only."""
        known = self._keys.get((agency, kid))
        if known is not None:
            known.ends_at = min(known.ends_at, at)

    def good(self, agency: str, kid: str, at: datetime) -> PublicKey:
        """Give an agency's `sig` key if it was good at a moment.

        *Raises* SignatureRefusedError: `key-not-valid`.
        """
        known = self._keys.get((agency, kid))
        if known is None or known.public.use is not KeyUse.SIG or not known.is_good(at):
            raise SignatureRefusedError("key-not-valid")
        return known.public

    def ever(self, agency: str, kid: str) -> PublicKey:
        """Give a `sig` key that was an agency's at any time: whose word something is, not whether it counted.

        *Raises* SignatureRefusedError: `key-not-valid`.
        """
        known = self._keys.get((agency, kid))
        if known is None or known.public.use is not KeyUse.SIG:
            raise SignatureRefusedError("key-not-valid")
        return known.public

    def knows(self, agency: str) -> bool:
        """Say whether any key of this agency is known: the entries of others may not be the holder's to read."""
        return any(owner == agency for owner, _ in self._keys)

    def _voucher(self, claimed: KeyEntry, signed: SignedEntry, *, removal: bool, at: datetime) -> PublicKey | None:
        if signed.by_previous is None:
            return None
        by_sig = removal or claimed.use is KeyUse.ENC
        use = KeyUse.SIG if by_sig else claimed.use
        known = self._keys.get((claimed.agency, signing.peek_kid(signed.by_previous, typ=Typ.KEY)))
        if known is None or known.public.use is not use or not known.is_good(at):
            return None
        return known.public
