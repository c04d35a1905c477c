# SPDX-License-Identifier: Apache-2.0
"""Signing in as pure decisions: how a session stands, how long somebody is barred, which password will do."""

from __future__ import annotations

import ipaddress
import unicodedata
from datetime import datetime, timedelta
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from connectors.desk.web.site import Limits

FREE_FAILURES: Final = 5
"""Wrong tries before somebody has to wait."""
FIRST_BAR: Final = timedelta(minutes=1)
LONGEST_BAR: Final = timedelta(minutes=15)
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 256
INVITED_FOR: Final = timedelta(hours=24)
CHALLENGED_FOR: Final = timedelta(minutes=5)
"""How long the answer of a passkey may take."""
RECOVERY_CODES: Final = 10


class Standing(Enum):
    """How a session stands."""

    OPEN = "open"
    LOCKED = "locked"
    ENDED = "ended"


def standing(*, begun_at: datetime, active_at: datetime, locked: bool, now: datetime, limits: Limits) -> Standing:
    """Say how a session stands at `now`: ended after its longest time or when idle too long, locked before that."""
    if now >= begun_at + limits.longest or now >= active_at + limits.end_after:
        return Standing.ENDED
    return Standing.LOCKED if locked or now >= active_at + limits.lock_after else Standing.OPEN


def barred_for(failures: int) -> timedelta:
    """Say how long somebody waits after so many wrong tries in a row: at first not, then twice as long each."""
    if failures < FREE_FAILURES:
        return timedelta(0)
    return min(FIRST_BAR * (1 << min(failures - FREE_FAILURES, 10)), LONGEST_BAR)


def fold_login(typed: str) -> str:
    """Fold what is typed as the staff id: width and case do not matter, nor white space."""
    return unicodedata.normalize("NFKC", typed).strip().casefold()


def password_fault(password: str, *, login: str) -> str | None:
    """Give the key of what is wrong with a new password; none when it will do (length alone, no rules of signs)."""
    if len(password) < SHORTEST_PASSWORD:
        return "staff.fault-password-short"
    if len(password) > LONGEST_PASSWORD:
        return "staff.fault-password-long"
    if login and login in password.casefold():
        return "staff.fault-password-login"
    return None


def passkey_host(origin: str) -> str | None:
    """Give the host name that passkeys of this desk are bound to (WebAuthn §5.1.3); none where there can be none."""
    return None if passkey_hindrance(origin) else urlsplit(origin).hostname


def passkey_hindrance(origin: str) -> str | None:
    """Give the key of why a desk at this address can have no passkeys: browsers want a host name, and HTTPS."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if not host or _is_address(host):
        return "staff.passkey-not-by-number"
    is_local = host == "localhost" or host.endswith(".localhost")
    return None if parts.scheme == "https" or is_local else "staff.passkey-not-without-https"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
