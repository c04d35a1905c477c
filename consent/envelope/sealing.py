# SPDX-License-Identifier: Apache-2.0
"""Close a message: seal each part to its receiver and its sender, sign what was sealed (protocol §2).

Runs at the sending agency alone. Whether the parts may go at all is decided before, in `decisions`.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from consent import signing
from consent.envelope import labels
from consent.envelope.manifest import (
    Manifest,
    ManifestBasis,
    MessageKind,
    PartLabel,
    sign_manifest,
)
from consent.errors import DocumentRefusedError, SealRefusedError
from consent.keys import PrivateKey, PublicKey, Suite

Randomness = Callable[[int], bytes]

# Twelve digits, also full width, also in groups of four as the cards print them, with a space or a dash of any kind
# between them; not a piece of a longer number.
_DIGIT = r"[0-9\uff10-\uff19]"
_DASH = r"[ \u3000\-\u2010\u2011\u2013\u2212\uff0d\u30fc]?"
_TWELVE = re.compile(rf"(?<!{_DIGIT}){_DIGIT}{{4}}({_DASH}){_DIGIT}{{4}}\1{_DIGIT}{{4}}(?!{_DIGIT})")
_ID = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])")
_CHECKED_DIGITS = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message before sealing: the manifest without what sealing itself knows."""

    id: str
    thread: str
    seq: int
    prev: str | None
    sender: str
    recipient: str
    case: str
    created_at: datetime
    not_after: datetime
    purpose: str
    urgency: str
    request_kind: str
    kind: MessageKind
    basis: ManifestBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainPart:
    """One part as the caseworker wrote it. The body stays out of every repr."""

    category: str
    media: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What leaves the agency: the signed manifest and the sealed parts, to be kept byte for byte."""

    manifest: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where in the text of part `n` (from 1) something looks like a My Number: characters `[start, end)`."""

    n: int
    start: int
    end: int


class MyNumberFoundError(SealRefusedError):
    """Something looks like a My Number; `marks` says where. One random number in ten does (protocol §2)."""

    def __init__(self, marks: tuple[Mark, ...]) -> None:
        """Keep the places, never the digits."""
        super().__init__("my-number", f"/parts/{marks[0].n - 1}")
        self.marks = marks


def find_my_numbers(parts: Sequence[PlainPart]) -> tuple[Mark, ...]:
    """Find twelve digits with a valid My Number check digit in the parts that are text (UTF-8); ids are not looked at.

    An id (UUID) is random, and now and then its digits look like a number of somebody.
    """
    return tuple(
        Mark(n=n, start=found.start(), end=found.end())
        for n, part in enumerate(parts, start=1)
        for found in _TWELVE.finditer(_ID.sub(_blank, _text(part.body)))
        if _has_check_digit(found.group())
    )


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def seal(
    draft: Draft,
    parts: Sequence[PlainPart],
    *,
    recipient: PublicKey,
    own: PublicKey,
    sig: PrivateKey,
    randomness: Randomness,
    acknowledged: bool = False,
) -> Sealed:
    """Seal the parts to the receiver's and the sender's own `enc` key and sign the manifest; suite A.

    `randomness(n)` gives n fresh random bytes. `acknowledged`: a person looked at the digits and said that
    they are not a My Number; the caller logs that answer.

    Raises:
        MyNumberFoundError: `my-number`, nothing was sealed.
        SealRefusedError: `too-large`.
        SignatureRefusedError: `key-not-valid`.
        DocumentRefusedError: the draft is one that its receiver would refuse.
    """
    if any(len(part.body) > labels.MAX_BODY for part in parts):
        raise SealRefusedError("too-large")
    if not acknowledged and (marks := find_my_numbers(parts)):
        raise MyNumberFoundError(marks)
    made = [
        _seal_part(draft, n, part, recipients=(recipient, own), salt=randomness(labels.SALT_BYTES))
        for n, part in enumerate(parts, start=1)
    ]
    if sum(len(text) for _, text in made) > labels.MAX_REQUEST:
        raise SealRefusedError("too-large")
    manifest = _manifest(draft, recipient.kid, tuple(label for label, _ in made))
    return Sealed(manifest=sign_manifest(manifest, sig), parts=tuple(text for _, text in made))


def _manifest(draft: Draft, to_kid: str, part_labels: tuple[PartLabel, ...]) -> Manifest:
    drafted = {part.name: getattr(draft, part.name) for part in fields(draft)}
    return Manifest(**drafted, to_kid=to_kid, suite=Suite.A, parts=part_labels)


def _seal_part(
    draft: Draft, n: int, part: PlainPart, *, recipients: Sequence[PublicKey], salt: bytes
) -> tuple[PartLabel, str]:
    plaintext = _padded(part.body, salt)
    context = {
        "message": draft.id,
        "n": n,
        "from": draft.sender,
        "to": draft.recipient,
        "category": part.category,
    }
    text = signing.encrypt(plaintext, context=context, recipients=recipients)
    label = PartLabel(
        n=n,
        category=part.category,
        media=part.media,
        size_bucket=len(plaintext),
        ct=signing.digest(text),
        com=hashlib.sha256(plaintext).hexdigest(),
    )
    return label, text


def _padded(body: bytes, salt: bytes) -> bytes:
    if len(salt) != labels.SALT_BYTES:
        raise DocumentRefusedError("wrong-type", "/salt")
    content = salt + len(body).to_bytes(labels.LENGTH_BYTES) + body
    return content.ljust(labels.padded_size(len(content)), b"\0")


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _has_check_digit(found: str) -> bool:
    """Check by the ministerial ordinance of the My Number act (平成26年総務省令第85号) art. 5."""
    digits = [int(sign) for sign in found if sign.isdecimal()]
    weighted = sum(
        digit * (place + 1 if place <= 6 else place - 5)  # noqa: PLR2004 - the ordinance's own figures
        for place, digit in zip(range(_CHECKED_DIGITS, 0, -1), digits, strict=False)
    )
    rest = weighted % 11
    return digits[-1] == (0 if rest <= 1 else 11 - rest)
