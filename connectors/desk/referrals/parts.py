# SPDX-License-Identifier: Apache-2.0
"""Parts of a message as a page shows them: a form as labels and values, text as text, anything else to be downloaded.

What came from elsewhere is never shown as HTML: text is escaped, pictures are written anew before they are shown, and
everything else leaves as an attachment.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from connectors.base.labels import label
from connectors.casebook import corrected, earlier, preview, receive, statements
from connectors.casebook.conversation import Held
from connectors.casebook.corrected import Mark, Place
from connectors.casebook.receive import ReadPart
from connectors.casebook.statements import Pen
from connectors.desk.web.contents import said_in, sheet_title
from connectors.desk.web.papers import PaperError, read_paper
from consent.decisions import ConsentBasis, Permitted, Refused
from consent.vocabulary.codes import Language

PICTURES: Final = {"image/jpeg": "x.jpg", "image/png": "x.png"}
"""What can be shown again, with a name that fits for `read_paper`."""
_PLAIN: Final = "text/plain"
_FORM: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a category may be used for now: until when and by which record, or why not any more."""

    consent: str | None = None
    until: datetime | None = None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One part. `kind`: form, text, correction, picture, file; or why it is not here: purged, refused, locked.

    `marks`: its sender's later words that correct it. `corrects`: which messages of its sender a correction speaks of.
    """

    n: int
    category: str
    kind: str
    media: str
    size: int
    answers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    text: str = field(default="", repr=False)
    title: str = ""
    """What the sheet is called that the answers are a part of."""
    reach: Reach = field(default_factory=Reach)
    marks: tuple[Mark, ...] = ()
    corrects: tuple[str, ...] = ()


def open_message(connection: Connection, held: Held, pen: Pen, language: Language) -> tuple[Shown, ...]:
    """Read a message as a named worker and give all its parts; the first reading queues the read receipt.

    *Raises* `ConnectorError("message-unknown")`.
    """
    read = {part.n: part for part in receive.read(connection, held.id, held.sender, pen)}
    reaches = reaches_of(connection, held, now=pen.now)
    marks = corrected.marks_of(connection, held.case, pen.agency)
    return tuple(
        replace(
            _shown(
                read.get(part.n), part.n, part.category, part.media, part.purged, reaches.get(part.category), language
            ),
            marks=_marks(marks, held, part.n, part.category),
        )
        for part in held.parts
    )


def outside(connection: Connection, held: Held, *, now: datetime) -> tuple[Shown, ...]:
    """Give what can be said of a message's parts without opening any: category, size, and why one is not here."""
    reaches = reaches_of(connection, held, now=now)
    marks = corrected.marks_of(connection, held.case, held.recipient)
    return tuple(
        Shown(
            n=part.n,
            category=part.category,
            kind="closed" if part.here else _why(part.purged, reaches.get(part.category)),
            media=part.media,
            size=part.size,
            reach=reaches.get(part.category) or Reach(),
            marks=_marks(marks, held, part.n, part.category),
        )
        for part in held.parts
    )


def told_on(connection: Connection, held: Held, pen: Pen) -> tuple[str, str] | None:
    """Give a message of ours that passed on what a correction is about, and the category: others must hear of it."""
    if not held.is_correction:
        return None
    for category in dict.fromkeys(part.category for part in held.parts):
        for one in earlier.reach(connection, pen, case=held.case, category=category):
            if one.agency != held.sender:
                return one.parts[-1].message, category
    return None


def reaches_of(connection: Connection, held: Held, *, now: datetime) -> dict[str, Reach]:
    """Give for each category of a message how far the person's consent reaches now.

    An emergency, a conference and a statute are other doors: nothing is said of consent there.
    """
    if held.basis != "consent":
        return {}
    decided = preview.preview(
        connection,
        case=held.case,
        sender=held.sender,
        recipient=held.recipient,
        purpose=held.purpose,
        categories=list(dict.fromkeys(part.category for part in held.parts)),
        basis=ConsentBasis(),
        now=now,
    )
    until = {one.record.id: one.record.valid_until for one in statements.consents_of(connection, held.case)}
    return {
        category: Reach(consent=answer.scope, until=until.get(answer.scope or ""))
        if isinstance(answer, Permitted)
        else Reach(refused=answer)
        for category, answer in decided
    }


def file_name(number: str, category: str, n: int, media: str, language: Language) -> str:
    """Name a downloaded part by the referral's number and the category, never by a person."""
    ending = mimetypes.guess_extension(media) or ".bin"
    return f"{number}-{label('categories', category, language)}-{n}{ending}"


def picture(part: ReadPart) -> tuple[str, bytes] | None:
    """Write a picture anew, pixels alone; none where it is no picture that can be shown."""
    name = PICTURES.get(part.media)
    if name is None:
        return None
    try:
        paper = read_paper(part.body, name)
    except PaperError:
        return None
    return paper.media, paper.body


def _marks(marks: Mapping[Place, tuple[Mark, ...]], held: Held, n: int, category: str) -> tuple[Mark, ...]:
    return corrected.on(marks, (held.id, held.sender, n), category)


def _why(purged: bool, reach: Reach | None) -> str:  # noqa: FBT001 - a fact of the part, by position from one place
    if purged:
        return "purged"
    return "refused" if reach is not None and reach.refused is not None else "locked"


def _shown(
    part: ReadPart | None,
    n: int,
    category: str,
    media: str,
    purged: bool,  # noqa: FBT001
    reach: Reach | None,
    language: Language,
) -> Shown:
    reach = reach or Reach()
    if part is None:
        return Shown(n=n, category=category, kind=_why(purged, reach), media=media, size=0, reach=reach)
    said = corrected.read_correction(part.media, part.body)
    if said is not None and said.category == category:
        about = tuple(dict.fromkeys(one.message for one in said.corrects))
        size = len(part.body)
        return Shown(
            n=n, category=category, kind="correction", media=media, size=size, text=said.text, reach=reach,
            corrects=about,
        )  # fmt: skip
    answers = _answers(part, language) if part.media == _FORM else None
    kind = "form" if answers else "picture" if part.media in PICTURES else "file"
    text = ""
    if not answers and part.media == _PLAIN:
        kind, text = "text", part.body.decode("utf-8", "replace")
    return Shown(
        n=n,
        category=category,
        kind=kind,
        media=part.media,
        size=len(part.body),
        answers=answers or (),
        text=text,
        title=sheet_title(part.body, language) if answers else "",
        reach=reach,
    )


def _answers(part: ReadPart, language: Language) -> tuple[tuple[str, str], ...] | None:
    """Read a filled form (`agencies.referral_forms.fill`); none where it is another JSON, which is only a file."""
    try:
        document = json.loads(part.body.decode("utf-8"))
        found = tuple(_pair(one, language) for one in document["answers"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return found or None


def _pair(one: Mapping[str, Any], language: Language) -> tuple[str, str]:
    said = one.get(language) or one["ja"]
    return str(said), _plain(said_in(one, language))


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "\n".join(map(_plain, value))
    return str(value)
