# SPDX-License-Identifier: Apache-2.0
"""An agency as somebody at its keyboard has it: a folder, a passphrase file, and commands."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from connectors.base.clock import Clock, system_clock
from connectors.cli.desk import Surroundings
from connectors.cli.main import main
from connectors.sync.connector import Connector, open_connector
from connectors.sync.registration import NewAgency, read_settings
from connectors.testing.memory import MemoryHub
from connectors.testing.seat import Seat

PASSPHRASE = "a plainly fictional passphrase"
STAFF = "staff-7"


def passphrase_file(folder: Path) -> Path:
    path = folder / "passphrase"
    path.write_text(PASSPHRASE + "\n", encoding="utf-8")
    path.chmod(0o600)
    return path


@dataclass(kw_only=True)
class Office:
    """One agency; `around` says which hub and clock its commands meet."""

    folder: Path
    secret: Path
    around: Surroundings = field(default_factory=Surroundings)

    def type(self, *words: str, code: int = 0, staff: str | None = STAFF) -> Result:
        """Type a command and require its exit code."""
        common = ["--folder", str(self.folder), "--passphrase-file", str(self.secret)]
        who = ["--staff", staff] if staff else []
        result = CliRunner().invoke(main, [*words, *common, *who], obj=self.around)
        assert result.exit_code == code, (words, result.exit_code, result.output, result.exception)
        return result

    def json(self, *words: str, code: int = 0, staff: str | None = STAFF) -> Any:
        """Type a command that answers in JSON."""
        return json.loads(self.type(*words, "--json", code=code, staff=staff).stdout)

    @property
    def id(self) -> str:
        return read_settings(self.folder).agency

    def founded(self) -> NewAgency:
        """Give what the operator is handed."""
        words = self.json("keys", "fingerprint")["fingerprint"]
        return NewAgency(
            settings=read_settings(self.folder),
            request=self.folder / "registration.json",
            words=tuple(words["ja"]),
            words_en=tuple(words["en"]),
        )

    def open_case(self, **answers: str) -> str:
        """Register a fictional person, open a case and write answers down; give the handle."""
        person = self.json("person", "add", "--name", "架空田 一郎", "--kana", "かくうだ いちろう")["id"]
        case: str = self.json("case", "open", person)["case"]
        told = {"name": "架空田 一郎", "telephone": "000-0000-0000", **answers}
        self.json("answers", "set", case, *(f"{field}={value}" for field, value in told.items()))
        return case

    def consent(self, case: str, partner: str, *words: str, purpose: str = "koguchi_shikin") -> Any:
        """Record a form that the person signed."""
        scan = self.folder.parent / "scan.pdf"
        scan.write_bytes(b"%PDF-1.7 fictional")
        said = ("--partner", partner, "--purpose", purpose, "--scan", str(scan))
        return self.json("form", "record", case, *said, *words)


@dataclass
class Town:
    """Agencies around a hub in memory."""

    folder: Path
    clock: Clock = system_clock
    later: timedelta = timedelta()
    hub: MemoryHub = field(init=False)

    def __post_init__(self) -> None:
        self.hub = MemoryHub(clock=self.now)

    def found(self, kind: str, name: str) -> Office:
        """Found an agency by typing, and have the hub take it in."""
        around = Surroundings(clock=self.now, opening=self.open)
        office = Office(folder=self.folder / kind, secret=passphrase_file(self.folder), around=around)
        office.json("agency", "init", "--kind", kind, "--name", name, "--hub", "https://hub.example")
        self.hub.join((office.folder / "registration.json").read_bytes())
        return office

    def open(self, folder: Path, passphrase: str, *, clock: Clock, language: str) -> Connector:
        seat = Seat(self.hub, read_settings(folder).agency)
        return open_connector(folder, passphrase, clock=clock, language=language, hub=seat)

    def now(self) -> datetime:
        """Give the moment at which everybody here stands."""
        return self.clock() + self.later

    def pass_time(self, time: timedelta) -> None:
        self.later += time
