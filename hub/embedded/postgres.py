# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL as our child: made once in the data folder, reached by one socket in a 0700 folder, never over a
network.

Peer authentication: the operating system says who calls, there is no password to lose. Two logins: `tsn_admin`
(superuser, migrations) and `tsn_login` (requests and jobs; it may only become tsn_hub, tsn_job, tsn_seq, tsn_dpo).
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from hub.base.errors import ConfigurationError
from hub.embedded.accounts import choose_account, open_data_folder, reachable_program, socket_folder
from hub.embedded.binaries import find_postgres
from hub.embedded.child import Child

ADMIN: Final = "tsn_admin"
LOGIN: Final = "tsn_login"
DATABASE: Final = "tsunagi"
BUILTIN_LOCALE: Final = 17
CRASH_RECOVERY_SECONDS: Final = 120.0


class Postgres:
    """A PostgreSQL of our own in `data`/pg.

    `options` are further server settings, e.g. {"fsync": "off"} for tests.
    """

    def __init__(
        self, data: Path, *, options: Mapping[str, str] | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        """Find the program, the user and the folders; nothing is started.

        *Raises* ConfigurationError: with a sentence that says what to do.
        """
        self.account = choose_account()
        self.data = open_data_folder(data, self.account)
        self.cluster = self.data / "pg"
        self.binaries = find_postgres(environ, _version_of(self.cluster))
        self.programs = reachable_program(
            self.binaries.folder / "postgres", self.binaries.folder.parent, self.data, self.account
        ).parent
        self.sockets = socket_folder(self.data, self.account)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "hba_file": str(self.cluster / "pg_hba.conf"),
            "timezone": "UTC",
            "log_timezone": "UTC",
            # PostgreSQL's own log repeats values of statements and keys otherwise (bad-input LOG-03)
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "log_parameter_max_length_on_error": "0",
            "lc_messages": "C",
            **(options or {}),
        }
        arguments = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        self.child = Child(
            [str(self.programs / "postgres"), "-D", str(self.cluster), *arguments],
            account=self.account,
            log=self.data / "postgres.log",
            stop_signals=(signal.SIGINT, signal.SIGQUIT),
        )

    def url(self, login: str = LOGIN, database: str = DATABASE) -> str:
        """Give the address of a database for `login`."""
        return f"postgresql+psycopg://{login}@/{database}?host={self.sockets}"

    def start(self) -> None:
        """Make the cluster if there is none, start it, recover if need be, make the login and the database.

        *Raises* ConfigurationError: with a sentence that says what to do.
        """
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise()
        self._say_who_may_enter()
        self.child.start_until(self.answers, seconds=CRASH_RECOVERY_SECONDS)
        self._make_database()

    def restart(self) -> None:
        """Start it again after it died; crash recovery included."""
        self.child.start_until(self.answers, seconds=CRASH_RECOVERY_SECONDS)

    def stop(self) -> None:
        """Stop it: running transactions end, the data is left clean; a temporary socket folder goes."""
        self.child.stop()
        if self.data not in self.sockets.parents:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def answers(self) -> bool:
        """Tell whether it takes connections now."""
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self.sockets), user=ADMIN, dbname=database, autocommit=True, connect_timeout=5)

    def _initialise(self) -> None:
        # made aside and renamed when whole: an initdb cut off half-way must not look like a cluster
        new = self.data / "pg-new"
        shutil.rmtree(new, ignore_errors=True)
        self.account.folder(new)
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if self.binaries.major >= BUILTIN_LOCALE
            else ["--locale=C.UTF-8"]
        )
        command = [str(self.programs / "initdb"), "-D", str(new), "-U", ADMIN, "-E", "UTF8", "-k"]
        command += ["--auth-local=peer", "--auth-host=reject", *locale]
        made = subprocess.run(  # noqa: S603 - a program we found
            command, cwd="/", capture_output=True, check=False, **self.account.popen()
        )
        if made.returncode != 0:
            log = self.data / "initdb.log"
            log.write_bytes(made.stdout + made.stderr)
            raise ConfigurationError("child-failed", program="initdb", log=log)
        new.rename(self.cluster)

    def _say_who_may_enter(self) -> None:
        """Let the operating system's user of this hub in, as our two logins, over the socket; nobody else."""
        caller = pwd.getpwuid(os.getuid()).pw_name
        rules = {
            "pg_hba.conf": f"local all {ADMIN},{LOGIN} peer map=tsunagi\n",
            "pg_ident.conf": "".join(f"tsunagi {caller} {login}\n" for login in (ADMIN, LOGIN)),
        }
        for name, text in rules.items():
            path = self.cluster / name
            path.write_text(text, "utf-8")
            if self.account.drop:
                os.chown(path, self.account.uid, self.account.gid)
            path.chmod(0o600)

    def _make_database(self) -> None:
        with self._connect("postgres") as connection:
            if not connection.execute("select 1 from pg_roles where rolname = %s", [LOGIN]).fetchone():
                connection.execute(sql.SQL("create role {} login noinherit").format(sql.Identifier(LOGIN)))
            if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(DATABASE)))


def _version_of(cluster: Path) -> int | None:
    """Read which version made the cluster; None when there is none yet."""
    path = cluster / "PG_VERSION"
    return int(path.read_text("ascii").split(".")[0]) if path.exists() else None
