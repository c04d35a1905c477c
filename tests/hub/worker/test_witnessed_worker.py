# SPDX-License-Identifier: Apache-2.0
"""A worker that runs, three witnesses as programs of their own, and an operator with all keys who rewrites the log."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from consent.tlog import notes, policy
from hub import worker
from hub.audit import keeping, reads
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base.config import Settings
from hub.base.db import Database, now
from hub.base.errors import UnavailableError
from hub.station import open_station
from tests.hub.audit.town import GROUPS, NAMES, rewrite

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
Programs = dict[str, subprocess.Popen[bytes]]


def tsunagi(folder: Path, *words: str, code: int = 0) -> Any:
    command = [sys.executable, "-m", "connectors.cli", "witness", *words, "--folder", str(folder), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


@pytest.fixture
def folders(settings: Settings, tmp_path: Path) -> dict[str, Path]:
    """Three witnesses, each made and told what to watch by typing."""
    with open_station(settings) as at:
        log = at.signer.verifier.text()
    made = {name: tmp_path / name for name in NAMES}
    for name, folder in made.items():
        tsunagi(folder, "new", f"{name.partition(':')[2]}.example")
        tsunagi(folder, "watch", log)
    return made


@pytest.fixture
def running(
    folders: dict[str, Path], settings: Settings, tmp_path: Path
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    with open_station(settings) as at:
        lines = [f"log {at.signer.verifier.text()}\n"]
    programs = {}
    for name, folder in folders.items():
        port = free_port()
        command = [sys.executable, "-m", "connectors.cli", "witness", "serve"]
        command += ["--folder", str(folder), "--port", str(port)]
        programs[name] = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        key = tsunagi_key(folder)
        lines.append(f"witness {name} {key} http://127.0.0.1:{port}\n")
    (tmp_path / "policy").write_text("".join(lines) + GROUPS, encoding="utf-8")
    yield programs
    for program in programs.values():
        program.terminate()
        program.wait(timeout=30)


def tsunagi_key(folder: Path) -> str:
    from connectors.witness.folder import open_folder

    return open_folder(folder).verifier.text()


@contextmanager
def worker_of(settings: Settings) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(settings, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=60)


def append(database: Database, count: int = 1) -> None:
    with database.transaction(None) as session:
        for _ in range(count):
            audit.append(session, Entry(kind=AuditKind.CASE_NOTED, actor=HUB, parties=()), now=now(session))


def wait_for(found: Callable[[], bool], seconds: float = 40.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found():
            return
        time.sleep(0.2)
    raise AssertionError("not-in-time")


def test_a_quorum_is_reached_a_witness_may_be_away_and_a_split_view_is_found_within_one_asking(
    settings: Settings,
    running: Programs,
    folders: dict[str, Path],
    database: Database,
    hub_database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "LOOK_EVERY", 0.3)
    told = policy.read_policy((tmp_path / "policy").read_text(encoding="utf-8"))

    def seen() -> int:
        with database.transaction(None) as session:
            found = reads.witnessed(session)
        if found is None:
            return -1
        assert policy.quorum(notes.read_note(found.note), told, now=datetime.now(UTC)).is_reached
        return found.size

    def a_minute_later() -> None:
        with psycopg.connect(hub_database.admin_url.replace("+psycopg", "")) as owner:
            owner.execute("update log_witnesses set asked_at = asked_at - interval '61 seconds'")

    def recovers() -> bool:
        with database.transaction(None) as session:
            return reads.recovery(session) is not None

    with worker_of(replace(settings, witnesses=tmp_path / "policy")):
        append(database, 5)
        wait_for(lambda: seen() >= 0)
        wait_for(lambda: _logged(database) == 5)
        a_minute_later()
        wait_for(lambda: seen() == 5)
        # one is away: the others are enough
        running["outside:daigaku"].terminate()
        running["outside:daigaku"].wait(timeout=30)
        append(database, 2)
        wait_for(lambda: _logged(database) == 7)
        a_minute_later()
        wait_for(lambda: seen() == 7)
        # the operator has every key, changes an entry, and signs everything anew
        with open_station(settings) as at:
            signer = at.signer
        with psycopg.connect(hub_database.admin_url.replace("+psycopg", ""), autocommit=True) as owner:
            owner.execute("set session_replication_role = replica")
            rewrite(owner, signer, 3)
        assert not recovers()
        a_minute_later()
        wait_for(recovers)
        with pytest.raises(UnavailableError, match="log-recovering"):
            append(database)
    shown = tsunagi(folders["agency:midori"], "show", code=1)
    (kept,) = shown["evidence"]
    assert kept["code"] == "root-differs"
    both = [notes.open_checkpoint(note, signer.verifier) for note in (kept["seen"], kept["shown"])]
    assert both[0].size == both[1].size == 7
    assert both[0].root != both[1].root, "two trees of one size, each signed by the hub: proof for anybody"


def _logged(database: Database) -> int:
    with database.transaction(None) as session:
        found = reads.checkpoint(session)
    return 0 if found is None else found.size
