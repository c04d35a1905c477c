# SPDX-License-Identifier: Apache-2.0
"""`tsunagi witness`: watch a hub's log from outside, and sign that it only grows."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import click

from connectors.base.errors import EXIT_FAILED, ConnectorError
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import Noun, argument, option, verb
from connectors.cli.kinds import Number
from connectors.cli.saying import Said
from connectors.witness.folder import make_folder, open_folder
from consent.errors import TsunagiError
from consent.tlog.notes import Verifier

PORT: Final = 8491
witness: Final = Noun("witness")
_LOOPBACK: Final = "127.0.0.1"


@verb(witness, "new", argument("name"))
def new(desk: Desk, *, name: str) -> Said:
    """Make a witness with a key of its own; its verifier line goes to the hub's operator."""
    made = make_folder(desk.home(), name)
    verifier = made.verifier.text()
    return Said(document={"name": name, "verifier": verifier}, lines=[desk.text("witness-made"), verifier])


@verb(witness, "watch", argument("log"))
def watch(desk: Desk, *, log: str) -> Said:
    """Watch a log, named by its verifier line (`tsunagi-hub checkpoint` prints it).

    *Raises* `CliError("log-key-malformed")`; `ConnectorError("witness-log-known")`.
    """
    folder = open_folder(desk.home())
    try:
        verifier = Verifier.read(log)
    except TsunagiError:
        raise CliError("log-key-malformed") from None
    if verifier.cosigns:
        raise CliError("log-key-malformed")
    if verifier.native.public_bytes_raw() == folder.verifier.native.public_bytes_raw():
        raise ConnectorError("witness-is-log")
    with folder.transaction() as seen:
        seen.watch(verifier)
    return Said(document={"log": verifier.name}, lines=[desk.text("witness-watches", name=verifier.name)])


@verb(witness, "show")
def show(desk: Desk) -> Said:
    """Say which logs are watched, what was seen of each, and what does not go together; exit code 1 if anything."""
    folder = open_folder(desk.home())
    with folder.transaction() as seen:
        logs, evidence = seen.logs(), seen.evidence()
    rows = [(one.log.name, "" if one.seen is None else str(one.seen.size)) for one in logs]
    lines = [folder.verifier.text(), *saying.table(desk.head("log", "size"), rows)]
    for found in evidence:
        lines += ["", desk.text("witness-evidence", name=found.origin, at=found.at, rule=found.code)]
        lines += [line for note in (found.seen or "", found.shown) for line in ("", *note.rstrip("\n").split("\n"))]
    document = {
        "verifier": folder.verifier.text(),
        "logs": [{"log": one.log.name, "note": one.note} for one in logs],
        "evidence": evidence,
    }
    return Said(document=document, lines=lines, code=EXIT_FAILED if evidence else 0)


@verb(witness, "serve", option("--port", Number()), option("--host"))
def serve(desk: Desk, *, port: int | None, host: str | None) -> Said:
    """Answer the logs that are watched until somebody stops the program.

    *Raises* `CliError`: `desk-missing`, the extra is not installed; `port-taken`.
    """
    if find_spec("werkzeug") is None or find_spec("waitress") is None:
        raise CliError("desk-missing")
    from connectors.desk.serve import wait_for_the_end  # an extra: other commands do without a web server
    from connectors.witness.answering import Witness
    from connectors.witness.serve import open_witness

    at_work = Witness(folder=open_folder(desk.home()), clock=desk.around.clock)
    try:
        with open_witness(at_work, host=host or _LOOPBACK, port=PORT if port is None else port) as url:
            click.echo(desk.text("witness-open", url=url))
            wait_for_the_end()
    except OSError:
        raise CliError("port-taken", port=str(port or PORT)) from None
    return Said(document=None, lines=[desk.text("sync-stopped")])
