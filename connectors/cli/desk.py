# SPDX-License-Identifier: Apache-2.0
"""What a command works with: the agency's folder, its passphrase, the connector, and what is to be told besides.

The passphrase comes from a prompt or from a file that only its owner can read; never from the environment or the
arguments, which other programs of the machine can see.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import click

from connectors.base.clock import Clock, system_clock
from connectors.base.errors import EXIT_HUB_AWAY, ConnectorError, HubAwayError
from connectors.casebook import directory
from connectors.casebook.directory import KnownAgency
from connectors.cli.errors import CliError, HubRefusedError
from connectors.cli.texts import label, text
from connectors.sync.connector import Connector, open_connector
from consent.vocabulary.codes import Language

NOBODY: Final = "cli"
"""Who holds the pen where no worker was named; it stands in the agency's own access log."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Opening(Protocol):
    """How a connector is opened: `open_connector`, or in a test one whose hub is in memory."""

    def __call__(self, folder: Path, passphrase: str, *, clock: Clock, language: str) -> Connector:
        """Open the agency in a folder."""
        ...


def somebody_is_there() -> bool:
    """Say whether a person sits before the program and can be asked."""
    return sys.stdin.isatty()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What lies outside the command: the clock, how to open a connector, whether somebody sits there to be asked."""

    clock: Clock = system_clock
    opening: Opening = open_connector
    is_asked: Callable[[], bool] = somebody_is_there


@dataclass(kw_only=True)
class Desk:
    """One command at work."""

    language: Language
    folder: Path | None
    passphrase_file: Path | None
    staff_named: str | None
    later: bool
    json: bool
    around: Surroundings
    notes: list[str] = field(default_factory=list)
    code: int = 0
    _known_passphrase: str | None = field(default=None, repr=False)

    # ── texts ──

    def text(self, key: str, **places: object) -> str:
        """Give a sentence of the catalogue."""
        return text(key, self.language, **places)

    def label(self, code_list: str, code: str | None) -> str:
        """Give what a person reads for a code."""
        return label(code_list, code, self.language)

    def labels(self, code_list: str, some: Iterable[str]) -> str:
        """Give what a person reads for several codes."""
        said = (self.text("everything") if code == "*" else self.label(code_list, code) for code in sorted(some))
        return ", ".join(said)

    def head(self, *keys: str) -> list[str]:
        """Give the headings of a table."""
        return [self.text(f"head:{key}") for key in keys]

    def note(self, key: str, **places: object) -> None:
        """Tell something besides the answer, on standard error."""
        self.notes.append(self.text(key, **places))

    # ── who and where ──

    @property
    def staff(self) -> str:
        """Give the opaque id of who acts."""
        return self.staff_named or NOBODY

    def worker(self) -> str:
        """Give the named worker who acts: a referral is received and accepted by somebody.

        *Raises* `CliError("staff-needed")`.
        """
        if self.staff_named is None:
            raise CliError("staff-needed")
        return self.staff_named

    def home(self) -> Path:
        """Give the agency's folder.

        *Raises* `CliError("folder-needed")`.
        """
        if self.folder is None:
            raise CliError("folder-needed")
        return self.folder

    def passphrase(self, *, new: bool = False) -> str:
        """Give the passphrase, from its file or asked for; a `new` one is asked for twice.

        *Raises* `CliError`: `file-unreadable`, `passphrase-file-open`, `passphrase-file-empty`, `passphrase-needed`.
        """
        if self._known_passphrase is None:
            self._known_passphrase = self._ask(new=new)
        return self._known_passphrase

    def _ask(self, *, new: bool) -> str:
        if self.passphrase_file is not None:
            return _from_file(self.passphrase_file)
        if not self.around.is_asked():
            raise CliError("passphrase-needed")
        again: bool | str = self.text("ask-passphrase-again") if new else False
        said: str = click.prompt(self.text("ask-passphrase"), hide_input=True, confirmation_prompt=again, err=True)
        return said

    # ── the connector ──

    @contextmanager
    def open(self) -> Iterator[Connector]:
        """Open the agency.

        *Raises* `ConnectorError` as `open_connector`; `folder-unwritable`.
        """
        folder = self.home()
        if not (folder / "agency.json").is_file():
            raise ConnectorError("folder-missing", folder=str(folder))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ConnectorError("folder-unwritable", folder=str(folder))
        passphrase = self.passphrase()
        with self.around.opening(folder, passphrase, clock=self.around.clock, language=self.language) as connector:
            yield connector

    def deliver(self, connector: Connector, *about: str) -> bool:
        """Send what waits now, unless it is to go later; say whether it went. A hub that is away costs only time.

        *Raises* `HubRefusedError` where the hub does not take one of the things that this command is about.
        """
        if self.later:
            self.note("kept-for-later")
            return False
        pushed = connector.push()
        for settled in pushed.refused:
            if settled.about in about:
                raise HubRefusedError(settled)
            self.note("earlier-refused", what=self.label("outgoing", settled.what), about=settled.about)
        if pushed.hub_away:
            self.note("kept-hub-away", waiting=pushed.waiting)
            self.code = EXIT_HUB_AWAY
        return not pushed.hub_away

    def save(self, file: str, text: str) -> None:
        """Write a text into a new file.

        *Raises* `CliError("file-exists")`; `ConnectorError("folder-unwritable")`.
        """
        write_new(Path(file), text)
        self.note("saved", file=file)

    def if_hub_answers(self, deed: Callable[[], object]) -> bool:
        """Do what is better done with the hub and can be done without; say so if it is away."""
        if self.later:
            return False
        try:
            deed()
        except HubAwayError:
            self.note("hub-away-shown-as-known")
            return False
        return True

    def agency(self, connector: Connector, said: str) -> KnownAgency:
        """Find an agency by its id, its name, or its kind where there is one of that kind only.

        *Raises* `ConnectorError("agency-unknown")`; `CliError("agency-ambiguous")`.
        """
        with connector.casebook.transaction() as connection:
            known = directory.agencies(connection)
        found = [one for one in known if said in {one.id, one.name_ja, one.name_en, one.kind}]
        others = [one for one in found if one.id != connector.agency]
        if not found:
            raise ConnectorError("agency-unknown")
        if len(others) > 1:
            raise CliError("agency-ambiguous", ids=", ".join(one.id for one in others))
        return (others or found)[0]

    def name_of(self, connector: Connector, agency: str | None) -> str:
        """Give an agency's name, or its id where it is not known here."""
        if agency is None:
            return ""
        try:
            with connector.casebook.transaction() as connection:
                known = directory.agency(connection, agency)
        except ConnectorError:
            return agency
        return (known.name_ja if self.language == "ja" else known.name_en) or agency


def write_new(path: Path, text: str) -> None:
    """Write a file that only its owner can read; one that is there is not written over.

    *Raises* `CliError("file-exists")`; `ConnectorError("folder-unwritable")`.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise CliError("file-exists", file=str(path)) from None
    except OSError:
        raise ConnectorError("folder-unwritable", folder=str(path.parent)) from None


def _from_file(path: Path) -> str:
    try:
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise CliError("passphrase-file-open", file=str(path))
        said = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError):
        raise CliError("file-unreadable", file=str(path)) from None
    if not said:
        raise CliError("passphrase-file-empty", file=str(path))
    return said
