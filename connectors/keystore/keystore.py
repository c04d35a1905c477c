# SPDX-License-Identifier: Apache-2.0
"""The agency's keys: which one is current, which old ones still open, and the signed entries that say so (protocol §3).

The root key lies in a file of its own, so that it can be put into a safe and fetched for emergencies only.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connectors.base.errors import ConnectorError
from connectors.keystore import keyfile
from connectors.keystore.keyfile import Stretching
from consent import keys
from consent.keys import KeyEntry, KeyUse, PrivateKey, SignedEntry

KEYS_FILE: Final = "keys.json"
ROOT_FILE: Final = "root-key.json"
_YEAR: Final = timedelta(days=365)
LIFETIMES: Final[Mapping[KeyUse, timedelta]] = {
    KeyUse.SIG: _YEAR,
    KeyUse.ENC: _YEAR,
    KeyUse.CLIENT: _YEAR / 2,
}
"""How long a new key is valid (protocol §3: enc and sig yearly, client half-yearly)."""
LEAD: Final = timedelta(days=1)
"""How long a rotated key is known before it is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A private key and the signed entry that gives it its window."""

    private: PrivateKey
    entry: KeyEntry
    signed: SignedEntry


class Keystore:
    """The keys of one agency, opened with its passphrase. Old `enc` keys stay, to open what was sealed to them."""

    def __init__(self, *, agency: str, casebook_key: bytes, held: tuple[HeldKey, ...], path: Path) -> None:
        """Take what the file held; `create_keystore` and `open_keystore` make one."""
        self.agency = agency
        self.casebook_key = casebook_key
        self.held = held
        self.path = path

    def require(self, passphrase: str) -> None:
        """Make sure that this is the passphrase of the file; keys that another process has made meanwhile are taken in.

        *Raises* `ConnectorError`: `keystore-missing`, `wrong-passphrase`.
        """
        content: dict[str, Any] = json.loads(keyfile.read(self.path, passphrase))
        known = {key.private.kid for key in self.held}
        self.held += tuple(one for one in map(_held, content["keys"]) if one.private.kid not in known)

    def current(self, use: KeyUse, at: datetime) -> PrivateKey:
        """Give the key of this use that is valid at `at`, the newest where several are.

        *Raises* `ConnectorError("key-missing")` with the use.
        """
        valid = [key for key in self.held if key.entry.use is use and key.entry.is_valid_at(at)]
        if not valid:
            raise ConnectorError("key-missing", use=use.value)
        return max(valid, key=lambda key: key.entry.seq).private

    def opening_keys(self) -> tuple[PrivateKey, ...]:
        """Give every `enc` key ever held, newest first."""
        own = [key for key in self.held if key.entry.use is KeyUse.ENC]
        return tuple(key.private for key in sorted(own, key=lambda key: -key.entry.seq))

    def rotate(
        self, use: KeyUse, *, now: datetime, passphrase: str, stretching: Stretching | None = None
    ) -> SignedEntry:
        """Make the next key of a use, have the one before vouch for it, and save; give the entry to publish.

        A wrong passphrase changes nothing: the file would be sealed under it, and whoever knows the right one shut out.

        It begins `LEAD` from now: until then the one before goes on, and everybody has time to learn the new one.
        An `enc` key cannot sign: its entry is signed by the current `sig` key alone (protocol §3). `stretching` as
        `keyfile.write`.

        *Raises* `ConnectorError`: `key-not-begun`, the last rotation's key has not begun; `wrong-passphrase`,
        `keystore-missing`, `folder-unwritable`. Nothing was made.
        """
        self.require(passphrase)
        last = max((key for key in self.held if key.entry.use is use), key=lambda key: key.entry.seq)
        if last.entry.not_before > now:
            raise ConnectorError("key-not-begun", use=use.value)
        made = keys.generate(use)
        entry = keys.new_entry(
            made.public,
            agency=self.agency,
            not_before=now + LEAD,
            not_after=now + LEAD + LIFETIMES[use],
            after=last.entry,
        )
        if use is KeyUse.ENC:
            signed = keys.sign_entry(entry, by_previous=self.current(KeyUse.SIG, now))
        else:
            signed = keys.sign_entry(entry, by_self=made, by_previous=last.private)
        held = (*self.held, HeldKey(private=made, entry=entry, signed=signed))
        self._write(held, passphrase, stretching)
        self.held = held  # after the file: a key that is lost with the process must not be published
        return signed

    def save(self, passphrase: str, *, stretching: Stretching | None = None) -> None:
        """Write the file anew under the passphrase; `stretching` as `keyfile.write`."""
        self._write(self.held, passphrase, stretching)

    def _write(self, held: tuple[HeldKey, ...], passphrase: str, stretching: Stretching | None = None) -> None:
        content = {
            "v": 1,
            "agency": self.agency,
            "casebook_key": base64.b64encode(self.casebook_key).decode("ascii"),
            "keys": [
                {"use": key.entry.use.value, "private": key.private.export(), "signed": asdict(key.signed)}
                for key in held
            ],
        }
        keyfile.write(self.path, json.dumps(content).encode("ascii"), passphrase, stretching=stretching)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKeys:
    """What came into being with a keystore: the store itself and the public root key, for its fingerprint."""

    store: Keystore
    root: keys.PublicKey


def create_keystore(
    folder: Path, passphrase: str, *, agency: str, now: datetime, stretching: Stretching | None = None
) -> NewKeys:
    """Make root, `sig`, `enc` and `client` keys for a new agency and write both files; `stretching` as `keyfile.write`.

    *Raises* `ConnectorError`: `keystore-exists`, `passphrase-too-short`, `folder-unwritable`.
    """
    path, root_path = folder / KEYS_FILE, folder / ROOT_FILE
    for present in (path, root_path):
        if present.exists():
            raise ConnectorError("keystore-exists", file=present.name)
    root = keys.generate(KeyUse.ROOT)
    sig = keys.generate(KeyUse.SIG)
    held = tuple(
        _first(made, agency=agency, now=now, root=root, sig=sig)
        for made in (sig, keys.generate(KeyUse.ENC), keys.generate(KeyUse.CLIENT))
    )
    store = Keystore(agency=agency, casebook_key=secrets.token_bytes(32), held=held, path=path)
    content = json.dumps({"v": 1, "agency": agency, "root": root.export()}).encode()
    keyfile.write(root_path, content, passphrase, stretching=stretching)
    store.save(passphrase, stretching=stretching)
    return NewKeys(store=store, root=root.public)


def _first(made: PrivateKey, *, agency: str, now: datetime, root: PrivateKey, sig: PrivateKey) -> HeldKey:
    entry = keys.new_entry(made.public, agency=agency, not_before=now, not_after=now + LIFETIMES[made.use])
    if made.use is KeyUse.ENC:
        signed = keys.sign_entry(entry, by_previous=sig)
    else:
        signed = keys.sign_entry(entry, by_self=made, by_root=root)
    return HeldKey(private=made, entry=entry, signed=signed)


def open_keystore(folder: Path, passphrase: str) -> Keystore:
    """Open the keys in a folder.

    *Raises* `ConnectorError`: `keystore-missing`, `wrong-passphrase`.
    """
    path = folder / KEYS_FILE
    content: dict[str, Any] = json.loads(keyfile.read(path, passphrase))
    return Keystore(
        agency=content["agency"],
        casebook_key=base64.b64decode(content["casebook_key"]),
        held=tuple(_held(item) for item in content["keys"]),
        path=path,
    )


def open_root(folder: Path, passphrase: str) -> PrivateKey:
    """Open the root key, fetched from its safe: for a first key of a new use, or to end a stolen one.

    *Raises* `ConnectorError`: `keystore-missing`, `wrong-passphrase`.
    """
    content: dict[str, Any] = json.loads(keyfile.read(folder / ROOT_FILE, passphrase))
    return PrivateKey.from_jwk(content["root"], KeyUse.ROOT)


def _held(item: Mapping[str, Any]) -> HeldKey:
    signed = SignedEntry(**item["signed"])
    private = PrivateKey.from_jwk(item["private"], KeyUse(item["use"]))
    return HeldKey(private=private, entry=keys.peek_entry(signed), signed=signed)
