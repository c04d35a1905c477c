# SPDX-License-Identifier: Apache-2.0
"""Erasure as people type it: an officer orders, another person confirms, the bytes go; every refusal is a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connectors.witness.folder import make_folder
from hub import worker
from hub.audit import reads
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base.config import Settings
from hub.base.db import Database, Duty, now
from hub.base.errors import ConfigurationError
from hub.cli import main
from hub.staff import service as staff
from hub.staff.rules import Role
from hub.station import open_station

PASSPHRASE = "a long made-up passphrase"
Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("TSUNAGI_ISSUER", settings.issuer)
    monkeypatch.setenv("TSUNAGI_DATA", str(settings.data))
    monkeypatch.setenv("TSUNAGI_ENV", "test")
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")

    def call(*words: str, by: str | None = None, code: int = 0) -> Result:
        signed = ("--staff", by, "--passphrase-file", str(secret)) if by else ()
        answer = CliRunner().invoke(main, ["log", "erase", *words, *signed])
        assert answer.exit_code == code, (answer.output, answer.exception)
        return answer

    return call


@pytest.fixture
def people(database: Database) -> tuple[str, str]:
    """One officer, one operator."""
    with database.transaction(None, Duty.SIGN_IN) as session:
        at = now(session)
        officer, operator = (staff.enrol(session, role, PASSPHRASE, now=at) for role in (Role.OFFICER, Role.OPERATOR))
    return officer, operator


@pytest.fixture
def first(settings: Settings, database: Database, people: tuple[str, str]) -> int:
    """Log six notes, and give the index of the first."""
    with database.transaction(None) as session:
        for _ in range(6):
            audit.append(session, Entry(kind=AuditKind.CASE_NOTED, actor=HUB, parties=()), now=now(session))
    worker.run_due(settings)
    with database.transaction(None) as session:
        found = reads.checkpoint(session)
    assert found is not None
    return found.size - 6


def empty(settings: Settings) -> list[int]:
    with open_station(settings) as at, at.seq.transaction(None) as session:
        size = reads.logged(session)
        return [index for index, body, _ in reads.stored_bodies(session, 0, size) if body is None]


def test_an_officer_orders_another_person_confirms_and_the_bytes_go(
    run: Run, people: tuple[str, str], first: int, settings: Settings
) -> None:
    officer, operator = people
    stretch = f"{first + 1}-{first + 2}"
    made = run("order", "retention_ended", stretch, str(first + 5), by=officer).output.split()[-1]
    assert empty(settings) == []
    assert "2 entries" not in run("list").output
    assert run("list").output.split()[:3] == [made, "retention_ended", "3"]
    assert "Somebody other than who ordered it" in run("confirm", made, by=officer, code=1).output
    assert "3 entries are gone" in run("confirm", made, by=operator).output
    assert empty(settings) == [first + 1, first + 2, first + 5]
    assert run("list").output.split()[4] == operator
    with open_station(settings) as at:
        assert at.verify()
    assert "confirmed this erasure" in run("confirm", made, by=operator, code=1).output


@pytest.mark.parametrize("entries", [["x"], ["1-x"], ["1-"], ["5-2"], ["1-2-3"], ["１"], ["0-99999"], ["9" * 20]])
def test_entries_that_are_not_named_exactly_are_refused(run: Run, people: tuple[str, str], entries: list[str]) -> None:
    assert "7 or 100-199" in run("order", "court_order", *entries, by=people[0], code=1).output


def test_only_an_officer_orders_and_only_what_is_there(run: Run, people: tuple[str, str], first: int) -> None:
    officer, operator = people
    assert "officer" in run("order", "court_order", str(first), by=operator, code=1).output
    assert "not in the log" in run("order", "court_order", "999", by=officer, code=1).output
    assert "needed to check the others" in run("order", "court_order", "0", by=officer, code=1).output
    for unknown in ("x", "01900000-0000-7000-8000-00000000dead"):
        run("confirm", unknown, by=officer, code=1)
    assert run("list").output == ""


@pytest.mark.parametrize(("url", "fine"), [("http://witness.example", False), ("http://127.0.0.1:1", True), ("", True)])
def test_in_production_witnesses_are_asked_over_tls(settings: Settings, tmp_path: Path, url: str, fine: bool) -> None:
    key = make_folder(tmp_path / "w", "midori.example").verifier.text()
    with open_station(settings) as at:
        log = at.signer.verifier.text()
    path = tmp_path / "policy"
    path.write_text(f"log {log}\nwitness agency:midori {key} {url}\nquorum agency:midori\n", encoding="utf-8")
    real = replace(settings, witnesses=path, environment="production")
    if fine:
        with open_station(real) as at:
            assert at.keeper.asking is not None
        return
    with pytest.raises(ConfigurationError, check=lambda error: error.code == "witnesses-not-https"):
        open_station(real).__enter__()
