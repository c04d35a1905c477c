# SPDX-License-Identifier: Apache-2.0
"""Take the next delivery in hand, and write down how it went: two short transactions, and the call lies between them.

The feed is what is to be sent and a webhook's place in it is how far it has come, so nothing is copied and nothing can
be lost: the place moves when the receiver has said yes, and not before. One event of a webhook is under way at a time,
which keeps the order. A worker that dies leaves a lease that runs out; the event goes out again under the same id.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.wire import write_moment
from hub.agencies import reads as agencies
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base import hubkeys
from hub.base.ids import new_id
from hub.outbox import reads as feed
from hub.outbox import service as outbox
from hub.outbox.reads import Event, Place
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind
from hub.webhooks import signing
from hub.webhooks.rules import DisabledFor, Outcome, Reach, Target, is_given_up, next_try, target
from hub.webhooks.sending import Sent
from hub.webhooks.service import TESTED
from hub.webhooks.signing import SecretUnreadableError
from hub.webhooks.tables import webhook_deliveries, webhooks

LEASE: Final = timedelta(seconds=60)
"""Longer than a call may take, with much to spare."""
ASIDE: Final = timedelta(minutes=10)
"""How long a suspended agency's webhooks are left alone before looking again."""
AT_ONCE: Final = 50
KEPT: Final = timedelta(days=30)
DISABLED: Final = "webhook:disabled"
AGENT: Final = "Tsunagi-Webhooks/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One event on its way to one webhook; `turn` says whose turn it is to write down how it went.

    `to` is None where the settings do not allow the address any more, `signature` where the secret cannot be read.
    """

    webhook: str
    agency: str
    turn: int
    event: Event
    to: Target | None
    signature: str | None
    body: str
    failures: int
    failing_since: datetime | None
    at: datetime

    @property
    def headers(self) -> dict[str, str]:
        """Give what Standard Webhooks asks for."""
        return {
            "Content-Type": "application/json",
            "User-Agent": AGENT,
            "webhook-id": self.event.id,
            "webhook-timestamp": str(int(self.at.timestamp())),
            "webhook-signature": self.signature or "",
        }


def take(session: Session, *, reach: Reach, now: datetime) -> Parcel | None:
    """Lease the webhook that has waited longest and has something to be sent; the caller commits before it sends."""
    while True:
        row = session.execute(_next(now)).mappings().one_or_none()
        if row is None:
            return None
        if agencies.party(session, row["agency"]) is None:
            _change(session, row, due_at=now + ASIDE)
            continue
        after = Place(xact=row["place_xact"], seq=row["place_seq"])
        found = feed.events(session, row["agency"], after=after, limit=AT_ONCE)
        wanted = next((one for one in found if one.event != TESTED or one.about == row["id"]), None)
        if wanted is None:
            # tests of the agency's other webhooks, and nothing else
            last = found[-1].place if found else after
            _change(session, row, place_xact=last.xact, place_seq=last.seq)
            continue
        _change(session, row, turn=row["turn"] + 1, leased_until=now + LEASE)
        return _parcel(session, row, wanted, reach, now)


def settle(session: Session, parcel: Parcel, sent: Sent, *, milliseconds: int, now: datetime) -> None:
    """Write down how it went. If the turn has passed to another meanwhile, the place is that one's to move."""
    session.execute(
        sa.insert(webhook_deliveries).values(
            id=new_id(now),
            webhook=parcel.webhook,
            agency=parcel.agency,
            event=parcel.event.id,
            kind=parcel.event.event,
            attempt=parcel.failures + 1,
            outcome=sent.outcome.value,
            status=sent.status,
            milliseconds=milliseconds,
            at=now,
        )
    )
    since = parcel.failing_since or now
    values: dict[str, Any] = {"failures": parcel.failures + 1, "failing_since": since}
    reason = None
    if sent.outcome is Outcome.DELIVERED:
        place = parcel.event.place
        values = {"failures": 0, "failing_since": None, "place_xact": place.xact, "place_seq": place.seq}
        values["due_at"] = now
    elif sent.outcome is Outcome.ENDED:
        reason = DisabledFor.ENDED
    elif is_given_up(failing_since=since, now=now):
        reason = DisabledFor.FAILING
    else:
        values["due_at"] = next_try(failures=parcel.failures + 1, now=now)
    if reason is not None:
        values |= {"disabled_at": now, "disabled_for": reason.value}
    if _write(session, parcel, values) and reason is not None:
        _tell_disabled(session, parcel, reason, now)


def tidy(session: Session, *, now: datetime) -> int:
    """Delete old deliveries, webhooks long removed, and secrets whose day is over; return how many rows went."""
    over = sa.update(webhooks).where(webhooks.c.old_until <= now).values(old_secret=None, old_until=None)
    session.execute(over)
    old = sa.delete(webhook_deliveries).where(webhook_deliveries.c.at < now - KEPT).returning(webhook_deliveries.c.id)
    removed = sa.delete(webhooks).where(webhooks.c.removed_at < now - KEPT).returning(webhooks.c.id)
    return sum(len(session.execute(statement).all()) for statement in (old, removed))


def _next(now: datetime) -> sa.Select[Any]:
    row = webhooks.c
    return (
        sa.select(webhooks)
        .where(
            row.removed_at.is_(None),
            row.disabled_at.is_(None),
            row.due_at <= now,
            sa.or_(row.leased_until.is_(None), row.leased_until <= now),
            feed.has_news(row.agency, row.place_xact, row.place_seq),
        )
        .order_by(row.due_at, row.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _parcel(session: Session, row: sa.RowMapping, event: Event, reach: Reach, now: datetime) -> Parcel:
    said = {"type": event.event, "id": event.id, "timestamp": write_moment(event.at), "about": event.about}
    body = json.dumps(said, separators=(",", ":"))
    return Parcel(
        webhook=row["id"],
        agency=row["agency"],
        turn=row["turn"] + 1,
        event=event,
        to=target(row["url"], reach),
        signature=_signature(session, row, event, body, now),
        body=body,
        failures=row["failures"],
        failing_since=row["failing_since"],
        at=now,
    )


def _signature(session: Session, row: sa.RowMapping, event: Event, body: str, now: datetime) -> str | None:
    key = hubkeys.webhooks_key(session)
    sealed = [row["secret"]]
    if row["old_secret"] is not None and row["old_until"] > now:
        sealed.append(row["old_secret"])
    try:
        secrets = [signing.unseal(one, webhook=row["id"], key=key) for one in sealed]
    except SecretUnreadableError:
        return None
    return signing.signatures(secrets, event=event.id, at=now, body=body)


def _change(session: Session, row: sa.RowMapping, **values: Any) -> None:
    session.execute(sa.update(webhooks).where(webhooks.c.id == row["id"]).values(**values))


def _write(session: Session, parcel: Parcel, values: dict[str, Any]) -> bool:
    row = webhooks.c
    written = session.execute(
        sa.update(webhooks)
        .where(row.id == parcel.webhook, row.turn == parcel.turn)
        .values(leased_until=None, **values)
        .returning(row.id)
    )
    return written.one_or_none() is not None


def _tell_disabled(session: Session, parcel: Parcel, reason: DisabledFor, now: datetime) -> None:
    """Tell the agency: on its feed, as a task, in the log."""
    agency, about = parcel.agency, parcel.webhook
    outbox.tell(session, agency=agency, event=DISABLED, about=about, now=now)
    tasks.raise_task(session, agency=agency, kind=TaskKind.WEBHOOK_DISABLED, about=about, due=now, now=now)
    facts = {"thing": "webhook", "deed": "disabled", "reason": reason.value}
    entry = Entry(kind=AuditKind.CONFIG_CHANGE, actor=HUB, parties=(agency,), subject=about, facts=facts)
    audit.append(session, entry, now=now)
