# SPDX-License-Identifier: Apache-2.0
"""Bring what a page queued to the hub while the person waits a moment, and say whether it got there.

A deed is a row of the casebook's outbox, committed before anything is sent. If the hub answers in time the page shows
its answer; if not, the row goes on waiting and the page says so. Nothing is lost either way.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from connectors.base.errors import ConnectorError
from connectors.casebook import deeds, outgoing
from connectors.casebook.deeds import Deed
from connectors.sdk.problems import ProblemError
from connectors.sync.connector import Connector

PATIENCE: Final = 4.0
"""Seconds a person waits for the hub's answer before the page says "waiting to be sent"."""
_LOOK_EVERY: Final = 0.02


class Courier(Protocol):
    """Carries rows of the outbox to the hub."""

    def deliver(self, key: str) -> Deed:
        """Try to have a queued row answered; give it as it stands after that."""
        ...

    def begin(self) -> bool:
        """Have all that waits sent while the person goes on; False where nobody does so by themselves."""
        ...


@dataclass(kw_only=True)
class LineState:
    """How the line to the hub is, as the banner says it: when it answered last, what waits, what went wrong last."""

    answered_at: datetime | None = None
    failing_since: datetime | None = None
    code: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, now: datetime) -> None:
        """Note that the hub answered."""
        with self._lock:
            self.answered_at, self.failing_since, self.code = now, None, None

    def failed(self, error: Exception, now: datetime) -> None:
        """Note that a round failed; only the class of the failure is kept."""
        with self._lock:
            self.failing_since = self.failing_since or now
            self.code = error.code if isinstance(error, ConnectorError) else "unexpected"


@dataclass(frozen=True, kw_only=True)
class Nudge:
    """The courier of a running desk: wakes the sync loop and looks until it has settled the row."""

    connector: Connector
    nudge: Callable[[], None]
    patience: float = PATIENCE

    def begin(self) -> bool:
        """Wake the loop."""
        self.nudge()
        return True

    def deliver(self, key: str) -> Deed:
        """Wake the loop and wait for it, at most `patience` seconds.

        *Raises* KeyError: there is no such row, which is a mistake of the program.
        """
        self.nudge()
        until = time.monotonic() + self.patience
        while True:
            deed = _look(self.connector, key)
            if deed.state != "waiting" or deed.tries > 0 or time.monotonic() > until:
                return deed
            time.sleep(_LOOK_EVERY)


@dataclass(frozen=True, kw_only=True)
class Direct:
    """A courier that sends by itself, where no loop runs: tests, and a desk that was told to work without one."""

    connector: Connector

    def begin(self) -> bool:
        """There is no loop here."""
        return False

    def deliver(self, key: str) -> Deed:
        """Send what waits; a hub that does not answer leaves it waiting."""
        with contextlib.suppress(ConnectorError, ProblemError):
            self.connector.push()
        return _look(self.connector, key)


def count_waiting(connector: Connector) -> int:
    """Count what waits to be sent."""
    with connector.casebook.transaction() as connection:
        return outgoing.count_waiting(connection)


def _look(connector: Connector, key: str) -> Deed:
    with connector.casebook.transaction() as connection:
        deed = deeds.find(connection, key)
    if deed is None:
        raise KeyError(key)
    return deed
