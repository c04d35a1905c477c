# SPDX-License-Identifier: Apache-2.0
"""`tsunagi webhook`: have the hub tell a server of ours what is new."""

from __future__ import annotations

from typing import Final

from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.frame import Noun, argument, option, verb
from connectors.cli.kinds import Id
from connectors.cli.saying import Said
from connectors.sdk.webhook_calls import Webhook, WebhookWithSecret

webhook: Final = Noun("webhook")


@verb(webhook, "add", argument("url"))
def add(desk: Desk, *, url: str) -> Said:
    """Register an address; the secret is printed once."""
    with desk.open() as connector:
        made = connector.hub.webhooks.register(url)
    return Said(document=made, lines=[desk.text("webhook-added", id=made.id), *_secret(desk, made)])


@verb(webhook, "list")
def list_webhooks(desk: Desk) -> Said:
    """List our webhooks and how they go."""
    with desk.open() as connector:
        found = list(connector.hub.webhooks.list())
    rows = [(one.id, one.url, _state(desk, one), saying.moment(one.next_try_at)) for one in found]
    head = desk.head("id", "url", "state", "next-try")
    return Said(document={"webhooks": found}, lines=saying.table(head, rows) if rows else [desk.text("no-webhooks")])


@verb(webhook, "test", argument("webhook", Id()))
def try_out(desk: Desk, *, webhook: str) -> Said:
    """Have a test event sent."""
    with desk.open() as connector:
        one = connector.hub.webhooks.test(webhook)
    return Said(document=one, lines=[desk.text("webhook-tested", id=one.id)])


@verb(webhook, "deliveries", argument("webhook", Id()))
def deliveries(desk: Desk, *, webhook: str) -> Said:
    """List what was tried, newest first."""
    with desk.open() as connector:
        found = list(connector.hub.webhooks.deliveries(webhook))
    rows = [
        (
            saying.moment(one.at),
            one.kind,
            one.event,
            desk.label("webhook_outcome", one.outcome),
            "" if one.status is None else str(one.status),
            str(one.attempt),
        )
        for one in found
    ]
    head = desk.head("at", "kind", "event", "outcome", "answer", "attempt")
    lines = saying.table(head, rows) if rows else [desk.text("no-deliveries")]
    return Said(document={"deliveries": found}, lines=lines)


@verb(webhook, "rotate", argument("webhook", Id()))
def rotate(desk: Desk, *, webhook: str) -> Said:
    """Make a new secret."""
    with desk.open() as connector:
        made = connector.hub.webhooks.rotate(webhook)
    lines = [desk.text("webhook-rotated", until=saying.moment(made.old_secret_until)), *_secret(desk, made)]
    return Said(document=made, lines=lines)


@verb(webhook, "enable", argument("webhook", Id()))
def enable(desk: Desk, *, webhook: str) -> Said:
    """Go on after a stop."""
    with desk.open() as connector:
        one = connector.hub.webhooks.enable(webhook)
    return Said(document=one, lines=[desk.text("webhook-enabled", id=one.id)])


@verb(webhook, "replay", argument("webhook", Id()), option("--from", Id(), required=True))
def replay(desk: Desk, *, webhook: str, **begin: str) -> Said:
    """Have everything sent again from an event on."""
    with desk.open() as connector:
        one = connector.hub.webhooks.replay(webhook, begin["from"])
    return Said(document=one, lines=[desk.text("webhook-replayed", id=one.id)])


@verb(webhook, "remove", argument("webhook", Id()))
def remove(desk: Desk, *, webhook: str) -> Said:
    """Remove a webhook."""
    with desk.open() as connector:
        connector.hub.webhooks.remove(webhook)
    return Said(document={"removed": webhook}, lines=[desk.text("webhook-removed", id=webhook)])


def _secret(desk: Desk, made: WebhookWithSecret) -> list[str]:
    if made.secret is None:
        return [desk.text("webhook-secret-lost")]
    return [desk.text("webhook-secret", secret=made.secret)]


def _state(desk: Desk, one: Webhook) -> str:
    if one.disabled_for is not None:
        return desk.label("webhook_state", one.disabled_for)
    return desk.label("webhook_state", "failing_now" if one.failures else "good")
