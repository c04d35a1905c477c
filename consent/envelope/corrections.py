# SPDX-License-Identifier: Apache-2.0
"""What a part that corrects earlier ones says: which parts of which messages of its sender, and what is right.

A correction goes as a sealed part of a message of kind `notice`, under the category of what it corrects: consent is
decided on it as on any part. The hub sees its media type and no more.
"""

import json
from dataclasses import asdict
from typing import Annotated, Final

from pydantic import Field

from consent import wire
from consent.envelope.manifest import MAX_PARTS, Category

MEDIA: Final = "application/vnd.tsunagi.correction+json"
LONGEST_TEXT: Final = 4_000
MOST_PARTS: Final = 64
_LARGEST: Final = 64 * 1024


@wire.document
class CorrectedPart:
    """One earlier part, by its message (the sender's id) and its number there."""

    message: wire.Id
    n: Annotated[int, Field(ge=1, le=MAX_PARTS)]


@wire.document
class Correction:
    """One correction as one agency gets it; `id` is the same for everybody who is told, `corrects` is not.

    It can speak of parts of its own sender alone: the sender is the message's and is not named here.
    """

    v: wire.Version = 1
    id: wire.Id
    category: Category
    corrects: Annotated[tuple[CorrectedPart, ...], Field(min_length=1, max_length=MOST_PARTS)]
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


def write_correction(correction: Correction) -> bytes:
    """Write the body of a part, in UTF-8 as it is read: digits that look like a My Number must be found in it.

    Raises:
        DocumentRefusedError: the receiver would refuse it.
    """
    body = json.dumps(asdict(correction), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    read_correction(body)
    return body


def read_correction(body: bytes) -> Correction:
    """Read the body of a part strictly.

    Raises:
        DocumentRefusedError: as `wire.read`.
    """
    return wire.read(Correction, body, limit=_LARGEST)
