# SPDX-License-Identifier: Apache-2.0
"""The page on which both ways begin, with the form of an export as it was filled in, or as a list's link has it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from flask import request

from connectors.base.labels import label
from connectors.desk.exchange import lists, reads, sheets
from connectors.desk.referrals.listed import CHOICES
from connectors.desk.web.filling import Filled
from connectors.desk.web.rendering import render, render_again
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Role, Visit

REASONS: Final = ("report", "meeting", "handover", "person", "system", "check")
"""Why somebody takes a list along; the access log keeps the code."""
WHOLE_OFFICE: Final = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
STATES: Final = ("", lists.OPEN, lists.ENDED)
FILTERS: Final = ("role", "due")
"""What a list of referrals may be narrowed by besides its state."""


def widths(visit: Visit) -> tuple[str, ...]:
    """Give how wide a list this person may have: one's own cases with casework, the office's with a wider role."""
    own = (lists.MINE,) if visit.may(Access.CASEWORK) else ()
    return (*own, lists.OFFICE) if visit.me.roles & WHOLE_OFFICE else own


def all_states() -> tuple[str, ...]:
    """Give the states that a list may be narrowed to; those of referrals among them."""
    return tuple(dict.fromkeys((*STATES, *CHOICES["state"])))


def show(visit: Visit, filled: Filled | None = None) -> tuple[str, int]:
    """Show the page, with the faults of an export's form if there are any."""
    with visit.book() as connection:
        jobs = reads.jobs_of(connection, visit) if visit.may(Access.CASEWORK) else []
    facts = {"jobs": jobs, **_form(visit)}
    if filled is not None:
        return render_again("exchange/exchange.html", filled, **facts)
    return render("exchange/exchange.html", **facts)


def _said(visit: Visit, begin: str, codes: Iterable[str]) -> list[tuple[str, str]]:
    """Give codes with what a person reads for each."""
    return [(one, text(begin + one, visit.language)) for one in codes]


def _one_more(visit: Visit, state: str) -> list[tuple[str, str]]:
    """Give the state of a referral to which the list was narrowed from which somebody comes."""
    is_one = state in all_states() and state not in STATES
    return [(state, label("referral_state", state, visit.language))] if is_one else []


def _form(visit: Visit) -> dict[str, Any]:
    asked, wide, states = request.values, widths(visit), all_states()
    state = asked.get("state", "")
    return {
        "lists": lists.LISTS,
        "widths": wide,
        "formats": sheets.KINDS,
        "reasons": REASONS,
        "state_options": [*_said(visit, "exchange.states-", STATES), *_one_more(visit, state)],
        "said": partial(_said, visit),
        "chosen": {
            "what": asked.get("what") if asked.get("what") in lists.LISTS else lists.LISTS[0],
            "width": asked.get("width") if asked.get("width") in wide else next(iter(wide), ""),
            "state": state if state in states else "",
        },
        "narrowed": {name: asked[name] for name in FILTERS if asked.get(name) and asked[name] in CHOICES[name]},
    }
