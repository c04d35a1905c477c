# SPDX-License-Identifier: Apache-2.0
"""The hub's own keys, one per use, in files of mode 0600 in the data folder (protocol §1).

They are made at the first start. Whoever replaces one by hand logs it (`key:rotated`); agencies' keys are
never here.
"""

import binascii
import json
import os
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from consent import wire
from consent.errors import DocumentRefusedError, SignatureRefusedError
from consent.jwk import KeyUse, PrivateKey, PublicKey, generate
from hub.base.errors import ConfigurationError

FOLDER: Final = "keys"
USES: Final = {"receipt": KeyUse.SIG, "log": KeyUse.WITNESS, "token": KeyUse.CLIENT}
WEBHOOKS_FILE: Final = "webhooks.json"
KEY_BYTES: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class HubKeys:
    """The keys: `receipt` signs what the hub promises, `log` the checkpoints, `token` (ES256) what OAuth
    needs; `webhooks` (32 bytes, AES-256) keeps the secrets of agencies' webhooks unread in the database.
    """

    receipt: PrivateKey
    log: PrivateKey
    token: PrivateKey
    webhooks: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Who signs what the hub promises: its public origin and its `receipt` key.

    The composition root puts it into `Database.givens` under `RECEIPTS`, where `receipts` finds it.
    """

    hub: str
    key: PrivateKey


RECEIPTS: Final = "receipts"
LOG_KEY: Final = "log_key"
WEBHOOKS: Final = "webhooks_key"


def receipts(session: Session) -> Receipts:
    """Give the signer of receipts that this process was started with."""
    found: Receipts = session.info[RECEIPTS]
    return found


def log_key(session: Session) -> PublicKey:
    """Give the public half of the `log` key, which others verify checkpoints with."""
    found: PublicKey = session.info[LOG_KEY]
    return found


def webhooks_key(session: Session) -> bytes:
    """Give the key that seals the secrets of webhooks."""
    found: bytes = session.info[WEBHOOKS]
    return found


def load(data: Path) -> HubKeys:
    """Read the hub's keys from the data folder, making those that are not there yet.

    Two processes that start at once end with the same keys.

    Raises:
        ConfigurationError: a key file can be read by others, or is not a key.
    """
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = {name: _load(folder / f"{name}.json", use) for name, use in USES.items()}
    return HubKeys(**keys, webhooks=_load_secret(folder / WEBHOOKS_FILE))


def _load(path: Path, use: KeyUse) -> PrivateKey:
    if not path.exists():
        _make(path, generate(use).export())
    try:
        return PrivateKey.from_jwk(_document(path), use)
    except SignatureRefusedError as error:
        raise ConfigurationError("key-file-broken", file=str(path)) from error


def _load_secret(path: Path) -> bytes:
    if not path.exists():
        made = urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode()
        _make(path, {"kty": "oct", "use": "enc", "k": made})
    key = _document(path)
    try:
        found = urlsafe_b64decode(str(key.get("k", "")) + "=")
    except (binascii.Error, ValueError):
        found = b""
    if key.get("kty") != "oct" or len(found) != KEY_BYTES:
        raise ConfigurationError("key-file-broken", file=str(path))
    return found


def _document(path: Path) -> Mapping[str, Any]:
    if path.stat().st_mode & _OTHERS:
        raise ConfigurationError("key-file-open", file=str(path))
    try:
        return wire.parse(path.read_bytes())
    except DocumentRefusedError as error:
        raise ConfigurationError("key-file-broken", file=str(path)) from error


def _make(path: Path, key: Mapping[str, Any]) -> None:
    """Write a new key beside its place, then link it there: the first to link wins, and nobody reads half
    a file.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(key, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
