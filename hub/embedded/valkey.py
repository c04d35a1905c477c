# SPDX-License-Identifier: Apache-2.0
"""Redis or Valkey as our child: a socket in the 0700 folder, nothing on disk, because it carries wake-ups only."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import redis

from hub.embedded.accounts import Account, reachable_program
from hub.embedded.binaries import find_redis
from hub.embedded.child import Child


class Valkey:
    """A Redis-like server of our own with its socket in `sockets`."""

    def __init__(self, data: Path, sockets: Path, account: Account, *, environ: Mapping[str, str] = os.environ) -> None:
        """Find the program; nothing is started.

        *Raises* ConfigurationError: with a sentence that says what to do.
        """
        found = find_redis(environ)
        program = reachable_program(found, found, data, account)
        self.socket = sockets / "valkey.sock"
        self.child = Child(
            [
                str(program),
                *("--port", "0"),
                *("--unixsocket", str(self.socket)),
                *("--unixsocketperm", "700"),
                *("--save", ""),
                *("--appendonly", "no"),
                *("--daemonize", "no"),
                *("--maxmemory", "64mb"),
                *("--maxmemory-policy", "noeviction"),
            ],
            account=account,
            log=data / "valkey.log",
            stop_signals=(signal.SIGTERM,),
        )

    @property
    def url(self) -> str:
        """Address for redis-py."""
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        """Start it and wait until it answers.

        *Raises* ConfigurationError: with a sentence that says what to do.
        """
        self.child.start_until(self.answers, seconds=20.0)

    def stop(self) -> None:
        """Stop it; what it held was disposable."""
        self.child.stop()

    def answers(self) -> bool:
        """Tell whether it answers now."""
        if not self.socket.exists():
            return False
        client = redis.Redis.from_url(self.url, socket_timeout=1.0)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
