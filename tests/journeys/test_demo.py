# SPDX-License-Identifier: Apache-2.0
"""`make demo`: from nothing to a closed loop, and nothing of anybody is found at the hub."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from deploy.demo import __main__ as demo
from tests.journeys.theatre import run


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


@pytest.mark.slow
def test_the_demo_tells_two_stories_closes_their_loops_and_finds_nothing(tmp_path: Path) -> None:
    done = run("deploy.demo", "--once", "--lang", "en", "--port", str(free_port()), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-2000:] + done.stderr[-2000:]
    words = json.loads(Path(demo.__file__).with_name("words.json").read_text("utf-8"))
    assert words["found_nothing"]["en"] in done.stdout
    assert words["differs"]["en"].partition("{")[0] not in done.stdout
