# SPDX-License-Identifier: Apache-2.0
"""`tsunagi desk`: the pages open, say how the first administrator is made, and end when they are told to."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from connectors.desk import serve
from tests.connectors.cli.office import Town


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def test_the_pages_open_and_end_when_told_to(tmp_path: Path) -> None:
    office, port, seen = Town(tmp_path).found("jiritsu", "架空市相談センター"), _free_port(), []

    def visit() -> None:
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/signin", timeout=5) as answer:
                    seen.append(answer.read().decode())
                break
            except OSError:
                time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    visitor = threading.Thread(target=visit)
    visitor.start()
    said = office.type("desk", "--port", str(port), staff=None).stdout
    visitor.join()
    for number, handler in before.items():
        signal.signal(number, handler)
    assert re.search(r"[2-9A-Z]{4}(-[2-9A-Z]{4}){3}", said)
    assert "架空市相談センター" in seen[0]


def test_a_port_that_is_taken_is_said_and_nothing_is_half_made(tmp_path: Path) -> None:
    office = Town(tmp_path).found("jiritsu", "架空市相談センター")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = office.type("desk", "--port", str(taken.getsockname()[1]), code=1, staff=None)
    assert "--port" in result.stderr


class _Waiting:
    """A server whose socket is gone while it waits on it."""

    def run(self) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")


def test_a_socket_that_is_closed_at_the_end_is_no_fault_and_before_it_is_one() -> None:
    over = threading.Event()
    with pytest.raises(OSError, match="Bad file"):
        serve._serve(_Waiting(), over)
    over.set()
    serve._serve(_Waiting(), over)
