# SPDX-License-Identifier: Apache-2.0
"""Take the roots of the agency's own access log to the hub, and ask the hub whether a day still is what it was."""

from __future__ import annotations

from datetime import date
from typing import Final

from connectors.casebook import anchors
from connectors.casebook.anchors import Checked
from connectors.sdk.problems import ProblemError
from connectors.sync.station import Station

_DIFFERS: Final = "anchor-differs"


def anchor_past_days(station: Station) -> int:
    """Queue the anchors of the days that are over, in the first round of a day; give how many."""
    with station.casebook.transaction() as connection:
        return anchors.queue(connection, new_id=station.new_id, now=station.now())


def check_at_hub(station: Station, day: date) -> tuple[Checked, bool]:
    """Read a day's lines again and say whether the hub has anchored just these: also where somebody who can change the
    casebook has changed the anchor in it too.

    *Raises* `ConnectorError("anchor-unknown")`, `HubAwayError`, `ProblemError`.
    """
    with station.casebook.transaction() as connection:
        checked = anchors.check(connection, day)
    if checked.count == 0:
        return checked, False  # nothing is left of the day, and the hub anchors no empty one
    try:
        station.hub.anchor(day, root=checked.root, count=checked.count)
    except ProblemError as problem:
        if problem.code != _DIFFERS:
            raise
        return checked, False
    return checked, True
