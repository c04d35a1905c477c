# SPDX-License-Identifier: Apache-2.0
"""Take the roots of the agency's own access log to the hub, and ask the hub whether a day still is what it was."""

from __future__ import annotations

from datetime import date
from typing import Final

from connectors.casebook import anchors
from connectors.casebook.anchors import Checked, Verdict, Word
from connectors.sdk.answers import Anchored
from connectors.sdk.problems import ProblemError
from connectors.sync import proofs
from connectors.sync.station import NOT_FOUND, Station

_DIFFERS: Final = "anchor-differs"
_KIND: Final = "agency:anchor"


def anchor_past_days(station: Station) -> int:
    """Queue the anchors of the days that are over, in the first round of a day; give how many."""
    with station.casebook.transaction() as connection:
        return anchors.queue(connection, new_id=station.new_id, now=station.now())


def check_at_hub(station: Station, day: date) -> tuple[Checked, Verdict]:
    """Read a day's lines again and say whether the hub's log holds just these: also where somebody who can change the
    casebook has changed the anchor in it too.

    *Raises* `ConnectorError`: `anchor-unknown`; `proof-bad`, `hub-keys-changed`, `log-forked`, the hub's log is not to
    be believed. `HubAwayError`, `ProblemError`.
    """
    with station.casebook.transaction() as connection:
        checked = anchors.check(connection, day)
    if checked.count == 0 or (not checked.holds and checked.anchor.word is not Word.TAKEN):
        return checked, Verdict.DIFFERS  # asking would anchor what was changed, where the hub has nothing of the day
    if checked.anchor.word is Word.WAITING:
        return checked, Verdict.NOT_YET
    try:
        shown = station.hub.anchor(day, root=checked.root, count=checked.count)
    except ProblemError as problem:
        if problem.code != _DIFFERS:
            raise
        return checked, Verdict.DIFFERS
    return checked, _in_log(station, shown)


def _in_log(station: Station, shown: Anchored) -> Verdict:
    """Say whether the hub's log, proved to be the one that we know, holds what the hub has just said."""
    try:
        proved = station.hub.log_entry(shown.entry)
    except ProblemError as problem:
        if problem.status != NOT_FOUND:
            raise
        return Verdict.NOT_YET
    entry = proofs.verify_entry(station, proved.entry, proved.proof)
    facts = proofs.facts_of(entry)
    said = (entry.get("kind"), facts.get("day"), facts.get("root"), facts.get("count"))
    is_same = said == (_KIND, shown.day.isoformat(), shown.root, shown.count)
    return Verdict.IN_LOG if is_same else Verdict.DIFFERS
