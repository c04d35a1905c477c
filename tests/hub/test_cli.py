# SPDX-License-Identifier: Apache-2.0
"""`tsunagi-hub` as an operator types it: from nothing to a hub that answers, survives kills and stops cleanly."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import ELSEWHERE, main
from hub.embedded import site
from tests.hub.conftest import short_folder

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


@pytest.fixture
def folder():
    made = short_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@contextmanager
def hub_up(folder, port, *options):
    command = [
        sys.executable,
        "-m",
        "hub.cli",
        "up",
        "--data",
        str(folder / "hub"),
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=said, stderr=said, env=clean_environment())
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def clean_environment():
    ours = ("DATABASE_URL", "REDIS_URL", "TSUNAGI_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {"LANG": "C"}


def ready(port, seconds=90):
    """Wait until the hub says it is ready; give what it says."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                said = json.load(answer), answer.headers
        except (urllib.error.URLError, OSError):
            said = None
        if said and said[0] == {"state": "ready"}:
            return said
        assert time.monotonic() < until
        time.sleep(0.2)


def listening(folder, port, seconds=60):
    """Wait until the hub says that it listens: it answers a moment before, while the rest is being started."""
    until = time.monotonic() + seconds
    while f"http://127.0.0.1:{port}" not in (folder / "said").read_text():
        assert time.monotonic() < until
        time.sleep(0.1)


def children(pid):
    """Give the children of a process by name of program: {name: pid}."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            command = entry.joinpath("cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found[" ".join(Path(part.decode()).name for part in command[:3])] = int(entry.name)
    return found


def named(found, word):
    return next(pid for name, pid in found.items() if word in name)


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")
def test_up_starts_everything_outlives_kills_and_leaves_nothing(folder):
    port = free_port()
    with hub_up(folder, port) as process:
        _, headers = ready(port)
        assert "Tsunagi-Clock" not in headers
        listening(folder, port)
        everybody = set(children(process.pid).values())
        assert len(everybody) == 4
        for word in ("postgres", "valkey", "granian", "hub.cli"):
            os.kill(named(children(process.pid), word), signal.SIGKILL)
            time.sleep(1.5)
            ready(port)
        later = children(process.pid)
        assert len(later) == 4
        assert not everybody & set(later.values())
        doctor = CliRunner().invoke(main, ["doctor", "--data", str(folder / "hub")], env={"LANG": "C"})
        assert (doctor.exit_code, doctor.output.count("good:")) == (0, 3)
        second = CliRunner().invoke(main, ["up", "--data", str(folder / "hub"), "--port", str(free_port())])
        assert second.exit_code == 1
        assert "--data" in second.output
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert [pid for pid in later.values() if Path(f"/proc/{pid}").exists()] == []
    assert not (folder / "hub" / "pg" / "postmaster.pid").exists()
    for log in ("web.log", "worker.log"):
        assert "Traceback" not in (folder / "hub" / log).read_text()


@pytest.mark.slow
def test_a_rehearsal_says_so_and_is_refused_by_production(folder):
    port, figures = free_port(), free_port()
    with hub_up(folder, port, "--play", "--metrics-port", str(figures)) as process:
        _, headers = ready(port)
        listening(folder, port)
        assert headers["Tsunagi-Clock"] == "play"
        with urllib.request.urlopen(f"http://127.0.0.1:{figures}/metrics") as answer:
            assert b'tsunagi_requests_total{method="GET",route="/readyz",status="200"}' in answer.read()
        told = site.environment(folder / "hub") | {"TSUNAGI_ENV": "production", "TSUNAGI_ISSUER": "https://hub.example"}
        for command in (["worker"], ["serve", "--port", str(free_port())]):
            refused = subprocess.run(
                [sys.executable, "-m", "hub.cli", *command],
                cwd=ROOT,
                env=clean_environment() | told,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert (refused.returncode, "play clock" in refused.stderr) == (1, True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_a_taken_port_is_named_before_anything_starts(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = CliRunner().invoke(main, ["up", "--data", str(folder / "hub"), "--port", str(port)])
    assert said.exit_code == 1
    assert f"127.0.0.1:{port}" in said.output
    assert "--port" in said.output
    assert not (folder / "hub" / "pg").exists()


@pytest.mark.parametrize("command", ["migrate", "serve", "worker", "doctor"])
def test_without_settings_each_command_says_which_one_is_missing(command, monkeypatch):
    for name in ("DATABASE_URL", "TSUNAGI_ISSUER"):
        monkeypatch.delenv(name, raising=False)
    said = CliRunner().invoke(main, [command])
    assert said.exit_code == 1
    assert "DATABASE_URL" in said.output


def given(place, **more):
    return {
        "DATABASE_URL": place.url,
        "TSUNAGI_MIGRATION_URL": place.admin_url,
        "TSUNAGI_ISSUER": "https://hub.example",
        "TSUNAGI_ENV": "production",
        "LANG": "C",
        **more,
    }


def test_migrate_says_where_the_database_stands(hub_database):
    said = CliRunner().invoke(main, ["migrate"], env=given(hub_database))
    assert (said.exit_code, "revision" in said.output) == (0, True)


def test_migrate_makes_no_play_clock_in_production(hub_database):
    said = CliRunner().invoke(main, ["migrate", "--play"], env=given(hub_database))
    assert (said.exit_code, "rehearsal" in said.output) == (1, True)
    again = CliRunner().invoke(main, ["migrate", "--play"], env=given(hub_database, TSUNAGI_ENV="play"))
    assert again.exit_code == 0


def test_the_doctor_names_what_is_away(hub_database):
    env = given(hub_database, DATABASE_URL="postgresql://x@/none?host=/nonexistent", REDIS_URL="unix:///nonexistent")
    said = CliRunner().invoke(main, ["doctor"], env=env)
    assert (said.exit_code, said.output.count("needs attention")) == (1, 3)
    assert "DATABASE_URL" in said.output


def test_the_operator_may_read_japanese(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    said = CliRunner().invoke(main, ["doctor"], env={"LANG": "ja_JP.UTF-8", "LC_ALL": None})
    assert "環境変数" in said.output


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_a_group_that_is_loaded_when_asked_for_is_named_and_opens(name):
    assert name in CliRunner().invoke(main, ["--help"]).output
    said = CliRunner().invoke(main, [name, "--help"])
    assert (said.exit_code, "Commands:" in said.output) == (0, True)


def test_what_starts_the_hub_does_not_load_what_the_hub_is_made_of():
    parts = ("hub.worker", "hub.app", "hub.cli_agencies")
    look = f"import sys, hub.cli; print([one for one in {parts} if one in sys.modules])"
    said = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
