# SPDX-License-Identifier: Apache-2.0
"""Which roles there are at the hub and when a sign-in is locked: pure, the time is an argument. No
passphrase is seen here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

TRIES: Final = 10
"""Wrong passphrases that lock a sign-in."""
WINDOW: Final = timedelta(minutes=10)
"""How long wrong passphrases count, from the first of them on; the lock ends with it."""
SHORTEST_PASSPHRASE: Final = 12
"""Characters. Length is the only rule: rules about kinds of characters make passphrases worse (NIST SP
800-63B).
"""


class Role(StrEnum):
    """What a person at the hub is there for (security §2: OP and NDPO)."""

    OPERATOR = "operator"
    OFFICER = "officer"


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
