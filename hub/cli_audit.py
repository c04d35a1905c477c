# SPDX-License-Identifier: Apache-2.0
"""`tsunagi-hub audit …`: give the log out to those who may read all of it."""

from pathlib import Path
from typing import TextIO

import click

from hub.base import hubkeys
from hub.base.db import now
from hub.base.sentences import sentence
from hub.cli_agencies import settings_of, signed_in, signing_in
from hub.evidence import service
from hub.evidence.reads import Keys
from hub.station import open_station


@click.group()
def audit() -> None:
    """The log: everything that was done, for whoever checks it elsewhere."""


@audit.command("bundle")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, writable=True))
@signed_in
def bundle(file: Path, person: str, secret: TextIO | None, data: Path | None) -> None:
    """Write the whole log with all that was signed about it into a new FILE; the log says that it was read."""
    member = signing_in(data, person, secret)
    with open_station(settings_of(data)) as at, file.open("xb") as out:
        signer: hubkeys.Receipts = at.jobs.givens[hubkeys.RECEIPTS]
        keys = Keys(log=at.signer.verifier, receipt=signer.key.public.jwk())
        try:
            with at.jobs.transaction(None) as session:
                size = service.export(session, out, keys, by=member.staff, now=now(session))
        except BaseException:
            file.unlink()
            raise
    click.echo(sentence("bundle-written", entries=size, file=file))
