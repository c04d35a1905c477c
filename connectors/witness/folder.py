# SPDX-License-Identifier: Apache-2.0
"""What a witness keeps: its key in a file of mode 0600, and a database of the logs it watches and saw.

SQLite does the part that must not go wrong: what was seen is on the disk before the answer goes out, and two
requests (or two processes) never both find the older state.
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.base.errors import ConnectorError
from consent import wire
from consent.errors import TsunagiError
from consent.tlog import notes
from consent.tlog.notes import Checkpoint, Verifier
from consent.wire import write_moment

KEY_FILE: Final = "witness.key"
STATE_FILE: Final = "witness.db"
MOST_EVIDENCE: Final = 1000
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_WAIT: Final = 10.0
_VERSION: Final = 1
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS logs (origin TEXT PRIMARY KEY, verifier TEXT NOT NULL, note TEXT);
CREATE TABLE IF NOT EXISTS evidence (
    origin TEXT NOT NULL, code TEXT NOT NULL, seen TEXT, shown TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (origin, shown)
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A log that is watched: its key, and the newest checkpoint that was cosigned (with the log's signature)."""

    log: Verifier
    note: str | None

    @property
    def seen(self) -> Checkpoint | None:
        """The newest checkpoint that was cosigned."""
        return None if self.note is None else notes.read_checkpoint(notes.read_note(self.note))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A checkpoint that the log signed and that does not continue what was seen: both notes, and why (`code`)."""

    origin: str
    code: str
    seen: str | None
    shown: str
    at: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One transaction on the state; while it is open nobody else changes it."""

    _connection: sqlite3.Connection

    def log(self, origin: str) -> Watched | None:
        """Give a log that is watched."""
        row = self._connection.execute("SELECT verifier, note FROM logs WHERE origin = ?", (origin,)).fetchone()
        return None if row is None else Watched(log=Verifier.read(row[0]), note=row[1])

    def logs(self) -> tuple[Watched, ...]:
        """Give every log that is watched."""
        rows = self._connection.execute("SELECT verifier, note FROM logs ORDER BY origin")
        return tuple(Watched(log=Verifier.read(verifier), note=note) for verifier, note in rows)

    def watch(self, log: Verifier) -> None:
        """Begin to watch a log; one that is watched under another key stays as it is.

        *Raises* `ConnectorError("witness-log-known")`.
        """
        known = self.log(log.name)
        if known is not None and known.log.text() != log.text():
            raise ConnectorError("witness-log-known", name=log.name)
        self._connection.execute("INSERT OR IGNORE INTO logs VALUES (?, ?, NULL)", (log.name, log.text()))

    def remember(self, origin: str, note: str) -> None:
        """Keep the newest checkpoint of a log."""
        self._connection.execute("UPDATE logs SET note = ? WHERE origin = ?", (note, origin))

    def accuse(self, origin: str, code: str, *, seen: str | None, shown: str, at: datetime) -> None:
        """Keep two notes of a log that do not go together, each pair once and not without end."""
        count = self._connection.execute("SELECT count(*) FROM evidence").fetchone()[0]
        if count < MOST_EVIDENCE:
            self._connection.execute(
                "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?)", (origin, code, seen, shown, write_moment(at))
            )

    def evidence(self) -> tuple[Evidence, ...]:
        """Give what was kept, oldest first."""
        rows = self._connection.execute("SELECT origin, code, seen, shown, at FROM evidence ORDER BY at, rowid")
        return tuple(Evidence(origin=row[0], code=row[1], seen=row[2], shown=row[3], at=row[4]) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessFolder:
    """A witness's name, key and state."""

    path: Path
    name: str
    key: Ed25519PrivateKey = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        """What others verify the cosignatures with."""
        return Verifier(self.name, self.key.public_key(), cosigns=True)

    @contextmanager
    def transaction(self) -> Iterator[Seen]:
        """Open the state for this caller alone; on the disk when the context ends, unchanged when it fails.

        *Raises* `sqlite3.Error`: the disk is full, or somebody else holds the state for too long.
        """
        with closing(sqlite3.connect(self.path / STATE_FILE, timeout=_WAIT, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Seen(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


def make_folder(path: Path, name: str) -> WitnessFolder:
    """Make a witness with a key of its own.

    *Raises* `ConnectorError`: `witness-name-bad`, `witness-exists`, `folder-unwritable`.
    """
    key = Ed25519PrivateKey.generate()
    try:
        Verifier.read(Verifier(name, key.public_key(), cosigns=True).text())
    except TsunagiError:
        raise ConnectorError("witness-name-bad") from None
    raw = base64.b64encode(key.private_bytes_raw()).decode("ascii")
    content = json.dumps({"v": _VERSION, "name": name, "key": raw}, ensure_ascii=False, indent=1)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path / KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise ConnectorError("witness-exists", folder=str(path)) from None
    except OSError:
        raise ConnectorError("folder-unwritable", folder=str(path)) from None
    return open_folder(path)


def open_folder(path: Path) -> WitnessFolder:
    """Open a witness's folder.

    *Raises* `ConnectorError`: `witness-missing`; `witness-key-open`, others can read the key; `witness-broken`.
    """
    file = path / KEY_FILE
    try:
        if os.name == "posix" and file.stat().st_mode & _OTHERS:
            raise ConnectorError("witness-key-open", file=str(file))
        document = wire.parse(file.read_text(encoding="utf-8"))
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(str(document["key"]), validate=True))
        made = WitnessFolder(path=path, name=str(document["name"]), key=key)
        Verifier.read(made.verifier.text())
        with closing(sqlite3.connect(path / STATE_FILE, timeout=_WAIT)) as connection:
            connection.executescript(_TABLES)
    except FileNotFoundError:
        raise ConnectorError("witness-missing", folder=str(path)) from None
    except (OSError, ValueError, KeyError, TsunagiError, sqlite3.Error):
        raise ConnectorError("witness-broken", folder=str(path)) from None
    return made
