# SPDX-License-Identifier: Apache-2.0
"""One machine, everything on it: PostgreSQL, Valkey, the web server and the worker, kept running until told to
stop.

The folder's lock says that one hub runs in it. `hub.env` in it tells other commands of this machine (`tsunagi-hub …
--data`) where the database is; it holds socket paths and no secret, because the operating system says who calls.
"""

import contextlib
import fcntl
import os
import pwd
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from hub.base.errors import ConfigurationError
from hub.embedded.accounts import Account
from hub.embedded.child import Child
from hub.embedded.postgres import ADMIN, LOGIN, Postgres
from hub.embedded.valkey import Valkey

ENVIRONMENT_FILE: Final = "hub.env"
WATCH_SECONDS: Final = 0.5
READY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """How the web server is to run; `metrics` is a folder in which its processes keep their figures together."""

    host: str
    port: int
    workers: int
    threads: int
    metrics: Path

    @property
    def address(self) -> str:
        """Where it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@contextlib.contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the folder's lock.

    *Raises* ConfigurationError: a running hub holds it.
    """
    with _lock_file(data) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError("folder-in-use", folder=data) from None
        yield


def check_port(host: str, port: int) -> None:
    """See that the address is free.

    *Raises* ConfigurationError: it is not, or there is no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError:
            raise ConfigurationError("port-taken", address=f"{host}:{port}") from None


def environment(data: Path) -> dict[str, str]:
    """Read what the hub running in `data` told the other commands; empty when none ever ran there."""
    try:
        lines = (data / ENVIRONMENT_FILE).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


class Store:
    """PostgreSQL and Valkey of one data folder."""

    def __init__(self, data: Path, *, environ: Mapping[str, str] = os.environ) -> None:
        """Find programs, user and folders; nothing is started.

        *Raises* ConfigurationError: with a sentence that says what to do.
        """
        self.postgres = Postgres(data, environ=environ)
        self.valkey = Valkey(self.postgres.data, self.postgres.sockets, self.postgres.account, environ=environ)

    def start(self) -> None:
        """Start both; crash recovery included.

        *Raises* ConfigurationError: with a sentence that says what to do.
        """
        self.postgres.start()
        self.valkey.start()

    def stop(self) -> None:
        """Stop both, the database last."""
        self.valkey.stop()
        self.postgres.stop()

    def settings(self, issuer: str, environment_name: str) -> dict[str, str]:
        """Give the environment of a hub that stands on this store, and keep it for other commands (`environment`)."""
        data = self.postgres.data
        given = {
            "DATABASE_URL": self.postgres.url(LOGIN),
            "TSUNAGI_MIGRATION_URL": self.postgres.url(ADMIN),
            "REDIS_URL": self.valkey.url,
            "TSUNAGI_ISSUER": issuer,
            "TSUNAGI_DATA": str(data),
            "TSUNAGI_ENV": environment_name,
            # the database is ours and nothing stands between: plans are worth keeping
            "TSUNAGI_PREPARE_THRESHOLD": "5",
        }
        path = data / ENVIRONMENT_FILE
        path.write_text("".join(f"{name}={value}\n" for name, value in given.items()), "utf-8")
        path.chmod(0o600)
        return given


def web_child(web: Web, environ: Mapping[str, str], log: Path) -> Child:
    """Prepare the web server: granian, WSGI, the app made by its factory in every process."""
    options = {
        "--interface": "wsgi",
        "--host": web.host,
        "--port": str(web.port),
        "--workers": str(web.workers),
        "--blocking-threads": str(web.threads),
        "--http": "1",
        # a slow sender of headers holds no thread, and header blocks end at what we read (bad-input HTT-21)
        "--http1-header-read-timeout": "10000",
        "--http1-buffer-size": "65536",
        "--log-level": "warning",
        "--workers-kill-timeout": "10",
    }
    command = [sys.executable, "-m", "granian", "--factory", "--no-ws", "--respawn-failed-workers"]
    for name, value in options.items():
        command += [name, value]
    return Child(
        [*command, "hub.app:from_environment"],
        account=ourselves(),
        log=log,
        stop_signals=(signal.SIGTERM,),
        # many threads, few at work: one heap for two of them is enough, else each keeps a heap of its own
        environ={
            "MALLOC_ARENA_MAX": "2",
            **os.environ,
            **environ,
            "PROMETHEUS_MULTIPROC_DIR": str(web.metrics),
        },
        alone=True,
    )


def worker_child(environ: Mapping[str, str], log: Path) -> Child:
    """Prepare the worker: outbox, timers and the log's sequencer."""
    return Child(
        [sys.executable, "-m", "hub.cli", "worker"],
        account=ourselves(),
        log=log,
        stop_signals=(signal.SIGTERM,),
        environ={**os.environ, **environ},
        alone=True,
    )


def answers(web: Web) -> Callable[[], bool]:
    """Make the question whether the web server takes connections."""

    def ask() -> bool:
        try:
            socket.create_connection((web.host, web.port), timeout=1.0).close()
        except OSError:
            return False
        return True

    return ask


def watch(
    children: Mapping[Child, Callable[[], None]], stopping: Callable[[], bool], told: Callable[[Child], None]
) -> None:
    """Keep the children running until `stopping`; each comes with the way to start it again after it died.

    Call it from the main thread: the children's end is tied to the thread that starts them.
    """
    while not stopping():
        for child, again in children.items():
            if not child.running and not stopping():
                told(child)
                again()
        time.sleep(WATCH_SECONDS)


def ourselves() -> Account:
    """Give the user this process runs as, name or no name."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Account(name=name, uid=uid, gid=os.getgid(), drop=False)


def _lock_file(data: Path) -> IO[str]:
    try:
        return (data / ".lock").open("w")
    except OSError as error:
        raise ConfigurationError("folder-not-writable", folder=data) from error
