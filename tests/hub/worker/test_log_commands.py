# SPDX-License-Identifier: Apache-2.0
"""What an operator types about witnesses, mirror and recovery, and the policy that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.witness.answering import Witness
from connectors.witness.folder import make_folder
from connectors.witness.serve import open_witness
from consent.tlog import notes
from consent.tlog.notes import Verifier
from hub import worker
from hub.app import create_app
from hub.audit import reads, witnessing
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base.config import Settings
from hub.base.db import Database, now
from hub.base.errors import ConfigurationError
from hub.cli import main
from hub.station import open_station


@pytest.fixture
def type_in(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("TSUNAGI_ISSUER", settings.issuer)
    monkeypatch.setenv("TSUNAGI_DATA", str(settings.data))
    monkeypatch.setenv("TSUNAGI_ENV", "test")

    def _type(*words: str, code: int = 0) -> Result:
        answer = CliRunner().invoke(main, words)
        assert answer.exit_code == code, (answer.output, answer.exception)
        return answer

    return _type


def log_line(settings: Settings) -> str:
    with open_station(settings) as at:
        return at.signer.verifier.text()


def write_policy(settings: Settings, folder: Path, url: str | None = None, *, log: str | None = None) -> Settings:
    key = make_folder(folder / "w", "midori.example").verifier if not (folder / "w").exists() else None
    assert key is not None
    path = folder / "policy"
    path.write_text(
        f"log {log or log_line(settings)}\nwitness agency:midori {key.text()} {url or ''}\nquorum agency:midori\n",
        encoding="utf-8",
    )
    return replace(settings, witnesses=path)


def append(database: Database, count: int) -> None:
    with database.transaction(None) as session:
        for _ in range(count):
            entry = Entry(kind=AuditKind.CASE_NOTED, actor=HUB, parties=())
            audit.append(session, entry, now=now(session))


@pytest.fixture
def witnessed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A hub whose one witness answers."""
    folder = make_folder(tmp_path / "witness", "midori.example")
    with folder.transaction() as seen:
        seen.watch(Verifier.read(log_line(settings)))
    with open_witness(Witness(folder=folder), host="127.0.0.1", port=0) as url:
        path = tmp_path / "policy"
        lines = (f"log {log_line(settings)}", f"witness agency:midori {folder.verifier.text()} {url}")
        path.write_text("\n".join((*lines, "quorum agency:midori", "")), encoding="utf-8")
        monkeypatch.setenv("TSUNAGI_WITNESSES", str(path))
        yield replace(settings, witnesses=path)


def test_a_hub_with_witnesses_works_and_says_how_they_stand(witnessed: Settings, database: Database, type_in) -> None:
    append(database, 2)
    worker.run_due(witnessed)
    with open_station(witnessed) as at:
        at.keeper.ask_witnesses()
    said = type_in("log", "status").output
    assert said.startswith("midori.example cosigned 2 ")
    assert "— midori.example " in said
    assert said.endswith("The log is not being recovered.\n")


def test_a_restored_hub_is_brought_back_by_what_an_operator_types(
    witnessed: Settings, database: Database, type_in, hub_database, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    append(database, 3)
    worker.run_due(witnessed)
    assert "3 entries" in type_in("log", "mirror", str(mirror)).output
    with open_station(witnessed) as at:
        at.keeper.ask_witnesses()
    with psycopg.connect(hub_database.admin_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")
        for table in (
            "log_entries",
            "log_hashes",
            "log_checkpoints",
            "log_witnesses",
            "log_cosignatures",
            "log_quorums",
        ):
            owner.execute(f"delete from {table}")  # noqa: S608 - our own tables
    worker.run_due(witnessed)
    assert "agency:midori has seen 3 entries (ahead)" in type_in("log", "status", code=1).output
    assert "mirror-ahead" in type_in("log", "mirror", str(mirror), code=1).output
    assert "mirror-broken" in type_in("log", "refill", str(tmp_path / "nowhere"), code=1).output
    said = type_in("log", "refill", str(mirror)).output
    assert "Refilled from 0 to 3 entries" in said
    assert "case:noted: 3" in said
    assert "mirror-shorter" in type_in("log", "refill", str(mirror), code=1).output
    worker.run_due(witnessed)
    assert type_in("log", "status").output.endswith("The log is not being recovered.\n")
    with open_station(witnessed) as at:
        assert at.verify()
        found = at.checkpoint()
    assert found is not None
    assert found.size == 5, "and restore:begun, restore:ended"


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "witnesses-unreadable"), (b"\xff", "witnesses-unreadable"), (b"hello\n", "witnesses-bad")],
)
def test_a_policy_that_cannot_be_read_stops_the_worker(
    settings: Settings, tmp_path: Path, content: bytes | None, code: str
) -> None:
    path = tmp_path / "policy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused, open_station(replace(settings, witnesses=path)):
        pass
    assert refused.value.code == code
    assert str(path) in str(refused.value)


def test_a_policy_about_another_log_or_with_the_logs_own_key_stops_the_worker(
    settings: Settings, tmp_path: Path
) -> None:
    other = Verifier("hub.example/v1/audit", Ed25519PrivateKey.generate().public_key())
    with (
        pytest.raises(ConfigurationError, check=lambda error: error.code == "witnesses-other-log"),
        open_station(write_policy(settings, tmp_path, log=other.text())),
    ):
        pass
    own = Verifier.read(log_line(settings))
    itself = Verifier("midori.example", own.native, cosigns=True)
    (tmp_path / "policy").write_text(
        f"log {own.text()}\nwitness agency:midori {itself.text()}\nquorum agency:midori\n", encoding="utf-8"
    )
    with (
        pytest.raises(ConfigurationError, match="self-witness"),
        open_station(replace(settings, witnesses=tmp_path / "policy")),
    ):
        pass


def test_the_endpoints_show_cosignatures_and_404_before_there_are_any(
    witnessed: Settings, database: Database, client
) -> None:
    agency = "00000000-0000-4000-8000-00000000000a"
    assert client.by(agency).get("/v1/audit/checkpoint/witnessed").status_code == 404
    append(database, 1)
    worker.run_due(witnessed)
    with open_station(witnessed) as at:
        at.keeper.ask_witnesses()
    shown = [client.by(agency).get(f"/v1/audit/checkpoint{tail}").get_data(as_text=True) for tail in ("", "/witnessed")]
    for text in shown:
        note = notes.read_note(text)
        assert [line.name for line in note.signatures] == ["hub.example/v1/audit", "midori.example"]
        assert notes.read_checkpoint(note).size == 1


def test_bundles_of_entries_are_served_to_nobody(client) -> None:
    agency = "00000000-0000-4000-8000-00000000000a"
    assert client.by(agency).get("/v1/audit/tile/entries/000").status_code == 404


def test_while_the_log_is_recovered_work_waits_and_the_operator_is_told(
    settings: Settings, database: Database, jobs_database: Database, put, states
) -> None:
    put()
    with jobs_database.transaction(None) as session:
        witnessing.begin_recovery(session, code="ahead", who="officer:dpo", size=9, now=now(session))
    with open_station(settings) as at:
        for _ in range(7):
            assert at.sweep() == 0
            at.tick()
    assert states() == {"pending": 1}
    with jobs_database.transaction(None) as session:
        found = session.connection().exec_driver_sql("select kind, about from tasks").all()
    assert [tuple(one) for one in found] == [("log_damaged", "recovery-ahead:9")]
    answer = create_app(settings, database).test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"state": "degraded", "lacking": ["log"]})


def test_a_write_while_the_log_is_recovered_is_a_503_that_says_so(client, jobs_database: Database) -> None:
    agency = "00000000-0000-4000-8000-00000000000a"
    with jobs_database.transaction(None) as session:
        witnessing.begin_recovery(session, code="ahead", who="officer:dpo", size=9, now=now(session))
    anchor = {"day": "2026-01-01", "root": "ab" * 32, "count": 1}
    answer = client.by(agency).say("/v1/audit/anchors", anchor)
    assert answer.status_code == 503
    assert answer.get_json()["code"] == "log-recovering"
    assert answer.headers["Retry-After"] == "60"
    assert client.by(agency).get("/v1/audit/entries").status_code == 200
    with jobs_database.transaction(None) as session:
        assert reads.recovery(session) is not None
