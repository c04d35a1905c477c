# SPDX-License-Identifier: Apache-2.0
"""`tsunagi doctor`: look at everything that must be right before anything works, and say what to do about the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import click
import requests

from connectors.base.errors import EXIT_FAILED, EXIT_HUB_AWAY, ConnectorError, HubAwayError
from connectors.casebook import outgoing
from connectors.cli.desk import Desk
from connectors.cli.errors import sentence
from connectors.cli.frame import verb
from connectors.cli.saying import Said, moment
from connectors.sync import proofs, witnesses
from connectors.sync.connector import Connector
from consent.keys import KeyUse

SOON: Final = timedelta(days=30)
"""A key that ends sooner than this is named."""
CLOCK_APART: Final = timedelta(seconds=30)
"""The hub refuses proofs whose time is further off than about a minute."""
_PATIENCE: Final = 5.0

Finding = tuple[str, str, str]
"""What was looked at, how it is (`ok`, `warn`, `bad`, `away`), and the sentence."""


def add_to(main: click.Group) -> None:
    """Add the command."""
    verb(main, "doctor")(doctor)


def doctor(desk: Desk) -> Said:
    """Look at folder, keys, casebook, hub, clock and what waits."""
    findings: list[Finding] = []
    try:
        with desk.open() as connector:
            findings += [("folder", "ok", desk.text("folder-fine", folder=desk.home()))]
            findings += [("casebook", "ok", desk.text("casebook-fine"))]
            findings += list(_keys(desk, connector))
            findings += _hub(desk, connector)
            findings += list(_waiting(desk, connector))
            findings += list(_witnesses(desk, connector))
    except ConnectorError as bad:
        findings.append((bad.code, "bad", sentence(bad, desk.language)))
    states = {state for _, state, _ in findings}
    code = EXIT_FAILED if "bad" in states else EXIT_HUB_AWAY if "away" in states else 0
    shown = [{"check": check, "state": state, "detail": said} for check, state, said in findings]
    lines = [f"{desk.text('doctor-' + state)} {said}" for _, state, said in findings]
    return Said(document={"ok": code == 0, "findings": shown}, lines=lines, code=code)


def _keys(desk: Desk, connector: Connector) -> Iterator[Finding]:
    now = connector.now()
    for use in (KeyUse.SIG, KeyUse.ENC, KeyUse.CLIENT):
        ends = max((key.entry.not_after for key in connector.keystore.held if key.entry.use is use), default=now)
        name, until = desk.label("key_use", use.value), moment(ends)
        if ends <= now:
            yield f"key:{use.value}", "bad", ConnectorError("key-missing", use=use.value).says(desk.language)
        elif ends <= now + SOON:
            yield f"key:{use.value}", "warn", desk.text("key-ends-soon", use=name, until=until, code=use.value)
        else:
            yield f"key:{use.value}", "ok", desk.text("key-fine", use=name, until=until)


def _hub(desk: Desk, connector: Connector) -> list[Finding]:
    url = connector.settings.hub
    found: list[Finding] = []
    try:
        found += _clock(desk, connector, url)
        found.append(_checked(desk, "admitted", "admitted", lambda: connector.hub.agency(connector.agency)))
        found.append(_checked(desk, "hub-keys", "hub-keys-fine", lambda: proofs.check_pins(connector)))
    except HubAwayError as away:
        found.append(("hub", "away", sentence(away, desk.language)))
    return found


def _clock(desk: Desk, connector: Connector, url: str) -> list[Finding]:
    try:
        answer = requests.get(f"{url}/livez", timeout=_PATIENCE, allow_redirects=False)
        there = parsedate_to_datetime(answer.headers["Date"])
    except requests.RequestException:
        raise HubAwayError("hub-away", url=url) from None
    except (KeyError, ValueError):
        return [("clock", "warn", desk.text("clock-unknown"))]
    apart = connector.now() - _in_utc(there)
    seconds = round(abs(apart.total_seconds()))
    if abs(apart) > CLOCK_APART:
        return [
            ("hub", "ok", desk.text("hub-fine", url=url)),
            ("clock", "bad", desk.text("clock-apart", seconds=seconds)),
        ]
    return [("hub", "ok", desk.text("hub-fine", url=url)), ("clock", "ok", desk.text("clock-fine", seconds=seconds))]


def _checked(desk: Desk, check: str, fine: str, deed: Callable[[], object]) -> Finding:
    try:
        deed()
    except HubAwayError:
        raise
    except ConnectorError as bad:
        return check, "bad", sentence(bad, desk.language)
    return check, "ok", desk.text(fine)


def _waiting(desk: Desk, connector: Connector) -> Iterator[Finding]:
    with connector.casebook.transaction() as connection:
        count = outgoing.count_waiting(connection)
    yield "outgoing", "warn" if count else "ok", desk.text("waiting-to-go", count=count)


def _witnesses(desk: Desk, connector: Connector) -> Iterator[Finding]:
    with connector.casebook.transaction() as connection:
        found = witnesses.standing(connection, connector.watch, now=connector.now())
    if found is None or connector.watch is None:
        yield "witnesses", "ok", desk.text("witnesses-none")
        return
    at = "-" if found.as_of is None else moment(found.as_of)
    if found.is_late:
        stops = connector.watch.when_late == "stop"
        yield "witnesses", "warn", desk.text("witnesses-late-stopped" if stops else "witnesses-late", at=at)
    elif found.as_of is None:
        yield "witnesses", "ok", desk.text("witnesses-not-yet")
    else:
        yield "witnesses", "ok", desk.text("witnesses-fine", at=at)


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
