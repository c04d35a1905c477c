# SPDX-License-Identifier: Apache-2.0
"""Keep an agency in step with its hub: two plain threads, no queue, nothing to install.

One sends, whenever it is nudged and every half minute; the other listens to the hub's feed and makes a whole round when
something was heard, and every 20 seconds, for what no event tells (new agencies, what time brings); after five seconds
when the log was behind with a message that had come. While the hub is away both wait longer and longer, and nothing is
lost: what waits is in the casebook.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Self

from connectors.base.errors import HubAwayError
from connectors.sync import news
from connectors.sync.connector import Connector, Synced

SEND_EVERY: Final = 30.0
LISTEN_FOR: Final = 20
"""Seconds that one request waits for news."""
ROUND_EVERY: Final = 20.0
"""Seconds after which a whole round is made though nothing was heard."""
_SOON: Final = 5.0
"""The same, when a message lies at the hub that the log did not show yet: no event tells when it does."""
_AT_LEAST: Final = 0.5
"""Seconds between two questions to a hub that says at once that there is no news."""
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


class Loop:
    """Runs a connector until it is stopped; `with Loop(connector): …` starts and stops it.

    `heard` is told of every round, `failed` of every one that failed (also because the hub is away), each on the loop's
    own threads.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        heard: Callable[[Synced], None] = lambda _: None,
        failed: Callable[[Exception], None] = lambda _: None,
        listen_for: int = LISTEN_FOR,
    ) -> None:
        """Take the connector and whoever wants to hear of its rounds; nothing runs yet."""
        self._connector = connector
        self._heard = heard
        self._failed = failed
        self._listen_for = listen_for
        self._stopping = threading.Event()
        self._nudged = threading.Event()
        self._threads = (
            threading.Thread(target=self._run, args=(self._round,), name="sync-rounds", daemon=True),
            threading.Thread(target=self._run, args=(self._send,), name="sync-sending", daemon=True),
        )

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def nudge(self) -> None:
        """Say that something waits to be sent, so that it goes out now."""
        self._nudged.set()

    def stop(self, timeout: float | None = None) -> None:
        """Finish what is in hand and stop; a request that listens is waited for, at most `timeout` seconds each."""
        self._stopping.set()
        self._nudged.set()
        for thread in self._threads:
            thread.join(timeout)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, deed: Callable[[], None]) -> None:
        """Do a deed again and again; after a failure wait, twice as long each time."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                deed()
            except Exception as error:  # noqa: BLE001 - a loop that has ended is worse than a round that failed
                self._failed(error)
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE

    def _round(self) -> None:
        synced = self._connector.sync()
        self._heard(synced)
        if any(one.outcome == "unproved" for one in synced.collected):
            self._stopping.wait(_SOON)
            return
        until = time.monotonic() + ROUND_EVERY
        while not self._stopping.is_set() and time.monotonic() < until:
            asked = time.monotonic()
            if news.heed(self._connector, wait=self._listen_for):
                return
            if time.monotonic() - asked < _AT_LEAST:  # something in between answers without waiting
                self._stopping.wait(_AT_LEAST)

    def _send(self) -> None:
        self._nudged.clear()
        if self._connector.push().hub_away:
            raise HubAwayError("hub-away", url=self._connector.settings.hub)
        if not self._stopping.is_set():
            self._nudged.wait(SEND_EVERY)
