# SPDX-License-Identifier: Apache-2.0
"""`tsunagi sync`: one round with the hub, or rounds without end until somebody stops them."""

from __future__ import annotations

import json
import signal
import threading
from typing import Final

import click

from connectors.base.errors import EXIT_FAILED, EXIT_HUB_AWAY, EXIT_REFUSED_BY_CONSENT
from connectors.base.errors import sentence as base_sentence
from connectors.cli import errors, saying
from connectors.cli.desk import Desk
from connectors.cli.errors import RefusedPart
from connectors.cli.frame import flag, verb
from connectors.cli.saying import Said
from connectors.sdk.problems import PartDecision
from connectors.sync.connector import Connector, Synced
from connectors.sync.loop import Loop

_BAD_OUTCOMES: Final = frozenset({"unbelievable", "not_opened"})


def add_to(main: click.Group) -> None:
    """Add the command."""
    verb(main, "sync", flag("--loop"))(sync)


def sync(desk: Desk, *, loop: bool) -> Said:
    """Send what waits, learn what is new, take in what waits for us."""
    with desk.open() as connector:
        if not loop:
            return _told(desk, connector.sync())
        _run(desk, connector)
    return Said(document=None, lines=[desk.text("sync-stopped")])


def _run(desk: Desk, connector: Connector) -> None:
    """Make rounds until SIGINT or SIGTERM; each is told on standard output, with `--json` as one line of JSON."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())

    def heard(synced: Synced) -> None:
        said = _told(desk, synced)
        if desk.json:
            click.echo(json.dumps(saying.plain(said.document), ensure_ascii=False))
        elif _has_news(synced):
            saying.emit(said, as_json=False)

    def failed(error: Exception) -> None:
        click.echo(saying.harmless(errors.sentence(error, desk.language)), err=True)

    with Loop(connector, heard=heard, failed=failed):
        click.echo(desk.text("sync-running"), err=True)
        stopping.wait()


def _told(desk: Desk, synced: Synced) -> Said:
    lines = [
        desk.text(
            "synced",
            sent=len(synced.pushed.settled) + len(synced.answered.settled) - len(synced.refused),
            received=len(synced.collected),
            waiting=synced.answered.waiting,
        )
    ]
    for one in synced.refused:
        lines.append(desk.text("sync-refused", what=desk.label("outgoing", one.what), about=one.about, rule=one.code))
        lines += _parts(desk, one.decisions)
    for taken in synced.collected:
        lines.append(desk.text("sync-collected", message=taken.message, outcome=desk.label("collected", taken.outcome)))
        lines += _parts(desk, taken.decisions)
    lines += [base_sentence(one.code, desk.language, {"agency": one.agency}) for one in synced.fetched.suspects]
    lines += [desk.text("sync-unlogged", message=message) for message in synced.unlogged]
    return Said(document=synced, lines=lines, code=_code(synced))


def _code(synced: Synced) -> int:
    if any(one.decisions for one in synced.refused):
        return EXIT_REFUSED_BY_CONSENT
    bad = [one for one in synced.collected if one.outcome in _BAD_OUTCOMES]
    if synced.refused or bad or synced.fetched.suspects or synced.unlogged:
        return EXIT_FAILED
    return EXIT_HUB_AWAY if synced.answered.hub_away else 0


def _has_news(synced: Synced) -> bool:
    return bool(synced.pushed.settled or synced.collected or synced.fetched.suspects or synced.unlogged)


def _parts(desk: Desk, decisions: tuple[PartDecision, ...]) -> list[str]:
    refused = [RefusedPart(one.category, one.reason or "", one.remedy) for one in decisions if not one.permitted]
    return [errors.part_line(part, desk.language) for part in refused]
