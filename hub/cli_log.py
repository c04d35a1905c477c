# SPDX-License-Identifier: Apache-2.0
"""`tsunagi-hub log …`: how the log stands with its witnesses, its mirror, and what to do after a restore."""

import os
from pathlib import Path
from typing import Final, NoReturn

import click

from hub import worker as worker_root
from hub.audit import jobs, reads
from hub.audit.mirroring import MirrorError
from hub.audit.reads import LogDamagedError
from hub.base.config import Settings
from hub.base.errors import ConfigurationError
from hub.base.sentences import sentence
from hub.embedded import site

_DATA: Final = click.option(
    "--data", type=click.Path(path_type=Path), default=None, help="Folder of a hub started with `up`."
)
_FOLDER: Final = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.group("log")
def log() -> None:
    """The log, its witnesses and its mirror."""


@log.command("status")
@_DATA
def status(data: Path | None) -> None:
    """Say whether the log is being recovered, and what each witness said last; exit code 1 while it is."""
    with worker_root.station(_settings(data)) as at, at.jobs.transaction(None) as session:
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
    with worker_root.station(_settings(data)) as at:
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
    with worker_root.station(_settings(data)) as at:
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


def _refuse(folder: Path, failed: MirrorError) -> NoReturn:
    raise ConfigurationError("mirror-failed", folder=folder, rule=failed.code, place=failed.place) from None


def _settings(data: Path | None) -> Settings:
    return Settings.from_environment({**(site.environment(data) if data else {}), **os.environ})
