# SPDX-License-Identifier: Apache-2.0
"""Long polls: a request that finds nothing may wait for something, between transactions and never inside one.

A waiting request keeps a thread of the server, so only so many wait at once; the others get the empty page at
once, and come again as those do whose wait is over.
"""

import threading
import time
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import Field

from hub.base.queues import Wakes
from hub.base.replay import Answered
from hub.web.paging import PageQuery

LONGEST_WAIT: Final = 25
MOST_WAITING: Final = 16
"""Per process. The server has more threads than this, else waiting requests would keep out all others."""
LOOK_AGAIN: Final = 5.0
"""Seconds after which to look without having been woken: a wake-up may be lost, or come before its row may be shown."""

Look = Callable[[], tuple[Answered, bool]]
"""Looks in a transaction of its own; gives the answer, and whether it is worth waiting for a better one."""

_places = threading.BoundedSemaphore(MOST_WAITING)


class WaitingQuery(PageQuery):
    """`?limit=&cursor=&wait=`: how many seconds to wait when there is nothing."""

    wait: Annotated[int, Field(ge=0, le=LONGEST_WAIT)] = 0


def patiently(look: Look, *, seconds: float, wakes: Wakes, queue: str) -> Answered:
    """Look; while there is nothing, wait for *queue* to be woken and look again, for *seconds* at most."""
    if seconds <= 0 or not _places.acquire(blocking=False):
        return look()[0]
    try:
        until = time.monotonic() + seconds
        # listening begins before the first look, so that nothing falls between the two
        with wakes.listening(queue) as hear:
            while True:
                answer, empty = look()
                left = until - time.monotonic()
                if not empty or left <= 0:
                    return answer
                hear(min(left, LOOK_AGAIN))
    finally:
        _places.release()
