# SPDX-License-Identifier: Apache-2.0
"""A fresh hub for a story: `tsunagi-hub up --play` in a folder of its own, and the two people who admit agencies.

The hub is the real one: embedded PostgreSQL and Valkey, web server, RQ worker, sequencer. Only its clock stands where
the story says.
"""

from __future__ import annotations

import contextlib
import secrets
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from connectors.keystore.keyfile import DRAWN
from connectors.sync.registration import NewAgency
from hub.agencies import service as agencies
from hub.agencies.rules import Approver
from hub.base.clock import Hand
from hub.base.config import Settings
from hub.base.db import Database, Duty, Role, now
from hub.embedded import site
from hub.embedded.child import Child
from hub.staff import invitations
from hub.staff import service as staff
from hub.staff.rules import Role as StaffRole
from hub.station import Station, open_station

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0


class StageError(Exception):
    """The hub did not start; `log` is what it said last."""

    def __init__(self, log: str) -> None:
        """Take the hub's last words."""
        super().__init__(log)
        self.log = log


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The operator and the data protection officer, signed in with a passphrase each."""

    operator: Approver
    officer: Approver


@dataclass(frozen=True, slots=True)
class Stage:
    """A running hub: where it listens, its settings for acts of the operator, and who admits agencies."""

    url: str
    folder: Path
    settings: Settings
    database: Database
    admission: Admission
    pid: int
    """The process that keeps the hub's children running."""
    hand: Hand
    station: Station
    """A worker's connections of our own, kept open: opened anew for each round they have every statement compiled anew.

    They do not outlive the database; whoever kills it works with `hub.worker.run_due`.
    """

    @property
    def traces(self) -> tuple[Path, ...]:
        """Name everything of the hub's on the disk: its folder and the log of the process that keeps it running."""
        return self.folder / "hub", self.folder / "hub.log"

    def stand_at(self, at: datetime) -> datetime:
        """Move the hub's clock to `at`, never back, and tell where it stands."""
        return self.hand.move(at)

    def invite(self, role: StaffRole) -> str:
        """Enrol one more of the hub's people and give the code that lets them into the console, once, within a day."""
        with self.database.transaction(None, Duty.SIGN_IN) as session:
            person = staff.enrol(session, role, None, now=now(session))
            return invitations.invite(session, person, now=now(session))

    def settle(self) -> None:
        """Have the hub do everything that is due: timers, outbox, log."""
        self.station.do_what_is_due()

    def admit(self, new: NewAgency, *, may_convene: bool = False) -> None:
        """Register an agency and have both people confirm its fingerprint, as on the telephone (protocol §3)."""
        with self.database.transaction(None, Duty.DIRECTORY) as session:
            at = now(session)
            agencies.register(session, new.request.read_bytes(), now=at, name_was_checked=True)
            for person in (self.admission.operator, self.admission.officer):
                agencies.confirm(session, new.settings.agency, person, " ".join(new.words), now=at)
        if may_convene:
            self.let_convene(new.settings.agency)

    def let_convene(self, agency: str) -> None:
        """Have both people allow an agency to call a 支援会議 (consent.md, row `shien_kaigi`)."""
        with self.database.transaction(None, Duty.DIRECTORY) as session:
            for person in (self.admission.operator, self.admission.officer):
                agencies.set_convening(session, agency, person, allowed=True, now=now(session))


@contextlib.contextmanager
def open_stage(
    folder: Path | None = None, *, play: bool = True, port: int | None = None, workers: int = 1
) -> Iterator[Stage]:
    """Start a hub in `folder` (a new temporary one by default), and stop it at the end.

    *Raises* `StageError`: it did not come up; its own sentence says why.
    """
    with contextlib.ExitStack() as stack:
        # short, because a socket's path may have 107 bytes at most
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tsn-play-")))
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o711)  # root's children run as another user, who must get through
        chosen = port or _free_port()
        data = place / "hub"
        process = _start(data, chosen, place / "hub.log", play=play, workers=workers)
        stack.callback(process.stop)
        settings = Settings.from_environment(_environment(process, data, place / "hub.log", chosen))
        database = Database(settings.database_url, Role.HUB, pool_size=2)
        stack.callback(database.close)
        hand = Hand(settings.migration_url)
        stack.callback(hand.close)
        station = stack.enter_context(open_station(settings))
        people, url = _enrol(database), f"http://127.0.0.1:{chosen}"
        yield Stage(url, place, settings, database, people, process.pid or 0, hand, station)


def _start(data: Path, port: int, log: Path, *, play: bool, workers: int) -> Child:
    """Start the hub as our child, so that it stops in good order also when we are killed."""
    command = [sys.executable, "-m", "hub.cli", "up", "--data", str(data), "--port", str(port)]
    command += ["--workers", str(workers)]
    hub = Child(
        [*command, *(["--play"] if play else [])],
        account=site.ourselves(),
        log=log,
        stop_signals=(signal.SIGTERM,),
        patience=STOP_SECONDS,
    )
    hub.start()
    return hub


def _environment(process: Child, data: Path, log: Path, port: int) -> Mapping[str, str]:
    """Wait until the hub answers ready, and read what it told other commands of this machine."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.running:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2.0),
        ):
            return site.environment(data)
        time.sleep(0.05)
    raise StageError(log.read_text("utf-8", errors="replace")[-2000:])


def _enrol(database: Database) -> Admission:
    """Enrol the two people and sign both in; nobody may be both (security §2)."""
    signed_in = []
    for role in (StaffRole.OPERATOR, StaffRole.OFFICER):
        passphrase = secrets.token_urlsafe(18)
        with database.transaction(None, Duty.SIGN_IN) as session:
            person = staff.enrol(session, role, passphrase, now=now(session), memory_kib=DRAWN.memory_kib)
            member = staff.check(session, person, passphrase, now=now(session))
        if member is None:
            raise StageError("sign-in")
        signed_in.append(Approver(staff=member.id, role=member.role))
    return Admission(operator=signed_in[0], officer=signed_in[1])


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])
