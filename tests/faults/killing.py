# SPDX-License-Identifier: Apache-2.0
"""Kill -9 of the hub's processes at random, one after the other, each time once the hub is ready again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deploy.play.stage import Stage

VICTIMS: Final = ("granian", "worker", "valkey", "postgres")
READY_SECONDS: Final = 60.0


def killed(stage: Stage, times: int, chance: random.Random) -> Iterator[str]:
    """Kill so many processes, every kind in turn; say which kind it was.

    Every other time it is not the hub's child itself but one of the child's own children, where it has any.
    """
    turns = [kind for _ in range(-(-times // len(VICTIMS))) for kind in chance.sample(VICTIMS, len(VICTIMS))]
    for number, kind in enumerate(turns[:times]):
        time.sleep(chance.uniform(0.3, 2.0))
        child = _named(children(stage.pid), kind)
        if child is None:
            yield f"{kind} (down already)"
        else:
            inner = sorted(children(child))
            victim = chance.choice(inner) if number % 2 and inner else child
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
            yield kind if victim == child else f"a process of {kind}"
        wait_until_ready(stage)


def children(parent: int) -> dict[int, str]:
    """Give the children of a process with their command lines."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            of = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if of == parent:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def _named(found: dict[int, str], word: str) -> int | None:
    return next((pid for pid, command in found.items() if word in command), None)


def wait_until_ready(stage: Stage) -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{stage.url}/readyz", timeout=5).close()  # noqa: S310 - our own hub
            return
        assert time.monotonic() < until, "the hub did not come back"
        time.sleep(0.05)
