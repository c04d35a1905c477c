# SPDX-License-Identifier: Apache-2.0
"""`tsunagi-hub log …`: how the log stands with its witnesses, its mirror, and what to do after a restore."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn, TextIO

import click

from hub.audit import erasing, jobs, reads
from hub.audit.erasing import Ground
from hub.audit.mirroring import MirrorError
from hub.audit.reads import LogDamagedError
from hub.base.db import now
from hub.base.errors import ConfigurationError, HubError
from hub.base.ids import is_id
from hub.base.sentences import language, sentence
from hub.cli_agencies import settings_of, signed_in, signing_in
from hub.staff.rules import Role as StaffRole
from hub.station import Station, open_station
from hub.web.problems import catalogue

_DATA: Final = click.option(
    "--data", type=click.Path(path_type=Path), default=None, help="Folder of a hub started with `up`."
)
_DIGITS: Final = 16
_FOLDER: Final = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.group("log")
def log() -> None:
    """The log, its witnesses and its mirror."""


@log.command("status")
@_DATA
def status(data: Path | None) -> None:
    """Say whether the log is being recovered, and what each witness said last; exit code 1 while it is."""
    with open_station(settings_of(data)) as at, at.jobs.transaction(None) as session:
        recovery, standings, seen = reads.recovery(session), reads.standings(session), reads.witnessed(session)
    for one in standings:
        agreed = "-" if one.agreed_at is None else one.agreed_at.isoformat()
        click.echo(f"{one.witness} {one.code} {one.size} {agreed}")
    if seen is not None:
        click.echo(seen.note, nl=False)
    if recovery is None:
        click.echo(sentence("log-in-order"))
        return
    click.echo(sentence("log-is-recovering", who=recovery.who, rule=recovery.code, size=recovery.size))
    raise SystemExit(1)


@log.command("mirror")
@_DATA
@_FOLDER
def mirror(data: Path | None, folder: Path) -> None:
    """Copy what is new of the log to a folder (C2SP tlog-tiles), e.g. on the officer's machine."""
    with open_station(settings_of(data)) as at:
        try:
            size = jobs.mirror(at.seq, at.jobs, folder, at.signer)
        except MirrorError as failed:
            _refuse(folder, failed)
        except OSError:
            raise ConfigurationError("mirror-failed", folder=folder, rule="unwritable", place="-") from None
    click.echo(sentence("log-mirrored", folder=folder, size=size))


@log.command("refill")
@_DATA
@_FOLDER
def refill(data: Path | None, folder: Path) -> None:
    """Put back from a mirror what a restored database lacks, after proving that it is the log that was signed."""
    with open_station(settings_of(data)) as at:
        if not at.verify():
            raise ConfigurationError("log-damaged")
        try:
            found = jobs.refill(at.seq, folder, at.signer)
        except MirrorError as failed:
            _refuse(folder, failed)
        except LogDamagedError:
            raise ConfigurationError("log-damaged") from None
    click.echo(sentence("log-refilled", first=found.first, size=found.size))
    for kind, count in sorted(found.kinds.items()):
        click.echo(sentence("refilled-kind", kind=kind, count=count))


@log.group("erase")
def erase() -> None:
    """Erasure of entries at the end of their retention: an officer orders, another person confirms."""


@erase.command("order")
@click.argument("ground", type=click.Choice([ground.value for ground in Ground]))
@click.argument("entries", nargs=-1, required=True)
@signed_in
def order(ground: str, entries: tuple[str, ...], person: str, secret: TextIO | None, data: Path | None) -> None:
    """Order, as an officer, the erasure of ENTRIES (indexes and stretches: 7 100-199), and print the order's id."""
    member = signing_in(data, person, secret)
    if member.role != StaffRole.OFFICER:
        raise ConfigurationError("officer-needed")
    indexes = [index for said in entries for index in _stretch(said)]
    with _working(data) as at, at.jobs.transaction(None) as session:
        made = erasing.order(session, indexes, ground=Ground(ground), by=member.staff, now=now(session))
    click.echo(made)


@erase.command("confirm")
@click.argument("erasure")
@signed_in
def confirm(erasure: str, person: str, secret: TextIO | None, data: Path | None) -> None:
    """Confirm an erasure as another person; the log says so first, then the bytes go."""
    member = signing_in(data, person, secret)
    if not is_id(erasure):
        raise ConfigurationError("no-such-erasure", erasure=erasure)
    with _working(data) as at:
        with at.jobs.transaction(None) as session:
            erasing.confirm(session, erasure, by=member.staff, now=now(session))
        at.sequence()
        gone = at.keeper.erase()
    click.echo(sentence("entries-erased", count=gone))


@erase.command("list")
@_DATA
def list_erasures(data: Path | None) -> None:
    """Print every erasure: id, ground, how many entries, who ordered and confirmed it, when the bytes went."""
    with open_station(settings_of(data)) as at, at.jobs.transaction(None) as session:
        for one in reads.erasures(session):
            gone = "-" if one.erased_at is None else one.erased_at.isoformat()
            click.echo(f"{one.id} {one.ground} {len(one.indexes)} {one.ordered_by} {one.confirmed_by or '-'} {gone}")


@contextmanager
def _working(data: Path | None) -> Iterator[Station]:
    """Open a worker's connections; say a refusal of the hub as a sentence."""
    try:
        with open_station(settings_of(data)) as at:
            yield at
    except HubError as refused:
        found = catalogue().get(refused.code)
        raise click.ClickException(found.detail[language()] if found else refused.code) from None


def _stretch(said: str) -> range:
    """Read `7` or `100-199`.

    *Raises* ConfigurationError: `entries-malformed`.
    """
    first, dash, last = said.partition("-")
    ends = (first, last if dash else first)
    if not all(end.isascii() and end.isdigit() and len(end) < _DIGITS for end in ends):
        raise ConfigurationError("entries-malformed")
    found = range(int(ends[0]), int(ends[1]) + 1)
    if not 0 < len(found) <= erasing.MOST:
        raise ConfigurationError("entries-malformed")
    return found


def _refuse(folder: Path, failed: MirrorError) -> NoReturn:
    raise ConfigurationError("mirror-failed", folder=folder, rule=failed.code, place=failed.place) from None
