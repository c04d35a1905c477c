# SPDX-License-Identifier: Apache-2.0
"""Webhooks at a hub in memory: registered, listed, changed; nothing is ever sent, because there is no network."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from typing_extensions import override

from connectors.sdk.webhook_calls import Delivery, Webhook, Webhooks, WebhookWithSecret
from connectors.testing.memory import MemoryHub, refuse
from connectors.testing.view import View


@dataclass(frozen=True)
class Hooks(Webhooks):
    """One agency's webhooks at a `MemoryHub`."""

    hub: MemoryHub
    agency: str

    @override
    def list(self) -> Iterator[Webhook]:
        return iter([one for agency, one in self.hub.webhooks.values() if agency == self.agency])

    @override
    def get(self, webhook: str) -> Webhook:
        agency, found = self.hub.webhooks.get(webhook, ("", None))
        return found if found and agency == self.agency else refuse(404, "not-found")

    @override
    def register(self, url: str, *, idempotency_key: str | None = None) -> WebhookWithSecret:
        if not url.startswith("https://"):
            refuse(422, "bad-webhook")

        def made() -> Webhook:
            if any(one.url == url for one in self.list()):
                refuse(409, "webhook-exists")
            return self._kept(Webhook(id=self.hub.new_id(), url=url, created_at=self.hub.clock()))

        return self._telling(idempotency_key, made)

    @override
    def remove(self, webhook: str) -> None:
        del self.hub.webhooks[self.get(webhook).id]

    @override
    def test(self, webhook: str, *, idempotency_key: str | None = None) -> Webhook:
        def made() -> Webhook:
            self.hub.tell([self.agency], "webhook:tested", self.get(webhook).id)
            return self.get(webhook)

        return self.hub.once(self.agency, idempotency_key, made)

    @override
    def rotate(self, webhook: str, *, idempotency_key: str | None = None) -> WebhookWithSecret:
        return self._telling(idempotency_key, lambda: self.get(webhook))

    @override
    def enable(self, webhook: str, *, idempotency_key: str | None = None) -> Webhook:
        return self._kept(replace(self.get(webhook), disabled_at=None, disabled_for=None))

    @override
    def replay(self, webhook: str, event: str, *, idempotency_key: str | None = None) -> Webhook:
        found = self.get(webhook)
        if not any((agency, one.id) == (self.agency, event) for agency, one in self.hub.events):
            refuse(422, "unknown-event")
        return found

    @override
    def deliveries(self, webhook: str) -> Iterator[Delivery]:
        self.get(webhook)
        return iter(())

    def _kept(self, webhook: Webhook) -> Webhook:
        self.hub.webhooks[webhook.id] = (self.agency, webhook)
        return webhook

    def _telling(self, key: str | None, deed: Any) -> WebhookWithSecret:
        """Do it once, and tell a secret to the first who asks."""
        told: list[str] = []

        def made() -> Webhook:
            told.append("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
            found: Webhook = deed()
            return found

        found = self.hub.once(self.agency, key, made)
        members = {one.name: getattr(found, one.name) for one in fields(Webhook)}
        return WebhookWithSecret(**members, secret=told[0] if told else None)


class WithHooks(View):
    """The part of a seat that gives the calls about webhooks."""

    @property
    @override
    def webhooks(self) -> Webhooks:
        return Hooks(self._hub, self._agency)
