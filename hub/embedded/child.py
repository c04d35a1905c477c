# SPDX-License-Identifier: Apache-2.0
"""One program as our child: started, asked whether it lives, stopped; it ends when we end, however we end."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from hub.base.errors import ConfigurationError
from hub.embedded.accounts import Account

PR_SET_PDEATHSIG: Final = 1
LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """A program that runs as `account` and writes its log into `log`.

    `stop_signals` are tried in order, with `patience` seconds for each.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        account: Account,
        log: Path,
        stop_signals: Sequence[signal.Signals],
        patience: float = 20.0,
        environ: Mapping[str, str] | None = None,
        alone: bool = False,
    ) -> None:
        """Remember how to start it; nothing runs yet.

        `environ` is its whole environment (None: ours); `alone`: what a dead one left running is ended before the next.
        """
        self.command = list(command)
        self.program = Path(self.command[0]).name
        self.log = log
        self._account = account
        self._stop_signals = stop_signals
        self._patience = patience
        self._environ = environ
        self._alone = alone
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the program runs now."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Number of the process, for whoever looks after it."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the program. Its end is tied to the *thread* that calls this: call it from the main thread."""
        last, parent = self._stop_signals[0], os.getpid()
        if self._alone and self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a program we found
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/" if self._account.drop else None,
                env=None if self._environ is None else dict(self._environ),
                # Ctrl-C goes to us alone: we stop the children in our own order
                start_new_session=True,
                preexec_fn=(lambda: _end_with_parent(last, parent)),  # noqa: PLW1509 - two system calls, before any thread of the child
                **self._account.popen(),
            )

    def start_until(self, ready: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Start the program and wait until `ready`; start it again while it ends early.

        After a crash the predecessor's lock or shared memory may outlive it for a moment (libraries §1, README §3 D4).

        *Raises* ConfigurationError: child-failed or child-slow, naming the log.
        """
        until = time.monotonic() + seconds
        give_up = time.monotonic() + min(seconds, 20.0)
        self.start()
        while not ready():
            if not self.running:
                if time.monotonic() > give_up:
                    raise ConfigurationError("child-failed", program=self.program, log=self.log)
                time.sleep(0.3)
                self.start()
            if time.monotonic() > until:
                self.stop()
                raise ConfigurationError("child-slow", program=self.program, seconds=int(seconds), log=self.log)
            time.sleep(0.03)

    def stop(self) -> None:
        """Stop the program: gently, then less so."""
        process = self._process
        if process is None:
            return
        for number in [*self._stop_signals, signal.SIGKILL]:
            if process.poll() is not None:
                break
            process.send_signal(number)
            try:
                process.wait(self._patience)
            except subprocess.TimeoutExpired:
                continue
        self._process = None


def _end_with_parent(number: signal.Signals, parent: int) -> None:
    """In the child: ask the kernel to stop it when its parent is gone, even by kill -9."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            # it went before the kernel was asked
            os._exit(1)
