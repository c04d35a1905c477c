# SPDX-License-Identifier: Apache-2.0
"""Register addresses for an agency's events, change their secrets, let them go on. Sending is `delivering`'s part."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry, Json
from hub.base import hubkeys, queues
from hub.base.errors import ConflictError, InvalidError, NotFoundError
from hub.base.ids import new_id
from hub.outbox import reads as feed
from hub.outbox import service as outbox
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind
from hub.webhooks import reads, signing
from hub.webhooks.reads import Webhook
from hub.webhooks.rules import MOST, OVERLAP, Reach, target
from hub.webhooks.tables import webhooks

TESTED = "webhook:tested"
"""The event that a test puts on the feed; `about` names the webhook, and only that one is sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A webhook with its new secret, which is told once and never again."""

    webhook: Webhook
    secret: str


def register(session: Session, url: str, *, agency: str, reach: Reach, now: datetime) -> Told:
    """Register an address; it is sent what the feed does not show yet, and all that follows.

    Raises:
        InvalidError: `bad-webhook`, the hub does not call such an address.
        ConflictError: `webhook-exists`, `too-many-webhooks`.
    """
    if target(url, reach) is None:
        raise InvalidError("bad-webhook", pointer="/url")
    # two requests at once must not both find room for one more
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"webhooks:{agency}", 0))))
    present = reads.page(session, agency, after=None, limit=MOST)
    if any(one.url == url for one in present):
        raise ConflictError("webhook-exists")
    if len(present) == MOST:
        raise ConflictError("too-many-webhooks")
    webhook_id, place = new_id(now), feed.newest(session, agency)
    secret, sealed = _new_secret(session, webhook_id)
    session.execute(
        sa.insert(webhooks).values(
            id=webhook_id,
            agency=agency,
            url=url,
            secret=sealed,
            place_xact=place.xact,
            place_seq=place.seq,
            turn=0,
            due_at=now,
            failures=0,
            created_at=now,
        )
    )
    _log(session, agency, webhook_id, "added", now, url_sha256=hashlib.sha256(url.encode("ascii")).hexdigest())
    return Told(webhook=_found(session, webhook_id, agency), secret=secret)


def remove(session: Session, webhook_id: str, *, agency: str, now: datetime) -> None:
    """Remove an address at once, and its secrets with it.

    Raises:
        NotFoundError: the agency has no such webhook.
    """
    _found(session, webhook_id, agency, lock=True)
    gone = {"removed_at": now, "secret": b"", "old_secret": None, "old_until": None, "leased_until": None}
    _change(session, webhook_id, **gone, turn=webhooks.c.turn + 1)
    tasks.finish(session, agency=agency, kind=TaskKind.WEBHOOK_DISABLED, about=webhook_id, now=now)
    _log(session, agency, webhook_id, "removed", now)


def rotate(session: Session, webhook_id: str, *, agency: str, now: datetime) -> Told:
    """Give a webhook a new secret; for a day deliveries carry the signature of the one before it too.

    Raises:
        NotFoundError: the agency has no such webhook.
    """
    _found(session, webhook_id, agency, lock=True)
    secret, sealed = _new_secret(session, webhook_id)
    _change(session, webhook_id, secret=sealed, old_secret=webhooks.c.secret, old_until=now + OVERLAP)
    _log(session, agency, webhook_id, "secret_rotated", now)
    return Told(webhook=_found(session, webhook_id, agency), secret=secret)


def test(session: Session, webhook_id: str, *, agency: str, now: datetime) -> Webhook:
    """Put an event on the feed that only this webhook is sent, and try it now. It waits its turn behind what is
    undelivered.

    Raises:
        NotFoundError: the agency has no such webhook.
        ConflictError: `webhook-disabled`.
    """
    if _found(session, webhook_id, agency, lock=True).disabled_at is not None:
        raise ConflictError("webhook-disabled")
    _change(session, webhook_id, due_at=now)
    outbox.tell(session, agency=agency, event=TESTED, about=webhook_id, now=now)
    return _found(session, webhook_id, agency)


def enable(session: Session, webhook_id: str, *, agency: str, now: datetime) -> Webhook:
    """Let a webhook go on where it stopped, now; one that is not disabled is tried now.

    Raises:
        NotFoundError: the agency has no such webhook.
    """
    was = _found(session, webhook_id, agency, lock=True)
    _start_anew(session, webhook_id, agency, now)
    if was.disabled_at is not None:
        _log(session, agency, webhook_id, "enabled", now)
    return _found(session, webhook_id, agency)


def replay(session: Session, webhook_id: str, event: str, *, agency: str, now: datetime) -> Webhook:
    """Send everything again from this event on, it included, with the ids it had; a disabled webhook is enabled.

    Raises:
        NotFoundError: the agency has no such webhook.
        InvalidError: `unknown-event`, it is not on the agency's feed (any more).
    """
    _found(session, webhook_id, agency, lock=True)
    place = feed.place_before(session, agency, event)
    if place is None:
        raise InvalidError("unknown-event", pointer="/event")
    # a delivery under way loses its turn, so that it does not put the place forward again
    _start_anew(
        session, webhook_id, agency, now, place_xact=place.xact, place_seq=place.seq,
        turn=webhooks.c.turn + 1, leased_until=None,
    )  # fmt: skip
    _log(session, agency, webhook_id, "replayed", now, event=event)
    return _found(session, webhook_id, agency)


def _start_anew(session: Session, webhook_id: str, agency: str, now: datetime, **values: Any) -> None:
    fresh = {"due_at": now, "failures": 0, "failing_since": None, "disabled_at": None, "disabled_for": None}
    _change(session, webhook_id, **fresh, **values)
    tasks.finish(session, agency=agency, kind=TaskKind.WEBHOOK_DISABLED, about=webhook_id, now=now)
    session.info.setdefault("wake", set()).add(queues.feed(agency))


def _new_secret(session: Session, webhook_id: str) -> tuple[str, bytes]:
    secret = signing.write_secret(secrets.token_bytes(signing.SECRET_BYTES))
    nonce = secrets.token_bytes(signing.NONCE_BYTES)
    return secret, signing.seal(secret, webhook=webhook_id, key=hubkeys.webhooks_key(session), nonce=nonce)


def _found(session: Session, webhook_id: str, agency: str, *, lock: bool = False) -> Webhook:
    found = reads.webhook(session, webhook_id, agency=agency, lock=lock)
    if found is None:
        raise NotFoundError
    return found


def _change(session: Session, webhook_id: str, **values: Any) -> None:
    session.execute(sa.update(webhooks).where(webhooks.c.id == webhook_id).values(**values))


def _log(session: Session, agency: str, webhook_id: str, deed: str, now: datetime, **more: Json) -> None:
    facts: dict[str, Json] = {"thing": "webhook", "deed": deed, **more}
    entry = Entry(kind=AuditKind.CONFIG_CHANGE, actor=agency, parties=(agency,), subject=webhook_id, facts=facts)
    audit.append(session, entry, now=now)
