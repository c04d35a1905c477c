# SPDX-License-Identifier: Apache-2.0
"""Writing an accepted message down: thread, message, sealed parts, the log's entry, the hub's signed receipt; and
what an emergency use costs. Nothing is decided here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from consent.calendar import Calendar, day_of
from consent.envelope.manifest import ByConsent, ByEmergency, basis_of
from consent.questions import Permitted
from consent.receipts import AcceptedRecord, sign_statement
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base import hubkeys, rounds
from hub.base.errors import ClashError, ForbiddenError
from hub.base.ids import new_id
from hub.base.rounds import Asked
from hub.messages import reads, tables
from hub.messages.accepting import Signed, Spot
from hub.messages.deciding import Decided
from hub.messages.rules import GAP_ALARM, OVERRIDES_PER_DAY, Delivery, Place, basis_kept
from hub.outbox import service as outbox
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind

LOGGED_WITHIN = timedelta(seconds=60)
"""The inclusion that the hub's receipt promises (protocol §2)."""
GAP_TOPIC = "message:gap"
WAITING = "message:waiting"

_OPEN_THREAD = rounds.Prepared(
    insert(tables.threads).on_conflict_do_nothing().returning(tables.threads.c.id),
    *("id", "thread", "opener", "partner", "case_handle", "opened_at", "opener_seq", "opener_head", "partner_seq"),
)
_WRITTEN = (
    *("id", "message", "thread_row", "thread", "seq", "prev", "sender", "recipient", "case_handle", "case_row"),
    *("manifest", "manifest_hash", "kind", "purpose", "urgency", "request_kind", "basis", "not_after", "accepted_at"),
    *("receipt", "waiting_since", "delivery"),
)
# one round trip with the opening of the thread: where that found the thread taken, there is none to write into
_WRITE = rounds.Prepared(
    insert(tables.messages)
    .from_select(
        _WRITTEN,
        sa.select(*(sa.bindparam(name, type_=tables.messages.c[name].type) for name in _WRITTEN)).where(
            sa.exists().where(tables.threads.c.id == sa.bindparam("thread_row", type_=tables.threads.c.id.type))
        ),
    )
    .on_conflict_do_nothing()
    .returning(tables.messages.c.id)
)
_WRITE_PART = rounds.Prepared(
    sa.insert(tables.parts),
    *("message_row", "n", "sender", "recipient", "category", "media", "size_bucket", "ct", "scope", "sealed"),
)


def store(
    session: Session, signed: Signed, parts: Sequence[str], decided: Decided, spot: Spot, *, now: datetime
) -> reads.Message:
    """Write the message down with its parts, log the disclosure, promise it, and tell its recipient."""
    manifest = signed.manifest
    row = new_id(now)
    entry = audit.append(session, _accepted_entry(signed, decided, row, spot), now=now)
    stored = _message(
        signed, decided, row=row, spot=spot, receipt=_promise(session, signed, entry=entry, now=now), now=now
    )
    _write_message(session, signed, stored, spot, now=now)
    _write_parts(session, signed, parts, decided, row=row)
    if isinstance(manifest.basis, ByEmergency):
        _note_override(session, signed, row=row, now=now)
    if spot.place is Place.HELD:
        due = now + GAP_ALARM
        outbox.put(session, topic=GAP_TOPIC, about=row, order_key=f"{GAP_TOPIC}:{row}", now=now, due=due)
    else:
        outbox.tell(session, agency=manifest.recipient, event=WAITING, about=row, now=now)
    return stored


def _write_message(session: Session, signed: Signed, stored: reads.Message, spot: Spot, *, now: datetime) -> None:
    """Open the thread or move the end of its chain, and write the message; of two at once one begins again."""
    row = {name: getattr(stored, name) for name in _WRITTEN if name != "prev"}
    writing = _WRITE.of(**row | {"prev": signed.manifest.prev, "delivery": stored.delivery.value})
    if spot.thread is None:
        told = rounds.ask(session, _open_thread(signed, stored.thread_row, now=now), writing)
    else:
        _advance(session, signed, spot, spot.thread)
        told = rounds.ask(session, writing)
    # nothing written: another request opened the thread, or took the same id in another thread, since we looked
    if not all(one.rows for one in told):
        raise ClashError
    if spot.thread is not None and spot.frees:
        _set_free(session, signed, spot.thread, spot.frees, now=now)


def _advance(session: Session, signed: Signed, spot: Spot, thread: reads.Thread) -> None:
    if spot.place is Place.HELD:
        return
    side = "opener" if signed.manifest.sender == thread.opener else "partner"
    session.execute(
        sa.update(tables.threads)
        .where(tables.threads.c.id == thread.id)
        .values({f"{side}_seq": spot.head.seq, f"{side}_head": spot.head.own})
    )


def _open_thread(signed: Signed, row: str, *, now: datetime) -> Asked:
    manifest = signed.manifest
    return _OPEN_THREAD.of(
        id=row,
        thread=manifest.thread,
        opener=manifest.sender,
        partner=manifest.recipient,
        case_handle=manifest.case,
        opened_at=now,
        opener_seq=1,
        opener_head=signed.own,
        partner_seq=0,
    )


def _set_free(session: Session, signed: Signed, thread: reads.Thread, numbers: Sequence[int], *, now: datetime) -> None:
    freed = session.execute(
        sa.update(tables.messages)
        .where(
            tables.messages.c.thread_row == thread.id,
            tables.messages.c.sender == signed.manifest.sender,
            tables.messages.c.seq.in_(numbers),
        )
        .values(waiting_since=now)
        .returning(tables.messages.c.id)
    ).scalars()
    for row in freed:
        outbox.tell(session, agency=signed.manifest.recipient, event=WAITING, about=row, now=now)
        tasks.finish(session, agency=signed.manifest.sender, kind=TaskKind.MESSAGE_GAP, about=row, now=now)


def _message(signed: Signed, decided: Decided, *, row: str, spot: Spot, receipt: str, now: datetime) -> reads.Message:
    manifest = signed.manifest
    return reads.Message(
        id=row,
        message=manifest.id,
        thread_row=new_id(now) if spot.thread is None else spot.thread.id,
        thread=manifest.thread,
        seq=manifest.seq,
        sender=manifest.sender,
        recipient=manifest.recipient,
        case_handle=manifest.case,
        case_row=decided.case_row,
        manifest=signed.token,
        manifest_hash=signed.own,
        kind=manifest.kind.value,
        purpose=manifest.purpose,
        urgency=manifest.urgency,
        request_kind=manifest.request_kind,
        basis=basis_kept(basis_of(manifest), sent_at=now),
        not_after=manifest.not_after,
        accepted_at=now,
        receipt=receipt,
        waiting_since=None if spot.place is Place.HELD else now,
        delivery=Delivery.QUEUED,
        offered_at=None,
        handed_over_at=None,
        delivered_at=None,
        opened_at=None,
        ended_at=None,
        emptied_at=None,
        stopped_told_at=None,
    )


def _write_parts(session: Session, signed: Signed, parts: Sequence[str], decided: Decided, *, row: str) -> None:
    manifest = signed.manifest
    for label, sealed, (_, decision) in zip(manifest.parts, parts, decided.parts, strict=True):
        writing = _WRITE_PART.of(
            message_row=row,
            n=label.n,
            sender=manifest.sender,
            recipient=manifest.recipient,
            category=label.category,
            media=label.media,
            size_bucket=label.size_bucket,
            ct=label.ct,
            scope=decision.scope,
            sealed=sealed.encode("utf-8"),
        )
        rounds.later(session, writing)


def _promise(session: Session, signed: Signed, *, entry: str, now: datetime) -> str:
    """Sign the hub's own receipt: stored, and in the log within a minute (protocol §2)."""
    signer = hubkeys.receipts(session)
    record = AcceptedRecord(
        hub=signer.hub,
        sender=signed.manifest.sender,
        recipient=signed.manifest.recipient,
        message=signed.manifest.id,
        manifest=signed.own,
        accepted_at=now,
        entry=entry,
        logged_by=now + LOGGED_WITHIN,
    )
    return sign_statement(record, signer.key)


def refusal(session: Session, signed: Signed, decided: Decided, *, now: datetime) -> ForbiddenError:
    """Log the refusal with reasons, rule paths and scopes, and give its answer; nothing else is kept."""
    manifest = signed.manifest
    entry = Entry(
        kind=AuditKind.MESSAGE_REFUSED,
        actor=manifest.sender,
        parties=(manifest.sender,),
        case=manifest.case,
        subject=manifest.id,
        facts={"phase": "acceptance", **_facts(signed, decided)},
    )
    decision_id = audit.append(session, entry, now=now)
    return ForbiddenError(
        "consent-refused", keep=True, extra={"decision_id": decision_id, "decisions": decided.shown()}
    )


def require_override_left(session: Session, signed: Signed, *, now: datetime) -> None:
    """Require that the requester of an emergency use has one left today; the sixth alerts both sides (CON-23)."""
    basis = signed.manifest.basis
    if not isinstance(basis, ByEmergency) or basis.requester is None:
        return
    sender, requester = signed.manifest.sender, basis.requester
    # two at once must not both be the fifth
    session.execute(
        sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"override:{sender}:{requester}", 0)))
    )
    if reads.overrides(session, agency=sender, requester=requester, day=day_of(now)) < OVERRIDES_PER_DAY:
        return
    entry = Entry(
        kind=AuditKind.OVERRIDE_LIMITED,
        actor=sender,
        parties=(sender,),
        case=signed.manifest.case,
        subject=signed.manifest.id,
        facts={"requester": requester, "limit": OVERRIDES_PER_DAY},
    )
    audit.append(session, entry, now=now)
    for responsible in (None, sender):
        tasks.raise_task(
            session,
            agency=responsible,
            kind=TaskKind.OVERRIDE_LIMIT,
            about=f"{requester}:{day_of(now).isoformat()}",
            due=now,
            now=now,
        )
    raise ForbiddenError("override-limit", keep=True)


def _note_override(session: Session, signed: Signed, *, row: str, now: datetime) -> None:
    """Count an emergency use, log it and put its review on the officer's list at once (consent.md)."""
    manifest = signed.manifest
    if not isinstance(manifest.basis, ByEmergency):
        return
    requester = manifest.basis.requester or ""
    session.execute(
        sa.insert(tables.overrides).values(
            message_row=row, agency=manifest.sender, requester=requester, day=day_of(now)
        )
    )
    entry = Entry(
        kind=AuditKind.OVERRIDE_USED,
        actor=manifest.sender,
        parties=(manifest.sender, manifest.recipient),
        case=manifest.case,
        subject=row,
        facts=basis_kept(basis_of(manifest), sent_at=now),
    )
    audit.append(session, entry, now=now)
    tasks.raise_task(
        session,
        agency=None,
        kind=TaskKind.EMERGENCY_REVIEW,
        about=row,
        case=manifest.case,
        due=Calendar().add_business_days(now, 1),
        now=now,
    )


def _accepted_entry(signed: Signed, decided: Decided, row: str, spot: Spot) -> Entry:
    manifest = signed.manifest
    held = {"held": True} if spot.place is Place.HELD else {}
    return Entry(
        kind=AuditKind.MESSAGE_ACCEPTED,
        actor=manifest.sender,
        parties=(manifest.sender, manifest.recipient),
        case=manifest.case,
        subject=row,
        facts={**_facts(signed, decided), **held},
    )


def _facts(signed: Signed, decided: Decided) -> dict[str, Any]:
    """Give what a replay of the decision needs, in codes, ids and hashes (consent.md, Limits)."""
    manifest = signed.manifest
    consents = manifest.basis.consents if isinstance(manifest.basis, ByConsent) else ()
    against = any(isinstance(one, Permitted) and one.against_exclusion for _, one in decided.parts)
    return {
        "message": manifest.id,
        "manifest": signed.own,
        "thread": manifest.thread,
        "seq": manifest.seq,
        "kind": manifest.kind.value,
        **decided.question(),
        "consents": [one.id for one in consents],
        "against_exclusion": against,
        "parts": [
            {"n": label.n, "ct": label.ct, **logged}
            for label, logged in zip(manifest.parts, decided.logged(), strict=True)
        ],
    }
