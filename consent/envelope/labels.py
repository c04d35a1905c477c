# SPDX-License-Identifier: Apache-2.0
"""What may be read of sealed parts without any key, and the sizes they come in (protocol §2).

The hub checks this before it decides; the receiver checks it again before opening.
"""

from collections.abc import Sequence
from typing import Any

from consent import signing, wire
from consent.envelope.manifest import Manifest, PartLabel
from consent.errors import SealRefusedError

SALT_BYTES = 32
LENGTH_BYTES = 8
MAX_BODY = 10 * 1024 * 1024
MAX_REQUEST = 20 * 1024 * 1024
RECIPIENTS = 2
"""The receiving agency and the sender itself, so that it can show later what it sent."""

_STEP = 4 * 1024
_STEPS_UP_TO = 64 * 1024


def padded_size(size: int) -> int:
    """Give the size that `size` bytes are padded to: steps of 4 KiB up to 64 KiB, then Padmé (protocol §2).

    Padmé keeps only as many leading bits of the size as its own length in bits has: at most 12 % more, and
    the size tells log log of what it was.
    """
    if size <= _STEPS_UP_TO:
        return max(_STEP, -(-size // _STEP) * _STEP)
    exponent = size.bit_length() - 1
    step = 1 << exponent - exponent.bit_length()
    return -(-size // step) * step


def context_of(manifest: Manifest, part: PartLabel) -> dict[str, Any]:
    """Give the context that a part must carry: message, number, from whom to whom, category."""
    return {
        "message": manifest.id,
        "n": part.n,
        "from": manifest.sender,
        "to": manifest.recipient,
        "category": part.category,
    }


def check_parts(manifest: Manifest, parts: Sequence[str]) -> None:
    """Check that these are the parts that the manifest speaks of, by hash, context, recipients and size.

    Raises:
        SealRefusedError: `manifest-mismatch` (number of parts, recipients, size), `part-hash-mismatch`,
            `label-mismatch`, `too-large`, with the part's place.
        SignatureRefusedError: a part's header, as `signing.read_sealed`.
    """
    require_count(manifest, parts)
    if sum(map(len, parts)) > MAX_REQUEST:
        raise SealRefusedError("too-large")
    for label, part in zip(manifest.parts, parts, strict=True):
        check_part(manifest, label, part)


def require_count(manifest: Manifest, parts: Sequence[str]) -> None:
    """Check that there are as many parts as the manifest says.

    Raises:
        SealRefusedError: `manifest-mismatch`.
    """
    if len(parts) != len(manifest.parts):
        raise SealRefusedError("manifest-mismatch", "/parts")


def check_part(manifest: Manifest, label: PartLabel, part: str) -> None:
    """Check one part as `check_parts` does.

    Raises:
        SealRefusedError, SignatureRefusedError: as `check_parts`.
    """
    place = f"/parts/{label.n - 1}"
    if signing.digest(part) != label.ct:
        raise SealRefusedError("part-hash-mismatch", place)
    header = signing.read_sealed(part)
    # compared as bytes: to Python 1, 1.0 and true are one
    if wire.compact(_ordered(header.context)) != wire.compact(_ordered(context_of(manifest, label))):
        raise SealRefusedError("label-mismatch", place)
    if len(header.kids) != RECIPIENTS or manifest.to_kid not in header.kids:
        raise SealRefusedError("manifest-mismatch", place)
    if header.size != label.size_bucket or padded_size(header.size) != header.size:
        raise SealRefusedError("manifest-mismatch", place)


def _ordered(context: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(context.items()))
