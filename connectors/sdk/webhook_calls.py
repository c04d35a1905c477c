# SPDX-License-Identifier: Apache-2.0
"""Webhooks as one agency manages them: have the feed sent to an address of one's own. `hub.webhooks` gives the calls;
what a receiver does with what comes is in `webhooks`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from pydantic import AwareDatetime as Moment
from typing_extensions import override

from connectors.sdk.reading import read
from connectors.sdk.session import HubSession

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that our events are sent to. `failures` counts those since the last success; `disabled_for` is
    `ended` (it answered 410) or `failing` (nothing got through for days).
    """

    id: str
    url: str
    created_at: Moment
    failures: int = 0
    failing_since: Moment | None = None
    next_try_at: Moment | None = None
    disabled_at: Moment | None = None
    disabled_for: str | None = None
    old_secret_until: Moment | None = None
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookWithSecret(Webhook):
    """A webhook whose secret is new: told once. None where the answer to an earlier try was lost: make a new one."""

    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One try: `event` is the `webhook-id` it carried, `outcome` a code, `status` what our server answered."""

    id: str
    event: str
    kind: str
    attempt: int
    outcome: str
    status: int | None = None
    milliseconds: int
    at: Moment


class Webhooks(Protocol):
    """What can be done about webhooks. Errors and `idempotency_key` are as in `interface.Hub`."""

    def list(self) -> Iterator[Webhook]:
        """Give our webhooks."""
        ...

    def get(self, webhook: str) -> Webhook:
        """Give one of them."""
        ...

    def register(self, url: str, *, idempotency_key: str | None = None) -> WebhookWithSecret:
        """Register an address; the answer tells the secret."""
        ...

    def remove(self, webhook: str) -> None:
        """Remove one."""
        ...

    def test(self, webhook: str, *, idempotency_key: str | None = None) -> Webhook:
        """Have an event sent to it that means nothing."""
        ...

    def rotate(self, webhook: str, *, idempotency_key: str | None = None) -> WebhookWithSecret:
        """Make a new secret; for a day both sign."""
        ...

    def enable(self, webhook: str, *, idempotency_key: str | None = None) -> Webhook:
        """Let it go on where it stopped."""
        ...

    def replay(self, webhook: str, event: str, *, idempotency_key: str | None = None) -> Webhook:
        """Have everything sent again from this event of the feed on."""
        ...

    def deliveries(self, webhook: str) -> Iterator[Delivery]:
        """Give what was tried in the last thirty days, newest first."""
        ...


class WebhookClient(Webhooks):
    """The calls over HTTPS."""

    def __init__(self, session: HubSession) -> None:
        """Take the session that knows tokens and retries."""
        self._session = session

    @override
    def list(self) -> Iterator[Webhook]:
        return self._pages(Webhook, "/v1/webhooks")

    @override
    def get(self, webhook: str) -> Webhook:
        return read(Webhook, self._session.get(f"/v1/webhooks/{webhook}").body)

    @override
    def register(self, url: str, *, idempotency_key: str | None = None) -> WebhookWithSecret:
        return self._post(WebhookWithSecret, "/v1/webhooks", {"url": url}, idempotency_key)

    @override
    def remove(self, webhook: str) -> None:
        self._session.delete(f"/v1/webhooks/{webhook}")

    @override
    def test(self, webhook: str, *, idempotency_key: str | None = None) -> Webhook:
        return self._post(Webhook, f"/v1/webhooks/{webhook}/test", {}, idempotency_key)

    @override
    def rotate(self, webhook: str, *, idempotency_key: str | None = None) -> WebhookWithSecret:
        return self._post(WebhookWithSecret, f"/v1/webhooks/{webhook}/rotate", {}, idempotency_key)

    @override
    def enable(self, webhook: str, *, idempotency_key: str | None = None) -> Webhook:
        return self._post(Webhook, f"/v1/webhooks/{webhook}/enable", {}, idempotency_key)

    @override
    def replay(self, webhook: str, event: str, *, idempotency_key: str | None = None) -> Webhook:
        return self._post(Webhook, f"/v1/webhooks/{webhook}/replay", {"event": event}, idempotency_key)

    @override
    def deliveries(self, webhook: str) -> Iterator[Delivery]:
        return self._pages(Delivery, f"/v1/webhooks/{webhook}/deliveries")

    def _post(self, shape: type[Shape], path: str, body: dict[str, Any], idempotency_key: str | None) -> Shape:
        key = idempotency_key or str(uuid.uuid4())
        return read(shape, self._session.post(path, body, idempotency_key=key).body)

    def _pages(self, shape: type[Shape], path: str) -> Iterator[Shape]:
        cursor: str | None = None
        while True:
            body = self._session.get(path, {"cursor": cursor} if cursor else None).body
            yield from read(tuple[shape, ...], body.get("items"))  # type: ignore[valid-type]  # a type made here
            cursor = body.get("next_cursor")
            if cursor is None:
                return


class WithWebhooks:
    """The part of `client.HubClient` that gives the calls of this file."""

    _session: HubSession

    @property
    def webhooks(self) -> Webhooks:
        """Give the calls about webhooks."""
        return WebhookClient(self._session)
