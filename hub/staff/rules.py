# SPDX-License-Identifier: Apache-2.0
"""Which roles there are at the hub, when a sign-in is locked and when a session is over: pure, the time is an
argument. No passphrase is seen here.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

TRIES: Final = 10
"""Wrong passphrases that lock a sign-in."""
WINDOW: Final = timedelta(minutes=10)
"""How long wrong passphrases count, from the first of them on; the lock ends with it."""
SHORTEST_PASSPHRASE: Final = 12
"""Characters. Length is the only rule: rules about kinds of characters make passphrases worse (NIST SP
800-63B).
"""


IDLE: Final = timedelta(minutes=10)
"""A session of the console that nothing was asked in for so long is over (bad-input WEB-06)."""
LONGEST: Final = timedelta(hours=4)
"""A session of the console is over then, whatever was asked in it (bad-input WEB-06)."""
CHALLENGED_FOR: Final = timedelta(minutes=5)
"""How long a passkey may take to answer."""
CODE_FOR: Final = timedelta(hours=24)
"""How long a one-time code waits to be used."""
CODE_SIGNS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""No I, L, O, 0, 1: codes are read aloud and typed."""
CODE_GROUPS: Final = 5
CODE_GROUP: Final = 4


class Role(StrEnum):
    """What a person at the hub is there for (security §2: OP, NDPO, AUD and ADPO, who is one agency's)."""

    OPERATOR = "operator"
    OFFICER = "officer"
    AUDITOR = "auditor"
    AGENCY_OFFICER = "agency_officer"


WITH_PASSPHRASE: Final = frozenset({Role.OPERATOR, Role.OFFICER})
"""Whose deeds the command line takes; the others have nothing to do there."""


def is_over(*, begun_at: datetime, active_at: datetime, now: datetime) -> bool:
    """Say whether a session has ended by itself: idle for too long, or too old."""
    return now >= active_at + IDLE or now >= begun_at + LONGEST


def plain_code(written: str) -> str:
    """Give the signs of a one-time code, without case, width, spaces and hyphens."""
    folded = unicodedata.normalize("NFKC", written).upper()
    return "".join(sign for sign in folded if sign in CODE_SIGNS)


def passkey_host(origin: str) -> str | None:
    """Give the host name that passkeys are bound to (WebAuthn §5.1.3); None where browsers allow none: they want a name
    and not a number, and HTTPS unless the name is this machine's own.
    """
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if not host or _is_address(host):
        return None
    is_local = host == "localhost" or host.endswith(".localhost")
    return host if parts.scheme == "https" or is_local else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """How many wrong passphrases were entered since `since`."""

    count: int
    since: datetime | None


def is_locked(tries: Tries, now: datetime) -> bool:
    """Say whether a sign-in is refused whatever is entered."""
    return tries.count >= TRIES and not _is_over(tries, now)


def after_failure(tries: Tries, now: datetime) -> Tries:
    """Count one more wrong passphrase; an old window begins anew."""
    if tries.since is None or _is_over(tries, now):
        return Tries(count=1, since=now)
    return Tries(count=tries.count + 1, since=tries.since)


def _is_over(tries: Tries, now: datetime) -> bool:
    return tries.since is None or now >= tries.since + WINDOW
