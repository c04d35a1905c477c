# SPDX-License-Identifier: Apache-2.0
"""Gather the signed documents that entries of the log speak of, and write bundles. Nothing is changed here."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

from sqlalchemy.orm import Session

from consent.evidence.bundle import EVERYTHING, WIDTH, Head, Told, Writer
from consent.tlog.notes import Verifier
from hub.agencies import documents as of_agencies
from hub.audit import reads as audit
from hub.audit.reads import LoggedEntry
from hub.audit.rules import AuditKind
from hub.evidence import rules
from hub.intakes import documents as of_intakes
from hub.messages import documents as of_messages

Documents = Mapping[str, str]
Progress = Callable[[int, int], None]
"""Told how many entries of how many were written."""

STRETCH: Final = 16 * WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The public keys that a bundle names: of the log, and of the hub's receipts."""

    log: Verifier
    receipt: Mapping[str, str]


def documents(session: Session, logged: Iterable[LoggedEntry]) -> dict[int, Documents]:
    """Give what was signed about each entry, by its index, as far as this transaction may see it."""
    members = [(one, json.loads(one.body)) for one in logged]
    asked = rules.spoken_of(made for _, made in members)
    words = of_intakes.signed_words(session, of_consents=asked.consents, of_exclusions=asked.exclusions)
    manifests = of_messages.manifests(session, asked.messages)
    receipts = of_messages.receipts(session, asked.receipts)
    answers = of_messages.answers(session, asked.notices)
    keys = of_agencies.key_entries(session, asked.keys)
    found: dict[int, Documents] = {}
    for one, made in members:
        kind, facts, subject = made["kind"], made["facts"], made["subject"]
        signed: Mapping[str, str | None] = {}
        if kind in rules.CONSENTS:
            signed = {rules.CONSENTS[kind]: words.get(facts["hash"] or "")}
        elif kind in rules.EXCLUSIONS:
            signed = {"exclusion": words.get(facts["hash"])}
        elif kind == AuditKind.MESSAGE_ACCEPTED:
            signed = manifests.get(subject, {})
        elif kind in rules.RECEIPTS:
            signed = {"receipt": receipts.get((made["actor"], facts["receipt"]))}
        elif kind == AuditKind.PURGE_ANSWERED:
            signed = {"purge": answers.get(subject)}
        elif kind in rules.KEYS:
            signed = keys.get(one.id, {})
        found[one.index] = {name: token for name, token in signed.items() if token is not None}
    return found


def write(
    session: Session, out: BinaryIO, keys: Keys, *, now: datetime, progress: Progress = lambda _done, _all: None
) -> int:
    """Write the whole log with everything it speaks of, as of the newest checkpoint; return how many entries.

    Needs a role that sees all of it. The stream stays open.
    """
    newest = audit.checkpoint(session)
    size = 0 if newest is None else newest.size
    head = Head(holder=EVERYTHING, log=keys.log.text(), receipt=dict(keys.receipt), size=size, made_at=now)
    writer = Writer(out, head)
    for agency, kind, root in of_agencies.roots(session):
        writer.agency(Told(id=agency, kind=kind, root=dict(root)))
    for first in range(0, size, STRETCH):
        _stretch(session, writer, first, min(first + STRETCH, size))
        progress(min(first + STRETCH, size), size)
    writer.end()
    return size


def _stretch(session: Session, writer: Writer, first: int, end: int) -> None:
    logged = audit.stretch(session, first, end)
    signed = documents(session, [one for one in logged if one.body])
    hashes = audit.stored_hashes(session, 0, end - first, first=first)
    notes = {one.size: one.note for one in audit.checkpoints(session, after=first, until=end)}
    for start in range(first, end, WIDTH):
        stop = min(start + WIDTH, end)
        writer.leaves(start, b"".join(hashes[start - first : stop - first]))
        for one in logged[start - first : stop - first]:
            if one.body:  # an erased entry leaves its leaf alone
                writer.entry(one.index, one.body, signed[one.index])
            if one.index + 1 in notes:
                writer.checkpoint(notes[one.index + 1])
