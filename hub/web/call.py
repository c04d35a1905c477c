# SPDX-License-Identifier: Apache-2.0
"""What an endpoint gets and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel

from hub.base.db import Session
from hub.web.gate import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request inside its transaction.

    - `if_match`: the strong tag the caller saw, without quotes; the service compares it with the version
    - `language`: `ja` or `en`
    """

    session: Session
    caller: Caller
    now: datetime
    language: str
    if_match: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that needs more than a body: another status, a version (`etag`, without quotes), headers.

    - `raw`: bytes in place of a body, where the operation declares a `media` type
    - `kept`: what the idempotency key remembers in place of a body that tells a secret: a repeated request gets this
    - `again`: there is nothing yet, and a caller who waits may have the method called again (`hub.web.waiting`)
    """

    body: BaseModel | None = None
    kept: BaseModel | None = None
    status: int | None = None
    etag: str | int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    again: bool = False
