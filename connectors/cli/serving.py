# SPDX-License-Identifier: Apache-2.0
"""`tsunagi desk`: open the caseworkers' pages on this machine until somebody stops the program."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import click

from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import flag, option, verb
from connectors.cli.kinds import Number
from connectors.cli.saying import Said

PORT: Final = 8490
_LOOPBACK: Final = "127.0.0.1"


def add_to(main: click.Group) -> None:
    """Add the command."""
    verb(main, "desk", option("--port", Number()), option("--host"), option("--origin"), flag("--sample"))(pages)


def pages(desk: Desk, *, port: int | None, host: str | None, origin: str | None, sample: bool) -> Said:
    """Serve the pages and keep in step with the hub; the set-up code is told while nobody works here yet.

    *Raises* `CliError`: `desk-missing`, the extra is not installed; `port-taken`.
    """
    if find_spec("flask") is None or find_spec("waitress") is None:
        raise CliError("desk-missing")
    from connectors.desk.serve import open_desk, wait_for_the_end  # an extra: other commands do without Flask

    with desk.open() as connector:
        try:
            opened = open_desk(connector, port=port or PORT, host=host or _LOOPBACK, origin=origin, sample=sample)
            with opened as at:
                click.echo(desk.text("desk-open", url=at.url))
                if at.setup_code is not None:
                    click.echo(desk.text("desk-setup-code", code=at.setup_code))
                wait_for_the_end()
        except OSError:
            raise CliError("port-taken", port=str(port or PORT)) from None
    return Said(document=None, lines=[desk.text("sync-stopped")])
