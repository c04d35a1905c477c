# SPDX-License-Identifier: Apache-2.0
"""People here whom a tip may be about."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from connectors.casebook import files
from connectors.casebook.finding import Tip
from connectors.desk.web.visits import Visit

_LOOKALIKES: Final = 5


def alike(connection: Connection, visit: Visit, tip: Tip) -> list[tuple[str, str]]:
    """Give people here whom a tip may be about, by name, reading or telephone."""
    found: dict[str, str] = {}
    for said in (tip.said("name"), tip.said("kana"), tip.said("phone")):
        if said:
            for one in files.search(connection, said, staff=visit.me.id, now=visit.at, limit=_LOOKALIKES):
                number = one.file.number if one.file else ""
                found.setdefault(one.person.id, " ".join(filter(None, (one.person.name, one.person.kana, number))))
    return list(found.items())[:_LOOKALIKES]
