# SPDX-License-Identifier: Apache-2.0
"""Send what is due, to several webhooks at once, so that one that is slow or dead holds up itself and few others.

No transaction is open while the hub waits for somebody else's server.
"""

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

import structlog

from hub.base.db import Database, now
from hub.base.queues import ANY_FEED, Wakes
from hub.webhooks import delivering
from hub.webhooks.delivering import Parcel
from hub.webhooks.rules import Outcome
from hub.webhooks.sending import Line, Sent

LANES: Final = 16
"""Calls at once. Whoever has waited longest goes first, and after each event a webhook goes to the end of the line."""
LOOK_AGAIN: Final = 1.0
LOOK_SOON: Final = 0.2
"""Seconds after which to look for more while calls are under way."""
ROUNDS: Final = 60
"""Looks until the wake-ups are listened to anew: Redis may have been away."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Couriers:
    """Who carries events to webhooks: the worker's database, what it is woken by, and how it calls."""

    database: Database
    wakes: Wakes
    line: Line

    def deliver(self, stop: threading.Event | None = None) -> int:
        """Deliver until nothing is due or *stop* is set; return how many calls were made, well or not."""
        made, under_way = 0, set[Future[None]]()
        with ThreadPoolExecutor(LANES, thread_name_prefix="webhooks") as lanes:
            while True:
                parcel = None
                if len(under_way) < LANES and not (stop and stop.is_set()):
                    parcel = self._take()
                if parcel is not None:
                    made += 1
                    under_way.add(lanes.submit(self._carry, parcel))
                elif under_way:
                    under_way = wait(under_way, timeout=LOOK_SOON, return_when=FIRST_COMPLETED).not_done
                else:
                    return made

    def keep_delivering(self, stop: threading.Event) -> None:
        """Deliver until *stop* is set: whenever something is told to anybody, and every second besides."""
        while not stop.is_set():
            with self.wakes.listening(ANY_FEED) as hear:
                for _ in range(ROUNDS):
                    if stop.is_set():
                        return
                    try:
                        self.deliver(stop)
                    except Exception:
                        log.exception("webhooks:failed")
                        stop.wait(LOOK_AGAIN)
                    hear(LOOK_AGAIN)

    def _take(self) -> Parcel | None:
        with self.database.transaction(None) as session:
            return delivering.take(session, reach=self.line.reach, now=now(session))

    def _carry(self, parcel: Parcel) -> None:
        """Send one parcel; if writing down how it went fails, the lease runs out and it goes again."""
        try:
            began = time.monotonic()
            sent = self._sent(parcel)
            took = round((time.monotonic() - began) * 1000)
            with self.database.transaction(None) as session:
                delivering.settle(session, parcel, sent, milliseconds=took, now=now(session))
        except Exception:
            log.exception("webhook:unsettled", webhook=parcel.webhook)

    def _sent(self, parcel: Parcel) -> Sent:
        if parcel.to is None:
            return Sent(outcome=Outcome.ADDRESS_REFUSED)
        if parcel.signature is None:
            return Sent(outcome=Outcome.SECRET_UNREADABLE)
        return self.line.post(parcel.to, parcel.headers, parcel.body.encode())
