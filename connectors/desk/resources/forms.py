# SPDX-License-Identifier: Apache-2.0
"""Read the form of an entry."""

from __future__ import annotations

from connectors.casebook.resources import OPEN, Said
from connectors.desk.web.filling import Filled

LONGEST = 1000


def read_entry(filled: Filled) -> Said | None:
    """Read an entry; what is open needs somebody who cares for it, what is settled says how it ended."""
    kind = filled.code("kind", "resource_kind", required=True)
    state = filled.code("state", "resource_state", required=True)
    owner = filled.line("owner", required=state == "in_hand")
    next_on = filled.day("next_on", required=state == "in_hand")
    next_step = filled.line("next_step", required=state == "in_hand")
    outcome = filled.text("outcome", required=state is not None and state not in OPEN, longest=LONGEST)
    area, what = filled.line("area"), filled.text("what", required=True, longest=LONGEST)
    if not filled.is_fine or kind is None or state is None:
        return None
    return Said(
        kind=kind, area=area, what=what, owner=owner, next_step=next_step, next_on=next_on, state=state,
        outcome=outcome,
    )  # fmt: skip
