# SPDX-License-Identifier: Apache-2.0
"""Read what an officer decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from connectors.casebook.meeting_papers import Slip
from connectors.desk.decisions import rules
from connectors.desk.decisions.service import Said
from connectors.desk.web.filling import Filled
from connectors.desk.web.visits import Visit

_LONGEST_TERM: Final = timedelta(days=366)
_LONGEST: Final = 2000


def read_decision(filled: Filled, visit: Visit, slip: Slip) -> Said | None:
    """Read a decision: a word of each service, of the plan, a term of at most a year where something was granted."""
    services = {
        one: filled.code(f"service-{one}", rules.answers_for(how), required=True) for one, how in slip.services.items()
    }
    plan = filled.code("plan", "service_confirmation", required=True)
    is_carried = plan == rules.CONFIRMED
    first = filled.day("first", required=is_carried, last=visit.today + _LONGEST_TERM)
    last = filled.day("last", required=is_carried)
    if first is not None and last is not None and not first <= last <= first + _LONGEST_TERM:
        filled.blame("last", "decisions.fault-term")
    is_refused = not is_carried or "not_decided" in services.values()
    words = filled.text("words", required=is_refused, longest=_LONGEST)
    officer = filled.line("officer", required=True, longest=60)
    if not filled.is_fine or plan is None:
        return None
    said = {one: answer for one, answer in services.items() if answer is not None}
    return Said(
        services={**said, rules.PLAN: plan}, first=first, last=last, words=words, officer=officer,
        acknowledged=filled.has("no_my_number"),
    )  # fmt: skip
