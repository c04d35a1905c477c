# SPDX-License-Identifier: Apache-2.0
"""Call a witness over HTTP: one POST without redirects, bounded in time and in what is read.

The answer needs no trust: what a witness says counts by its signature alone.
"""

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

SECONDS: Final = 5.0
MOST_READ: Final = 64 * 1024
_CHUNK: Final = 8 * 1024


class NoAnswerError(Exception):
    """There was no answer that could be read: `unreachable`, `timeout`, `too-large`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer: its status and body."""

    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        """Whether the witness did what it was asked."""
        return self.status == HTTPStatus.OK


def _pool() -> PoolManager:
    return PoolManager(num_pools=32, maxsize=1, timeout=Timeout(connect=SECONDS, read=SECONDS), retries=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How witnesses are called; `seconds` bound one call, from connecting to the last byte."""

    seconds: float = 2 * SECONDS
    pool: PoolManager = field(default_factory=_pool)

    def post(self, url: str, body: bytes) -> Told:
        """Send a body and give the answer.

        Raises:
            NoAnswerError: there was none that can be read.
        """
        until = time.monotonic() + self.seconds
        try:
            answer = self.pool.request("POST", url, body=body, redirect=False, preload_content=False)
            try:
                read = bytearray()
                while chunk := answer.read1(_CHUNK):
                    read += chunk
                    if len(read) > MOST_READ:
                        raise NoAnswerError("too-large")
                    if time.monotonic() > until:
                        raise NoAnswerError("timeout")
            finally:
                answer.close()
                answer.release_conn()
        except (HTTPError, OSError, ValueError):
            raise NoAnswerError("timeout" if time.monotonic() > until else "unreachable") from None
        return Told(status=answer.status, body=bytes(read))
