# SPDX-License-Identifier: Apache-2.0
"""The document by which an agency asks to join: who it says it is and its first keys (protocol §3).

Its connector writes it, an operator hands it in. It is not signed as a whole: each key entry is, and what
it says of the agency is confirmed by two people at the hub who heard the root key's words on the telephone
or read them on paper.
"""

from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from consent import wire
from consent.keys import SignedEntry
from consent.vocabulary.codes import is_known

LONGEST_NAME = 120
LONGEST_TEXT = 400
MAX_DOCUMENT = 64 * 1024

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Texts = Annotated[tuple[Text, ...], Field(max_length=32)]
Capacity = Literal["open", "limited", "full"]
"""Whether an agency can take more people now."""


@wire.document
class Registration:
    """What an agency says of itself; exactly these members, those with a default may be left out.

    - `root`: public JWK of the offline root key; `entries`: first `sig`, then `enc` and `client`, more may
    follow
    - `answer_days`: business days within which it usually answers
    - `categories`, `purposes`: what it accepts; `coordinates`: it owns the root of chains of referrals
    (`jiritsu` only)
    """

    v: wire.Version = 1
    agency: wire.Id
    kind: Annotated[str, wire.Code(partial(is_known, "recipients"))]
    name_ja: Name
    name_en: Name
    root: dict[str, str]
    entries: Annotated[tuple[SignedEntry, ...], Field(min_length=3, max_length=8)]
    services: Texts = ()
    area: Texts = ()
    hours: Text = ""
    answer_days: Annotated[int, Field(ge=0, le=90)] | None = None
    capacity: Capacity = "open"
    categories: Annotated[frozenset[str], wire.Codes(partial(is_known, "categories"))] = frozenset()
    purposes: Annotated[frozenset[str], wire.Codes(partial(is_known, "purposes"))] = frozenset()
    coordinates: bool = False


def read_registration(text: str | bytes) -> Registration:
    """Read a registration strictly; no signature is verified here.

    Raises:
        DocumentRefusedError: what `wire.read` raises.
    """
    return wire.read(Registration, text, limit=MAX_DOCUMENT)


def write_registration(document: Registration) -> bytes:
    """Write a registration as the file that an operator takes."""
    return wire.compact(document)
