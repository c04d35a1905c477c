# SPDX-License-Identifier: Apache-2.0
"""Write a message: preview, seal, keep a copy, and queue it, in one local transaction (architecture, "One referral").

`seq` and `prev` count messages that the hub accepted (protocol §2). What waits cannot know them yet, so the manifest is
signed anew, if need be, at the moment it goes out (`finalise`); the sealed parts do not change.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import EXIT_REFUSED_BY_CONSENT, ConnectorError
from connectors.casebook import access, directory, outgoing, people, preview, statements, tables
from connectors.casebook.statements import Pen
from consent import receipts, signing, wire
from consent.decisions import Refused
from consent.envelope import manifest as manifests
from consent.envelope import opening, sealing
from consent.envelope.manifest import ByConsent, ConsentEvidence, Manifest, ManifestBasis, MessageKind
from consent.envelope.opening import OpenedPart
from consent.envelope.sealing import PlainPart, Sealed
from consent.jwk import PrivateKey, PublicKey

WrittenPart: TypeAlias = PlainPart
"""A part before it is sealed, for those who may not seal."""
LONGEST_WAIT: Final = timedelta(days=30)
STATUS_AT_INTAKE: Final = timedelta(hours=24)
STATUS_AT_PARTNER: Final = timedelta(hours=72)
"""How old a stapled status may be: a partner's intake agency may sleep over a weekend (protocol §4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message before it is sealed: to whom, about which case, why, on which basis, and its parts by category.

    `referral` and `thread` name the conversation it belongs to; none for one that opens a referral. `telephone`
    `{at, result}` is the call that goes with an immediate one. `acknowledged`: what looks like a My Number is none.
    """

    case: str
    recipient: str
    purpose: str
    parts: tuple[PlainPart, ...]
    basis: ManifestBasis = field(default_factory=ByConsent)
    urgency: str = "normal"
    request_kind: str = "service"
    kind: MessageKind = MessageKind.REFERRAL
    referral: str | None = None
    thread: str | None = None
    telephone: Mapping[str, str] | None = None
    acknowledged: bool = False


class RefusedHereError(ConnectorError):
    """This agency's own preview refuses: `refused` has each category with its decision; nothing was sealed."""

    exit_code = EXIT_REFUSED_BY_CONSENT

    def __init__(self, refused: tuple[tuple[str, Refused], ...]) -> None:
        """Take what was refused."""
        super().__init__("consent-refused")
        self.refused = refused


def send(connection: Connection, letter: Letter, pen: Pen, *, own: PublicKey) -> str:
    """Decide, seal, keep and queue a letter; give the message's id.

    *Raises* as `prepare`.
    """
    message, sealed = prepare(connection, letter, pen, own=own)
    body: dict[str, Any] = {"manifest": sealed.manifest, "parts": list(sealed.parts)}
    if letter.telephone is not None:
        body["telephone"] = dict(letter.telephone)
    key, path = pen.new_id(), path_of(letter)
    outgoing.put(connection, key=key, what="message", about=message, path=path, body=body, now=pen.now)
    return message


def prepare(connection: Connection, letter: Letter, pen: Pen, *, own: PublicKey) -> tuple[str, Sealed]:
    """Decide, seal and keep a letter without queueing it; give the message's id and what leaves.

    *Raises* `RefusedHereError`; `ConnectorError("status-stale")` when no fresh word of the intake agency is here;
    `MyNumberFoundError`; `ConnectorError` as `directory.sealing_key`.
    """
    relied_on = _permitted(connection, letter, pen)
    if isinstance(letter.basis, ByConsent):
        held = evidence(connection, letter.case, relied_on, pen)
        letter = replace(letter, basis=ByConsent(consents=held))
    message, sealed = seal(connection, letter, pen, own=own)
    keep(connection, letter, message, sealed, pen)
    access.record(connection, staff=pen.staff, action="message:sealed", about=message, case=letter.case, now=pen.now)
    return message, sealed


def rehearse(connection: Connection, letter: Letter, pen: Pen, *, own: PrivateKey) -> tuple[OpenedPart, ...]:
    """Decide and seal a letter as if it went out, open the copy sealed to ourselves, and keep nothing of it.

    What it gives is what the recipient will open (protocol §2: a part is sealed to its sender too). *Raises* as
    `prepare`; `ConnectorError("unexpected")` where our own copy does not open.
    """
    relied_on = _permitted(connection, letter, pen)
    if isinstance(letter.basis, ByConsent):
        evidence(connection, letter.case, relied_on, pen)
    _, sealed = seal(connection, letter, pen, own=own.public)
    manifest = manifests.read_manifest(sealed.manifest, pen.key.public)
    opened = opening.open_parts(manifest, sealed.parts, own)
    parts = tuple(part for part in opened if isinstance(part, opening.OpenedPart))
    if len(parts) != len(opened):  # pragma: no cover - a key pair that does not fit itself
        raise ConnectorError("unexpected", code="rehearsal")
    return parts


def plain_part(category: str, media: str, body: bytes) -> WrittenPart:
    """Write one part of a letter."""
    return PlainPart(category=category, media=media, body=body)


def numbers_in(parts: Sequence[PlainPart]) -> tuple[tuple[int, str], ...]:
    """Give what looks like a My Number, as it is written, with the number of its part (from 1); see `Letter`."""
    return tuple(
        (mark.n, parts[mark.n - 1].body.decode()[mark.start : mark.end]) for mark in sealing.find_my_numbers(parts)
    )


def seal(connection: Connection, letter: Letter, pen: Pen, *, own: PublicKey) -> tuple[str, Sealed]:
    """Seal a letter without asking whether it may go (the hub refuses what it must); give the id and what leaves."""
    message = pen.new_id()
    thread = letter.thread or message
    seq, prev = position(connection, thread)
    draft = sealing.Draft(
        id=message,
        thread=thread,
        seq=seq,
        prev=prev,
        sender=pen.agency,
        recipient=letter.recipient,
        case=letter.case,
        created_at=pen.now,
        not_after=pen.now + LONGEST_WAIT,
        purpose=letter.purpose,
        urgency=letter.urgency,
        request_kind=letter.request_kind,
        kind=letter.kind,
        basis=letter.basis,
    )
    sealed = sealing.seal(
        draft,
        letter.parts,
        recipient=directory.sealing_key(connection, letter.recipient, now=pen.now),
        own=own,
        sig=pen.key,
        randomness=secrets.token_bytes,
        acknowledged=letter.acknowledged,
    )
    return message, sealed


def _permitted(connection: Connection, letter: Letter, pen: Pen) -> frozenset[str]:
    """Decide each part of a letter; give the consents relied on.

    *Raises* `RefusedHereError`; `ConnectorError("agency-unknown")`.
    """
    decided = preview.preview(
        connection,
        case=letter.case,
        sender=pen.agency,
        recipient=letter.recipient,
        purpose=letter.purpose,
        categories=[part.category for part in letter.parts],
        basis=manifests.basis_from(letter.basis),
        now=pen.now,
    )
    refused = tuple((category, answer) for category, answer in decided if isinstance(answer, Refused))
    if refused:
        raise RefusedHereError(refused)
    return frozenset(
        answer.scope for _, answer in decided if not isinstance(answer, Refused) and answer.scope is not None
    )


def keep(connection: Connection, letter: Letter, message: str, sealed: Sealed, pen: Pen) -> None:
    """Keep a copy of what was sealed, readable by this agency alone."""
    people.announce(connection, letter.case, now=pen.now)
    connection.execute(
        sa.insert(tables.messages).values(
            id=message,
            sender=pen.agency,
            recipient=letter.recipient,
            thread=letter.thread or message,
            referral=letter.referral,
            case=letter.case,
            kind=letter.kind.value,
            purpose=letter.purpose,
            at=pen.now,
            manifest=sealed.manifest,
            state="waiting",
        )
    )
    for n, part in enumerate(letter.parts, start=1):
        connection.execute(
            sa.insert(tables.parts).values(
                message=message,
                sender=pen.agency,
                n=n,
                category=part.category,
                media=part.media,
                body=part.body,
                result="ok",
            )
        )


def recipient_of(connection: Connection, message: str, sender: str) -> str:
    """Name whom a message is for."""
    query = sa.select(tables.messages.c.recipient).where(
        tables.messages.c.id == message, tables.messages.c.sender == sender
    )
    return str(connection.execute(query).scalar_one())


def reseal(connection: Connection, waiting: outgoing.Waiting, pen: Pen, *, own: PublicKey) -> bool:
    """Seal a waiting message anew where its recipient has another key by now; say whether it did.

    What it says was decided and kept before; the hub decides once more in any case.
    """
    row = connection.execute(
        sa.select(tables.messages).where(tables.messages.c.id == waiting.about, tables.messages.c.sender == pen.agency)
    ).one()
    written = wire.read(Manifest, signing.peek_payload(row.manifest, typ=signing.Typ.MANIFEST))
    key = directory.sealing_key(connection, written.recipient, now=pen.now)
    if key.kid == written.to_kid:
        return False
    kept = connection.execute(
        sa.select(tables.parts)
        .where(tables.parts.c.message == waiting.about, tables.parts.c.sender == pen.agency)
        .order_by(tables.parts.c.n)
    )
    sealed = sealing.seal(
        sealing.Draft(**{each.name: getattr(written, each.name) for each in fields(sealing.Draft)}),
        [PlainPart(category=part.category, media=part.media, body=part.body) for part in kept],
        recipient=key,
        own=own,
        sig=pen.key,
        randomness=secrets.token_bytes,
        acknowledged=True,  # a person has looked at it before it was kept
    )
    connection.execute(
        sa.update(tables.messages)
        .where(tables.messages.c.id == waiting.about, tables.messages.c.sender == pen.agency)
        .values(manifest=sealed.manifest)
    )
    body = {**waiting.body, "manifest": sealed.manifest, "parts": list(sealed.parts)}
    outgoing.rewrite(connection, waiting.position, key=pen.new_id(), body=body)
    return True


def finalise(connection: Connection, message: str, pen: Pen) -> str:
    """Give the manifest as it must go out now: with the thread's next `seq` and `prev`, signed anew if they moved."""
    row = connection.execute(
        sa.select(tables.messages).where(tables.messages.c.id == message, tables.messages.c.sender == pen.agency)
    ).one()
    written = wire.read(Manifest, signing.peek_payload(row.manifest, typ=signing.Typ.MANIFEST))
    seq, prev = position(connection, row.thread)
    if (written.seq, written.prev) == (seq, prev):
        return str(row.manifest)
    token = manifests.sign_manifest(replace(written, seq=seq, prev=prev), pen.key)
    connection.execute(
        sa.update(tables.messages)
        .where(tables.messages.c.id == message, tables.messages.c.sender == pen.agency)
        .values(manifest=token)
    )
    return token


def accepted(connection: Connection, *, sender: str, message: str, referral: str, hub_id: str, receipt: str) -> None:
    """Note that the hub took a message: its receipt is kept, and the thread moves on by one."""
    row = connection.execute(
        sa.update(tables.messages)
        .where(tables.messages.c.id == message, tables.messages.c.sender == sender)
        .values(state="accepted", referral=referral, hub_id=hub_id, hub_receipt=receipt)
        .returning(tables.messages.c.thread, tables.messages.c.manifest)
    ).one()
    sent = wire.read(Manifest, signing.peek_payload(row.manifest, typ=signing.Typ.MANIFEST))
    values = {"seq": sent.seq, "hash": manifests.manifest_hash(row.manifest)}
    statement = insert(tables.threads).values(thread=row.thread, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["thread"], set_=values))


def unproved(connection: Connection, sender: str, *, limit: int = 100) -> list[tuple[str, str]]:
    """Give the accepted messages whose entry of the log is not proved yet: id and the hub's receipt, oldest first."""
    own = tables.messages.c
    query = (
        sa.select(own.id, own.hub_receipt)
        .where(own.sender == sender, own.hub_receipt.is_not(None), own.log_proof.is_(None))
        .order_by(own.at)
        .limit(limit)
    )
    return [(row.id, row.hub_receipt) for row in connection.execute(query)]


def proved(connection: Connection, *, sender: str, message: str, entry: str, proof: str) -> None:
    """Keep the proof that a message's disclosure is in the log: from now on losing the hub loses nothing of it."""
    connection.execute(
        sa.update(tables.messages)
        .where(tables.messages.c.id == message, tables.messages.c.sender == sender)
        .values(log_entry=entry, log_proof=proof)
    )


def refused(connection: Connection, *, sender: str, message: str) -> None:
    """Note that the hub refused a message; its number in the thread is free again."""
    connection.execute(
        sa.update(tables.messages)
        .where(tables.messages.c.id == message, tables.messages.c.sender == sender)
        .values(state="refused")
    )


def path_of(letter: Letter) -> str:
    """Say where a letter is sent: into the thread of its referral, or as a new referral.

    A thread whose referral still waits for the hub has none yet: it is looked up as the letter goes out.
    """
    if letter.referral is None and letter.thread is None:
        return "/v1/referrals"
    return f"/v1/referrals/{letter.referral or '-'}/messages"


def path_in_thread(connection: Connection, message: str, sender: str) -> str:
    """Give where a further message of a thread goes, by the referral that the thread's first message has become."""
    table = tables.messages.c
    thread = sa.select(table.thread).where(table.id == message, table.sender == sender).scalar_subquery()
    query = sa.select(table.referral).where(table.id == thread, table.sender == sender)
    return f"/v1/referrals/{connection.execute(query).scalar_one_or_none() or '-'}/messages"


def position(connection: Connection, thread: str) -> tuple[int, str | None]:
    """Give the `seq` and `prev` of my next message in a thread."""
    row = connection.execute(sa.select(tables.threads).where(tables.threads.c.thread == thread)).one_or_none()
    return (row.seq + 1, row.hash) if row else (1, None)


def evidence(connection: Connection, case: str, relied_on: frozenset[str], pen: Pen) -> tuple[ConsentEvidence, ...]:
    """Staple the newest status of each record relied on, as evidence for the receiver (protocol §4).

    *Raises* `ConnectorError("status-stale")`: nothing is sealed on an old word.
    """
    stapled = []
    for known in statements.consents_of(connection, case):
        if known.record.id not in relied_on:
            continue
        oldest = STATUS_AT_INTAKE if known.record.agency == pen.agency else STATUS_AT_PARTNER
        if known.status is None or known.status_as_of is None or pen.now >= known.status_as_of + oldest:
            raise ConnectorError("status-stale")
        token, status = receipts.statement_hash(known.token), receipts.statement_hash(known.status)
        stapled.append(ConsentEvidence(id=known.record.id, hash=token, status=status))
    return tuple(stapled)
