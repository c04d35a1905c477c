# SPDX-License-Identifier: Apache-2.0
"""The page of imports and exports."""

from __future__ import annotations

from connectors.desk.exchange import importing, reads
from connectors.desk.exchange.blueprint import blueprint
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render
from connectors.desk.web.visits import Access, Visit

__all__ = ["blueprint", "exchange", "importing"]


@page(blueprint, "/exchange", who=Access.STAFF)
def exchange(visit: Visit) -> tuple[str, int]:
    """Show how to bring people in, which imports there were, and what can be given out."""
    with visit.book() as connection:
        jobs = reads.jobs_of(connection, visit) if visit.may(Access.CASEWORK) else []
    return render("exchange/exchange.html", jobs=jobs)
