# SPDX-License-Identifier: Apache-2.0
"""Wake-ups for the worker. The work itself lies in the database's outbox; Redis may lose everything at any time.

A wake-up is one RQ job that names a queue of work and nothing else. While one waits to be run, further ones for the
same queue are left out; the worker takes the mark away (`answered`) *before* it looks for work, so none is missed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import redis
import structlog
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker

QUEUE: Final = "tsunagi"
HANDLER: Final = "hub.worker.woken"  # called with the name of the queue of work
MARK_SECONDS: Final = 15
PAUSE_SECONDS: Final = 5.0
FEED: Final = "feed:"
ANY_FEED: Final = "feed:*"
"""What to listen to for a wake-up of anybody's feed."""
LOOK_AGAIN_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Wakes:
    """Sends wake-ups; harmless when Redis is away or was never configured."""

    def __init__(self, redis_url: str | None) -> None:
        """Prepare; nothing is connected yet."""
        self._redis = connect(redis_url) if redis_url else None
        self._paused_until = 0.0

    def wake(self, queue: str) -> None:
        """Ask the worker to look at `queue` now; without Redis the sweep finds the work within seconds."""
        if self._redis is None or time.monotonic() < self._paused_until:
            return
        try:
            if queue.startswith(FEED):
                # nobody's work: requests that wait for this feed hear it, and else nobody
                self._redis.publish(queue, b"1")
            elif self._redis.set(_mark(queue), b"1", nx=True, ex=MARK_SECONDS):
                Queue(QUEUE, connection=self._redis).enqueue(HANDLER, queue, result_ttl=0, failure_ttl=0)
        except RedisError:
            # one slow attempt, then none for a while: requests must not wait for what is only a convenience
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("queue:unreachable")

    @contextmanager
    def listening(self, queue: str) -> Iterator[Callable[[float], None]]:
        """Listen to a feed; gives a function that returns when it is woken, or after that many seconds.

        Without Redis the function returns after a second at most, so that the caller looks for itself.
        """
        if self._redis is None:
            yield _doze
            return
        with self._redis.pubsub(ignore_subscribe_messages=True) as ear:  # type: ignore[no-untyped-call]  # redis-py

            def hear(seconds: float) -> None:
                try:
                    ear.get_message(timeout=seconds)
                except RedisError:
                    _doze(seconds)

            try:
                # nothing but the `*` of ANY_FEED is a pattern: agencies are ids
                ear.psubscribe(queue)
            except RedisError:
                hear = _doze
            yield hear

    def answered(self, queue: str) -> None:
        """Say that the worker is about to look at `queue`: later changes need a wake-up of their own."""
        if self._redis is None:
            return
        try:
            self._redis.delete(_mark(queue))
        except RedisError:
            log.warning("queue:unreachable")

    def listeners(self) -> dict[str, str] | None:
        """Give the state of every RQ worker that listens, by name; None when Redis is away or was never configured."""
        if self._redis is None:
            return None
        try:
            return {one.name: str(one.get_state()) for one in Worker.all(connection=self._redis)}
        except RedisError:
            return None

    def alive(self) -> bool:
        """Tell whether Redis answers; True where none is configured."""
        try:
            return self._redis is None or bool(self._redis.ping())
        except RedisError:
            return False

    def close(self) -> None:
        """Close every connection to Redis; the next wake-up opens another."""
        if self._redis is not None:
            self._redis.close()


def connect(redis_url: str) -> redis.Redis:
    """Connect to Redis with short patience and no retries of its own."""
    return redis.Redis.from_url(redis_url, socket_connect_timeout=0.5, socket_timeout=1.0, retry=Retry(NoBackoff(), 0))


def feed(agency: str) -> str:
    """Name the queue that is woken when there is something new for `agency`."""
    return f"{FEED}{agency}"


def _doze(seconds: float) -> None:
    time.sleep(min(seconds, LOOK_AGAIN_SECONDS))


def _mark(queue: str) -> str:
    return f"tsunagi:wake:{queue}"
