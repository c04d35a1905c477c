# SPDX-License-Identifier: Apache-2.0
"""For whoever receives webhooks: whether it is from the hub, of now, and new (Standard Webhooks).

    note = verify(request.headers, request.get_data(), [SECRET], now=datetime.now(UTC), seen=seen)

A note says that something happened and to which thing. It carries no content: ask the hub for the thing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import AwareDatetime as Moment
from standardwebhooks import Webhook

from connectors.base.errors import ConnectorError
from connectors.sdk.reading import read
from consent import wire
from consent.errors import DocumentRefusedError

TOLERANCE: Final = timedelta(minutes=5)
LONGEST_BODY: Final = 16 * 1024
MOST_SIGNATURES: Final = 16


class WebhookRefusedError(ConnectorError):
    """What came is not the hub's, or not of now: answer 401 and do nothing."""


class WebhookSeenError(WebhookRefusedError):
    """It is the hub's and has come before: answer 204 and do nothing, or it comes again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What the hub tells: the kind of event, its id, when, and the id of the thing to ask for."""

    type: str
    id: str
    timestamp: Moment
    about: str


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    now: datetime,
    seen: Callable[[str], bool],
) -> Note:
    """Verify a delivery over the bytes of its body as they came.

    `secrets`: ours as the hub told it, two while it changes. `seen`: says whether this id came before, and remembers
    it for ten minutes at least; it is asked last, of genuine deliveries alone.

    *Raises* `WebhookRefusedError` (`webhook-unsigned`, `webhook-late`, `webhook-malformed`); `WebhookSeenError`.
    """
    given = {name.lower(): value for name, value in headers.items()}
    event, signed = given.get("webhook-id", ""), given.get("webhook-signature", "")
    at = _moment(given.get("webhook-timestamp", ""))
    if abs(now - at) > TOLERANCE:
        raise WebhookRefusedError("webhook-late")
    if len(body) > LONGEST_BODY:
        raise WebhookRefusedError("webhook-malformed")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise WebhookRefusedError("webhook-malformed") from None
    offered = [one.encode() for one in signed.split(" ", MOST_SIGNATURES)[:MOST_SIGNATURES]]
    expected = [Webhook(secret).sign(event, at, text).encode() for secret in secrets]
    if not any([hmac.compare_digest(one, right) for one in offered for right in expected]):  # noqa: C419 - always all
        raise WebhookRefusedError("webhook-unsigned")
    try:
        note = read(Note, wire.parse(body))
    except (DocumentRefusedError, ConnectorError):
        raise WebhookRefusedError("webhook-malformed") from None
    if note.id != event:
        raise WebhookRefusedError("webhook-malformed")
    if seen(event):
        raise WebhookSeenError("webhook-seen")
    return note


def _moment(seconds: str) -> datetime:
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= len("99999999999")):
        raise WebhookRefusedError("webhook-unsigned")
    return datetime.fromtimestamp(int(seconds), tz=UTC)
