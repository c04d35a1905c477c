# SPDX-License-Identifier: Apache-2.0
"""The file that holds secrets: Argon2id over the passphrase, AES-256-GCM over the content, mode 0600.

PKCS#8's own encryption derives its key with 2,048 rounds of PBKDF2, too few for a passphrase; hence this format
(protocol §3). What is inside is the caller's business.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from connectors.base.errors import ConnectorError

SHORTEST_PASSPHRASE: Final = 12
_VERSION: Final = 1
_MEMORY_KIB: Final = 64 * 1024
_ITERATIONS: Final = 3
_LANES: Final = 4
_MOST_MEMORY_KIB: Final = 1024 * 1024
_MOST_ITERATIONS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretching:
    """How much work it is to try one passphrase: memory in KiB, and how often it is gone through."""

    memory_kib: int
    iterations: int


DRAWN: Final = Stretching(memory_kib=64, iterations=1)
"""For a passphrase that a machine drew at random with 128 bits or more: stretching adds nothing to what nobody guesses.
One that people choose gets the work of protocol §3, which is the default everywhere.
"""


def write(path: Path, content: bytes, passphrase: str, *, stretching: Stretching | None = None) -> None:
    """Seal `content` under the passphrase and put it at `path` in one step, readable by its owner alone.

    `stretching`: what protocol §3 asks of a passphrase that people choose, unless told.

    *Raises* `ConnectorError`: `passphrase-too-short`, `folder-unwritable`.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise ConnectorError("passphrase-too-short")
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    work = stretching or Stretching(memory_kib=_MEMORY_KIB, iterations=_ITERATIONS)
    parameters = {"kdf": "argon2id", "memory_kib": work.memory_kib, "iterations": work.iterations, "lanes": _LANES}
    head = {"v": _VERSION, **parameters, "salt": _text(salt), "cipher": "A256GCM", "nonce": _text(nonce)}
    key = _derive(passphrase, salt, memory=work.memory_kib, iterations=work.iterations, lanes=_LANES)
    sealed = AESGCM(key).encrypt(nonce, content, _bound(head))
    _replace(path, json.dumps({**head, "sealed": _text(sealed)}, indent=1).encode("ascii"))


def read(path: Path, passphrase: str) -> bytes:
    """Open the file at `path`.

    *Raises* `ConnectorError`: `keystore-missing`, `wrong-passphrase` (also for a damaged file: the two cannot be
    told apart, and should not be).
    """
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ConnectorError("keystore-missing", file=path.name) from None
    except (OSError, ValueError):
        raise ConnectorError("wrong-passphrase", file=path.name) from None
    try:
        return _open(document, passphrase)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidTag):
        raise ConnectorError("wrong-passphrase", file=path.name) from None


def _open(document: dict[str, Any], passphrase: str) -> bytes:
    head = {name: value for name, value in document.items() if name != "sealed"}
    memory, iterations = int(head["memory_kib"]), int(head["iterations"])
    if head["v"] != _VERSION or memory > _MOST_MEMORY_KIB or iterations > _MOST_ITERATIONS:
        raise ValueError  # a file that asks for an hour of work is no key file of ours
    salt = base64.b64decode(head["salt"], validate=True)
    key = _derive(passphrase, salt, memory=memory, iterations=iterations, lanes=int(head["lanes"]))
    nonce = base64.b64decode(head["nonce"], validate=True)
    return AESGCM(key).decrypt(nonce, base64.b64decode(document["sealed"], validate=True), _bound(head))


def _derive(passphrase: str, salt: bytes, *, memory: int, iterations: int, lanes: int) -> bytes:
    kdf = Argon2id(salt=salt, length=32, iterations=iterations, lanes=lanes, memory_cost=memory)
    return kdf.derive(passphrase.encode("utf-8"))


def _bound(head: dict[str, Any]) -> bytes:
    """Bind the parameters to the content, so that nobody weakens them unseen."""
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode("ascii")


def _replace(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a crash leaves the old file or the new one, never half of one."""
    beside = path.with_name(path.name + ".new")
    try:
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        raise ConnectorError("folder-unwritable", folder=str(path.parent)) from None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
