# SPDX-License-Identifier: Apache-2.0
"""`tsunagi inbox`: what other agencies sent, and reading it, which is what moves a referral to received."""

from __future__ import annotations

import mimetypes
import os
from pathlib import Path
from typing import Any, Final

from connectors.base.errors import ConnectorError
from connectors.casebook import corrected, listing
from connectors.casebook.corrected import Mark
from connectors.casebook.receive import ReadPart
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import LATER, Noun, argument, flag, option, verb
from connectors.cli.kinds import Id
from connectors.cli.letters import body_lines
from connectors.cli.saying import Said
from connectors.sync.connector import Connector

inbox: Final = Noun("inbox")


@verb(inbox, "list", flag("--unread"))
def list_inbox(desk: Desk, *, unread: bool) -> Said:
    """List what came in; `sync` fetches what is new."""
    with desk.open() as connector:
        with connector.casebook.transaction() as connection:
            found = listing.received(connection, connector.agency, unread=unread)
        rows = [
            (
                one.id,
                saying.moment(one.at),
                desk.name_of(connector, one.sender),
                desk.label("message_kind", one.kind),
                desk.label("purposes", one.purpose),
                desk.labels("categories", one.categories),
                desk.text("read" if one.read_at else "unread"),
                one.referral or "",
            )
            for one in found
        ]
    head = desk.head("id", "at", "sender", "kind", "purpose", "categories", "read", "referral")
    lines = saying.table(head, rows) if rows else [desk.text("inbox-empty")]
    return Said(document={"messages": found}, lines=lines)


@verb(inbox, "read", argument("message", Id()), option("--sender", Id()), option("--save"), LATER)
def read(desk: Desk, *, message: str, sender: str | None, save: str | None) -> Said:
    """Read a message as a named worker; its sender learns that it was opened."""
    worker = desk.worker()
    with desk.open() as connector:
        whose = sender or _sender(connector, message)
        parts = connector.read(message, whose, staff=worker)
        with connector.casebook.transaction() as connection:
            marks = corrected.marks_on(connection, message, whose, connector.agency)
        saved = [] if save is None else _save(Path(save), message, parts)
        desk.deliver(connector, message)
        lines = [desk.text("message-from", sender=desk.name_of(connector, whose))]
    for part in parts:
        lines += [f"[{desk.label('categories', part.category)}]", *_mark_lines(desk, marks.get(part.n, ()))]
        lines += body_lines(desk, part.media, part.body)
    lines += [desk.text("saved", file=path) for path in saved]
    document: dict[str, Any] = {"message": message, "sender": whose, "saved": saved}
    document["parts"] = [_document(part) | {"corrected": _corrected(marks.get(part.n, ()))} for part in parts]
    return Said(document=document, lines=lines)


def _mark_lines(desk: Desk, marks: tuple[Mark, ...]) -> list[str]:
    return [
        desk.text("part-corrected", at=saying.moment(one.at), text=one.text)
        if one.text
        else desk.text("part-corrected-unread", at=saying.moment(one.at), message=one.notice)
        for one in marks
    ]


def _corrected(marks: tuple[Mark, ...]) -> list[dict[str, Any]]:
    return [{"notice": one.notice, "at": one.at, "text": one.text or None} for one in marks]


def _sender(connector: Connector, message: str) -> str:
    with connector.casebook.transaction() as connection:
        senders = listing.senders_of(connection, message)
    if not senders:
        raise ConnectorError("message-unknown")
    if len(senders) > 1:
        raise CliError("sender-needed", ids=", ".join(senders))
    return senders[0]


def _save(folder: Path, message: str, parts: tuple[ReadPart, ...]) -> list[Path]:
    """Write each part into a file that only its owner can read; none that is there already is written over."""
    saved = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in parts:
            ending = mimetypes.guess_extension(part.media) or ".bin"
            path = folder / f"{message}-{part.n}-{part.category}{ending}"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(part.body)
            saved.append(path)
    except FileExistsError:
        raise CliError("file-exists", file=str(folder)) from None
    except OSError:
        raise ConnectorError("folder-unwritable", folder=str(folder)) from None
    return saved


def _document(part: ReadPart) -> dict[str, Any]:
    """Give a part for machines; what is no text is only named, and `--save` writes it."""
    is_text = part.media.startswith("text/") or part.media == "application/json"
    body = part.body.decode("utf-8", errors="replace") if is_text else None
    return {"n": part.n, "category": part.category, "media": part.media, "size": len(part.body), "text": body}
