# SPDX-License-Identifier: Apache-2.0
"""What the API takes and gives about webhooks."""

from dataclasses import fields
from typing import Annotated, Any

from pydantic import Field

from consent import wire
from hub.web.paging import Page
from hub.web.shapes import Shape
from hub.webhooks import reads
from hub.webhooks.rules import LONGEST_URL
from hub.webhooks.service import Told


class NewWebhook(Shape):
    """An address to register."""

    url: Annotated[str, Field(min_length=1, max_length=LONGEST_URL)]


class From(Shape):
    """The event to begin again with, by its id on the feed."""

    event: wire.Id


class WebhookShape(Shape):
    """An address that the caller's events are sent to, and how that goes."""

    id: str
    url: str
    failures: int = Field(description="since the last success")
    failing_since: wire.Moment | None
    next_try_at: wire.Moment | None
    disabled_at: wire.Moment | None
    disabled_for: str | None
    old_secret_until: wire.Moment | None
    created_at: wire.Moment
    actions: tuple[str, ...]

    @classmethod
    def of(cls, webhook: reads.Webhook) -> "WebhookShape":
        """Show a webhook."""
        return cls(**_members(webhook))


class WebhookWithSecret(WebhookShape):
    """A webhook whose secret is new. It is told in this answer alone; a repeated request has it null."""

    secret: str | None

    @classmethod
    def telling(cls, told: Told) -> "WebhookWithSecret":
        """Show the secret."""
        return cls(**_members(told.webhook), secret=told.secret)

    @classmethod
    def withholding(cls, told: Told) -> "WebhookWithSecret":
        """Show the same without it."""
        return cls(**_members(told.webhook), secret=None)


class WebhookPage(Page[WebhookShape]):
    """One page of webhooks."""


class DeliveryShape(Shape):
    """One try: `event` is the `webhook-id` it carried, `status` what the receiver answered."""

    id: str
    event: str
    kind: str
    attempt: int
    outcome: str
    status: int | None
    milliseconds: int
    at: wire.Moment

    @classmethod
    def of(cls, delivery: reads.Delivery) -> "DeliveryShape":
        """Show one try."""
        members = {one.name: getattr(delivery, one.name) for one in fields(delivery)}
        return cls(**{**members, "outcome": delivery.outcome.value})


class DeliveryPage(Page[DeliveryShape]):
    """One page of tries, newest first."""


def _members(webhook: reads.Webhook) -> dict[str, Any]:
    members = {one.name: getattr(webhook, one.name) for one in fields(webhook) if one.name != "agency"}
    is_on = webhook.disabled_at is None
    reason = None if webhook.disabled_for is None else webhook.disabled_for.value
    actions = ("test", "rotate", "replay", "remove") if is_on else ("enable", "rotate", "replay", "remove")
    return {**members, "disabled_for": reason, "actions": actions}
