# SPDX-License-Identifier: Apache-2.0
"""How often, how long and when: the figures and the one machine of the outbox, without a clock.

`pending → leased → done | dead`. A lease that runs out is as good as pending; the attempt that it stood for
counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

LEASE: Final = timedelta(seconds=60)
MAX_ATTEMPTS: Final = 5
FIRST_WAIT: Final = timedelta(seconds=2)
WAIT_FACTOR: Final = 4
QUEUE: Final = "outbox"
"""The name of the queue that carries the wake-ups."""


class WorkState(StrEnum):
    """Where one row of the outbox stands."""

    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One thing to do: a topic and an id, never content. `id` is the key by which effects outside are made
    once.
    """

    id: str
    topic: str
    about: str
    agency: str | None
    attempt: int
    """Which try this is, from 1."""
    at: datetime
    """When it was asked for."""


def next_try(*, attempt: int, now: datetime) -> datetime | None:
    """Return when to try again after the failed try number *attempt*, or None when it is given up.

    2, 8, 32, 128 seconds: five tries lie within three minutes, which outlasts a restart of anything we call.
    """
    if attempt >= MAX_ATTEMPTS:
        return None
    waits: int = WAIT_FACTOR ** (attempt - 1)
    return now + FIRST_WAIT * waits
