# SPDX-License-Identifier: Apache-2.0
"""Read a tip from a form, of the desk or of the public page: the same fields, the same limits."""

from __future__ import annotations

from typing import Any, Final

from connectors.casebook.finding import Tip
from connectors.desk.web.filling import Filled
from connectors.desk.web.visits import Visit

_LONGEST: Final = 2000
_LONGEST_LINE: Final = 200
KNOWS: Final = ("yes", "no", "unknown")
CAME_BY: Final = ("telephone", "paper", "visit")


def read_tip(filled: Filled, visit: Visit, *, came_by: str | None, staff: str | None) -> Tip | None:
    """Read a tip; None where something cannot be taken, which is blamed.

    A name, an address or a telephone must be there, or nobody could be found by it.
    """
    source = filled.code("source", "tip_source", required=True)
    document: dict[str, Any] = {
        name: filled.line(name, longest=_LONGEST_LINE)
        for name in ("name", "kana", "address", "phone", "teller", "teller_phone")
    }
    document["signs"] = filled.text("signs", required=True, longest=_LONGEST)
    document["knows"] = filled.code("knows", KNOWS) or "unknown"
    if not any(document[name] for name in ("name", "kana", "address", "phone")):
        filled.blame("name", "finding.fault-nobody")
    way = came_by or filled.code("came_by", CAME_BY, required=True)
    if source is None or way is None or not filled.is_fine:
        return None
    return Tip(
        id=visit.site.connector.new_id(),
        at=visit.at,
        source=source,
        came_by=way,
        staff=staff,
        urgent=filled.has("urgent"),
        document={name: value for name, value in document.items() if value},
    )
