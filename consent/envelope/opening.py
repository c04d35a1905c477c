# SPDX-License-Identifier: Apache-2.0
"""Open a message: a part is used only as what it says it is, or refused; the rest opens (protocol §2).

Runs at the receiving agency, and at the sender to show later what it sent. The manifest has been verified
before.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from consent import signing
from consent.envelope import labels
from consent.envelope.manifest import Manifest, PartLabel
from consent.errors import SealRefusedError, SignatureRefusedError
from consent.jwk import PrivateKey

_START = labels.SALT_BYTES + labels.LENGTH_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPart:
    """One part in the clear. The body stays out of every repr."""

    n: int
    category: str
    media: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPart:
    """A part that is not used: `code` is the refusal's, `result` the delivery receipt's (protocol §5)."""

    n: int
    category: str
    code: str

    @property
    def result(self) -> str:
        """Give the receipt's word: undecryptable, label_mismatch, or refused for everything else."""
        return {"undecryptable": "undecryptable", "label-mismatch": "label_mismatch"}.get(self.code, "refused")


def open_parts(manifest: Manifest, parts: Sequence[str], key: PrivateKey) -> tuple[OpenedPart | RefusedPart, ...]:
    """Open every part with an `enc` key that it was sealed to: the receiver's (`to_kid`) or the sender's own.

    Raises:
        SealRefusedError: `manifest-mismatch`, there are not as many parts as the manifest says.
    """
    labels.require_count(manifest, parts)
    return tuple(_open(manifest, label, part, key) for label, part in zip(manifest.parts, parts, strict=True))


def _open(manifest: Manifest, label: PartLabel, part: str, key: PrivateKey) -> OpenedPart | RefusedPart:
    try:
        labels.check_part(manifest, label, part)
        body = _unpadded(signing.decrypt(part, key), label)
    except (SealRefusedError, SignatureRefusedError) as refusal:
        return RefusedPart(n=label.n, category=label.category, code=refusal.code)
    return OpenedPart(n=label.n, category=label.category, media=label.media, body=body)


def _unpadded(plaintext: bytes, label: PartLabel) -> bytes:
    if hashlib.sha256(plaintext).hexdigest() != label.com:
        raise SealRefusedError("commitment-mismatch")
    end = _START + int.from_bytes(plaintext[labels.SALT_BYTES : _START])
    # one way only to write a body: the smallest size that holds it, and nothing hidden behind it
    if end > len(plaintext) or labels.padded_size(end) != len(plaintext) or any(plaintext[end:]):
        raise SealRefusedError("manifest-mismatch")
    return plaintext[_START:end]
