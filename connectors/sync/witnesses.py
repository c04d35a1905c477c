# SPDX-License-Identifier: Apache-2.0
"""Hold the hub's log against its witnesses: whether enough of them saw it within the last four hours (audit-log 4).

The policy comes to the agency on paper or by hand, never from the hub: a file `witnesses.txt` (C2SP tlog-policy) in its
folder. A late quorum is a warning; where the network says so (`late_witnesses: stop` in `agency.json`), nothing but
what is urgent is opened until there is one again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import marks
from connectors.sdk.problems import ProblemError
from connectors.sync import proofs
from connectors.sync.station import NOT_FOUND, Station, Watch, WhenLate
from consent.calendar import moment
from consent.errors import TsunagiError
from consent.tlog import notes
from consent.tlog import policy as policies
from consent.wire import write_moment

POLICY_FILE: Final = "witnesses.txt"
LATE_AFTER: Final = timedelta(hours=4)
URGENT: Final = frozenset({"immediate", "same_day"})
_MARK: Final = "log-quorum"
_SINCE: Final = "log-quorum-since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the log stands with its witnesses: enough saw it `as_of` then (None: never yet), and whether that is late."""

    as_of: datetime | None
    is_late: bool


def read_watch(folder: Path, when_late: WhenLate) -> Watch | None:
    """Read the policy in an agency's folder; none where there is no file.

    *Raises* `ConnectorError("witness-policy-bad")`: it cannot be read; nothing is weaker than a policy that is ignored.
    """
    path = folder / POLICY_FILE
    if not path.exists():
        return None
    try:
        policy = policies.read_policy(path.read_text(encoding="utf-8"))
    except TsunagiError as refused:
        line = refused.pointer.removeprefix("/") or "-"
        raise ConnectorError("witness-policy-bad", file=path.name, rule=refused.code, line=line) from None
    except (OSError, UnicodeDecodeError):
        raise ConnectorError("witness-policy-bad", file=path.name, rule="unreadable", line="-") from None
    return Watch(policy=policy, when_late=when_late)


def look(station: Station) -> None:
    """Ask the hub for the newest checkpoint that enough witnesses saw, verify it, and remember since when that holds.

    *Raises* `ConnectorError`: `witness-policy-other-log`, the policy is about another log than the one first seen;
    `proof-bad`; `log-forked`. `HubAwayError`, `ProblemError`.
    """
    watch = station.watch
    if watch is None:
        return
    if watch.policy.log.text() != proofs.pinned(station).log.text():
        raise ConnectorError("witness-policy-other-log")
    now = station.now()
    with station.casebook.transaction() as connection:
        if marks.recall(connection, _SINCE) is None:
            marks.remember(connection, _SINCE, write_moment(now))
    try:
        text = station.hub.witnessed_checkpoint()
    except ProblemError as problem:
        if problem.status != NOT_FOUND:
            raise
        return
    try:
        found = policies.quorum(notes.read_note(text), watch.policy, now=now)
    except TsunagiError:
        raise ConnectorError("proof-bad") from None
    proofs.follow(station, found.checkpoint, text)
    if found.as_of is None:
        return
    with station.casebook.transaction() as connection:
        known = marks.recall(connection, _MARK)
        if known is None or moment(known) < found.as_of:
            marks.remember(connection, _MARK, write_moment(found.as_of))


def standing(connection: Connection, watch: Watch | None, *, now: datetime) -> Standing | None:
    """Say how the log stands with its witnesses, as far as is known here; None without a policy.

    A log that was never seen by enough is late once four hours have passed since this agency first looked.
    """
    if watch is None:
        return None
    known, since = marks.recall(connection, _MARK), marks.recall(connection, _SINCE)
    as_of = None if known is None else moment(known)
    begun = as_of or (None if since is None else moment(since))
    return Standing(as_of=as_of, is_late=begun is not None and now - begun > LATE_AFTER)


def may_open(station: Station, urgency: str) -> bool:
    """Say whether a message of this urgency may be opened now."""
    watch = station.watch
    if watch is None or watch.when_late == "warn" or urgency in URGENT:
        return True
    with station.casebook.transaction() as connection:
        found = standing(connection, watch, now=station.now())
    return found is None or not found.is_late
