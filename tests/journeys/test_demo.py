# SPDX-License-Identifier: Apache-2.0
"""`make demo`: from nothing to a closed loop, and nothing of anybody is found at the hub."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup

from deploy.demo import __main__ as demo
from hub.staff.rules import Role
from tests.journeys.theatre import OURS, Theatre, read, run


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
    assert re.search(r"/console \(one-time code [0-9A-Za-z-]{8,},", done.stdout)
    assert words["differs"]["en"].partition("{")[0] not in done.stdout


@pytest.mark.slow
def test_the_code_that_the_demo_prints_lets_an_officer_into_the_console_once(theatre: Theatre) -> None:
    if theatre.stage is None:
        theatre.play(read(OURS[0]))
    stage = theatre.stage
    assert stage is not None
    code = stage.invite(Role.OFFICER)
    for expected in (200, 422):
        with requests.Session() as browser:
            form = BeautifulSoup(browser.get(f"{stage.url}/console", timeout=20).text, "html.parser").select_one(
                "form:has([name=code])"
            )
            assert form is not None
            hidden = {str(one["name"]): str(one.get("value", "")) for one in form.select("input[name]")}
            answer = browser.post(f"{stage.url}/console/signin", {**hidden, "code": code}, timeout=20)
            assert answer.status_code == expected
            came = browser.get(f"{stage.url}/console/reviews", timeout=20).url
            assert ("/signin" in came) == (expected != 200)
