# SPDX-License-Identifier: Apache-2.0
"""The hub's own keys, one per use, in files of mode 0600 in the data folder (protocol §1).

They are made at the first start. Whoever replaces one by hand logs it (`key:rotated`); agencies' keys are
never here.
"""

import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from consent import wire
from consent.errors import DocumentRefusedError, SignatureRefusedError
from consent.jwk import KeyUse, PrivateKey, PublicKey, generate
from hub.base.errors import ConfigurationError

FOLDER: Final = "keys"
USES: Final = {"receipt": KeyUse.SIG, "log": KeyUse.WITNESS, "token": KeyUse.CLIENT}
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class HubKeys:
    """The three keys: `receipt` signs what the hub promises, `log` the checkpoints, `token` (ES256) what
    OAuth needs.
    """

    receipt: PrivateKey
    log: PrivateKey
    token: PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Who signs what the hub promises: its public origin and its `receipt` key.

    The composition root puts it into `Database.givens` under `RECEIPTS`, where `receipts` finds it.
    """

    hub: str
    key: PrivateKey


RECEIPTS: Final = "receipts"
LOG_KEY: Final = "log_key"


def receipts(session: Session) -> Receipts:
    """Give the signer of receipts that this process was started with."""
    found: Receipts = session.info[RECEIPTS]
    return found


def log_key(session: Session) -> PublicKey:
    """Give the public half of the `log` key, which others verify checkpoints with."""
    found: PublicKey = session.info[LOG_KEY]
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
    return HubKeys(**keys)


def _load(path: Path, use: KeyUse) -> PrivateKey:
    if not path.exists():
        _make(path, use)
    if path.stat().st_mode & _OTHERS:
        raise ConfigurationError("key-file-open", file=str(path))
    try:
        return PrivateKey.from_jwk(wire.parse(path.read_bytes()), use)
    except (DocumentRefusedError, SignatureRefusedError) as error:
        raise ConfigurationError("key-file-broken", file=str(path)) from error


def _make(path: Path, use: KeyUse) -> None:
    """Write a new key beside its place, then link it there: the first to link wins, and nobody reads half
    a file.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(generate(use).export(), file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
