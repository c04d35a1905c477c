# SPDX-License-Identifier: Apache-2.0
"""Signed notes, checkpoints, cosignatures: C2SP signed-note, tlog-checkpoint, tlog-cosignature.

Strict on purpose: two texts that mean the same checkpoint would be two checkpoints. No extension lines, one
spelling of each number and hash, at most 64 signatures. Signatures under keys that we do not know are left
alone, as the format asks.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent.errors import LogRefusedError
from consent.tlog.tree import HASH_BYTES

MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 64
_ED25519 = 0x01
_COSIGNATURE = 0x04
_HASH_BYTES_OF_KEY = 4
_TIME_BYTES = 8
_LAST_SECOND = 253402300799  # of the year 9999
_SIZE = re.compile("0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,255}")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]{1,255}) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A name and an Ed25519 key that notes are verified with: of a log, or of a witness (`cosigns`)."""

    name: str
    native: Ed25519PublicKey = field(repr=False)
    cosigns: bool = False

    @property
    def key_id(self) -> bytes:
        """Give the four bytes that name the key in a signature line (C2SP signed-note)."""
        named = self.name.encode() + b"\n" + bytes([self._kind]) + self.native.public_bytes_raw()
        return hashlib.sha256(named).digest()[:_HASH_BYTES_OF_KEY]

    @property
    def _kind(self) -> int:
        return _COSIGNATURE if self.cosigns else _ED25519

    def text(self) -> str:
        """Write the verifier key: name+id+key, as C2SP tools read it."""
        key = base64.b64encode(bytes([self._kind]) + self.native.public_bytes_raw()).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @classmethod
    def read(cls, text: str) -> "Verifier":
        """Read what `text` writes.

        Raises:
            LogRefusedError: `malformed-note`.
        """
        name, key_id, key = [*text.split("+", 2), "", ""][:3]
        raw = _from_base64(key)
        if not _NAME.fullmatch(name) or len(raw) != 1 + HASH_BYTES or raw[0] not in {_ED25519, _COSIGNATURE}:
            _refuse()
        made = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]), cosigns=raw[0] == _COSIGNATURE)
        if made.key_id.hex() != key_id:
            _refuse()
        return made


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: under which name, by which key, and the bytes after the key id."""

    name: str
    key_id: bytes
    raw: bytes

    def line(self) -> str:
        """Write the line with its newline."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.raw).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, ending in a newline, and its signatures; not verified by being read."""

    text: str
    signatures: tuple[Signature, ...]

    def write(self) -> str:
        """Write the note as it travels."""
        return f"{self.text}\n{''.join(signature.line() for signature in self.signatures)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of a log: who (`origin`), how many entries, the root over them (C2SP tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Write the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"


def read_note(text: str) -> Note:
    """Read a signed note.

    Raises:
        LogRefusedError: `malformed-note`.
    """
    body, gap, lines = text.rpartition("\n\n")
    if len(text) > MAX_NOTE or not gap or not body or not lines.endswith("\n") or _has_controls(text):
        _refuse()
    written = lines[:-1].split("\n")
    if len(written) > MAX_SIGNATURES:
        _refuse()
    return Note(f"{body}\n", tuple(_read_signature(line) for line in written))


def read_checkpoint(note: Note) -> Checkpoint:
    """Read the text of a note as a checkpoint without extension lines.

    Raises:
        LogRefusedError: `malformed-note`.
    """
    lines = note.text.split("\n")
    if len(lines) != 4 or lines.pop():  # noqa: PLR2004 - three lines and what follows the last newline
        _refuse()
    origin, size, root = lines
    raw = _from_base64(root)
    if not _NAME.fullmatch(origin) or not _SIZE.fullmatch(size) or len(raw) != HASH_BYTES:
        _refuse()
    return Checkpoint(origin=origin, size=int(size), root=raw)


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> Note:
    """Sign a checkpoint as the log that it names.

    Raises:
        LogRefusedError: `malformed-note`, the origin or root could not be read again.
    """
    text = checkpoint.text()
    read_checkpoint(Note(text, ()))
    verifier = Verifier(checkpoint.origin, key.public_key())
    return Note(text, (Signature(verifier.name, verifier.key_id, key.sign(text.encode())),))


def open_checkpoint(text: str, log: Verifier) -> Checkpoint:
    """Read a checkpoint and verify that the log signed it under its own name.

    Raises:
        LogRefusedError: `malformed-note`, `bad-signature`.
    """
    note = read_note(text)
    checkpoint = read_checkpoint(note)
    if checkpoint.origin != log.name or log.cosigns:
        raise LogRefusedError("bad-signature")
    _verified(note, log)
    return checkpoint


def cosign(note: Note, name: str, key: Ed25519PrivateKey, at: datetime) -> Signature:
    """Cosign a checkpoint as a witness: as of `at`, the largest state seen (C2SP tlog-cosignature).

    The caller owes that it verified the log's signature and the consistency with what it saw before.

    Raises:
        LogRefusedError: `malformed-note`.
    """
    read_checkpoint(note)
    seconds = int(at.timestamp())
    witness = Verifier(name, key.public_key(), cosigns=True)
    signed = key.sign(_cosigned(note.text, seconds))
    return Signature(name, witness.key_id, seconds.to_bytes(_TIME_BYTES) + signed)


def cosigned_at(note: Note, witness: Verifier) -> datetime:
    """Verify a witness's cosignature on a note and say when it was given.

    Raises:
        LogRefusedError: `bad-signature`, also when there is none.
    """
    if not witness.cosigns:
        raise LogRefusedError("bad-signature")
    return _time(_verified(note, witness))


def time_of(line: Signature) -> datetime:
    """Tell the time that a cosignature line says; whether it is signed is another question (`cosigned_at`).

    Raises:
        LogRefusedError: `bad-signature`, the line holds no time.
    """
    return _time(line.raw)


def count_cosignatures(note: Note, witnesses: Iterable[Verifier]) -> int:
    """Count the witnesses that cosigned; a wrong signature counts for nothing."""
    count = 0
    for witness in witnesses:
        try:
            cosigned_at(note, witness)
        except LogRefusedError:
            continue
        count += 1
    return count


def _time(raw: bytes) -> datetime:
    seconds = int.from_bytes(raw[:_TIME_BYTES])
    if len(raw) < _TIME_BYTES or seconds > _LAST_SECOND:
        raise LogRefusedError("bad-signature")
    return datetime.fromtimestamp(seconds, UTC)


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _verified(note: Note, verifier: Verifier) -> bytes:
    """Verify the one signature of this key; a second by the same key is refused, as C2SP asks."""
    mine = [one for one in note.signatures if (one.name, one.key_id) == (verifier.name, verifier.key_id)]
    if len(mine) != 1:
        raise LogRefusedError("bad-signature")
    raw, message = mine[0].raw, note.text.encode()
    signed = raw
    if verifier.cosigns:
        message, signed = _cosigned(note.text, int.from_bytes(raw[:_TIME_BYTES])), raw[_TIME_BYTES:]
    try:
        verifier.native.verify(signed, message)
    except InvalidSignature:
        raise LogRefusedError("bad-signature") from None
    return raw


def _read_signature(line: str) -> Signature:
    found = _SIGNATURE_LINE.fullmatch(line)
    if not found:
        _refuse()
    raw = _from_base64(found[2])
    if len(raw) <= _HASH_BYTES_OF_KEY:
        _refuse()
    return Signature(found[1], raw[:_HASH_BYTES_OF_KEY], raw[_HASH_BYTES_OF_KEY:])


def _has_controls(text: str) -> bool:
    """Say whether the text holds what a note may not: controls, or what is no UTF-8."""
    return any((sign < " " and sign != "\n") or "\ud800" <= sign <= "\udfff" for sign in text)


def _from_base64(text: str) -> bytes:
    try:
        raw = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        _refuse()
    if base64.b64encode(raw).decode("ascii") != text:
        _refuse()
    return raw


def _refuse() -> NoReturn:
    raise LogRefusedError("malformed-note")
