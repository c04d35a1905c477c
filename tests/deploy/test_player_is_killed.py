# SPDX-License-Identifier: Apache-2.0
"""A player that is killed leaves no hub behind: each process ends with the one that started it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hub.conftest import short_folder
from tests.journeys.theatre import OURS, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")]
PATIENCE = 60.0
PARTS = ("hub.cli up", "postgres", "valkey", "granian", "hub.cli worker")


def marked(mark: str) -> dict[int, str]:
    """Give the command of every process that has the mark in its environment or command; the dying do not count."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes()
            known = command + (place / "environ").read_bytes()
        except OSError:
            continue
        if command and mark.encode() in known:
            found[int(place.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def wait_until(holds) -> bool:
    until = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def test_a_player_that_is_killed_takes_its_hub_with_it() -> None:
    folder = short_folder()
    environ = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    player = subprocess.Popen(
        [sys.executable, "-m", "deploy.play", str(OURS[0])], cwd=folder, env=environ, stdout=subprocess.DEVNULL
    )
    try:
        assert wait_until(lambda: all(any(part in one for one in marked(str(folder)).values()) for part in PARTS))
        player.kill()
        player.wait()
        assert wait_until(lambda: not marked(str(folder))), marked(str(folder))
    finally:
        player.kill()
        for pid in marked(str(folder)):
            os.kill(pid, 9)
        shutil.rmtree(folder, ignore_errors=True)
