# SPDX-License-Identifier: Apache-2.0
"""Who looks after a person from now on: written when the hub has taken an acceptance or a handing over, and not before.

While such a move waits, or where it was refused, the agency's own file says nothing of it: no number of ours, nobody in
charge. The move's row holds what will be written (`here`), beside what the hub is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import files, listing, people, referral_files
from connectors.casebook.statements import Pen
from connectors.sdk.threads import Referral
from consent.calendar import day_of

HERE: Final = "here"
"""The member of a move's row that the hub does not get."""


def promise(worker: str, *, team: str, opens_case: bool) -> dict[str, Any]:
    """Say what is to be written once the hub has taken a move: who is in charge, and whether the case gets a number."""
    return {"worker": worker, "team": team, "opens_case": opens_case}


def take(connection: Connection, pen: Pen, referral: Referral, promised: Mapping[str, Any]) -> None:
    """Write who looks after a referral; a partner's case that we accepted gets a number of ours."""
    worker = str(promised["worker"])
    file = referral_files.open_file(
        connection, pen, thread=referral.thread, opener=referral.sender, case=referral.case, worker=worker, document={}
    )
    if file.worker != worker:
        referral_files.assign(connection, pen, file, worker)
    if promised["opens_case"] and files.file_of(connection, referral.case) is None:
        know_case(connection, referral.case, owner=referral.sender, now=pen.now)
        files.open_file(
            connection, pen, case=referral.case, on=day_of(pen.now), worker=worker, team=str(promised["team"])
        )


def know_case(connection: Connection, case: str, *, owner: str, now: datetime) -> None:
    """Have a case here of which only a message speaks: a partner named by kind only does not see the case itself."""
    try:
        listing.case_of(connection, case)
    except ConnectorError:
        people.keep_case(connection, handle=case, owner=owner, closed_at=None, now=now)
