# SPDX-License-Identifier: Apache-2.0
"""The page of imports and exports; the steps of an import and the files that go out are in `importing`, `giving`
and `disclosing`.
"""

from __future__ import annotations

from connectors.desk.exchange import disclosing, giving, importing
from connectors.desk.exchange.blueprint import blueprint
from connectors.desk.exchange.showing import show
from connectors.desk.web.gate import page
from connectors.desk.web.visits import Access, Visit

__all__ = ["blueprint", "disclosing", "exchange", "giving", "importing"]


@page(blueprint, "/exchange", who=Access.STAFF)
def exchange(visit: Visit) -> tuple[str, int]:
    """Show how to bring people in, which imports there were, and what can be given out."""
    return show(visit)
