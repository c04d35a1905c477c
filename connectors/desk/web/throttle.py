# SPDX-License-Identifier: Apache-2.0
"""How many tries somebody has: ten in ten minutes (WEB-15), kept in memory only."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MOST_TRIES: Final = 10
WINDOW: Final = timedelta(minutes=10)
_MOST_KEYS: Final = 10_000


@dataclass(kw_only=True)
class Throttle:
    """Tries of the last ten minutes, by whose they are; the oldest names go first where there are too many."""

    _tries: dict[str, deque[datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, names: Iterable[str], now: datetime) -> timedelta | None:
        """Count a try for each name, or give how long it takes until the next is let through and count none."""
        listed = list(names)
        with self._lock:
            waits = [self._recent(name, now) for name in listed]
            full = [tries[0] + WINDOW - now for tries in waits if len(tries) >= MOST_TRIES]
            if full:
                return max(full)
            for name, tries in zip(listed, waits, strict=True):
                tries.append(now)
                self._tries.pop(name, None)
                self._tries[name] = tries
            while len(self._tries) > _MOST_KEYS:
                del self._tries[next(iter(self._tries))]
        return None

    def succeeded(self, source: str, names: Iterable[str]) -> None:
        """Forget the tries of an account that let its owner in, and the one that this source made for it."""
        with self._lock:
            for name in names:
                self._tries.pop(name, None)
            if self._tries.get(source):
                self._tries[source].pop()

    def _recent(self, name: str, now: datetime) -> deque[datetime]:
        tries = self._tries.get(name, deque())
        while tries and tries[0] <= now - WINDOW:
            tries.popleft()
        return tries
