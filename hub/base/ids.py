# SPDX-License-Identifier: Apache-2.0
"""Ids the hub makes and the one form in which it takes ids: canonical lower-case UUIDs, as text."""

import re
import secrets
from datetime import datetime

from consent.ids import uuid7

CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


def new_id(now: datetime) -> str:
    """Make a UUIDv7 that sorts by `now`; the rest is random."""
    return uuid7(now, secrets.token_bytes(10))


def is_id(text: str) -> bool:
    """Tell whether `text` is an id in the one form we take."""
    return CANONICAL.fullmatch(text) is not None
